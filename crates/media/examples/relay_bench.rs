//! How many bridged calls one media thread carries, and what a packet costs.
//!
//! Opens N calls (two streams each that hear each other), lets generator threads speak 20 ms packets on all of them from
//! a few sockets, and measures at the receiving end: loss, and the delay from send call to receive call, which contains
//! the engine, the generator's own lateness and up to 1 ms until it looks. The processor time of the media threads comes from the kernel's own
//! accounts (`/proc/self/task/*/schedstat`), so that the generator does not count.
//!
//! ```text
//! cargo run --release -p dreiklang-media --example relay_bench -- --calls 100,400,800 --seconds 10 --record
//! ```
//!
//! `--shards N` (1), `--pin` puts the media threads on the first and the generator on the last processor,
//! `--alaw` lets one side of each call speak A-law, so that every packet is transcoded. `--mix` runs as many conferences
//! of three after the calls, in which each hears the other two, and says how many calls a conference costs; the delay is
//! not measured there, because what arrives is nobody's packet.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use dreiklang_media::codec::Codec;
use dreiklang_media::engine::{Config, Direction, Edit, Engine, Event, Remote, Source};
use dreiklang_media::ids::{GroupId, RecordingId, StreamId};
use dreiklang_media::record;
use dreiklang_media::rtp::Header;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PAYLOAD_BYTES: usize = 160;
/// Sockets of the generator; a call's two parties are on different ones.
const SOCKETS: usize = 16;
/// Slots of the 20 ms in which the packets are spread.
const SLOTS: usize = 20;
/// Delays are counted in steps of this many microseconds.
const STEP_US: u64 = 50;
const STEPS: usize = 20_000;

struct Options {
    calls: Vec<usize>,
    seconds: u64,
    shards: usize,
    record: bool,
    pin: bool,
    alaw: bool,
    mix: bool,
}

fn options() -> Result<Options, String> {
    let mut options = Options { calls: vec![100, 400, 800], seconds: 10, shards: 1, record: false, pin: false, alaw: false, mix: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        let number = |text: &str| text.parse::<usize>().map_err(|error| format!("{text}: {error}"));
        match argument.as_str() {
            "--calls" => options.calls = value()?.split(',').map(number).collect::<Result<_, _>>()?,
            "--seconds" => options.seconds = number(&value()?)? as u64,
            "--shards" => options.shards = number(&value()?)?,
            "--record" => options.record = true,
            "--pin" => options.pin = true,
            "--alaw" => options.alaw = true,
            "--mix" => options.mix = true,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    Ok(options)
}

/// What the receivers count, while [`Meter::counting`] is set.
struct Meter {
    begin: Instant,
    counting: AtomicBool,
    sent: AtomicU64,
    received: AtomicU64,
    delays: Vec<AtomicU64>,
    /// Packets sent in the counting time, by the time stamp in them.
    from_ns: AtomicU64,
    to_ns: AtomicU64,
    stop: AtomicBool,
}

impl Meter {
    fn now_ns(&self) -> u64 {
        self.begin.elapsed().as_nanos() as u64
    }

    /// The delay that `part` of the packets do not exceed, in milliseconds.
    fn delay_ms(&self, part: f64) -> f64 {
        let counts: Vec<u64> = self.delays.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let wanted = (counts.iter().sum::<u64>() as f64 * part).ceil() as u64;
        let mut seen = 0;
        for (step, count) in counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return ((step as u64 + 1) * STEP_US) as f64 / 1_000.0;
            }
        }
        f64::INFINITY
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = options()?;
    println!("calls  parties  recorded  loss %   p50 ms  p99 ms  p99.9 ms  shard %  µs/packet  recorder %  kB/call  late ticks");
    for calls in &options.calls {
        let bridged = run(*calls, 2, &options)?;
        if options.mix {
            let mixed = run(*calls, 3, &options)?;
            println!("       a conference of three costs {:.1} bridged calls", mixed / bridged);
        }
    }
    Ok(())
}

/// Runs calls of two parties who are bridged, or of three who are mixed. Gives the processor time that one call takes
/// from the media threads.
fn run(calls: usize, parties: usize, options: &Options) -> Result<f64, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let (sender, events) = sync_channel(100_000);
    let recordings = record::Config { concurrent_max: 10_000, ..record::Config::default() };
    let mut config = Config::new(LOCALHOST, LOCALHOST, 10_000..=65_000, recordings);
    config.shards = options.shards;
    let engine = Engine::start(config, move |event| drop(sender.try_send(event)))?;
    let memory_before = memory_kb();

    let sockets: Vec<UdpSocket> = (0..SOCKETS).map(|_| generator_socket()).collect::<Result<_, _>>()?;
    let meter = Arc::new(Meter {
        begin: Instant::now(),
        counting: AtomicBool::new(false),
        sent: AtomicU64::new(0),
        received: AtomicU64::new(0),
        delays: (0..STEPS).map(|_| AtomicU64::new(0)).collect(),
        from_ns: AtomicU64::new(u64::MAX),
        to_ns: AtomicU64::new(u64::MAX),
        stop: AtomicBool::new(false),
    });
    let mut legs = Vec::new();
    for call in 0..calls {
        legs.extend(open_call(&engine, call, parties, &sockets, options, folder.path())?);
    }
    let generator = {
        let (meter, alaw, stamped) = (meter.clone(), options.alaw, parties == 2);
        thread::Builder::new().name("generate".to_owned()).spawn(move || generate(&sockets, legs, &meter, alaw, stamped))?
    };
    if options.pin {
        pin("media-", 0)?;
        let last = thread::available_parallelism()?.get() - 1;
        pin("generate", last)?;
    }

    thread::sleep(Duration::from_secs(2));
    let (shard_before, recorder_before) = (cpu_ns("media-")?, cpu_ns("record")?);
    let counters_before = engine.counters();
    let began = Instant::now();
    meter.from_ns.store(meter.now_ns(), Ordering::SeqCst);
    meter.counting.store(true, Ordering::SeqCst);
    thread::sleep(Duration::from_secs(options.seconds));
    meter.to_ns.store(meter.now_ns(), Ordering::SeqCst);
    let elapsed_s = began.elapsed().as_secs_f64();
    let (shard, recorder) = (cpu_ns("media-")? - shard_before, cpu_ns("record")? - recorder_before);
    let counters = engine.counters();
    let memory = memory_kb().saturating_sub(memory_before);
    thread::sleep(Duration::from_millis(700));
    meter.stop.store(true, Ordering::SeqCst);
    generator.join().map_err(|_| "the generator has panicked")?;

    let packets = counters.packets_in - counters_before.packets_in;
    let (sent, received) = (meter.sent.load(Ordering::SeqCst), meter.received.load(Ordering::SeqCst));
    let delay = |part| if parties == 2 { format!("{:.2}", meter.delay_ms(part)) } else { "-".to_owned() };
    let percent = |ns: u64| ns as f64 / 1e7 / elapsed_s;
    println!(
        "{calls:5}  {parties:7}  {:8}  {:6.3}  {:>7} {:>7}  {:>8}  {:7.1}  {:9.2}  {:10.1}  {:7.1}  {:10}",
        if options.record { "yes" } else { "no" },
        100.0 * (sent.saturating_sub(received)) as f64 / sent.max(1) as f64,
        delay(0.5),
        delay(0.99),
        delay(0.999),
        percent(shard),
        shard as f64 / 1_000.0 / packets.max(1) as f64,
        percent(recorder),
        memory as f64 / calls.max(1) as f64,
        counters.late_ticks - counters_before.late_ticks,
    );
    std::io::stdout().flush()?;
    if counters.recording_blocks_lost > 0 || counters.send_failed > 0 {
        println!("       {} blocks of recordings lost, {} packets not sent", counters.recording_blocks_lost, counters.send_failed);
    }
    engine.shutdown();
    let failed: HashMap<String, usize> = events.try_iter().fold(HashMap::new(), |mut failed, event| {
        if let Event::RecordingFailed { reason, .. } = event {
            *failed.entry(reason).or_default() += 1;
        }
        failed
    });
    for (reason, count) in failed {
        println!("       {count} recordings failed: {reason}");
    }
    Ok(shard as f64 / calls.max(1) as f64)
}

fn generator_socket() -> std::io::Result<UdpSocket> {
    let socket = UdpSocket::bind((LOCALHOST, 0))?;
    // Thousands of legs share it: the default buffer would lose packets that the engine has delivered.
    socket2::SockRef::from(&socket).set_recv_buffer_size(4 << 20)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// One party as the generator sees it.
struct Leg {
    socket: usize,
    to: SocketAddr,
    header: Header,
}

fn open_call(
    engine: &Engine,
    call: usize,
    parties: usize,
    sockets: &[UdpSocket],
    options: &Options,
    folder: &Path,
) -> Result<Vec<Leg>, Box<dyn std::error::Error>> {
    let group = GroupId(call as u128);
    let streams: Vec<StreamId> = (0..parties).map(|side| StreamId((parties * call + side) as u128)).collect();
    let mut legs = Vec::new();
    let mut edits = Vec::new();
    for (side, stream) in streams.iter().copied().enumerate() {
        let local = engine.open(group, stream)?;
        let socket = (parties * call + side) % SOCKETS;
        let address = sockets[socket].local_addr()?;
        let codec = if options.alaw && side == 1 { Codec::Pcma } else { Codec::Pcmu };
        let payload_type = codec.static_payload_type();
        let remote = Remote {
            rtp: address,
            // Reports go to the port of the audio's neighbor here, where nobody listens.
            rtcp: SocketAddr::new(address.ip(), 9),
            codec,
            payload_type,
            dtmf: Some(101),
            direction: Direction::SendRecv,
            ptime_ms: 20,
        };
        edits.push(Edit::Remote { stream, remote });
        let others: Vec<StreamId> = streams.iter().copied().filter(|other| *other != stream).collect();
        let source = match others[..] {
            [other] => Source::Peer(other),
            _ => Source::Mix(others),
        };
        edits.push(Edit::Hear { listener: stream, source });
        let number = (parties * call + side) as u32;
        let header = Header { marker: false, payload_type, sequence: 0, timestamp: 0, ssrc: number + 1 };
        legs.push(Leg { socket, to: SocketAddr::new(LOCALHOST, local.rtp_port), header });
    }
    if options.record {
        edits.push(Edit::Record {
            recording: RecordingId(call as u128),
            path: folder.join(format!("{call}.wav")),
            left: streams[0],
            right: Some(streams[1]),
        });
    }
    engine.apply(group, edits);
    Ok(legs)
}

/// Speaks on all legs, spread over the 20 ms, and takes what comes back between the slots. It never waits on a socket:
/// waking it for each packet would be charged to the media thread that sent the packet.
fn generate(sockets: &[UdpSocket], mut legs: Vec<Leg>, meter: &Meter, alaw: bool, stamped: bool) {
    // The left parties are on the even sockets and speak µ-law, their partners on the odd ones.
    let heard = [(Codec::Pcma, Codec::Pcmu), (Codec::Pcmu, Codec::Pcma)];
    let nibbles = heard.map(|(from, to)| nibbles(from.table_to(to).filter(|_| alaw)));
    let slot_time = Duration::from_millis(20) / SLOTS as u32;
    let begin = Instant::now();
    let mut packet = [0xFF; 12 + PAYLOAD_BYTES];
    for slot in 0u32.. {
        if meter.stop.load(Ordering::Relaxed) {
            return;
        }
        if let Some(early) = (begin + slot_time * slot).checked_duration_since(Instant::now()) {
            thread::sleep(early);
        }
        let counting = meter.counting.load(Ordering::Relaxed) && meter.to_ns.load(Ordering::Relaxed) == u64::MAX;
        let mut sent = 0;
        for leg in legs.iter_mut().skip(slot as usize % SLOTS).step_by(SLOTS) {
            packet[..12].copy_from_slice(&leg.header.to_bytes());
            leg.header.sequence = leg.header.sequence.wrapping_add(1);
            leg.header.timestamp = leg.header.timestamp.wrapping_add(160);
            let now_ns = meter.now_ns();
            packet[12..20].copy_from_slice(&stamp(now_ns));
            let _ = sockets[leg.socket].send_to(&packet, leg.to);
            sent += u64::from(counting && now_ns >= meter.from_ns.load(Ordering::Relaxed));
        }
        meter.sent.fetch_add(sent, Ordering::Relaxed);
        for (number, socket) in sockets.iter().enumerate() {
            receive(socket, meter, stamped.then_some(&nibbles[number % 2]));
        }
    }
}

/// A time in bytes that survive the tables between the laws: each byte carries four bits as one of sixteen loud values.
fn stamp(ns: u64) -> [u8; 8] {
    // Steps of 10 µs in 32 bits are half a day.
    let ticks = (ns / 10_000) as u32;
    std::array::from_fn(|at| NIBBLES[(ticks >> (28 - 4 * at)) as usize & 0xF])
}

/// The reverse of [`stamp`] for bytes that have gone through `table`; 0xFF for bytes that are none of ours.
fn nibbles(table: Option<&[u8; 256]>) -> [u8; 256] {
    let mut nibbles = [0xFF; 256];
    for (nibble, byte) in NIBBLES.iter().enumerate() {
        nibbles[usize::from(table.map_or(*byte, |table| table[usize::from(*byte)]))] = nibble as u8;
    }
    nibbles
}

fn unstamp(bytes: &[u8], nibbles: &[u8; 256]) -> Option<u64> {
    let ticks = bytes.iter().try_fold(0u32, |ticks, byte| match nibbles[usize::from(*byte)] {
        0xFF => None,
        nibble => Some(ticks << 4 | u32::from(nibble)),
    })?;
    Some(u64::from(ticks) * 10_000)
}

const NIBBLES: [u8; 16] = [0, 8, 16, 24, 32, 40, 48, 56, 128, 136, 144, 152, 160, 168, 176, 184];

/// Takes everything that has arrived on a socket; without `nibbles` it only counts.
fn receive(socket: &UdpSocket, meter: &Meter, nibbles: Option<&[u8; 256]>) {
    let mut bytes = [0; 2_048];
    while let Ok(length) = socket.recv(&mut bytes) {
        if length != 12 + PAYLOAD_BYTES {
            continue;
        }
        let Some(nibbles) = nibbles else {
            let counting = meter.counting.load(Ordering::Relaxed) && meter.to_ns.load(Ordering::Relaxed) == u64::MAX;
            meter.received.fetch_add(u64::from(counting), Ordering::Relaxed);
            continue;
        };
        let Some(sent_ns) = unstamp(&bytes[12..20], nibbles) else { continue };
        // Leave out what was sent before and after the time that counts.
        let (from, to) = (meter.from_ns.load(Ordering::Relaxed), meter.to_ns.load(Ordering::Relaxed));
        if sent_ns + 10_000 <= from || sent_ns > to {
            continue;
        }
        meter.received.fetch_add(1, Ordering::Relaxed);
        let step = (meter.now_ns().saturating_sub(sent_ns) / 1_000 / STEP_US) as usize;
        meter.delays[step.min(STEPS - 1)].fetch_add(1, Ordering::Relaxed);
    }
}

/// Threads of this process whose name begins so.
fn threads(name: &str) -> std::io::Result<Vec<i32>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc/self/task")? {
        let path = entry?.path();
        let comm = std::fs::read_to_string(path.join("comm")).unwrap_or_default();
        if comm.starts_with(name)
            && let Some(id) = path.file_name().and_then(|id| id.to_str()?.parse().ok())
        {
            found.push(id);
        }
    }
    Ok(found)
}

/// Processor time of these threads so far, in nanoseconds.
fn cpu_ns(name: &str) -> std::io::Result<u64> {
    let mut sum = 0;
    for id in threads(name)? {
        let text = std::fs::read_to_string(format!("/proc/self/task/{id}/schedstat")).unwrap_or_default();
        sum += text.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(sum)
}

fn pin(name: &str, processor: usize) -> std::io::Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    set.set(processor);
    for id in threads(name)? {
        rustix::thread::sched_setaffinity(rustix::thread::Pid::from_raw(id), &set)?;
    }
    Ok(())
}

/// Resident memory of this process in kB.
fn memory_kb() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
