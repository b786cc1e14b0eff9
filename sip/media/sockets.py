"""The pair of UDP sockets of one call: RTP on an even port, RTCP above it."""

import errno
import socket
import struct
import sys
import time
from typing import Final

from sip.media.ports import PortPool, PortsExhaustedError

EXPEDITED: Final = 0xB8
"""DSCP EF: voice goes first (RFC 4594 section 4.1)."""
_TRIES: Final = 20
_SO_TIMESTAMPNS: Final = 35
"""Linux: the kernel notes when a datagram came, so our own stalls are not measured as jitter."""
_STAMP: Final = struct.Struct("@qq")
STAMP_BYTES: Final = 64
"""Room for the kernel's note beside a datagram."""


def bind_pair(local_ip: str, ports: PortPool) -> tuple[int, socket.socket, socket.socket]:
    """An RTP port from the pool with its two non-blocking sockets.

    Ports that another program holds are passed over. Raises PortsExhaustedError when the pool has none left
    or twenty in a row are taken, and OSError when `local_ip` is not ours.
    """
    for _ in range(_TRIES):
        port = ports.acquire()
        rtp, rtcp = _udp(local_ip), _udp(local_ip)
        try:
            rtp.bind((local_ip, port))
            rtcp.bind((local_ip, port + 1))
        except OSError as error:
            rtp.close()
            rtcp.close()
            ports.release(port)
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return port, rtp, rtcp
    raise PortsExhaustedError(f"{_TRIES} RTP ports in a row are held by other programs on {local_ip}: "
                              "choose another RTP port range")


def arrival_s(ancillary: list[tuple[int, int, bytes]]) -> float:
    """When the datagram with these notes came, in seconds of the wall clock."""
    if not ancillary:
        return time.time()
    seconds, nanoseconds = _STAMP.unpack_from(ancillary[0][2])
    return float(seconds + nanoseconds * 1e-9)


def _udp(local_ip: str) -> socket.socket:
    version6 = ":" in local_ip
    sock = socket.socket(socket.AF_INET6 if version6 else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    if sys.platform == "linux":
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    level, option = ((socket.IPPROTO_IPV6, socket.IPV6_TCLASS) if version6
                     else (socket.IPPROTO_IP, socket.IP_TOS))
    sock.setsockopt(level, option, EXPEDITED)
    return sock
