-- What reports read: filled from the journal, never written by anything else.

CREATE TABLE conversation (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    line TEXT NOT NULL,
    direction TEXT NOT NULL,
    caller_number TEXT,
    caller_name TEXT,
    dialed TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    result TEXT,
    reason TEXT,
    outcome TEXT,
    queue TEXT,
    agent TEXT,
    wait_ms INTEGER NOT NULL DEFAULT 0,
    talk_ms INTEGER NOT NULL DEFAULT 0,
    hold_ms INTEGER NOT NULL DEFAULT 0,
    recordings INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_started ON conversation (tenant, started_at, id);
CREATE INDEX conversation_ended ON conversation (tenant, ended_at);

CREATE TABLE leg (
    tenant TEXT NOT NULL,
    conversation TEXT NOT NULL,
    id TEXT NOT NULL,
    role TEXT NOT NULL,
    agent TEXT,
    line TEXT NOT NULL,
    direction TEXT,
    endpoint TEXT,
    started_at INTEGER NOT NULL,
    ringing_at INTEGER,
    connected_at INTEGER,
    ended_at INTEGER,
    result TEXT,
    reason TEXT,
    quality TEXT,
    PRIMARY KEY (tenant, conversation, id)
) STRICT, WITHOUT ROWID;

-- `within_ms` is the queue's service level promise as it was when the visit ended.
CREATE TABLE visit (
    tenant TEXT NOT NULL,
    conversation TEXT NOT NULL,
    id TEXT NOT NULL,
    queue TEXT NOT NULL,
    priority INTEGER,
    skills TEXT,
    enqueued_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT,
    short INTEGER NOT NULL DEFAULT 0,
    flow_out_reason TEXT,
    wait_ms INTEGER,
    within_ms INTEGER,
    agent TEXT,
    PRIMARY KEY (tenant, conversation, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX visit_enqueued ON visit (tenant, enqueued_at);
CREATE INDEX visit_ended ON visit (tenant, ended_at);

CREATE TABLE offer (
    tenant TEXT NOT NULL,
    conversation TEXT NOT NULL,
    id TEXT NOT NULL,
    visit TEXT,
    queue TEXT,
    agent TEXT NOT NULL,
    leg TEXT,
    made_at INTEGER NOT NULL,
    rings_until INTEGER,
    ended_at INTEGER,
    outcome TEXT,
    PRIMARY KEY (tenant, conversation, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX offer_ended ON offer (tenant, ended_at);

CREATE TABLE segment (
    tenant TEXT NOT NULL,
    conversation TEXT NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    from_at INTEGER NOT NULL,
    to_at INTEGER NOT NULL,
    queue TEXT,
    agent TEXT,
    PRIMARY KEY (tenant, conversation, seq)
) STRICT, WITHOUT ROWID;

-- One agent's (or, with `agent` NULL, an external party's) part of a conversation with the wrap-up that belongs to it.
CREATE TABLE talk (
    tenant TEXT NOT NULL,
    conversation TEXT NOT NULL,
    seq INTEGER NOT NULL,
    leg TEXT NOT NULL,
    queue TEXT,
    agent TEXT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    talk_ms INTEGER NOT NULL DEFAULT 0,
    hold_ms INTEGER NOT NULL DEFAULT 0,
    wrap_up_ms INTEGER NOT NULL DEFAULT 0,
    wrap_up_ended_at INTEGER,
    disposition TEXT,
    PRIMARY KEY (tenant, conversation, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX talk_ended ON talk (tenant, ended_at);
CREATE INDEX talk_wrap_up ON talk (tenant, wrap_up_ended_at);
CREATE INDEX talk_agent ON talk (tenant, agent, conversation);

CREATE TABLE recording (
    tenant TEXT NOT NULL,
    conversation TEXT NOT NULL,
    id TEXT NOT NULL,
    status TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    path TEXT,
    duration_ms INTEGER,
    channels INTEGER,
    failure TEXT,
    PRIMARY KEY (tenant, conversation, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX recording_id ON recording (tenant, id);

-- The trace: every fact about one conversation, in order.
CREATE TABLE event (
    tenant TEXT NOT NULL,
    conversation TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant, conversation, seq)
) STRICT, WITHOUT ROWID;

-- Wishes not yet settled, to know which conversation a settlement belongs to.
CREATE TABLE open_action (
    tenant TEXT NOT NULL,
    action TEXT NOT NULL,
    conversation TEXT NOT NULL,
    PRIMARY KEY (tenant, action)
) STRICT, WITHOUT ROWID;
CREATE INDEX open_action_conversation ON open_action (tenant, conversation);

-- What an agent is at present, and since when; the closed stretches are rows of `agent_time`.
CREATE TABLE agent_state (
    tenant TEXT NOT NULL,
    agent TEXT NOT NULL,
    duty TEXT NOT NULL,
    availability TEXT NOT NULL,
    reason TEXT,
    occupation TEXT NOT NULL,
    conversation TEXT,
    since INTEGER NOT NULL,
    PRIMARY KEY (tenant, agent)
) STRICT, WITHOUT ROWID;

CREATE TABLE agent_time (
    tenant TEXT NOT NULL,
    to_at INTEGER NOT NULL,
    agent TEXT NOT NULL,
    from_at INTEGER NOT NULL,
    duty TEXT NOT NULL,
    availability TEXT NOT NULL,
    reason TEXT,
    occupation TEXT NOT NULL,
    conversation TEXT,
    PRIMARY KEY (tenant, to_at, agent, from_at)
) STRICT, WITHOUT ROWID;

-- Names and promises of queues and agents as configured last; kept after their removal, because figures outlive them.
CREATE TABLE queue_setting (
    tenant TEXT NOT NULL,
    queue TEXT NOT NULL,
    name TEXT NOT NULL,
    within_ms INTEGER NOT NULL,
    target REAL NOT NULL,
    PRIMARY KEY (tenant, queue)
) STRICT, WITHOUT ROWID;

CREATE TABLE agent_setting (
    tenant TEXT NOT NULL,
    agent TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (tenant, agent)
) STRICT, WITHOUT ROWID;
