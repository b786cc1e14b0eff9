"""Dialling: modes of campaigns, numbers shown in turn, trunks shared by workers, halts, and what the breaker reads."""

from alembic import op

revision = "0016"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE campaigns
    ADD COLUMN mode text NOT NULL DEFAULT 'robot',
    ADD COLUMN most_abandoned double precision NOT NULL DEFAULT 0.03,
    ADD COLUMN callers text[] NOT NULL DEFAULT '{}'::text[],
    ADD COLUMN calls_per_caller integer;
ALTER TABLE attempts ADD COLUMN shows text;
DROP INDEX attempts_waiting_idx;
CREATE INDEX attempts_waiting_idx ON attempts (priority DESC, not_before, id) WHERE state = 'waiting';
CREATE INDEX attempts_settled_idx ON attempts (campaign_id, settled_at) WHERE state = 'settled';
CREATE INDEX attempts_lost_idx ON attempts (call_id) WHERE lost;
CREATE INDEX commands_ordered_idx ON commands ((payload ->> 'call_id')) WHERE verb = 'dial';
CREATE TABLE trunk_shares (
    trunk text NOT NULL,
    worker text NOT NULL,
    channels integer NOT NULL DEFAULT 0,
    per_second double precision NOT NULL DEFAULT 0,
    used integer NOT NULL DEFAULT 0,
    until timestamptz NOT NULL,
    CONSTRAINT trunk_shares_pkey PRIMARY KEY (trunk, worker)
);
CREATE TABLE halts (
    scope text NOT NULL,
    since timestamptz NOT NULL,
    by text NOT NULL,
    why text NOT NULL DEFAULT '',
    CONSTRAINT halts_pkey PRIMARY KEY (scope)
);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(
        "DROP TABLE trunk_shares, halts;"
        "DROP INDEX commands_ordered_idx, attempts_lost_idx, attempts_settled_idx, attempts_waiting_idx;"
        "CREATE INDEX attempts_waiting_idx ON attempts (priority, not_before) WHERE state = 'waiting';"
        "ALTER TABLE attempts DROP COLUMN shows;"
        "ALTER TABLE campaigns DROP COLUMN mode, DROP COLUMN most_abandoned, DROP COLUMN callers,"
        " DROP COLUMN calls_per_caller"
    )
