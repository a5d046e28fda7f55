//! Every limit of the crate, with its unit and its reason.
//!
//! A limit is reached only by a broken or hostile peer, or by overload; what happens then is said where it is used.

use std::time::Duration;

/// Bytes of one SIP message. A UDP datagram cannot be larger (RFC 3261 §18.1.1 asks for this size), and a stream peer
/// must not make us buffer more.
pub const MESSAGE_BYTES_MAX: usize = 65_535;

/// Header lines in one message. Long Record-Route, Via and Allow lists of real networks stay below 60.
pub const HEADER_COUNT_MAX: usize = 200;

/// Bytes of one header line after unfolding. STIR/SHAKEN Identity headers reach 2 kB.
pub const HEADER_LINE_BYTES_MAX: usize = 8_192;

/// Via entries in one message; more means a loop that nobody stopped (RFC 5393).
pub const VIA_COUNT_MAX: usize = 100;

/// Contact entries read from one message.
pub const CONTACT_COUNT_MAX: usize = 64;

/// Bytes of a request above which UDP must not be used when another transport is possible (RFC 3261 §18.1.1).
/// The caller decides; the transport sends what it is given.
pub const UDP_REQUEST_BYTES_MAX: usize = 1_300;

/// Calls of one endpoint at the same time, unless configured otherwise. A call takes a few kB.
pub const CALLS_MAX: usize = 20_000;

/// Transactions of one endpoint at the same time, unless configured otherwise. A finished one stays for 32 s over UDP to
/// absorb repetitions, so that 2,000 calls/s with five transactions each need 320,000.
pub const TRANSACTIONS_MAX: usize = 400_000;

/// Ended calls that are remembered to answer latecomers; the oldest go first.
pub const TOMBSTONES_MAX: usize = 100_000;

/// A call to us that is neither answered nor refused by then gets 480: its caller has long been forgotten.
pub const RINGING_MAX: Duration = Duration::from_secs(15 * 60);

/// Early dialogs of one INVITE whose tags are remembered. Teams rings every endpoint of a user separately.
pub const FORKS_MAX: usize = 32;

/// Tries of one re-INVITE that meets another one (491) before it counts as refused.
pub const GLARE_TRIES_MAX: u8 = 6;

/// NOTIFY requests of one REFER that wait for their turn.
pub const NOTIFY_QUEUE_MAX: usize = 16;

/// Body parts read in a multipart body.
pub const BODY_PARTS_MAX: usize = 16;

/// Bytes of a session description that are read. Offers of WebRTC stacks reach 8 kB.
pub const SDP_BYTES_MAX: usize = 32_768;

/// Media lines in a session description.
pub const SDP_MEDIA_COUNT_MAX: usize = 20;

/// Attribute lines of one media or of the session level; candidate lists are the long ones.
pub const SDP_ATTRIBUTE_COUNT_MAX: usize = 200;

/// Formats listed in one media line: payload types have 7 bits.
pub const SDP_FORMAT_COUNT_MAX: usize = 128;

/// How long a digest nonce is good. Telephones re-register within some minutes and then need no second round trip.
pub const NONCE_LIFETIME: std::time::Duration = std::time::Duration::from_secs(300);

/// Requests with one nonce; a client that needs more gets a new one.
pub const NONCE_USES_MAX: u32 = 1_000;

/// Used nonces that are remembered against replay, some 50 bytes each. The oldest is forgotten and counts as stale.
pub const NONCE_COUNT_MAX: usize = 20_000;

/// Bytes received from a UDP socket at once: the largest datagram.
pub const UDP_RECEIVE_BYTES: usize = 65_536;

/// Kernel buffer of the UDP socket in bytes: some 4,000 requests that arrive while we are busy. The system may grant less.
pub const UDP_KERNEL_BUFFER_BYTES: usize = 4 << 20;

/// Datagrams taken from the socket per wake-up of the receiver.
pub const UDP_BATCH_MAX: usize = 64;

/// Datagrams that wait while the socket does not take more. Beyond it they are dropped, as a full network would do.
pub const UDP_BACKLOG_MAX: usize = 4_096;

/// Batches of received messages that wait for the owner; then receiving pauses and the kernel buffers fill.
pub const RECEIVED_BATCHES_MAX: usize = 256;

/// Failures that wait for the owner; beyond it the oldest are forgotten, and transactions time out by themselves.
pub const FAILURES_MAX: usize = 10_000;

/// Stream connections at the same time, unless configured otherwise.
pub const CONNECTIONS_MAX: usize = 10_000;

/// Connections accepted from one address, unless configured otherwise: an office of telephones behind one NAT.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 512;

/// Messages that wait to be written to one connection. A peer that lets them pile up has stopped reading.
pub const CONNECTION_QUEUE_MAX: usize = 1_024;

/// Bytes written to a connection at once, gathered from its queue.
pub const STREAM_WRITE_BYTES: usize = 65_536;

/// Bytes read from a connection at once.
pub const STREAM_READ_BYTES: usize = 8_192;

/// Addresses of record with bindings in one registrar: far more telephones than one installation has agents.
pub const AORS_MAX: usize = 50_000;

/// Bindings of one address of record, unless configured otherwise: desk phone, soft phone, mobile, and what they left.
pub const BINDINGS_PER_AOR_MAX: usize = 5;

/// Source addresses whose failed registrations are remembered; the oldest go first.
pub const FAILED_SOURCES_MAX: usize = 10_000;
