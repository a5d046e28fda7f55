-- Figures of every quarter of an hour, kept as they come, and what can be rated later. Filled from the journal with a place of
-- its own in it, so that a store which is older than these tables catches up on what its journal still has.

ALTER TABLE journal_head ADD COLUMN booked INTEGER NOT NULL DEFAULT 0;

-- `kind` and `subject`: whose figures. `slot`: when the quarter of an hour began, in milliseconds of UTC. `body`: counters as JSON;
-- those that are zero are left out.
CREATE TABLE figure (
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    slot INTEGER NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, slot, subject)
) STRICT, WITHOUT ROWID;

-- What later events need to know of earlier ones; gone as soon as nothing of it can come any more.
CREATE TABLE figure_memory (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

-- Never changed and never removed with a conversation: bills are asked about for years.
CREATE TABLE metered (
    tenant TEXT NOT NULL,
    to_at INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    unit TEXT NOT NULL,
    quantity_ms INTEGER NOT NULL,
    from_at INTEGER NOT NULL,
    conversation TEXT NOT NULL,
    queue TEXT,
    line TEXT,
    leg TEXT,
    role TEXT,
    agent TEXT,
    direction TEXT,
    reach TEXT,
    recording TEXT,
    PRIMARY KEY (tenant, to_at, seq, unit)
) STRICT, WITHOUT ROWID;

-- What dialed numbers are called; kept after their removal, because figures outlive them.
CREATE TABLE number_setting (
    tenant TEXT NOT NULL,
    number TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

-- Whether a caller called again.
CREATE INDEX conversation_caller ON conversation (tenant, caller_number, started_at);
