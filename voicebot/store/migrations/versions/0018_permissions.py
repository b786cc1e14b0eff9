"""Permissions: decisions are kept with whom they were about and what was known, and chained; numbers we may show."""

from alembic import op

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE decisions
    ALTER COLUMN attempt_id DROP NOT NULL,
    ADD COLUMN case_id text,
    ADD COLUMN debtor_id text,
    ADD COLUMN number text NOT NULL DEFAULT '',
    ADD COLUMN means text NOT NULL DEFAULT 'call',
    ADD COLUMN inputs jsonb NOT NULL DEFAULT '{}'::jsonb,
    ADD COLUMN position bigint,
    ADD COLUMN sha256 text;
UPDATE decisions SET case_id = attempts.case_id, debtor_id = attempts.debtor_id, number = attempts.number
    FROM attempts WHERE attempts.id = decisions.attempt_id;
CREATE INDEX decisions_at_idx ON decisions (at);
CREATE INDEX decisions_case_id_idx ON decisions (case_id);
CREATE INDEX decisions_number_idx ON decisions (number);
CREATE UNIQUE INDEX decisions_position_key ON decisions (position);
CREATE INDEX decisions_unchained_idx ON decisions (id) WHERE position IS NULL;
CREATE TABLE caller_ids (
    number text NOT NULL,
    holder text NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    verified_on date,
    verified_by text,
    saved_at timestamptz NOT NULL,
    saved_by text NOT NULL,
    CONSTRAINT caller_ids_pkey PRIMARY KEY (number)
);
"""
DOWN = """
DROP TABLE caller_ids;
DROP INDEX decisions_at_idx;
DELETE FROM decisions WHERE attempt_id IS NULL;
ALTER TABLE decisions
    ALTER COLUMN attempt_id SET NOT NULL,
    DROP COLUMN case_id,
    DROP COLUMN debtor_id,
    DROP COLUMN number,
    DROP COLUMN means,
    DROP COLUMN inputs,
    DROP COLUMN position,
    DROP COLUMN sha256;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(DOWN)
