"""An INVITE that wants to take the place of a call (RFC 3891 section 3): which call, and whether it may."""

from __future__ import annotations

from collections.abc import Mapping

from sip.call import Call
from sip.errors import SipParseError
from sip.events import CallState
from sip.message import Request
from sip.replaces import Replaces


def replaced_call(request: Request, calls: Mapping[tuple[str, str], Call]) -> Call | int | None:
    """The call that `request` is to replace; a status where it may not; None where it has no Replaces."""
    texts = request.headers.all("Replaces")
    if not texts:
        return None
    try:
        wanted = Replaces.parse(texts[0])
    except SipParseError:
        return 400
    if len(texts) > 1:
        return 400
    call = calls.get((wanted.call_id, wanted.to_tag))
    if call is None or call.dialog is None or (call.dialog.remote.tag or "") != wanted.from_tag:
        return 481
    if call.state is CallState.ENDED:
        return 603
    if call.state is CallState.CONFIRMED:
        return 486 if wanted.early_only else call
    # Of calls that still ring only our own may be taken over: of theirs the caller has no dialog to give.
    return call if call.direction == "out" else 481
