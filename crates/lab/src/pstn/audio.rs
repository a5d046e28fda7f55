//! The sound of one telephone: it says a steady tone, so that whoever hears it can be told, and keeps the last seconds of what
//! it hears, so that one can ask whom it heard.
//!
//! Deliberately not the product's media engine: the referee must not share the player's mistakes. It shares only the reading
//! and writing of packets.

use dreiklang_media::{
    codec::Codec,
    dtmf, rtp,
    srtp::{self, KeyPair},
    tone,
};
use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{net::UdpSocket, sync::watch, time::MissedTickBehavior};

/// Samples kept of what was heard: ten seconds.
const KEPT_SAMPLES: usize = 80_000;
/// Samples judged when asked who is heard now: the last half second.
const JUDGED_SAMPLES: usize = 4_000;
/// Who gets no packet for so long hears nothing any more: longer than any jitter of a busy machine's own network.
const QUIET_AFTER: Duration = Duration::from_millis(400);
/// Level of the tone: clearly audible, far from clipping when mixed.
const TONE_DBFS: f64 = -16.0;

/// What is said and heard over one socket. Stops when dropped.
pub struct Audio {
    shared: Arc<Shared>,
    local: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    peer: Mutex<Peer>,
    heard: Mutex<VecDeque<i16>>,
    packets: watch::Sender<u64>,
    last_at: Mutex<Option<Instant>>,
    protection: Mutex<Option<Protection>>,
    keys: Mutex<Keys>,
}

/// Keys that are being pressed.
#[derive(Default)]
struct Keys {
    sender: dtmf::Sender,
    /// As agreed; without it keys are not heard by anybody.
    payload_type: Option<u8>,
}

/// Seals what is said and opens what is heard.
struct Protection {
    keys: KeyPair,
    sender: srtp::Sender,
    receiver: srtp::Receiver,
}

#[derive(Clone, Copy)]
struct Peer {
    address: Option<SocketAddr>,
    codec: Codec,
    speaks: bool,
    listens: bool,
}

impl Audio {
    /// Opens a socket on `ip` and begins to say `hz` as soon as there is a peer.
    ///
    /// # Errors
    /// When no socket can be opened.
    pub async fn open(ip: IpAddr, hz: u32) -> io::Result<Audio> {
        let socket = UdpSocket::bind(SocketAddr::new(ip, 0)).await?;
        let local = socket.local_addr()?;
        let shared = Arc::new(Shared {
            peer: Mutex::new(Peer { address: None, codec: Codec::Pcmu, speaks: true, listens: true }),
            heard: Mutex::new(VecDeque::with_capacity(KEPT_SAMPLES)),
            packets: watch::Sender::new(0),
            last_at: Mutex::default(),
            protection: Mutex::new(None),
            keys: Mutex::default(),
        });
        let task = tokio::spawn(run(socket, Arc::clone(&shared), hz));
        Ok(Audio { shared, local, task })
    }

    /// Where the peer is to send.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Where to send, how, and whether to speak and listen at present.
    pub fn set_peer(&self, address: SocketAddr, codec: Codec, speaks: bool, listens: bool) {
        *lock(&self.shared.peer) = Peer { address: Some(address), codec, speaks, listens };
    }

    /// Which payload type keys are sent with (RFC 4733), if the peer takes any.
    pub fn set_keys(&self, payload_type: Option<u8>) {
        lock(&self.shared.keys).payload_type = payload_type;
    }

    /// Presses keys, one after the other. False when the peer takes none, or too many wait.
    pub fn press(&self, keys: &str) -> bool {
        /// Long enough for any peer, short enough for a test.
        const PRESSED_MS: u16 = 100;
        const PAUSE_MS: u16 = 80;
        let mut pressed = lock(&self.shared.keys);
        pressed.payload_type.is_some() && pressed.sender.queue(keys, PRESSED_MS, PAUSE_MS)
    }

    /// Encrypts with these keys from now on, or not at all. The same keys again go on counting; with others everything that was
    /// heard before is forgotten.
    pub fn protect(&self, keys: Option<KeyPair>) {
        let mut protection = lock(&self.shared.protection);
        if protection.as_ref().map(|present| present.keys) != keys {
            *protection =
                keys.map(|keys| Protection { keys, sender: srtp::Sender::new(keys.send), receiver: srtp::Receiver::new(keys.receive) });
            lock(&self.shared.heard).clear();
        }
    }

    /// Which of these tones the last half second contains.
    pub fn hears(&self, candidates_hz: &[u32]) -> Vec<u32> {
        let heard = lock(&self.shared.heard);
        let from = heard.len().saturating_sub(JUDGED_SAMPLES);
        let samples: Vec<i16> = heard.iter().skip(from).copied().collect();
        tone::heard(&samples, candidates_hz)
    }

    /// The last `ms` milliseconds of what was heard, 8 kHz; nothing where nothing has come for a while.
    pub fn recent(&self, ms: usize) -> Vec<i16> {
        let is_quiet = lock(&self.shared.last_at).is_none_or(|at| at.elapsed() > QUIET_AFTER);
        if is_quiet {
            return Vec::new();
        }
        let heard = lock(&self.shared.heard);
        heard.iter().skip(heard.len().saturating_sub(ms * 8)).copied().collect()
    }

    /// The last ten seconds of what was heard, 8 kHz.
    pub fn heard(&self) -> Vec<i16> {
        lock(&self.shared.heard).iter().copied().collect()
    }

    /// Packets received so far; changes with each.
    pub fn packets(&self) -> watch::Receiver<u64> {
        self.shared.packets.subscribe()
    }

    /// Waits until this tone is heard, looking again whenever packets arrive. False when it is not within the time.
    pub async fn wait_to_hear(&self, hz: u32, within: Duration) -> bool {
        let mut packets = self.packets();
        let listening = async {
            loop {
                if self.hears(&[hz]).contains(&hz) {
                    return true;
                }
                if packets.changed().await.is_err() {
                    return false;
                }
            }
        };
        tokio::time::timeout(within, listening).await.unwrap_or(false)
    }
}

impl Drop for Audio {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(socket: UdpSocket, shared: Arc<Shared>, hz: u32) {
    let mut tone = tone::Generator::new(&[hz], TONE_DBFS);
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut header = rtp::Header {
        marker: true,
        payload_type: 0,
        sequence: 1,
        timestamp: 160,
        ssrc: u32::from(socket.local_addr().map_or(0, |a| a.port())),
    };
    let mut buffer = [0_u8; 2_048];
    let mut samples = [0_i16; 160];
    let mut pressed_at = 0;
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let peer = *lock(&shared.peer);
                if let Some(address) = peer.address.filter(|_| peer.speaks) {
                    let mut packet = [0_u8; rtp::HEADER_BYTES + 160];
                    let length = match next_key(&shared) {
                        Some((payload_type, payload, begins)) => {
                            if begins {
                                pressed_at = header.timestamp;
                            }
                            // All packets of one press carry the time it began (RFC 4733 §2.2.1).
                            let event = rtp::Header { marker: begins, payload_type, timestamp: pressed_at, ..header };
                            packet[..rtp::HEADER_BYTES].copy_from_slice(&event.to_bytes());
                            packet[rtp::HEADER_BYTES..][..dtmf::PAYLOAD_BYTES].copy_from_slice(&payload.to_bytes());
                            rtp::HEADER_BYTES + dtmf::PAYLOAD_BYTES
                        }
                        None => {
                            tone.fill(&mut samples);
                            header.payload_type = peer.codec.static_payload_type();
                            packet[..rtp::HEADER_BYTES].copy_from_slice(&header.to_bytes());
                            peer.codec.encode_into(&samples, &mut packet[rtp::HEADER_BYTES..]);
                            header.marker = false;
                            packet.len()
                        }
                    };
                    let packet = &packet[..length];
                    let mut sealed = [0_u8; rtp::HEADER_BYTES + 160 + srtp::OVERHEAD_BYTES_MAX];
                    let bytes = match lock(&shared.protection).as_mut() {
                        Some(protection) => protection.sender.seal_rtp(packet, &mut sealed).map_or(&[][..], |length| &sealed[..length]),
                        None => packet,
                    };
                    // A packet lost here is a packet lost on the way.
                    let _ = socket.send_to(bytes, address).await;
                    header.sequence = header.sequence.wrapping_add(1);
                }
                header.timestamp = header.timestamp.wrapping_add(160);
            }
            received = socket.recv_from(&mut buffer) => {
                let Ok((mut length, _)) = received else { continue };
                if let Some(protection) = lock(&shared.protection).as_mut() {
                    // What does not authenticate is not heard.
                    let Ok(opened) = protection.receiver.open_rtp(&mut buffer[..length]) else { continue };
                    length = opened;
                }
                let Ok(packet) = rtp::parse(&buffer[..length]) else { continue };
                let Some(codec) = Codec::from_static_payload_type(packet.header.payload_type) else { continue };
                if !lock(&shared.peer).listens {
                    continue;
                }
                *lock(&shared.last_at) = Some(Instant::now());
                let mut heard = lock(&shared.heard);
                for sample in codec.decode_all(&buffer[packet.payload]) {
                    if heard.len() == KEPT_SAMPLES {
                        heard.pop_front();
                    }
                    heard.push_back(sample);
                }
                drop(heard);
                shared.packets.send_modify(|count| *count += 1);
            }
        }
    }
}

/// The next packet of a key that is being pressed: its payload type and payload, and whether it begins the press.
fn next_key(shared: &Shared) -> Option<(u8, dtmf::Payload, bool)> {
    let mut keys = lock(&shared.keys);
    match (keys.payload_type, keys.sender.step()) {
        (Some(payload_type), dtmf::Step::Packet { payload, begins }) => Some((payload_type, payload, begins)),
        _ => None,
    }
}

/// A panic in another task leaves the samples usable.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
