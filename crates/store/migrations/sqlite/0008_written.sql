-- Conversations in writing, one row each, from their opening on.
CREATE TABLE written (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    channel TEXT NOT NULL,
    customer_number TEXT,
    customer_name TEXT,
    subject TEXT,
    link TEXT,
    queue TEXT,
    agent TEXT,
    started_at INTEGER NOT NULL,
    taken_at INTEGER,
    ended_at INTEGER,
    result TEXT,
    reason TEXT,
    disposition TEXT,
    disposition_missing INTEGER NOT NULL DEFAULT 0,
    wait_ms INTEGER NOT NULL DEFAULT 0,
    handling_ms INTEGER NOT NULL DEFAULT 0,
    wrap_up_ms INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant, id)
) STRICT;

CREATE INDEX written_by_time ON written (tenant, started_at, id);
