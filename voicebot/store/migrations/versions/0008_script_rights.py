"""Who writes call scripts, who reviews and publishes them, and who may look."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

GRANT = """
INSERT INTO permissions (role, permission) VALUES
    ('admin', 'write_scripts'), ('designer', 'write_scripts'),
    ('admin', 'publish_scripts'), ('supervisor', 'publish_scripts'), ('reviewer', 'publish_scripts'),
    ('supervisor', 'scripts'), ('reviewer', 'scripts')
ON CONFLICT DO NOTHING;
"""
REVOKE = """
DELETE FROM permissions WHERE permission IN ('write_scripts', 'publish_scripts')
    OR (permission = 'scripts' AND role IN ('supervisor', 'reviewer'));
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(GRANT)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(REVOKE)
