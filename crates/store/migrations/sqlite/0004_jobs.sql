-- Work to be done later and again until it succeeds, and registrations that survive a restart.

CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    run_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    payload TEXT NOT NULL,
    last_error TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX job_due ON job (kind, state, run_at);
CREATE INDEX job_tenant ON job (tenant, id);

CREATE TABLE binding (
    aor TEXT NOT NULL PRIMARY KEY,
    body BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
