"""Uploads: which sealed calls lie in the object store, what is still to go there, and how they are protected there."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None
phase = "before"

UP = """
CREATE TABLE uploads (
    call_id text NOT NULL,
    bundle text NOT NULL,
    worker text,
    queued_at timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL,
    leased_by text,
    lease_until timestamptz,
    error text NOT NULL DEFAULT '',
    key text,
    version text,
    size bigint,
    sha256 text,
    uploaded_at timestamptz,
    verified_at timestamptz,
    read_back boolean NOT NULL DEFAULT false,
    keep_until timestamptz,
    held boolean NOT NULL DEFAULT false,
    expired_at timestamptz,
    local_removed_at timestamptz,
    CONSTRAINT uploads_pkey PRIMARY KEY (call_id),
    CONSTRAINT uploads_call_id_fkey FOREIGN KEY (call_id) REFERENCES calls (id)
);
CREATE INDEX uploads_waiting_idx ON uploads (next_at) WHERE verified_at IS NULL AND expired_at IS NULL;
CREATE INDEX uploads_local_idx ON uploads (worker, verified_at) WHERE local_removed_at IS NULL;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP TABLE uploads")
