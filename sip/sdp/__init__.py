"""Session descriptions (RFC 8866) and their negotiation (RFC 3264)."""

from sip.sdp.crypto import Keys, Srtp
from sip.sdp.description import MediaDescription, Origin, SessionDescription, parse_sdp
from sip.sdp.formats import FORMATS, TELEPHONE_CODECS, TELEPHONE_EVENT, Codec
from sip.sdp.offer_answer import Direction, Negotiated, OfferAnswer

__all__ = [
    "FORMATS", "TELEPHONE_CODECS", "TELEPHONE_EVENT", "Codec", "Direction", "Keys", "MediaDescription", "Negotiated",
    "OfferAnswer", "Origin", "SessionDescription", "Srtp", "parse_sdp",
]  # fmt: skip
