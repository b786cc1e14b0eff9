"""Softphones: who is on the telephone in the browser, and which address is rung again afterwards."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SOFTPHONES = """
CREATE TABLE softphones (
    agent_id text NOT NULL,
    gateway text NOT NULL,
    sip_uri text NOT NULL,
    since timestamptz NOT NULL,
    CONSTRAINT softphones_pkey PRIMARY KEY (agent_id),
    CONSTRAINT softphones_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES agents (id) ON DELETE CASCADE
);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SOFTPHONES)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP TABLE softphones")
