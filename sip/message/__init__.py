"""SIP messages: bytes <-> values, nothing else (RFC 3261 sections 7, 8.1.1, 19.1, 20 and 25)."""

from sip.message.fields import CSeq, NameAddr, Via
from sip.message.headers import Headers
from sip.message.message import REASONS, Message, Request, Response
from sip.message.parser import MAX_MESSAGE, parse_message
from sip.message.uri import Uri

__all__ = [
    "MAX_MESSAGE", "REASONS", "CSeq", "Headers", "Message", "NameAddr", "Request", "Response", "Uri", "Via",
    "parse_message",
]  # fmt: skip
