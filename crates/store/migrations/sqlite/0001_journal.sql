-- Tenants, their journals, and snapshots of their worlds.
-- Every key of every table begins with the tenant.

CREATE TABLE tenant (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row per tenant that ever had an owner. `epoch` is the fence: it grows with every owner, and only the newest may append.
CREATE TABLE journal_head (
    tenant TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    owner TEXT NOT NULL,
    projected INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- One row per append; `body` is a JSON array of `count` events.
CREATE TABLE journal (
    tenant TEXT NOT NULL,
    first_seq INTEGER NOT NULL,
    count INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (tenant, first_seq)
) STRICT;

CREATE TABLE snapshot (
    tenant TEXT NOT NULL,
    seq INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (tenant, seq)
) STRICT;
