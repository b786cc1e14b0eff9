"""Logs hold facts and no personal data."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.captured_logs import captured_logs
from voicebot.telemetry.logs import IntoOurLogs, mask, setup_logs
from voicebot.telemetry.traces import trace_id_of


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    with captured_logs("INFO") as out:
        yield out


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_personal_data_is_masked_wherever_it_stands(stream: io.StringIO) -> None:
    log = structlog.get_logger("voicebot.test")
    log.info("dialled", number_pii="13812345678", debtor={"name_pii": "张三丰", "case": "C1"}, note="回拨13812345678")
    (line,) = lines(stream)
    assert line["event"] == "dialled" and line["level"] == "info" and line["logger"] == "voicebot.test"
    assert line["number_pii"] == "138****5678"
    assert line["debtor"] == {"name_pii": "张**", "case": "C1"}
    assert line["note"] == "回拨138****5678"
    assert "12345678" not in stream.getvalue() and "三丰" not in stream.getvalue()


def test_logs_of_libraries_take_the_same_way(stream: io.StringIO) -> None:
    logging.getLogger("some.library").warning("could not ring %s", "+8613812345678", extra={"user_pii": "wangfang"})
    (line,) = lines(stream)
    assert line["event"] == "could not ring +86138****5678"
    assert line["user_pii"] == "wa***" and line["level"] == "warning"


def test_ids_are_left_alone_and_sums_are_nobodys_business(stream: io.StringIO) -> None:
    structlog.get_logger().info("promised", amount_fen=126800, call_id="call-138123456789012")
    (line,) = lines(stream)
    assert (line["amount_fen"], line["call_id"]) == ("***", "call-138123456789012")


def test_what_is_told_of_a_call_names_its_trace(stream: io.StringIO) -> None:
    structlog.get_logger().info("sealed", call_id="0123456789abcdef0123")
    structlog.get_logger().info("calm again")
    sealed, calm = lines(stream)
    assert sealed["trace_id"] == trace_id_of("0123456789abcdef0123") and "trace_id" not in calm


def test_errors_bring_their_trace(stream: io.StringIO) -> None:
    try:
        raise RuntimeError("broken 13812345678")
    except RuntimeError:
        structlog.get_logger().exception("failed")
    (line,) = lines(stream)
    assert "RuntimeError: broken" in str(line["exception"])
    assert "12345678" not in stream.getvalue()


@pytest.mark.parametrize(("text", "shown"), [("张三", "张*"), ("a", "a"), ("", ""), ("13812345678", "138****5678")])
def test_masks(text: str, shown: str) -> None:
    assert mask(text) == shown


def test_what_loguru_would_print_takes_the_same_way(stream: io.StringIO) -> None:
    from loguru import logger

    handler = logger.add(IntoOurLogs(), level="WARNING", format="{message}")
    try:
        logger.warning("pipeline of 13812345678 is stuck")
        try:
            raise RuntimeError("broken 13812345678")
        except RuntimeError:
            logger.exception("failed")
    finally:
        logger.remove(handler)
    stuck, failed = lines(stream)
    assert stuck["event"] == "pipeline of 138****5678 is stuck" and stuck["level"] == "warning"
    assert failed["event"].startswith("failed") and "12345678" not in stream.getvalue()  # type: ignore[attr-defined]


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="LOUD"):
        setup_logs("loud", stream=io.StringIO())
