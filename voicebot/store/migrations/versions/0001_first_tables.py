"""First tables: cases, attempts, calls, people, and the triggers that wake listeners."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE agents (
    id text NOT NULL,
    name text NOT NULL,
    sip_uri text NOT NULL,
    skills text[] DEFAULT '{}'::text[] NOT NULL,
    presence text DEFAULT 'offline' NOT NULL,
    presence_at timestamptz,
    CONSTRAINT agents_pkey PRIMARY KEY (id)
);

CREATE TABLE campaigns (
    id text NOT NULL,
    name text NOT NULL,
    script text NOT NULL,
    state text DEFAULT 'draft' NOT NULL,
    segment jsonb DEFAULT '{}'::jsonb NOT NULL,
    max_concurrency integer DEFAULT 5 NOT NULL,
    priority integer DEFAULT 0 NOT NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    stopped_at timestamptz,
    CONSTRAINT campaigns_pkey PRIMARY KEY (id)
);

CREATE TABLE commands (
    id bigint GENERATED ALWAYS AS IDENTITY,
    call_id text NOT NULL,
    verb text NOT NULL,
    payload jsonb DEFAULT '{}'::jsonb NOT NULL,
    issued_by text NOT NULL,
    issued_at timestamptz NOT NULL,
    taken_at timestamptz,
    taken_by text,
    CONSTRAINT commands_pkey PRIMARY KEY (id)
);
CREATE INDEX commands_call_id_idx ON commands (call_id);

CREATE TABLE creditors (
    id text NOT NULL,
    name text NOT NULL,
    neutral_name text NOT NULL,
    hotline text NOT NULL,
    CONSTRAINT creditors_pkey PRIMARY KEY (id)
);

CREATE TABLE debtors (
    id text NOT NULL,
    name text NOT NULL,
    salutation text DEFAULT 'unknown' NOT NULL,
    id_last4 text,
    birth_mmdd text,
    CONSTRAINT debtors_pkey PRIMARY KEY (id)
);

CREATE TABLE facts (
    call_id text NOT NULL,
    seq integer NOT NULL,
    at timestamptz NOT NULL,
    ms integer DEFAULT 0 NOT NULL,
    kind text NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT facts_pkey PRIMARY KEY (call_id, seq)
);

CREATE TABLE ledger (
    scope text NOT NULL,
    key text NOT NULL,
    day date NOT NULL,
    used integer DEFAULT 0 NOT NULL,
    CONSTRAINT ledger_pkey PRIMARY KEY (scope, key, day)
);

CREATE TABLE permissions (
    role text NOT NULL,
    permission text NOT NULL,
    CONSTRAINT permissions_pkey PRIMARY KEY (role, permission)
);

CREATE TABLE settings (
    key text NOT NULL,
    value text NOT NULL,
    CONSTRAINT settings_pkey PRIMARY KEY (key)
);

CREATE TABLE cases (
    id text NOT NULL,
    debtor_id text NOT NULL,
    creditor_id text NOT NULL,
    product text NOT NULL,
    amount_fen bigint NOT NULL,
    principal_fen bigint,
    fees_fen bigint,
    overdue_days integer DEFAULT 0 NOT NULL,
    as_of date NOT NULL,
    lawsuit_filed boolean DEFAULT false NOT NULL,
    credit_reported boolean DEFAULT false NOT NULL,
    visit_scheduled boolean DEFAULT false NOT NULL,
    entrusted boolean DEFAULT true NOT NULL,
    jurisdiction text DEFAULT 'CN' NOT NULL,
    status text DEFAULT 'open' NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT cases_pkey PRIMARY KEY (id),
    CONSTRAINT cases_debtor_id_fkey FOREIGN KEY(debtor_id) REFERENCES debtors (id),
    CONSTRAINT cases_creditor_id_fkey FOREIGN KEY(creditor_id) REFERENCES creditors (id)
);
CREATE INDEX cases_debtor_id_idx ON cases (debtor_id);

CREATE TABLE consents (
    id bigint GENERATED ALWAYS AS IDENTITY,
    debtor_id text NOT NULL,
    kind text NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    call_id text,
    given_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT consents_pkey PRIMARY KEY (id),
    CONSTRAINT consents_debtor_id_fkey FOREIGN KEY(debtor_id) REFERENCES debtors (id)
);
CREATE INDEX consents_debtor_id_idx ON consents (debtor_id);

CREATE TABLE contact_stops (
    id bigint GENERATED ALWAYS AS IDENTITY,
    debtor_id text,
    number text,
    reason text NOT NULL,
    call_id text,
    since timestamptz NOT NULL,
    until timestamptz,
    cleared_at timestamptz,
    cleared_by text,
    CONSTRAINT contact_stops_pkey PRIMARY KEY (id),
    CONSTRAINT contact_stops_debtor_id_fkey FOREIGN KEY(debtor_id) REFERENCES debtors (id)
);
CREATE INDEX contact_stops_debtor_id_idx ON contact_stops (debtor_id);
CREATE INDEX contact_stops_number_idx ON contact_stops (number);

CREATE TABLE numbers (
    id bigint GENERATED ALWAYS AS IDENTITY,
    debtor_id text NOT NULL,
    number text NOT NULL,
    kind text DEFAULT 'debtor' NOT NULL,
    rank integer DEFAULT 0 NOT NULL,
    valid boolean DEFAULT true NOT NULL,
    CONSTRAINT numbers_pkey PRIMARY KEY (id),
    CONSTRAINT numbers_debtor_id_number_key UNIQUE (debtor_id, number),
    CONSTRAINT numbers_debtor_id_fkey FOREIGN KEY(debtor_id) REFERENCES debtors (id)
);
CREATE INDEX numbers_number_idx ON numbers (number);

CREATE TABLE users (
    username text NOT NULL,
    display_name text NOT NULL,
    role text NOT NULL,
    password_hash text,
    agent_id text,
    disabled boolean DEFAULT false NOT NULL,
    failures smallint DEFAULT 0 NOT NULL,
    locked_until timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (username),
    CONSTRAINT users_agent_id_fkey FOREIGN KEY(agent_id) REFERENCES agents (id)
);

CREATE TABLE attempts (
    id bigint GENERATED ALWAYS AS IDENTITY,
    campaign_id text,
    case_id text NOT NULL,
    debtor_id text NOT NULL,
    number text NOT NULL,
    target text DEFAULT 'debtor' NOT NULL,
    purpose text DEFAULT 'reminder' NOT NULL,
    script text NOT NULL,
    tries integer DEFAULT 1 NOT NULL,
    state text DEFAULT 'waiting' NOT NULL,
    not_before timestamptz NOT NULL,
    priority integer DEFAULT 0 NOT NULL,
    leased_by text,
    leased_at timestamptz,
    lease_until timestamptz,
    placed_at timestamptz,
    settled_at timestamptz,
    call_id text,
    disposition text,
    reached text,
    why text DEFAULT '' NOT NULL,
    rule text,
    lost boolean DEFAULT false NOT NULL,
    CONSTRAINT attempts_pkey PRIMARY KEY (id),
    CONSTRAINT attempts_campaign_id_fkey FOREIGN KEY(campaign_id) REFERENCES campaigns (id),
    CONSTRAINT attempts_case_id_fkey FOREIGN KEY(case_id) REFERENCES cases (id),
    CONSTRAINT attempts_debtor_id_fkey FOREIGN KEY(debtor_id) REFERENCES debtors (id)
);
CREATE INDEX attempts_campaign_id_state_idx ON attempts (campaign_id, state);
CREATE INDEX attempts_case_id_idx ON attempts (case_id);
CREATE INDEX attempts_debtor_id_leased_at_idx ON attempts (debtor_id, leased_at);
CREATE INDEX attempts_leased_idx ON attempts (lease_until) WHERE state IN ('leased', 'placed');
CREATE INDEX attempts_number_leased_at_idx ON attempts (number, leased_at);
CREATE UNIQUE INDEX attempts_open_key
    ON attempts (case_id, campaign_id, purpose) NULLS NOT DISTINCT
    WHERE state IN ('waiting', 'leased', 'placed');
CREATE INDEX attempts_waiting_idx ON attempts (priority, not_before) WHERE state = 'waiting';

CREATE TABLE callbacks (
    id bigint GENERATED ALWAYS AS IDENTITY,
    case_id text,
    call_id text,
    number text NOT NULL,
    at timestamptz,
    reason text NOT NULL,
    booked_at timestamptz NOT NULL,
    done_at timestamptz,
    CONSTRAINT callbacks_pkey PRIMARY KEY (id),
    CONSTRAINT callbacks_case_id_fkey FOREIGN KEY(case_id) REFERENCES cases (id)
);

CREATE TABLE promises (
    id bigint GENERATED ALWAYS AS IDENTITY,
    case_id text NOT NULL,
    call_id text,
    date date NOT NULL,
    amount_fen bigint NOT NULL,
    confirmed boolean DEFAULT false NOT NULL,
    channel text,
    state text DEFAULT 'open' NOT NULL,
    made_at timestamptz NOT NULL,
    CONSTRAINT promises_pkey PRIMARY KEY (id),
    CONSTRAINT promises_case_id_fkey FOREIGN KEY(case_id) REFERENCES cases (id)
);
CREATE INDEX promises_case_id_idx ON promises (case_id);

CREATE TABLE secrets (
    token_sha256 text NOT NULL,
    kind text NOT NULL,
    username text NOT NULL,
    label text DEFAULT '' NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    used_at timestamptz,
    CONSTRAINT secrets_pkey PRIMARY KEY (token_sha256),
    CONSTRAINT secrets_username_fkey FOREIGN KEY(username) REFERENCES users (username) ON DELETE CASCADE
);

CREATE TABLE calls (
    id text NOT NULL,
    direction text NOT NULL,
    number text NOT NULL,
    attempt_id bigint,
    case_id text,
    campaign_id text,
    worker text,
    started_at timestamptz NOT NULL,
    answered_at timestamptz,
    ended_at timestamptz,
    duration_ms integer,
    disposition text,
    why text DEFAULT '' NOT NULL,
    bundle text,
    handoff boolean DEFAULT false NOT NULL,
    verified boolean DEFAULT false NOT NULL,
    script text,
    script_sha256 text,
    emotion jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT calls_pkey PRIMARY KEY (id),
    CONSTRAINT calls_attempt_id_fkey FOREIGN KEY(attempt_id) REFERENCES attempts (id),
    CONSTRAINT calls_case_id_fkey FOREIGN KEY(case_id) REFERENCES cases (id)
);
CREATE INDEX calls_case_id_idx ON calls (case_id);
CREATE INDEX calls_running_idx ON calls (worker) WHERE ended_at IS NULL;
CREATE INDEX calls_started_at_idx ON calls (started_at);

CREATE TABLE decisions (
    id bigint GENERATED ALWAYS AS IDENTITY,
    attempt_id bigint NOT NULL,
    at timestamptz NOT NULL,
    allowed boolean DEFAULT false NOT NULL,
    rule text,
    reason text NOT NULL,
    not_before timestamptz,
    pack_sha256 text NOT NULL,
    CONSTRAINT decisions_pkey PRIMARY KEY (id),
    CONSTRAINT decisions_attempt_id_fkey FOREIGN KEY(attempt_id) REFERENCES attempts (id)
);
CREATE INDEX decisions_attempt_id_idx ON decisions (attempt_id);
"""

WAKE = """
-- A fact wakes the live views. NOTIFY carries at most 8000 bytes: a longer fact goes without its data.
CREATE FUNCTION voicebot_announce_fact() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    message text := row_to_json(NEW)::text;
BEGIN
    IF octet_length(message) > 7000 THEN
        message := json_build_object('call_id', NEW.call_id, 'seq', NEW.seq, 'kind', NEW.kind)::text;
    END IF;
    PERFORM pg_notify('voicebot_facts', message);
    RETURN NULL;
END $$;
CREATE TRIGGER announce AFTER INSERT ON facts FOR EACH ROW EXECUTE FUNCTION voicebot_announce_fact();

-- A command wakes the workers; the one that runs the call takes the row.
CREATE FUNCTION voicebot_announce_command() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('voicebot_commands', NEW.call_id);
    RETURN NULL;
END $$;
CREATE TRIGGER announce AFTER INSERT ON commands FOR EACH ROW EXECUTE FUNCTION voicebot_announce_command();
"""

PERMISSIONS = """
INSERT INTO permissions (role, permission) VALUES
    ('admin', 'users'), ('admin', 'campaigns'), ('admin', 'cases'), ('admin', 'calls'), ('admin', 'listen'),
    ('admin', 'evidence'), ('admin', 'scripts'), ('admin', 'reports'),
    ('operator', 'campaigns'), ('operator', 'cases'), ('operator', 'calls'), ('operator', 'listen'),
    ('operator', 'reports'),
    ('reviewer', 'calls'), ('reviewer', 'listen'), ('reviewer', 'evidence'), ('reviewer', 'reports'),
    ('agent', 'calls'),
    ('designer', 'scripts'), ('designer', 'calls');
"""


def upgrade() -> None:
    for script in (TABLES, WAKE, PERMISSIONS):
        op.get_bind().exec_driver_sql(script)


def downgrade() -> None:
    """There is nothing before the first tables; drop the database instead."""
    raise RuntimeError("the first migration cannot be taken back; restore a backup or drop the database")
