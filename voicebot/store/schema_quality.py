"""The tables of quality: what was found in calls, who reviewed them, what they said, and what replays came to."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, Integer, Table, text
from sqlalchemy.dialects.postgresql import TSVECTOR

from voicebot.store.columns import count, flag, id_, json_, metadata, text_, when

call_checks = Table(
    "call_checks",
    metadata,
    text_("call_id", ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
    when("at"),
    json_("findings"),
    count("sentences"),
    count("agent_sentences"),
    count("slipped"),
    count("risk"),
)
"""Every call that is over, looked at once by the speech gate on both sides."""

verdicts = Table(
    "verdicts",
    metadata,
    text_("call_id", ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    text_("rule", primary_key=True),
    text_("verdict"),
    text_("by"),
    when("at"),
)
"""What a reviewer says of a finding: confirmed or false. `seq` is the fact's place in the journal."""

reviews = Table(
    "reviews",
    metadata,
    id_(),
    text_("call_id", ForeignKey("calls.id", ondelete="CASCADE"), index=True),
    text_("scorecard"),
    text_("scorecard_sha256"),
    text_("agent", server_default=text("''")),
    text_("why"),
    text_("round", server_default=text("'first'")),
    Column("of", BigInteger, ForeignKey("reviews.id")),
    text_("reviewer", nullable=True),
    text_("state", server_default=text("'waiting'")),
    json_("answers"),
    json_("automatic"),
    text_("note", server_default=text("''")),
    Column("score", Double),
    flag("fatal"),
    when("drawn_at"),
    when("done_at", nullable=True),
    Index("reviews_waiting_idx", "drawn_at", postgresql_where=text("state = 'waiting'")),
    Index("reviews_call_id_round_reviewer_key", "call_id", "scorecard", "round", "reviewer", unique=True),
)
"""`round`: first, second (blind, of another one), calibration. `automatic`: what the machine answered."""

appeals = Table(
    "appeals",
    metadata,
    id_(),
    Column("review_id", BigInteger, ForeignKey("reviews.id", ondelete="CASCADE"), nullable=False, index=True),
    text_("by"),
    text_("text"),
    when("at"),
    text_("state", server_default=text("'open'")),
    text_("decided_by", nullable=True),
    when("decided_at", nullable=True),
    text_("answer", server_default=text("''")),
    Column("score_before", Double),
    Column("score_after", Double),
)

comments = Table(
    "comments",
    metadata,
    id_(),
    text_("call_id", ForeignKey("calls.id", ondelete="CASCADE"), index=True),
    count("ms"),
    text_("author"),
    text_("text"),
    when("at"),
)
"""What somebody noted at a moment of a call."""

transcript_lines = Table(
    "transcript_lines",
    metadata,
    text_("call_id", ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True),
    Column("line", Integer, primary_key=True),
    text_("speaker"),
    count("ms"),
    count("end_ms"),
    text_("text"),
    Column("grams", TSVECTOR, nullable=False),
    Index("transcript_lines_grams_idx", "grams", postgresql_using="gin"),
)
"""What was said in calls that are over; `grams` are its single characters and pairs of neighbours."""

replay_runs = Table(
    "replay_runs",
    metadata,
    id_(),
    text_("script"),
    text_("candidate"),
    text_("sha256"),
    text_("made_by"),
    when("made_at"),
    json_("summary"),
    json_("rows"),
)
"""What-if reports: calls played again through another script, classifier or recogniser."""
