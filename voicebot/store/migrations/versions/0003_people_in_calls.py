"""People in calls: who speaks what and how long they write, whose case it is, who waits, wrap-up and alerts."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE agents
    ADD COLUMN languages text[] DEFAULT '{}'::text[] NOT NULL,
    ADD COLUMN after_call_s integer DEFAULT 30 NOT NULL,
    ADD COLUMN wrap_until timestamptz,
    ADD COLUMN device text DEFAULT 'phone' NOT NULL;
ALTER TABLE cases
    ADD COLUMN agent_id text,
    ADD COLUMN agent_since timestamptz,
    ADD CONSTRAINT cases_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES agents (id);
CREATE INDEX cases_agent_id_idx ON cases (agent_id);
ALTER TABLE callbacks
    ADD COLUMN agent_id text,
    ADD CONSTRAINT callbacks_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES agents (id);
"""

TABLES = """
CREATE TABLE waiting (
    call_id text NOT NULL,
    skill text NOT NULL,
    language text NOT NULL,
    reason text NOT NULL,
    urgent boolean DEFAULT false NOT NULL,
    agent_id text,
    tried text[] DEFAULT '{}'::text[] NOT NULL,
    since timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    CONSTRAINT waiting_pkey PRIMARY KEY (call_id)
);

CREATE TABLE wrapups (
    id bigint GENERATED ALWAYS AS IDENTITY,
    call_id text NOT NULL,
    agent_id text NOT NULL,
    case_id text,
    code text DEFAULT '' NOT NULL,
    notes text DEFAULT '' NOT NULL,
    promise jsonb DEFAULT '{}'::jsonb NOT NULL,
    plan jsonb DEFAULT '{}'::jsonb NOT NULL,
    started_at timestamptz NOT NULL,
    done_at timestamptz,
    CONSTRAINT wrapups_pkey PRIMARY KEY (id),
    CONSTRAINT wrapups_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES agents (id),
    CONSTRAINT wrapups_case_id_fkey FOREIGN KEY(case_id) REFERENCES cases (id)
);
CREATE INDEX wrapups_call_id_idx ON wrapups (call_id);
CREATE INDEX wrapups_agent_id_started_at_idx ON wrapups (agent_id, started_at);

CREATE TABLE alerts (
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    call_id text,
    agent_id text,
    text text NOT NULL,
    acknowledged_by text,
    acknowledged_at timestamptz,
    CONSTRAINT alerts_pkey PRIMARY KEY (id)
);
CREATE INDEX alerts_open_idx ON alerts (at) WHERE acknowledged_at IS NULL;
"""

WAKE = """
-- Whoever waits for a person is woken when somebody becomes free, or when the queue moves.
CREATE FUNCTION voicebot_announce_desk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('voicebot_desk', TG_TABLE_NAME);
    RETURN NULL;
END $$;
CREATE TRIGGER announce AFTER UPDATE OF presence ON agents
    FOR EACH ROW WHEN (OLD.presence IS DISTINCT FROM NEW.presence) EXECUTE FUNCTION voicebot_announce_desk();
CREATE TRIGGER announce AFTER INSERT OR DELETE ON waiting
    FOR EACH ROW EXECUTE FUNCTION voicebot_announce_desk();

CREATE FUNCTION voicebot_announce_alert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('voicebot_alerts', NEW.id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER announce AFTER INSERT ON alerts FOR EACH ROW EXECUTE FUNCTION voicebot_announce_alert();
"""

BACK = """
DROP TABLE alerts, wrapups, waiting;
DROP TRIGGER announce ON agents;
DROP FUNCTION voicebot_announce_alert(), voicebot_announce_desk();
ALTER TABLE callbacks DROP COLUMN agent_id;
ALTER TABLE cases DROP COLUMN agent_id, DROP COLUMN agent_since;
UPDATE agents SET presence = 'ready' WHERE presence = 'wrap_up';
ALTER TABLE agents
    DROP COLUMN languages, DROP COLUMN after_call_s, DROP COLUMN wrap_until, DROP COLUMN device;
"""


def upgrade() -> None:
    for script in (COLUMNS, TABLES, WAKE):
        op.get_bind().exec_driver_sql(script)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(BACK)
