"""A telephone: calls over SIP with sound, for Python programs that speak and listen.

Protocol cores (message, sdp, auth, transaction, dialog, rtp) know no socket, no clock, no randomness; a thin
asyncio shell (transport, endpoint, media) drives them. Start at `UserAgent` and `Call`.
"""

from sip.auth import Credentials, DigestServer
from sip.call import Call
from sip.errors import CallStateError, RefusedError, ResolveError, SdpError, SipError, SipParseError
from sip.events import (
    Answered,
    CallEvent,
    CallState,
    Dtmf,
    EarlyMedia,
    Ended,
    Held,
    Replaced,
    Resumed,
    Ringing,
    TransferRequested,
)
from sip.message import Request, Response
from sip.registration import Registration, RegistrationState
from sip.transfer import TransferResult
from sip.transport import Hop, TlsSettings
from sip.user_agent import UserAgent

__all__ = [
    "Answered", "Call", "CallEvent", "CallState", "CallStateError", "Credentials", "DigestServer", "Dtmf",
    "EarlyMedia", "Ended", "Held", "Hop", "RefusedError", "Registration", "RegistrationState", "Replaced", "Request",
    "ResolveError", "Response", "Resumed", "Ringing", "SdpError", "SipError", "SipParseError", "TlsSettings",
    "TransferRequested", "TransferResult", "UserAgent",
]  # fmt: skip
