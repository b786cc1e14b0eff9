"""Fleet: workers and controls of all machines, calls whose worker is lost, and phones behind a worker."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None
phase = "before"

TABLES = """
CREATE TABLE workers (
    name text NOT NULL,
    machine text NOT NULL,
    home text NOT NULL,
    life text NOT NULL,
    epoch bigint NOT NULL DEFAULT 1,
    state text NOT NULL DEFAULT 'up',
    version text NOT NULL,
    schema text NOT NULL,
    sip text NOT NULL DEFAULT '',
    joined_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    calls integer NOT NULL DEFAULT 0,
    most integer NOT NULL DEFAULT 0,
    may_dial boolean NOT NULL DEFAULT false,
    drain boolean NOT NULL DEFAULT false,
    drain_by text NOT NULL DEFAULT '',
    skew_ms integer NOT NULL DEFAULT 0,
    figures jsonb NOT NULL DEFAULT '{}'::jsonb,
    CONSTRAINT workers_pkey PRIMARY KEY (name)
);
CREATE TABLE controls (
    name text NOT NULL,
    version text NOT NULL,
    schema text NOT NULL,
    http text NOT NULL DEFAULT '',
    leads boolean NOT NULL DEFAULT false,
    seen_at timestamptz NOT NULL,
    skew_ms integer NOT NULL DEFAULT 0,
    CONSTRAINT controls_pkey PRIMARY KEY (name)
);
ALTER TABLE calls ADD COLUMN lost boolean NOT NULL DEFAULT false;
ALTER TABLE agents ADD COLUMN via text;
ALTER TABLE softphones ADD COLUMN via text;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(
        "ALTER TABLE softphones DROP COLUMN via; ALTER TABLE agents DROP COLUMN via;"
        "ALTER TABLE calls DROP COLUMN lost; DROP TABLE workers, controls"
    )
