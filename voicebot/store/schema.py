"""The tables, in SQLAlchemy's words. Their history is in migrations/; a test holds the two together."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    UniqueConstraint,
    column,
    func,
    text,
)

from voicebot.store import (  # noqa: F401  # foreign keys lead there
    schema_access,
    schema_cases,
    schema_dialling,
    schema_evidence,
    schema_follow_up,
    schema_people,
    schema_permissions,
    schema_quality,
    schema_reports,
    schema_scripts,
    schema_strategy,
    schema_workers,
)
from voicebot.store.columns import count, flag, id_, json_, metadata, pattern_index, text_, texts, when
from voicebot.store.schema_permissions import decisions as decisions

# --- whom we may talk to about which bill

creditors = Table(
    "creditors",
    metadata,
    text_("id", primary_key=True),
    text_("name"),
    text_("neutral_name"),
    text_("hotline"),
)

debtors = Table(
    "debtors",
    metadata,
    text_("id", primary_key=True),
    text_("name"),
    text_("salutation", server_default=text("'unknown'")),
    text_("id_last4", nullable=True),
    text_("birth_mmdd", nullable=True),
    Column("birth_year", SmallInteger),
    json_("traits"),
    pattern_index("debtors_name_prefix_idx", func.lower(column("name"))),
    pattern_index("debtors_name_suffix_idx", func.reverse(func.lower(column("name")))),
)
"""`traits`: behaviour and circumstances; keys in voicebot/cases/data/case_fields.yaml."""

cases = Table(
    "cases",
    metadata,
    text_("id", primary_key=True),
    text_("debtor_id", ForeignKey("debtors.id"), index=True),
    text_("creditor_id", ForeignKey("creditors.id")),
    text_("product"),
    Column("amount_fen", BigInteger, nullable=False),
    Column("principal_fen", BigInteger),
    Column("fees_fen", BigInteger),
    count("overdue_days"),
    Column("as_of", Date, nullable=False),
    flag("lawsuit_filed"),
    flag("credit_reported"),
    flag("visit_scheduled"),
    flag("entrusted", default=True),
    text_("jurisdiction", server_default=text("'CN'")),
    text_("status", server_default=text("'open'")),
    when("updated_at"),
    text_("agent_id", ForeignKey("agents.id"), nullable=True, index=True),
    when("agent_since", nullable=True),
    Column("billed_fen", BigInteger, nullable=False),
    text_("region", server_default=text("''")),
    json_("loan"),
    Index("cases_overdue_idx", "overdue_days", "id"),
    Index("cases_amount_idx", "amount_fen", "id"),
    Index("cases_updated_idx", "updated_at", "id"),
    Index("cases_status_idx", "status", "overdue_days", "id"),
    Index("cases_creditor_idx", "creditor_id", "overdue_days", "id"),
    pattern_index("cases_id_prefix_idx", func.lower(column("id"))),
)
"""`agent_id`: the agent who usually talks to this debtor, or who pulled the case. `billed_fen` is what the creditor's
file said, `amount_fen` what is outstanding now. `region`: a province, '' where it is not known."""

numbers = Table(
    "numbers",
    metadata,
    id_(),
    text_("debtor_id", ForeignKey("debtors.id")),
    text_("number", index=True),
    text_("kind", server_default=text("'debtor'")),
    count("rank"),
    flag("valid", default=True),
    text_("name", server_default=text("''")),
    text_("relation", server_default=text("''")),
    text_("place", server_default=text("''")),
    text_("carrier", server_default=text("''")),
    UniqueConstraint("debtor_id", "number"),
    pattern_index("numbers_tail_idx", func.reverse(column("number"))),
)
"""`name`, `relation`: whose it is, when it is not the debtor's own. `place`, `carrier`: of the number's range."""

contact_stops = Table(
    "contact_stops",
    metadata,
    id_(),
    text_("debtor_id", ForeignKey("debtors.id"), nullable=True, index=True),
    text_("number", nullable=True, index=True),
    text_("reason"),
    text_("call_id", nullable=True),
    when("since"),
    when("until", nullable=True),
    when("cleared_at", nullable=True),
    text_("cleared_by", nullable=True),
)

consents = Table(
    "consents",
    metadata,
    id_(),
    text_("debtor_id", ForeignKey("debtors.id"), index=True),
    text_("kind"),
    json_("data"),
    text_("call_id", nullable=True),
    when("given_at"),
    when("revoked_at", nullable=True),
)

# --- dialling

campaigns = Table(
    "campaigns",
    metadata,
    text_("id", primary_key=True),
    text_("name"),
    text_("script"),
    text_("state", server_default=text("'draft'")),
    json_("segment"),
    count("max_concurrency", 5),
    count("priority"),
    when("created_at"),
    when("started_at", nullable=True),
    when("stopped_at", nullable=True),
    Column("hours_from", SmallInteger),
    Column("hours_to", SmallInteger),
    text_("strategy", nullable=True),
    text_("segment_id", nullable=True),
    text_("mode", server_default=text("'robot'")),
    Column("most_abandoned", Float, nullable=False, server_default=text("0.03")),
    texts("callers"),
    Column("calls_per_caller", Integer),
)
"""`hours_from`, `hours_to`: minutes since midnight in Shanghai. `callers`: numbers of ours, shown in turn."""

attempts = Table(
    "attempts",
    metadata,
    id_(),
    text_("campaign_id", ForeignKey("campaigns.id"), nullable=True),
    text_("case_id", ForeignKey("cases.id")),
    text_("debtor_id", ForeignKey("debtors.id")),
    text_("number"),
    text_("target", server_default=text("'debtor'")),
    text_("purpose", server_default=text("'reminder'")),
    text_("script"),
    count("tries", 1),
    text_("state", server_default=text("'waiting'")),
    when("not_before"),
    count("priority"),
    text_("leased_by", nullable=True),
    when("leased_at", nullable=True),
    when("lease_until", nullable=True),
    when("placed_at", nullable=True),
    when("settled_at", nullable=True),
    text_("call_id", nullable=True),
    text_("disposition", nullable=True),
    text_("reached", nullable=True),
    text_("why", server_default=text("''")),
    text_("rule", nullable=True),
    flag("lost"),
    text_("shows", nullable=True),
    Index(
        "attempts_waiting_idx", text("priority DESC"), "not_before", "id", postgresql_where=text("state = 'waiting'")
    ),
    Index("attempts_settled_idx", "campaign_id", "settled_at", postgresql_where=text("state = 'settled'")),
    Index("attempts_lost_idx", "call_id", postgresql_where=text("lost")),
    Index("attempts_leased_idx", "lease_until", postgresql_where=text("state IN ('leased', 'placed')")),
    Index("attempts_debtor_id_leased_at_idx", "debtor_id", "leased_at"),
    Index("attempts_number_leased_at_idx", "number", "leased_at"),
    Index("attempts_case_id_idx", "case_id"),
    # One open attempt per case, campaign and purpose, however often and by whomever it is asked for.
    Index(
        "attempts_open_key",
        "case_id",
        "campaign_id",
        "purpose",
        unique=True,
        postgresql_where=text("state IN ('waiting', 'leased', 'placed')"),
        postgresql_nulls_not_distinct=True,
    ),
    Index("attempts_campaign_id_state_idx", "campaign_id", "state"),
)

ledger = Table(
    "ledger",
    metadata,
    text_("scope", primary_key=True),
    text_("key", primary_key=True),
    Column("day", Date, primary_key=True),
    count("used"),
)
"""What was reserved: scope is number_attempts, debtor_attempts or debtor_conversations; day in Shanghai."""

cadence = Table(
    "cadence",
    metadata,
    text_("campaign_id", ForeignKey("campaigns.id"), primary_key=True),
    text_("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    text_("means", primary_key=True),
    text_("words", primary_key=True),
    when("planned_at"),
)
"""What a campaign's strategy has planned; `day` is the ordinal of a date."""

# --- calls

calls = Table(
    "calls",
    metadata,
    text_("id", primary_key=True),
    text_("direction"),
    text_("number"),
    Column("attempt_id", BigInteger, ForeignKey("attempts.id")),
    text_("case_id", ForeignKey("cases.id"), nullable=True, index=True),
    text_("campaign_id", nullable=True),
    text_("worker", nullable=True),
    when("started_at"),
    when("answered_at", nullable=True),
    when("ended_at", nullable=True),
    Column("duration_ms", Integer),
    text_("disposition", nullable=True),
    text_("why", server_default=text("''")),
    text_("bundle", nullable=True),
    flag("handoff"),
    flag("verified"),
    text_("script", nullable=True),
    text_("script_sha256", nullable=True),
    json_("emotion"),
    flag("lost"),
    Index("calls_started_at_idx", "started_at"),
    Index("calls_script_sha256_idx", "script_sha256"),
    Index("calls_running_idx", "worker", postgresql_where=text("ended_at IS NULL")),
)

"""`lost`: its worker is gone and nobody knows how it ended; the sealed journal tells, should it come to light."""

facts = Table(
    "facts",
    metadata,
    text_("call_id", primary_key=True),
    Column("seq", Integer, primary_key=True),
    when("at"),
    count("ms"),
    text_("kind"),
    json_("data"),
    Index("facts_joined_idx", text("(data ->> 'agent')"), "at", postgresql_where=text("kind = 'joined'")),
)
"""A copy of the journals for live views and searches; the journal file remains the evidence."""

commands = Table(
    "commands",
    metadata,
    id_(),
    text_("call_id", index=True),
    text_("verb"),
    json_("payload"),
    text_("issued_by"),
    when("issued_at"),
    when("taken_at", nullable=True),
    text_("taken_by", nullable=True),
    Index("commands_ordered_idx", text("(payload ->> 'call_id')"), postgresql_where=text("verb = 'dial'")),
)

promises = Table(
    "promises",
    metadata,
    id_(),
    text_("case_id", ForeignKey("cases.id"), index=True),
    text_("call_id", nullable=True),
    Column("date", Date, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    flag("confirmed"),
    text_("channel", nullable=True),
    text_("state", server_default=text("'open'")),
    when("made_at"),
    Column("paid_fen", BigInteger, nullable=False, server_default=text("0")),
    when("settled_at", nullable=True),
    Index("promises_open_idx", "date", postgresql_where=text("state = 'open'")),
)

messages = Table(
    "messages",
    metadata,
    id_(),
    text_("case_id", ForeignKey("cases.id"), index=True),
    text_("call_id", nullable=True),
    Column("promise_id", BigInteger, ForeignKey("promises.id")),
    text_("kind"),
    text_("to"),
    text_("text", server_default=text("''")),
    text_("state", server_default=text("'waiting'")),
    when("not_before"),
    when("expires_at"),
    when("created_at"),
    count("tries"),
    when("lease_until", nullable=True),
    when("sent_at", nullable=True),
    text_("external_id", nullable=True),
    text_("rule", nullable=True),
    text_("why", server_default=text("''")),
    Index("messages_due_idx", "not_before", postgresql_where=text("state IN ('waiting', 'sending')")),
    text_("channel", server_default=text("'sms'")),
    when("delivered_at", nullable=True),
    Column("instead_of", BigInteger, ForeignKey("messages.id")),
    texts("tried"),
    Index("messages_promise_id_kind_channel_key", "promise_id", "kind", "channel", unique=True),
)

callbacks = Table(
    "callbacks",
    metadata,
    id_(),
    text_("case_id", ForeignKey("cases.id"), nullable=True),
    text_("call_id", nullable=True),
    text_("number"),
    when("at", nullable=True),
    text_("reason"),
    when("booked_at"),
    when("done_at", nullable=True),
    text_("agent_id", ForeignKey("agents.id"), nullable=True),
)

settings = Table("settings", metadata, text_("key", primary_key=True), text_("value"))
"""Small things that all processes of an installation must agree on, such as the cookie secret."""
