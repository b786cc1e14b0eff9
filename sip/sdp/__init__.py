"""Session descriptions (RFC 8866) and their negotiation (RFC 3264)."""

from sip.sdp.description import MediaDescription, Origin, SessionDescription, parse_sdp
from sip.sdp.offer_answer import TELEPHONE_EVENT, Codec, Direction, Negotiated, OfferAnswer

__all__ = [
    "TELEPHONE_EVENT", "Codec", "Direction", "MediaDescription", "Negotiated", "OfferAnswer", "Origin",
    "SessionDescription", "parse_sdp",
]  # fmt: skip
