"""Agents remember for which call they are reserved, so that those of calls that are over can be given back."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE agents ADD COLUMN call_id text")


def downgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE agents DROP COLUMN call_id")
