"""Call scripts: their versions, which of them share the air, and chats that became tests."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCRIPTS = """
CREATE TABLE script_versions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    script text NOT NULL,
    number integer NOT NULL,
    source text NOT NULL,
    frozen text DEFAULT ''::text NOT NULL,
    sha256 text NOT NULL,
    state text DEFAULT 'draft'::text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    written_by text NOT NULL,
    written_at timestamptz NOT NULL,
    reviewed_by text,
    reviewed_at timestamptz,
    published_by text,
    published_at timestamptz,
    retired_at timestamptz,
    CONSTRAINT script_versions_pkey PRIMARY KEY (id),
    CONSTRAINT script_versions_script_number_key UNIQUE (script, number)
);
CREATE TABLE script_splits (
    script text NOT NULL,
    parts jsonb DEFAULT '{}'::jsonb NOT NULL,
    hold_out double precision DEFAULT 0 NOT NULL,
    since timestamptz NOT NULL,
    CONSTRAINT script_splits_pkey PRIMARY KEY (script)
);
CREATE TABLE script_plays (
    id bigint GENERATED ALWAYS AS IDENTITY,
    script text NOT NULL,
    name text NOT NULL,
    events jsonb DEFAULT '{}'::jsonb NOT NULL,
    expected jsonb DEFAULT '{}'::jsonb NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    CONSTRAINT script_plays_pkey PRIMARY KEY (id),
    CONSTRAINT script_plays_script_name_key UNIQUE (script, name)
);
CREATE INDEX calls_script_sha256_idx ON calls (script_sha256);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SCRIPTS)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(
        "DROP INDEX calls_script_sha256_idx; DROP TABLE script_plays, script_splits, script_versions"
    )
