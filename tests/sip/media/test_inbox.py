"""Reading many sockets with one question: in order, all that came, and nobody disturbed by a neighbour."""

import socket

from sip.media.inbox import Inbox


def pair() -> tuple[socket.socket, socket.socket]:
    ears, mouth = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    ears.bind(("127.0.0.1", 0))
    ears.setblocking(False)
    mouth.connect(ears.getsockname())
    return ears, mouth


def test_everything_that_came_is_read_in_order():
    inbox, got = Inbox(), [list[bytes]() for _ in range(3)]
    pairs = [pair() for _ in range(3)]
    for (ears, _), heard in zip(pairs, got, strict=True):
        inbox.add(ears, lambda ears=ears, heard=heard: heard.append(ears.recv(100)))
    for number, (_, mouth) in enumerate(pairs):
        for letter in range(number * 4):
            mouth.send(bytes([letter]))
    assert inbox.collect()
    assert [len(heard) for heard in got] == [0, 4, 8]
    assert got[2] == [bytes([letter]) for letter in range(8)]
    inbox.collect()
    assert [len(heard) for heard in got] == [0, 4, 8]
    close(pairs)


def test_a_flood_on_one_socket_leaves_the_others_their_turn_and_the_tick_its_end():
    inbox, got = Inbox(), [list[bytes](), list[bytes]()]
    pairs = [pair(), pair()]
    for (ears, mouth), heard, count in zip(pairs, got, (200, 2), strict=True):
        inbox.add(ears, lambda ears=ears, heard=heard: heard.append(ears.recv(100)))
        for _ in range(count):
            mouth.send(b"x")
    inbox.collect()
    assert len(got[0]) == 64 and len(got[1]) == 2
    close(pairs)


def test_a_reader_that_fails_disturbs_no_other(caplog):
    inbox, heard = Inbox(), list[bytes]()
    pairs = [pair(), pair()]

    def fail() -> None:
        pairs[0][0].recv(100)
        raise ValueError("no codec")

    inbox.add(pairs[0][0], fail)
    inbox.add(pairs[1][0], lambda: heard.append(pairs[1][0].recv(100)))
    for _, mouth in pairs:
        mouth.send(b"x")
    inbox.collect()
    assert heard == [b"x"] and inbox.failures == 1
    assert "reading media failed" in caplog.text
    close(pairs)


def test_a_socket_that_was_removed_is_not_read():
    inbox, heard = Inbox(), list[bytes]()
    ears, mouth = pair()
    inbox.add(ears, lambda: heard.append(ears.recv(100)))
    inbox.add(ears, lambda: heard.append(b"twice"))
    inbox.remove(ears)
    inbox.remove(ears)
    mouth.send(b"x")
    inbox.collect()
    assert heard == []
    close([(ears, mouth)])


def close(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    for ears, mouth in pairs:
        ears.close()
        mouth.close()
