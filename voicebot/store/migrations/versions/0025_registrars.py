"""Registrars: which worker of a fleet stays registered with a trunk, for all of them."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
phase = "before"


def upgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE trunk_shares ADD COLUMN registers text NOT NULL DEFAULT ''")


def downgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE trunk_shares DROP COLUMN registers")
