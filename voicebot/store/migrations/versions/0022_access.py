"""Who is in and how: sessions, second factors, waits after wrong passwords, scopes of tokens, and auditors."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
phase = "before"

TABLES = """
CREATE TABLE sessions (
    token_sha256 text PRIMARY KEY,
    username text NOT NULL REFERENCES users (username) ON DELETE CASCADE,
    way text NOT NULL,
    address text NOT NULL DEFAULT '',
    browser text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_username_idx ON sessions (username);
CREATE TABLE second_factors (
    username text PRIMARY KEY REFERENCES users (username) ON DELETE CASCADE,
    secret text NOT NULL,
    last_step bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    confirmed_at timestamptz
);
CREATE TABLE recovery_codes (
    username text NOT NULL REFERENCES users (username) ON DELETE CASCADE,
    code_sha256 text NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (username, code_sha256)
);
CREATE TABLE lockouts (
    key text PRIMARY KEY,
    failures integer NOT NULL DEFAULT 0,
    last_at timestamptz NOT NULL,
    locked_until timestamptz
);
CREATE TABLE role_policies (
    role text PRIMARY KEY,
    second_factor boolean NOT NULL DEFAULT false
);
ALTER TABLE secrets ADD COLUMN scopes text[] NOT NULL DEFAULT '{}'::text[];
ALTER TABLE secrets ADD COLUMN role text;
ALTER TABLE users ADD COLUMN identity text;
CREATE UNIQUE INDEX users_identity_key ON users (identity);
INSERT INTO permissions (role, permission) VALUES
    ('admin', 'names'), ('operator', 'names'), ('supervisor', 'names'), ('agent', 'names'), ('reviewer', 'names'),
    ('admin', 'access'), ('auditor', 'access'),
    ('auditor', 'calls'), ('auditor', 'reports'), ('auditor', 'scripts'), ('auditor', 'operations')
ON CONFLICT DO NOTHING;
"""
BACK = """
DELETE FROM permissions WHERE role = 'auditor' OR permission IN ('names', 'access');
UPDATE users SET role = 'reviewer', disabled = true WHERE role = 'auditor';
DROP INDEX users_identity_key;
ALTER TABLE users DROP COLUMN identity;
DELETE FROM secrets WHERE kind = 'api_token' AND (role IS NOT NULL OR scopes <> '{}');
ALTER TABLE secrets DROP COLUMN role;
ALTER TABLE secrets DROP COLUMN scopes;
DROP TABLE role_policies;
DROP TABLE lockouts;
DROP TABLE recovery_codes;
DROP TABLE second_factors;
DROP TABLE sessions;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(BACK)
