"""Follow-up: payments, tickets, addresses of messages, and events for other systems."""

from alembic import op

revision = "0011"
down_revision = "0014"
branch_labels = None
depends_on = None

MONEY = """
ALTER TABLE promises ADD COLUMN paid_fen bigint DEFAULT 0 NOT NULL;
ALTER TABLE promises ADD COLUMN settled_at timestamptz;
CREATE INDEX promises_open_idx ON promises (date) WHERE state = 'open';
CREATE TABLE payments (
    id bigint GENERATED ALWAYS AS IDENTITY,
    case_id text NOT NULL,
    amount_fen bigint NOT NULL,
    paid_on date NOT NULL,
    channel text DEFAULT '' NOT NULL,
    source text NOT NULL,
    external_id text NOT NULL,
    received_at timestamptz NOT NULL,
    promise_id bigint,
    CONSTRAINT payments_pkey PRIMARY KEY (id),
    CONSTRAINT payments_external_id_key UNIQUE (external_id),
    CONSTRAINT payments_case_id_fkey FOREIGN KEY(case_id) REFERENCES cases (id),
    CONSTRAINT payments_promise_id_fkey FOREIGN KEY(promise_id) REFERENCES promises (id)
);
CREATE INDEX payments_case_id_idx ON payments (case_id);
CREATE INDEX payments_received_at_idx ON payments (received_at);
"""

MESSAGES = """
CREATE TABLE addresses (
    id bigint GENERATED ALWAYS AS IDENTITY,
    debtor_id text NOT NULL,
    channel text NOT NULL,
    address text NOT NULL,
    rank integer DEFAULT 0 NOT NULL,
    valid boolean DEFAULT true NOT NULL,
    preferred boolean DEFAULT false NOT NULL,
    opted_out_at timestamptz,
    CONSTRAINT addresses_pkey PRIMARY KEY (id),
    CONSTRAINT addresses_debtor_id_channel_address_key UNIQUE (debtor_id, channel, address),
    CONSTRAINT addresses_debtor_id_fkey FOREIGN KEY(debtor_id) REFERENCES debtors (id)
);
CREATE INDEX addresses_address_idx ON addresses (channel, address);
ALTER TABLE messages ADD COLUMN channel text DEFAULT 'sms' NOT NULL;
ALTER TABLE messages ADD COLUMN delivered_at timestamptz;
ALTER TABLE messages ADD COLUMN instead_of bigint CONSTRAINT messages_instead_of_fkey REFERENCES messages (id);
ALTER TABLE messages ADD COLUMN tried text[] DEFAULT '{}'::text[] NOT NULL;
DROP INDEX messages_promise_id_kind_key;
CREATE UNIQUE INDEX messages_promise_id_kind_channel_key ON messages (promise_id, kind, channel);
"""

TICKETS = """
CREATE TABLE tickets (
    id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    case_id text,
    call_id text,
    state text DEFAULT 'open' NOT NULL,
    team text NOT NULL,
    owner text,
    opened_at timestamptz NOT NULL,
    deadline timestamptz NOT NULL,
    level integer DEFAULT 0 NOT NULL,
    closed_at timestamptz,
    closed_by text,
    decision text,
    rest_until date,
    suspended boolean DEFAULT false NOT NULL,
    CONSTRAINT tickets_pkey PRIMARY KEY (id),
    CONSTRAINT tickets_case_id_fkey FOREIGN KEY(case_id) REFERENCES cases (id),
    CONSTRAINT tickets_owner_fkey FOREIGN KEY(owner) REFERENCES users (username) ON DELETE SET NULL
);
CREATE INDEX tickets_case_id_idx ON tickets (case_id);
CREATE UNIQUE INDEX tickets_open_key ON tickets (case_id, kind) WHERE state = 'open';
CREATE UNIQUE INDEX tickets_call_id_kind_key ON tickets (call_id, kind);
CREATE INDEX tickets_deadline_idx ON tickets (deadline) WHERE state = 'open';
CREATE TABLE ticket_notes (
    id bigint GENERATED ALWAYS AS IDENTITY,
    ticket_id bigint NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL,
    text text NOT NULL,
    call_id text,
    CONSTRAINT ticket_notes_pkey PRIMARY KEY (id),
    CONSTRAINT ticket_notes_ticket_id_fkey FOREIGN KEY(ticket_id) REFERENCES tickets (id) ON DELETE CASCADE
);
CREATE INDEX ticket_notes_ticket_id_idx ON ticket_notes (ticket_id);
CREATE UNIQUE INDEX ticket_notes_call_id_key ON ticket_notes (ticket_id, call_id);
"""

EVENTS = """
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY,
    key text NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    case_id text,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (id),
    CONSTRAINT events_key_key UNIQUE (key)
);
CREATE INDEX events_case_id_idx ON events (case_id);
CREATE TABLE webhooks (
    name text NOT NULL,
    url text NOT NULL,
    secret text NOT NULL,
    events text[] DEFAULT '{}'::text[] NOT NULL,
    active boolean DEFAULT true NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT webhooks_pkey PRIMARY KEY (name)
);
CREATE TABLE deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY,
    webhook text NOT NULL,
    event_id bigint NOT NULL,
    state text DEFAULT 'waiting' NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_at timestamptz NOT NULL,
    lease_until timestamptz,
    status integer,
    why text DEFAULT '' NOT NULL,
    delivered_at timestamptz,
    CONSTRAINT deliveries_pkey PRIMARY KEY (id),
    CONSTRAINT deliveries_webhook_event_id_key UNIQUE (webhook, event_id),
    CONSTRAINT deliveries_webhook_fkey FOREIGN KEY(webhook) REFERENCES webhooks (name) ON DELETE CASCADE,
    CONSTRAINT deliveries_event_id_fkey FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE
);
CREATE INDEX deliveries_due_idx ON deliveries (next_at) WHERE state IN ('waiting', 'sending');
"""


def upgrade() -> None:
    for statements in (MONEY, MESSAGES, TICKETS, EVENTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(
        "DROP TABLE deliveries; DROP TABLE webhooks; DROP TABLE events; DROP TABLE ticket_notes; DROP TABLE tickets;"
        "DROP INDEX messages_promise_id_kind_channel_key;"
        "ALTER TABLE messages DROP COLUMN tried, DROP COLUMN instead_of, DROP COLUMN delivered_at, DROP COLUMN channel;"
        "CREATE UNIQUE INDEX messages_promise_id_kind_key ON messages (promise_id, kind);"
        "DROP TABLE addresses; DROP TABLE payments;"
        "ALTER TABLE promises DROP COLUMN settled_at, DROP COLUMN paid_fen"
    )
