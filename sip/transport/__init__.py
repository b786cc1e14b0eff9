"""Transports carry bytes; the layer unites them; the resolver says where to."""

from sip.transport.base import Address, Hop, Receive, TlsSettings, Transport, TransportName, as_hop
from sip.transport.framing import MAX_STREAM_MESSAGE
from sip.transport.layer import TransportLayer, is_local
from sip.transport.resolver import literal, resolve
from sip.transport.udp import UdpTransport

__all__ = [
    "MAX_STREAM_MESSAGE", "Address", "Hop", "Receive", "TlsSettings", "Transport", "TransportLayer", "TransportName",
    "UdpTransport", "as_hop", "is_local", "literal", "resolve",
]  # fmt: skip
