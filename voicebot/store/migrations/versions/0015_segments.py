"""Segments and strategies: saved versions, risk of cases, who is held out, what follows a call, whose cases are."""

from alembic import op

revision = "0015"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE policies (
    kind text NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    source text NOT NULL,
    saved_by text NOT NULL,
    saved_at timestamptz NOT NULL,
    CONSTRAINT policies_pkey PRIMARY KEY (kind, name, version)
);
CREATE TABLE risks (
    case_id text NOT NULL,
    score integer NOT NULL DEFAULT 0,
    tier text NOT NULL DEFAULT '',
    shift smallint NOT NULL DEFAULT 0,
    reasons jsonb NOT NULL DEFAULT '{}'::jsonb,
    card text NOT NULL DEFAULT '',
    scored_at timestamptz NOT NULL,
    CONSTRAINT risks_pkey PRIMARY KEY (case_id),
    CONSTRAINT risks_case_id_fkey FOREIGN KEY(case_id) REFERENCES cases (id) ON DELETE CASCADE
);
CREATE INDEX risks_tier_idx ON risks (tier);
CREATE TABLE cohorts (
    campaign_id text NOT NULL,
    case_id text NOT NULL,
    strategy text NOT NULL,
    held_out boolean NOT NULL DEFAULT false,
    overdue_days integer NOT NULL,
    amount_fen bigint NOT NULL,
    entered_at timestamptz NOT NULL,
    CONSTRAINT cohorts_pkey PRIMARY KEY (campaign_id, case_id),
    CONSTRAINT cohorts_campaign_id_fkey FOREIGN KEY(campaign_id) REFERENCES campaigns (id),
    CONSTRAINT cohorts_case_id_fkey FOREIGN KEY(case_id) REFERENCES cases (id)
);
CREATE INDEX cohorts_held_out_idx ON cohorts (case_id) WHERE held_out;
CREATE TABLE escalations (
    attempt_id bigint NOT NULL,
    case_id text NOT NULL,
    rule text NOT NULL DEFAULT '',
    risk smallint NOT NULL DEFAULT 0,
    "then" text NOT NULL DEFAULT '',
    follow_up_at timestamptz,
    at timestamptz NOT NULL,
    CONSTRAINT escalations_pkey PRIMARY KEY (attempt_id),
    CONSTRAINT escalations_attempt_id_fkey FOREIGN KEY(attempt_id) REFERENCES attempts (id),
    CONSTRAINT escalations_case_id_fkey FOREIGN KEY(case_id) REFERENCES cases (id)
);
CREATE INDEX escalations_case_id_idx ON escalations (case_id);
CREATE TABLE assignments (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    case_id text NOT NULL,
    agent_id text NOT NULL,
    mode text NOT NULL,
    by text NOT NULL DEFAULT '',
    at timestamptz NOT NULL,
    CONSTRAINT assignments_pkey PRIMARY KEY (id),
    CONSTRAINT assignments_case_id_fkey FOREIGN KEY(case_id) REFERENCES cases (id),
    CONSTRAINT assignments_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES agents (id)
);
CREATE INDEX assignments_case_id_idx ON assignments (case_id);
CREATE INDEX assignments_agent_id_at_idx ON assignments (agent_id, at);
ALTER TABLE campaigns ADD COLUMN segment_id text;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(
        "ALTER TABLE campaigns DROP COLUMN segment_id;"
        "DROP TABLE assignments, escalations, cohorts, risks, policies"
    )
