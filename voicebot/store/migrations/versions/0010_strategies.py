"""Strategies: a campaign may follow one; what it did for a case on a day is written down, so that it is done once."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CADENCE = """
ALTER TABLE campaigns ADD COLUMN strategy text;
CREATE TABLE cadence (
    campaign_id text NOT NULL,
    case_id text NOT NULL,
    day integer NOT NULL,
    means text NOT NULL,
    words text NOT NULL,
    planned_at timestamptz NOT NULL,
    CONSTRAINT cadence_pkey PRIMARY KEY (campaign_id, case_id, day, means, words),
    CONSTRAINT cadence_campaign_id_fkey FOREIGN KEY(campaign_id) REFERENCES campaigns (id),
    CONSTRAINT cadence_case_id_fkey FOREIGN KEY(case_id) REFERENCES cases (id)
);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(CADENCE)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP TABLE cadence; ALTER TABLE campaigns DROP COLUMN strategy")
