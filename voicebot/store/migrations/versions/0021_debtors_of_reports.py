"""Debtors in reports are counted from an index of their own, without reading the wide rows of calls."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

COVER = """
DROP INDEX report_calls_day_idx;
CREATE INDEX report_calls_debtors_idx ON report_calls (day)
    INCLUDE (debtor, verified, stage, region, age, script, strategy, agent);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(COVER)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(
        "DROP INDEX report_calls_debtors_idx; CREATE INDEX report_calls_day_idx ON report_calls (day)"
    )
