"""SRTP (RFC 3711) of one call: what leaves is encrypted with our key, what comes is checked with the peer's."""

from typing import Final

from pylibsrtp import Error, Policy, Session

from sip.sdp import Keys

_PROFILES: Final = {
    "AES_CM_128_HMAC_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    "AES_CM_128_HMAC_SHA1_32": Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
}


class Shield:
    """Keeps the roll-over counters and replay windows, so each direction lives as long as its key does.

    `before`: the shield whose place this one takes. A direction whose key stays goes on counting where it was: counting
    anew would encrypt different packets with the same keystream (RFC 3711 section 9.1).
    """

    def __init__(self, keys: Keys, before: "Shield | None" = None) -> None:
        profile = _PROFILES[keys.suite]
        self.keys: Final = keys
        self.rejected = 0
        """Packets that were forged, replayed or no SRTP at all."""
        known = before if before is not None and before.keys.suite == keys.suite else None
        self._out: Session = (
            known._out
            if known is not None and known.keys.ours == keys.ours
            else Session(Policy(keys.ours, Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
        )
        self._in: Session = (
            known._in
            if known is not None and known.keys.theirs == keys.theirs
            else Session(Policy(keys.theirs, Policy.SSRC_ANY_INBOUND, srtp_profile=profile))
        )

    def protect(self, packet: bytes) -> bytes:
        return bytes(self._out.protect(packet))

    def protect_rtcp(self, packet: bytes) -> bytes:
        return bytes(self._out.protect_rtcp(packet))

    def unprotect(self, packet: bytes) -> bytes | None:
        """The RTP packet, or None for one that is to be dropped; those are counted."""
        try:
            return bytes(self._in.unprotect(packet))
        except (Error, ValueError):
            self.rejected += 1
            return None

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        try:
            return bytes(self._in.unprotect_rtcp(packet))
        except (Error, ValueError):
            self.rejected += 1
            return None
