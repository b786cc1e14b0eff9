"""Quality and reports: what calls add to the figures, findings, reviews, appeals, searchable transcripts, replays."""

from alembic import op

revision = "0014"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE report_calls (
    call_id TEXT NOT NULL,
    day DATE NOT NULL,
    stage TEXT NOT NULL,
    region TEXT NOT NULL,
    age TEXT NOT NULL,
    script TEXT NOT NULL,
    strategy TEXT NOT NULL,
    agent TEXT NOT NULL,
    campaign TEXT NOT NULL,
    debtor TEXT NOT NULL,
    nodes TEXT[] DEFAULT '{}'::text[] NOT NULL,
    last_node TEXT NOT NULL,
    attempts BIGINT DEFAULT 0 NOT NULL,
    inbound BIGINT DEFAULT 0 NOT NULL,
    answered BIGINT DEFAULT 0 NOT NULL,
    human BIGINT DEFAULT 0 NOT NULL,
    machine BIGINT DEFAULT 0 NOT NULL,
    contacts BIGINT DEFAULT 0 NOT NULL,
    verified BIGINT DEFAULT 0 NOT NULL,
    third_party BIGINT DEFAULT 0 NOT NULL,
    wrong_number BIGINT DEFAULT 0 NOT NULL,
    promises BIGINT DEFAULT 0 NOT NULL,
    soft_promises BIGINT DEFAULT 0 NOT NULL,
    promised_fen BIGINT DEFAULT 0 NOT NULL,
    due_fen BIGINT DEFAULT 0 NOT NULL,
    talk_ms BIGINT DEFAULT 0 NOT NULL,
    dropped BIGINT DEFAULT 0 NOT NULL,
    transfers BIGINT DEFAULT 0 NOT NULL,
    joined BIGINT DEFAULT 0 NOT NULL,
    wait_ms BIGINT DEFAULT 0 NOT NULL,
    complaints BIGINT DEFAULT 0 NOT NULL,
    stops BIGINT DEFAULT 0 NOT NULL,
    in_danger BIGINT DEFAULT 0 NOT NULL,
    sentences BIGINT DEFAULT 0 NOT NULL,
    blocked BIGINT DEFAULT 0 NOT NULL,
    slipped BIGINT DEFAULT 0 NOT NULL,
    agent_sentences BIGINT DEFAULT 0 NOT NULL,
    agent_alerts BIGINT DEFAULT 0 NOT NULL,
    checked BIGINT DEFAULT 0 NOT NULL,
    confirmed BIGINT DEFAULT 0 NOT NULL,
    confirmed_critical BIGINT DEFAULT 0 NOT NULL,
    confirmed_calls BIGINT DEFAULT 0 NOT NULL,
    false_blocks BIGINT DEFAULT 0 NOT NULL,
    answers BIGINT DEFAULT 0 NOT NULL,
    answer_ms BIGINT DEFAULT 0 NOT NULL,
    slow_answers BIGINT DEFAULT 0 NOT NULL,
    interrupted BIGINT DEFAULT 0 NOT NULL,
    surveyed BIGINT DEFAULT 0 NOT NULL,
    satisfied BIGINT DEFAULT 0 NOT NULL,
    handled BIGINT DEFAULT 0 NOT NULL,
    agent_ms BIGINT DEFAULT 0 NOT NULL,
    agent_promises BIGINT DEFAULT 0 NOT NULL,
    CONSTRAINT report_calls_pkey PRIMARY KEY (call_id)
);
CREATE INDEX report_calls_day_idx ON report_calls (day);
CREATE TABLE report_days (
    day DATE NOT NULL,
    stage TEXT NOT NULL,
    region TEXT NOT NULL,
    age TEXT NOT NULL,
    script TEXT NOT NULL,
    strategy TEXT NOT NULL,
    agent TEXT NOT NULL,
    attempts BIGINT DEFAULT 0 NOT NULL,
    inbound BIGINT DEFAULT 0 NOT NULL,
    answered BIGINT DEFAULT 0 NOT NULL,
    human BIGINT DEFAULT 0 NOT NULL,
    machine BIGINT DEFAULT 0 NOT NULL,
    contacts BIGINT DEFAULT 0 NOT NULL,
    verified BIGINT DEFAULT 0 NOT NULL,
    third_party BIGINT DEFAULT 0 NOT NULL,
    wrong_number BIGINT DEFAULT 0 NOT NULL,
    promises BIGINT DEFAULT 0 NOT NULL,
    soft_promises BIGINT DEFAULT 0 NOT NULL,
    promised_fen BIGINT DEFAULT 0 NOT NULL,
    due_fen BIGINT DEFAULT 0 NOT NULL,
    talk_ms BIGINT DEFAULT 0 NOT NULL,
    dropped BIGINT DEFAULT 0 NOT NULL,
    transfers BIGINT DEFAULT 0 NOT NULL,
    joined BIGINT DEFAULT 0 NOT NULL,
    wait_ms BIGINT DEFAULT 0 NOT NULL,
    complaints BIGINT DEFAULT 0 NOT NULL,
    stops BIGINT DEFAULT 0 NOT NULL,
    in_danger BIGINT DEFAULT 0 NOT NULL,
    sentences BIGINT DEFAULT 0 NOT NULL,
    blocked BIGINT DEFAULT 0 NOT NULL,
    slipped BIGINT DEFAULT 0 NOT NULL,
    agent_sentences BIGINT DEFAULT 0 NOT NULL,
    agent_alerts BIGINT DEFAULT 0 NOT NULL,
    checked BIGINT DEFAULT 0 NOT NULL,
    confirmed BIGINT DEFAULT 0 NOT NULL,
    confirmed_critical BIGINT DEFAULT 0 NOT NULL,
    confirmed_calls BIGINT DEFAULT 0 NOT NULL,
    false_blocks BIGINT DEFAULT 0 NOT NULL,
    answers BIGINT DEFAULT 0 NOT NULL,
    answer_ms BIGINT DEFAULT 0 NOT NULL,
    slow_answers BIGINT DEFAULT 0 NOT NULL,
    interrupted BIGINT DEFAULT 0 NOT NULL,
    surveyed BIGINT DEFAULT 0 NOT NULL,
    satisfied BIGINT DEFAULT 0 NOT NULL,
    handled BIGINT DEFAULT 0 NOT NULL,
    agent_ms BIGINT DEFAULT 0 NOT NULL,
    agent_promises BIGINT DEFAULT 0 NOT NULL,
    CONSTRAINT report_days_pkey PRIMARY KEY (day, stage, region, age, script, strategy, agent)
);
CREATE TABLE report_nodes (
    day DATE NOT NULL,
    script TEXT NOT NULL,
    node TEXT NOT NULL,
    came BIGINT NOT NULL,
    ended BIGINT NOT NULL,
    verified BIGINT NOT NULL,
    promised BIGINT NOT NULL,
    CONSTRAINT report_nodes_pkey PRIMARY KEY (day, script, node)
);
CREATE TABLE case_months (
    month DATE NOT NULL,
    case_id TEXT NOT NULL,
    stage TEXT NOT NULL,
    amount_fen BIGINT NOT NULL,
    CONSTRAINT case_months_pkey PRIMARY KEY (month, case_id)
);
CREATE TABLE report_plans (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    name TEXT NOT NULL,
    period TEXT NOT NULL,
    formats TEXT[] DEFAULT '{}'::text[] NOT NULL,
    recipients TEXT[] DEFAULT '{}'::text[] NOT NULL,
    hour SMALLINT DEFAULT 8 NOT NULL,
    filters JSONB DEFAULT '{}'::jsonb NOT NULL,
    active BOOLEAN DEFAULT true NOT NULL,
    made_by TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_for DATE,
    tried_at TIMESTAMP WITH TIME ZONE,
    failures INTEGER DEFAULT 0 NOT NULL,
    why TEXT DEFAULT '' NOT NULL,
    CONSTRAINT report_plans_pkey PRIMARY KEY (id)
);
CREATE TABLE call_checks (
    call_id TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    findings JSONB DEFAULT '{}'::jsonb NOT NULL,
    sentences INTEGER DEFAULT 0 NOT NULL,
    agent_sentences INTEGER DEFAULT 0 NOT NULL,
    slipped INTEGER DEFAULT 0 NOT NULL,
    risk INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT call_checks_pkey PRIMARY KEY (call_id),
    CONSTRAINT call_checks_call_id_fkey FOREIGN KEY(call_id) REFERENCES calls (id) ON DELETE CASCADE
);
CREATE TABLE verdicts (
    call_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    rule TEXT NOT NULL,
    verdict TEXT NOT NULL,
    by TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT verdicts_pkey PRIMARY KEY (call_id, seq, rule),
    CONSTRAINT verdicts_call_id_fkey FOREIGN KEY(call_id) REFERENCES calls (id) ON DELETE CASCADE
);
CREATE TABLE reviews (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    call_id TEXT NOT NULL,
    scorecard TEXT NOT NULL,
    scorecard_sha256 TEXT NOT NULL,
    agent TEXT DEFAULT '' NOT NULL,
    why TEXT NOT NULL,
    round TEXT DEFAULT 'first' NOT NULL,
    "of" BIGINT,
    reviewer TEXT,
    state TEXT DEFAULT 'waiting' NOT NULL,
    answers JSONB DEFAULT '{}'::jsonb NOT NULL,
    automatic JSONB DEFAULT '{}'::jsonb NOT NULL,
    note TEXT DEFAULT '' NOT NULL,
    score DOUBLE PRECISION,
    fatal BOOLEAN DEFAULT false NOT NULL,
    drawn_at TIMESTAMP WITH TIME ZONE NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT reviews_pkey PRIMARY KEY (id),
    CONSTRAINT reviews_call_id_fkey FOREIGN KEY(call_id) REFERENCES calls (id) ON DELETE CASCADE,
    CONSTRAINT reviews_of_fkey FOREIGN KEY("of") REFERENCES reviews (id)
);
CREATE INDEX reviews_call_id_idx ON reviews (call_id);
CREATE UNIQUE INDEX reviews_call_id_round_reviewer_key ON reviews (call_id, scorecard, round, reviewer);
CREATE INDEX reviews_waiting_idx ON reviews (drawn_at) WHERE state = 'waiting';
CREATE TABLE appeals (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    review_id BIGINT NOT NULL,
    by TEXT NOT NULL,
    text TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    state TEXT DEFAULT 'open' NOT NULL,
    decided_by TEXT,
    decided_at TIMESTAMP WITH TIME ZONE,
    answer TEXT DEFAULT '' NOT NULL,
    score_before DOUBLE PRECISION,
    score_after DOUBLE PRECISION,
    CONSTRAINT appeals_pkey PRIMARY KEY (id),
    CONSTRAINT appeals_review_id_fkey FOREIGN KEY(review_id) REFERENCES reviews (id) ON DELETE CASCADE
);
CREATE INDEX appeals_review_id_idx ON appeals (review_id);
CREATE TABLE comments (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    call_id TEXT NOT NULL,
    ms INTEGER DEFAULT 0 NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT comments_pkey PRIMARY KEY (id),
    CONSTRAINT comments_call_id_fkey FOREIGN KEY(call_id) REFERENCES calls (id) ON DELETE CASCADE
);
CREATE INDEX comments_call_id_idx ON comments (call_id);
CREATE TABLE transcript_lines (
    call_id TEXT NOT NULL,
    line INTEGER NOT NULL,
    speaker TEXT NOT NULL,
    ms INTEGER DEFAULT 0 NOT NULL,
    end_ms INTEGER DEFAULT 0 NOT NULL,
    text TEXT NOT NULL,
    grams TSVECTOR NOT NULL,
    CONSTRAINT transcript_lines_pkey PRIMARY KEY (call_id, line),
    CONSTRAINT transcript_lines_call_id_fkey FOREIGN KEY(call_id) REFERENCES calls (id) ON DELETE CASCADE
);
CREATE INDEX transcript_lines_grams_idx ON transcript_lines USING gin (grams);
CREATE TABLE replay_runs (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    script TEXT NOT NULL,
    candidate TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    summary JSONB DEFAULT '{}'::jsonb NOT NULL,
    rows JSONB DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT replay_runs_pkey PRIMARY KEY (id)
);
"""
GRANT = """
INSERT INTO permissions (role, permission) VALUES
    ('admin', 'reports'), ('supervisor', 'reports'), ('operator', 'reports'),
    ('admin', 'review'), ('reviewer', 'review'), ('supervisor', 'review'),
    ('admin', 'search_calls'), ('reviewer', 'search_calls'), ('supervisor', 'search_calls'),
    ('admin', 'quality'), ('supervisor', 'quality'), ('agent', 'appeal')
ON CONFLICT DO NOTHING;
"""
DROP = """
DROP TABLE replay_runs;
DROP TABLE transcript_lines;
DROP TABLE comments;
DROP TABLE appeals;
DROP TABLE reviews;
DROP TABLE verdicts;
DROP TABLE call_checks;
DROP TABLE report_plans;
DROP TABLE case_months;
DROP TABLE report_nodes;
DROP TABLE report_days;
DROP TABLE report_calls;
DELETE FROM permissions WHERE permission IN ('reports', 'review', 'search_calls', 'quality', 'appeal');
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)
    op.get_bind().exec_driver_sql(GRANT)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(DROP)
