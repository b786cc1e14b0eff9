"""Ticket rights: who may see and close tickets; agents their own."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

GRANT = """
INSERT INTO permissions (role, permission) VALUES
    ('admin', 'tickets'), ('operator', 'tickets'), ('supervisor', 'tickets'), ('agent', 'tickets')
ON CONFLICT DO NOTHING;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(GRANT)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DELETE FROM permissions WHERE permission = 'tickets'")
