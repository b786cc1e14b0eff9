"""The wire between line and pyVoIP process: whole messages from any pieces, one error for anything else."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.telephony.pyvoip_wire import MOST_BYTES, Kind, Message, Reader, WireError, message, read_from

messages = st.builds(Message, st.sampled_from(list(Kind)), st.integers(0, 2**32 - 1), st.binary(max_size=400))


@given(st.lists(messages, max_size=10), st.integers(1, 700))
def test_messages_come_through_in_any_pieces(said: list[Message], size: int) -> None:
    data = b"".join(one.encode() for one in said)
    reader = Reader()
    heard = [one for at in range(0, len(data), size) for one in reader.feed(data[at : at + size])]
    assert heard == said
    stream = io.BytesIO(data)
    assert [read_from(stream) for _ in said] == said and read_from(stream) is None


@given(st.binary(max_size=2000))
def test_any_bytes_are_messages_or_one_error(data: bytes) -> None:
    try:
        for one in Reader().feed(data):
            assert len(one.body) <= MOST_BYTES
            one.data  # noqa: B018
    except WireError:
        pass


def test_what_is_no_object_is_refused() -> None:
    assert message(Kind.DIAL, 3, number="8001").data == {"number": "8001"}
    for body in (b"[1]", b"{", b"\xff"):
        with pytest.raises(WireError):
            Message(Kind.DIAL, 1, body).data  # noqa: B018
