"""Who lives where on loopback: near and far each see the relay in the other's place."""

from typing import Final

NEAR, FAR = "127.0.1.1", "127.0.2.1"
FAR_SEEN_BY_NEAR, NEAR_SEEN_BY_FAR = "127.0.1.9", "127.0.2.9"
"""All four are written with the same number of characters, so that the relay can exchange them in SIP and SDP."""
SIP_PORT: Final = 15_060
RTP_PORTS: Final = 21_000, 21_239
"""On each side: one pair for each call and for those that rest in quarantine."""
