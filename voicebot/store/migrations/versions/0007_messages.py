"""Messages: the outbox of short texts, so that a crash neither loses one nor forgets that it was sent."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MESSAGES = """
CREATE TABLE messages (
    id bigint GENERATED ALWAYS AS IDENTITY,
    case_id text NOT NULL,
    call_id text,
    promise_id bigint,
    kind text NOT NULL,
    "to" text NOT NULL,
    text text DEFAULT '' NOT NULL,
    state text DEFAULT 'waiting' NOT NULL,
    not_before timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    lease_until timestamptz,
    sent_at timestamptz,
    external_id text,
    rule text,
    why text DEFAULT '' NOT NULL,
    CONSTRAINT messages_pkey PRIMARY KEY (id),
    CONSTRAINT messages_case_id_fkey FOREIGN KEY(case_id) REFERENCES cases (id),
    CONSTRAINT messages_promise_id_fkey FOREIGN KEY(promise_id) REFERENCES promises (id)
);
CREATE INDEX messages_due_idx ON messages (not_before) WHERE state IN ('waiting', 'sending');
CREATE INDEX messages_case_id_idx ON messages (case_id);
CREATE UNIQUE INDEX messages_promise_id_kind_key ON messages (promise_id, kind);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(MESSAGES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP TABLE messages")
