//! Every limit of the interface for programs and pages, with its unit and the reason for its size.

use std::time::Duration;

/// Commits a slow reader of a tenant's facts may lag behind before it has to catch up from the journal: about ten seconds at
/// the busiest a tenant gets.
pub const COMMITS_BUFFERED: usize = 4_096;
/// Largest JSON or TOML body in bytes: a configuration of a thousand agents fits several times.
pub const BODY_BYTES: usize = 2 * 1024 * 1024;
/// Largest uploaded prompt in bytes: five minutes of 48 kHz 16-bit stereo rounded up.
pub const PROMPT_BYTES: usize = 64 * 1024 * 1024;
/// Prompts of one tenant: keeps a directory listing short.
pub const PROMPTS_PER_TENANT: usize = 1_000;
/// Rows of a page when the caller does not say.
pub const PAGE_ROWS: u32 = 50;
/// Rows of a page at most.
pub const PAGE_ROWS_MAX: u32 = 500;
/// Longest query text of a search, in characters.
pub const SEARCH_CHARS: usize = 100;
/// Longest time one request may take; uploads and downloads included.
pub const REQUEST_TIME: Duration = Duration::from_secs(120);
/// How long requests under way may still take when the server stops.
pub const DRAIN_TIME: Duration = Duration::from_secs(10);
/// How long a connection may send nothing; longer than the longest request, and than the silence of a live client.
pub const CONNECTION_IDLE: Duration = Duration::from_secs(150);
/// TCP connections of the listener at the same time; each costs a file descriptor and some 20 kB.
pub const CONNECTIONS: usize = 10_000;

/// Live sockets of one tenant: every agent with two pages open.
pub const SOCKETS_PER_TENANT: usize = 5_000;
/// Live sockets of one principal: many tabs, but not a loop gone wild.
pub const SOCKETS_PER_PRINCIPAL: usize = 50;
/// Frames waiting for one slow live client; then it is closed and may resume.
pub const FRAMES_BUFFERED: usize = 1_024;
/// Events replayed to a client that resumes; with more than this a new snapshot is cheaper.
pub const REPLAY_EVENTS: u64 = 10_000;
/// Interval of pings on live sockets: below the usual 30 to 60 seconds of proxies.
pub const PING_INTERVAL: Duration = Duration::from_secs(20);
/// Silence after which a live client counts as gone: two pings without an answer, and a little.
pub const PONG_TIME: Duration = Duration::from_secs(45);
/// Largest frame a live client may send, in bytes; clients have little to say.
pub const CLIENT_FRAME_BYTES: usize = 4 * 1024;
/// How long one frame may take to get into a client's socket.
pub const FRAME_TIME: Duration = Duration::from_secs(10);

/// How long a signed-in page stays signed in without being used.
pub const SESSION_IDLE: Duration = Duration::from_secs(12 * 3_600);
/// How long a sign-in lasts at most: a long shift, not a week.
pub const SESSION_LIFE: Duration = Duration::from_secs(24 * 3_600);
/// Failed sign-ins per user in [`ATTEMPT_WINDOW`]; then the user has to wait.
pub const ATTEMPTS_PER_USER: u32 = 10;
/// Failed sign-ins per address in [`ATTEMPT_WINDOW`]: an office behind one address has many forgetful people.
pub const ATTEMPTS_PER_ADDRESS: u32 = 50;
/// Over which failed sign-ins are counted.
pub const ATTEMPT_WINDOW: Duration = Duration::from_secs(15 * 60);
/// Users and addresses whose failures are remembered; the oldest is forgotten first. 100 bytes each.
pub const ATTEMPTS_REMEMBERED: usize = 50_000;
/// Requests a second of one user or token: a page needs a few, a program that copies everything some tens.
pub const REQUESTS_PER_SECOND: u32 = 200;
/// Requests of one user or token at once, before the limit per second applies.
pub const REQUESTS_AT_ONCE: u32 = 1_000;
/// Users and tokens whose speed is remembered; those who have been calm for some seconds are forgotten first. 100 bytes each.
pub const RATES_REMEMBERED: usize = 50_000;
/// Passwords hashed at the same time: each takes 19 MiB and a core for some 20 ms.
pub const HASHES_AT_ONCE: usize = 2;
/// Sign-ins waiting for their turn at hashing; more are told to come back.
pub const HASHES_WAITING: usize = 64;
/// Shortest password, in characters (NIST SP 800-63B-4 §3.1.1.2 asks for 15 when it is the only factor, 8 with others; the
/// rate limit above makes 12 a sound middle).
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Longest password, in characters: hashing must not become a way to keep us busy.
pub const PASSWORD_CHARS_MAX: usize = 200;
/// Trunks of one tenant: each is checked every few seconds.
pub const TRUNKS_PER_TENANT: usize = 100;
/// Telephones of one tenant: some agents have two.
pub const PHONES_PER_TENANT: usize = 40_000;
/// Questions to services at the same time; each is a call that waits. One more is a failure at once, not a longer wait.
pub const SERVICES_AT_ONCE: usize = 1_000;
/// How much longer than the flow a question to a service is waited for, so that the flow's own clock decides.
pub const SERVICE_MARGIN: Duration = Duration::from_secs(1);
/// Largest answer of a service, in bytes; what flows keep of it is smaller.
pub const SERVICE_ANSWER_BYTES: usize = 64 * 1024;
/// Headers of one service.
pub const SERVICE_HEADERS: usize = 20;
/// Longest value of a service's header, in bytes: tokens are long.
pub const SERVICE_HEADER_BYTES: usize = 4 * 1024;
/// Changes handed to an owner before its answers are awaited: enough to share commits, few enough to leave it room for calls.
pub const CHANGES_AT_ONCE: usize = 100;
/// Documents named in the audit line of an applied configuration; 100 bytes each.
pub const AUDITED_DOCUMENTS: usize = 1_000;
/// Documents of one kind in an applied configuration: as many as a tenant has telephones, twice.
pub const DOCUMENTS_APPLIED: usize = 80_000;
/// Users of one tenant.
pub const USERS_PER_TENANT: usize = 25_000;
/// API tokens of one tenant.
pub const TOKENS_PER_TENANT: usize = 1_000;

/// Longest `Idempotency-Key`, in bytes.
pub const IDEMPOTENCY_KEY_BYTES: usize = 128;
/// Answers remembered for repeated commands; the oldest is forgotten first. A few hundred bytes each.
pub const IDEMPOTENCY_KEYS: usize = 20_000;
/// How long an answer is remembered: longer than any sensible retry.
pub const IDEMPOTENCY_TIME: Duration = Duration::from_secs(24 * 3_600);

/// Webhook subscriptions of one tenant: each is a delivery per event.
pub const WEBHOOKS_PER_TENANT: usize = 50;
/// Longest address of a webhook, in bytes.
pub const WEBHOOK_URL_BYTES: usize = 2_000;
/// Lanes that webhooks are spread over, so that a receiver that hangs holds up only those in its lane.
pub const DELIVERY_LANES: usize = 8;
/// Deliveries under way at the same time in one lane.
pub const DELIVERIES_PER_LANE: usize = 4;
/// How long a receiver may take to answer.
pub const DELIVERY_TIME: Duration = Duration::from_secs(10);
/// How much of a receiver's answer is kept for the log, in bytes.
pub const DELIVERY_ANSWER_BYTES: usize = 1_000;
/// First pause before a delivery is tried again; it doubles up to [`DELIVERY_PAUSE_MAX`].
pub const DELIVERY_PAUSE: Duration = Duration::from_secs(5);
/// Longest pause between two tries.
pub const DELIVERY_PAUSE_MAX: Duration = Duration::from_secs(3_600);
/// After this time a delivery is given up: a day covers a night nobody watched.
pub const DELIVERY_LIFE: Duration = Duration::from_secs(24 * 3_600);
/// Events taken from the journal in one go by the webhook dispatcher.
pub const DISPATCH_EVENTS: usize = 500;

/// Conversations shown in one live snapshot; a page shows a screenful, and a program asks the API for more.
pub const SNAPSHOT_CONVERSATIONS: usize = 2_000;
/// Intervals of one report: a month of quarters of an hour.
pub const REPORT_INTERVALS: usize = 3_000;
/// Quarters of an hour that one report covers: 400 days.
pub const REPORT_SLOTS: usize = 400 * 96;
/// Queues with a label of their own in the metrics; the others count as `other`.
pub const QUEUES_IN_METRICS: usize = 500;
/// Versions of one flow that are kept to return to.
pub const FLOW_VERSIONS: usize = 50;
/// Drafts of flows of one tenant: one of each flow.
pub const FLOW_DRAFTS: usize = dreiklang_core::limits::FLOWS_PER_TENANT;
/// Problems of one draft that are listed: more are not read at once.
pub const DRAFT_PROBLEMS: usize = 100;

/// Connections to Microsoft of one tenant.
pub const CONNECTIONS_PER_TENANT: usize = 16;
/// Resource accounts of one connection: a number for every agent, and many queues.
pub const ACCOUNTS_PER_CONNECTION: usize = 5_000;
