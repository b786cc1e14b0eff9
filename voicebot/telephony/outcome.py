"""What a carrier's final answer means: SIP status and Q.850 cause to a disposition.

Source: RFC 3398 section 8.2.6 (ISUP causes and SIP responses), ITU-T Q.850 (causes).
"""

from __future__ import annotations

from voicebot.domain.outcome import Disposition

_BY_STATUS = {
    404: Disposition.UNREACHABLE,  # cause 1, unallocated number
    408: Disposition.NO_ANSWER,
    410: Disposition.UNREACHABLE,  # cause 22, number changed
    480: Disposition.NO_ANSWER,  # cause 18-20: no user responding, no answer, subscriber absent
    484: Disposition.UNREACHABLE,  # cause 28, incomplete number
    486: Disposition.BUSY,  # cause 17
    487: Disposition.NO_ANSWER,  # we gave up ringing
    600: Disposition.BUSY,
    603: Disposition.REJECTED,  # cause 21
    604: Disposition.UNREACHABLE,
    607: Disposition.REJECTED,  # RFC 8197, unwanted
    608: Disposition.REJECTED,  # RFC 8688
}
_BY_CAUSE = {
    1: Disposition.UNREACHABLE,
    17: Disposition.BUSY,
    18: Disposition.NO_ANSWER,
    19: Disposition.NO_ANSWER,
    20: Disposition.UNREACHABLE,
    21: Disposition.REJECTED,
    22: Disposition.UNREACHABLE,
    27: Disposition.UNREACHABLE,
    28: Disposition.UNREACHABLE,
}


def disposition_of(status: int | None, q850: int | None = None) -> Disposition:
    """The disposition of a call that nobody answered; the carrier's Q.850 cause beats the status."""
    if q850 in _BY_CAUSE:
        return _BY_CAUSE[q850]
    return _BY_STATUS.get(status or 0, Disposition.FAILED)
