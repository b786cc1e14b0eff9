"""The bad network: carries SIP and RTP between near and far, and loses, doubles, delays and reorders them."""

import argparse
import asyncio
import json
import random
import signal
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, cast

import uvloop

from benchmarks.soak.places import FAR, FAR_SEEN_BY_NEAR, NEAR, NEAR_SEEN_BY_FAR, RTP_PORTS, SIP_PORT

TURN_S: Final = 20.0
"""How long the network stays as bad as it is."""
JITTER_S: Final = 0.006
REORDERED, DOUBLED = 0.02, 0.01
BEHIND_S: Final = 0.045
"""A reordered packet comes this much later: two packets overtake it."""
Carry = Callable[[int, int, bytes], None]


class Weather:
    """How bad the network is now; it changes by itself."""

    def __init__(self, most: float, chance: random.Random) -> None:
        self.most, self.chance, self.counts = most, chance, Counter[str]()
        self.turn()

    def turn(self) -> None:
        self.loss = self.chance.uniform(0, self.most)
        asyncio.get_running_loop().call_later(TURN_S, self.turn)

    def delays(self) -> list[float]:
        """When a packet arrives: not at all, once, or twice."""
        self.counts["packets"] += 1
        if self.chance.random() < self.loss:
            self.counts["lost"] += 1
            return []
        delay = self.chance.random() * JITTER_S
        if self.chance.random() < REORDERED:
            self.counts["reordered"] += 1
            delay += BEHIND_S
        if self.chance.random() < DOUBLED:
            self.counts["doubled"] += 1
            return [delay, delay + 0.001]
        return [delay]


class Face(asyncio.DatagramProtocol):
    """One port of the relay."""

    def __init__(self, carry: Carry, port: int) -> None:
        self._carry, self._port = carry, port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._carry(self._port, addr[1], data)


class Side:
    """All ports that stand for one party, and the address of the other one, to whom they carry."""

    def __init__(self, own: str, beyond: str, names: list[tuple[str, str]], weather: Weather) -> None:
        self._own, self._beyond, self._weather = own, beyond, weather
        self._names = [(old.encode(), new.encode()) for old, new in names]
        self.faces: dict[int, Face] = {}
        self.other: Side

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        for port in (SIP_PORT, *range(RTP_PORTS[0], RTP_PORTS[1] + 1)):
            _, self.faces[port] = await loop.create_datagram_endpoint(
                lambda port=port: Face(self.carry, port), (self._own, port))  # type: ignore[misc]

    def carry(self, port: int, source_port: int, data: bytes) -> None:
        """A packet came here for `port` of the party beyond; it leaves from the sender's own port number."""
        if port == SIP_PORT:
            for old, new in self._names:
                data = data.replace(old, new)
        leaves = self.other.faces.get(source_port)
        for delay_s in self._weather.delays() if leaves else []:
            asyncio.get_running_loop().call_later(delay_s, leaves.transport.sendto, data, (self._beyond, port))


async def run(most: float, seed: int) -> None:
    weather = Weather(most, random.Random(seed))
    to_far = Side(FAR_SEEN_BY_NEAR, FAR, [(NEAR, NEAR_SEEN_BY_FAR), (FAR_SEEN_BY_NEAR, FAR)], weather)
    to_near = Side(NEAR_SEEN_BY_FAR, NEAR, [(FAR, FAR_SEEN_BY_NEAR), (NEAR_SEEN_BY_FAR, NEAR)], weather)
    to_far.other, to_near.other = to_near, to_far
    await to_far.open()
    await to_near.open()
    print("ready", flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    print(json.dumps(weather.counts), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loss", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    uvloop.run(run(options.loss, options.seed))


if __name__ == "__main__":
    main()
