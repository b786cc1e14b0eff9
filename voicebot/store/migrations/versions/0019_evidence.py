"""Vault: the operation log and legal holds; admins and supervisors manage holds, admins and reviewers read the log."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE operations (
    position bigint NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    role text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'::jsonb,
    sha256 text NOT NULL,
    CONSTRAINT operations_pkey PRIMARY KEY (position)
);
CREATE INDEX operations_subject_idx ON operations (subject);
CREATE INDEX operations_at_idx ON operations (at);
CREATE TABLE legal_holds (
    id bigint GENERATED ALWAYS AS IDENTITY,
    case_id text NOT NULL,
    reason text NOT NULL,
    by text NOT NULL,
    since timestamptz NOT NULL,
    lifted_by text,
    lifted_at timestamptz,
    CONSTRAINT legal_holds_pkey PRIMARY KEY (id),
    CONSTRAINT legal_holds_case_id_fkey FOREIGN KEY (case_id) REFERENCES cases (id)
);
CREATE INDEX legal_holds_case_id_idx ON legal_holds (case_id);
INSERT INTO permissions (role, permission) VALUES
    ('admin', 'holds'), ('supervisor', 'holds'), ('admin', 'operations'), ('reviewer', 'operations')
    ON CONFLICT DO NOTHING;
"""
DOWN = """
DELETE FROM permissions WHERE permission IN ('holds', 'operations');
DROP TABLE legal_holds;
DROP TABLE operations;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
