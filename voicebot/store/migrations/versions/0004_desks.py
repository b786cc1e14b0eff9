"""Desks: what agents and supervisors may do, why an agent is away, one wrap-up per agent of a call, who talked when."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CHANGES = """
ALTER TABLE agents ADD COLUMN note text DEFAULT '' NOT NULL;
ALTER TABLE wrapups ADD CONSTRAINT wrapups_call_id_agent_id_key UNIQUE (call_id, agent_id);
DROP INDEX wrapups_call_id_idx;
CREATE INDEX facts_joined_idx ON facts ((data ->> 'agent'), at) WHERE kind = 'joined';
"""

PERMISSIONS = """
INSERT INTO permissions (role, permission) VALUES
    ('admin', 'desk'), ('admin', 'wall'), ('admin', 'supervise'),
    ('operator', 'wall'), ('operator', 'supervise'),
    ('agent', 'desk'),
    ('supervisor', 'desk'), ('supervisor', 'wall'), ('supervisor', 'supervise'), ('supervisor', 'calls'),
    ('supervisor', 'cases'), ('supervisor', 'listen'), ('supervisor', 'evidence'), ('supervisor', 'reports');
"""

BACK = """
DELETE FROM permissions WHERE role = 'supervisor' OR permission IN ('desk', 'wall', 'supervise');
UPDATE users SET role = 'operator' WHERE role = 'supervisor';
DROP INDEX facts_joined_idx;
CREATE INDEX wrapups_call_id_idx ON wrapups (call_id);
ALTER TABLE wrapups DROP CONSTRAINT wrapups_call_id_agent_id_key;
ALTER TABLE agents DROP COLUMN note;
"""


def upgrade() -> None:
    for script in (CHANGES, PERMISSIONS):
        op.get_bind().exec_driver_sql(script)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(BACK)
