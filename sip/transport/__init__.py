"""Transports carry bytes; the resolver says where to."""

from sip.transport.base import Address, Receive, Transport
from sip.transport.resolver import literal, resolve
from sip.transport.udp import UdpTransport

__all__ = ["Address", "Receive", "Transport", "UdpTransport", "literal", "resolve"]
