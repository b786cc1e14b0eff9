"""Campaign hours: the part of the day in which a campaign reminds, in minutes since midnight."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE campaigns ADD COLUMN hours_from smallint, ADD COLUMN hours_to smallint")


def downgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE campaigns DROP COLUMN hours_from, DROP COLUMN hours_to")
