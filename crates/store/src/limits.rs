//! Every limit of the store, with its unit and the reason for its size.

/// Requests to the writer that may wait, weighed in KiB: 64 MiB bounds memory when the disk is slow.
pub const WRITE_QUEUE_KIB: usize = 64 * 1024;
/// What a request weighs at least, in KiB, however small it is.
pub const REQUEST_KIB: usize = 16;
/// Requests to the writer that may wait; follows from the two weights.
pub const WRITE_QUEUE: usize = WRITE_QUEUE_KIB / REQUEST_KIB;
/// Write requests that share one commit: enough to fill a slow disk's flush, few enough that the first of them does not wait long.
pub const JOBS_PER_COMMIT: usize = 256;
/// Read requests that may wait for a reader.
pub const READ_QUEUE: usize = 1_024;
/// Reader connections of an ordinary store: reports may be slow, sign-in should not wait behind all of them.
pub const READERS: usize = 3;
/// Events in one append: far above what one input can cause.
pub const EVENTS_PER_APPEND: usize = 10_000;
/// Bytes of one append's events as JSON.
pub const APPEND_BYTES: usize = 16 * 1024 * 1024;
/// Events handed out by one `load`.
pub const EVENTS_PER_LOAD: usize = 10_000;
/// Bytes of JSON read for one `load` (one batch more at most).
pub const LOAD_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of a snapshot: SQLite's own limit for a value is 1 GB.
pub const SNAPSHOT_BYTES: usize = 512 * 1024 * 1024;
/// Snapshots kept per tenant: the newest, and one more in case it is damaged.
pub const SNAPSHOTS_KEPT: usize = 2;
/// Bytes of a document, an audit detail or a job's payload.
pub const DOCUMENT_BYTES: usize = 1024 * 1024;
/// Rows of one page of any list.
pub const PAGE_ROWS: usize = 1_000;
/// Intervals × queues (or agents) of one roll-up.
pub const ROLL_UP_ROWS: usize = 100_000;
/// Rows of legs, visits, offers, segments and recordings, each, in one conversation's details; the core's own limits lie below.
pub const DETAIL_ROWS: usize = 2_000;
/// Events projected in one low-priority transaction: a few milliseconds of work that an append may have to wait for.
pub const EVENTS_PER_PROJECTION: usize = 128;
/// Under constant appends, one projection batch is done this often, in milliseconds, so that reports never stand still.
pub const PROJECTION_PATIENCE_MS: u64 = 15;
/// After a failed projection (disk full), the next attempt comes after this time, in milliseconds, unless an append comes first.
pub const PROJECTION_RETRY_MS: u64 = 1_000;
/// Longest row of an agent's time, in milliseconds (24 h): longer stretches are split so that a range can be read by index.
pub const AGENT_TIME_ROW_MS: i64 = 24 * 3_600 * 1_000;
/// Write-ahead log pages (4 KiB each) at which they are copied into the database: 8 MB.
pub const CHECKPOINT_PAGES: i64 = 2_000;
/// Pages the writer itself copies, between two commits, so that the log can begin anew: 1 MB. What is more is copied by a thread
/// of its own before, while the writer goes on.
pub const CHECKPOINT_REST_PAGES: i64 = 256;
/// Write-ahead log pages at which the writer copies them itself, however long that takes, because the other thread does not keep
/// up: 64 MB.
pub const CHECKPOINT_PAGES_MAX: i64 = 16_000;
/// Commits between two looks at the length of the write-ahead log.
pub const COMMITS_PER_LOOK: u32 = 16;
/// Bytes the write-ahead log is cut to after a check-point: 64 MB.
pub const WAL_BYTES: i64 = 64 * 1024 * 1024;
/// How long a connection waits for a lock of another connection of ours, in milliseconds.
pub const BUSY_MS: u64 = 5_000;
/// Prepared statements kept per connection: more than the product has.
pub const STATEMENTS: usize = 256;
/// Pages (4 KiB) copied per step of a backup: 4 MB between two progress reports.
pub const BACKUP_STEP_PAGES: i32 = 1_024;
/// Jobs waiting or failed in one tenant: a webhook receiver that is down for a day must not fill the disk.
pub const JOBS_PER_TENANT: usize = 100_000;
/// Attempts after which a job is given up: with the longest pause below, about a day.
pub const JOB_ATTEMPTS: u32 = 30;
/// Pause before the second attempt of a job, in milliseconds; doubles with every further one.
pub const JOB_PAUSE_FIRST_MS: u64 = 2_000;
/// Longest pause between two attempts of a job, in milliseconds (1 h).
pub const JOB_PAUSE_MAX_MS: u64 = 3_600_000;
/// Jobs handed out by one claim.
pub const JOBS_PER_CLAIM: usize = 100;
/// Registrar bindings saved by one call.
pub const BINDINGS_PER_SAVE: usize = 10_000;
/// Registrar bindings loaded at start.
pub const BINDINGS: usize = 200_000;
/// Conversations removed by one retention step.
pub const CONVERSATIONS_PER_REMOVAL: usize = 500;
