"""Case files: what the creditor billed, behaviour and loan as data, imports, and what happened to a case."""

from alembic import op

revision = "0013"
down_revision = "0015"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE cases ADD COLUMN billed_fen bigint;
UPDATE cases SET billed_fen = amount_fen;
ALTER TABLE cases ALTER COLUMN billed_fen SET NOT NULL;
ALTER TABLE cases ADD COLUMN region text NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN loan jsonb NOT NULL DEFAULT '{}'::jsonb;
ALTER TABLE debtors ADD COLUMN birth_year smallint;
ALTER TABLE debtors ADD COLUMN traits jsonb NOT NULL DEFAULT '{}'::jsonb;
ALTER TABLE numbers ADD COLUMN name text NOT NULL DEFAULT '';
ALTER TABLE numbers ADD COLUMN relation text NOT NULL DEFAULT '';
ALTER TABLE numbers ADD COLUMN place text NOT NULL DEFAULT '';
ALTER TABLE numbers ADD COLUMN carrier text NOT NULL DEFAULT '';
CREATE INDEX cases_overdue_idx ON cases (overdue_days, id);
CREATE INDEX cases_amount_idx ON cases (amount_fen, id);
CREATE INDEX cases_updated_idx ON cases (updated_at, id);
CREATE INDEX cases_status_idx ON cases (status, overdue_days, id);
CREATE INDEX cases_creditor_idx ON cases (creditor_id, overdue_days, id);
CREATE INDEX cases_id_prefix_idx ON cases (lower(id) text_pattern_ops);
CREATE INDEX debtors_name_prefix_idx ON debtors (lower(name) text_pattern_ops);
CREATE INDEX debtors_name_suffix_idx ON debtors (reverse(lower(name)) text_pattern_ops);
CREATE INDEX numbers_tail_idx ON numbers (reverse(number) text_pattern_ops);
"""

TABLES = """
CREATE TABLE instalments (
    case_id text NOT NULL,
    number integer NOT NULL,
    due_on date NOT NULL,
    amount_fen bigint NOT NULL,
    CONSTRAINT instalments_pkey PRIMARY KEY (case_id, number),
    CONSTRAINT instalments_case_id_fkey FOREIGN KEY(case_id) REFERENCES cases (id)
);
CREATE TABLE imports (
    id text NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    creditor text NOT NULL DEFAULT '',
    content bytea,
    mapping jsonb NOT NULL DEFAULT '{}'::jsonb,
    state text NOT NULL DEFAULT 'uploaded',
    uploaded_by text NOT NULL,
    uploaded_at timestamptz NOT NULL,
    started_at timestamptz,
    beat_at timestamptz,
    ended_at timestamptz,
    done integer NOT NULL DEFAULT 0,
    total integer NOT NULL DEFAULT 0,
    report jsonb NOT NULL DEFAULT '{}'::jsonb,
    rejects bytea,
    why text NOT NULL DEFAULT '',
    CONSTRAINT imports_pkey PRIMARY KEY (id)
);
CREATE INDEX imports_uploaded_at_idx ON imports (uploaded_at);
CREATE TABLE file_shapes (
    creditor text NOT NULL,
    shape text NOT NULL,
    mapping jsonb NOT NULL DEFAULT '{}'::jsonb,
    used_at timestamptz NOT NULL,
    CONSTRAINT file_shapes_pkey PRIMARY KEY (creditor, shape)
);
CREATE TABLE case_events (
    id bigint GENERATED ALWAYS AS IDENTITY,
    case_id text NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    by text NOT NULL DEFAULT '',
    data jsonb NOT NULL DEFAULT '{}'::jsonb,
    CONSTRAINT case_events_pkey PRIMARY KEY (id),
    CONSTRAINT case_events_case_id_fkey FOREIGN KEY(case_id) REFERENCES cases (id)
);
CREATE INDEX case_events_case_id_at_idx ON case_events (case_id, at);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(COLUMNS)
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(
        """
        DROP TABLE case_events; DROP TABLE file_shapes; DROP TABLE imports; DROP TABLE instalments;
        DROP INDEX numbers_tail_idx; DROP INDEX debtors_name_suffix_idx; DROP INDEX debtors_name_prefix_idx;
        DROP INDEX cases_id_prefix_idx; DROP INDEX cases_creditor_idx; DROP INDEX cases_status_idx;
        DROP INDEX cases_updated_idx; DROP INDEX cases_amount_idx; DROP INDEX cases_overdue_idx;
        ALTER TABLE numbers DROP COLUMN carrier, DROP COLUMN place, DROP COLUMN relation, DROP COLUMN name;
        ALTER TABLE debtors DROP COLUMN traits, DROP COLUMN birth_year;
        ALTER TABLE cases DROP COLUMN loan, DROP COLUMN region, DROP COLUMN billed_fen
        """
    )
