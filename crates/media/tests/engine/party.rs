//! The other ends of the calls: sockets of the test that speak RTP and RTCP to an engine.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use dreiklang_media::codec::{Codec, FRAME_SAMPLES, Frame};
use dreiklang_media::dtmf;
use dreiklang_media::engine::{Config, Counters, Direction, Edit, Engine, Event, LocalAddress, Remote, Repeat, Source};
use dreiklang_media::ids::{GroupId, PlayId, StreamId};
use dreiklang_media::limits;
use dreiklang_media::prompt::Prompt;
use dreiklang_media::record;
use dreiklang_media::rtcp;
use dreiklang_media::rtp::{self, HEADER_BYTES, Header};

pub const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// How long a test waits for something that must happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The call of most tests.
pub const GROUP: GroupId = GroupId(7);

/// An engine and what it reports.
pub struct Node {
    pub engine: Engine,
    events: Receiver<Event>,
    seen: RefCell<Vec<Event>>,
}

/// A range that holds `pairs` pairs of ports above one that was free just now.
pub fn ports(pairs: u16) -> RangeInclusive<u16> {
    let free = UdpSocket::bind((LOCALHOST, 0)).and_then(|socket| socket.local_addr()).expect("a free port").port();
    let first = free.min(u16::MAX - 2 * pairs - 2) & !1;
    first..=first + 2 * pairs - 1
}

impl Node {
    pub fn start() -> Node {
        Node::start_with(|_| {})
    }

    pub fn start_with(change: impl FnOnce(&mut Config)) -> Node {
        let recordings = record::Config { free_bytes_min: 0, ..record::Config::default() };
        let mut config = Config::new(LOCALHOST, LOCALHOST, ports(100), recordings);
        config.shards = 2;
        // A test machine may stall; then no frame of silence must come between the packets of a test.
        config.keep_open_ms = 60_000;
        change(&mut config);
        let (sender, events) = sync_channel(10_000);
        let engine = Engine::start(config, move |event| sender.send(event).expect("the test is there")).expect("an engine");
        Node { engine, events, seen: RefCell::default() }
    }

    /// Applies edits and waits until they are done: what is sent afterwards meets their effect.
    pub fn apply(&self, edits: impl Into<Vec<Edit>>) {
        self.apply_in(GROUP, edits.into());
    }

    pub fn apply_in(&self, group: GroupId, edits: Vec<Edit>) {
        self.engine.apply(group, edits);
        // A stream of the same group is opened and closed behind the edits.
        let mark = StreamId(u128::MAX);
        if self.engine.open(group, mark).is_ok() {
            self.engine.apply(group, vec![Edit::Close { stream: mark }]);
            self.wait("the edits", |event| matches!(event, Event::Closed { stream, .. } if *stream == mark).then_some(()));
        }
    }

    /// Waits for an event, which may have come already, and takes it.
    pub fn wait<T>(&self, what: &str, wanted: impl Fn(&Event) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        let mut seen = self.seen.borrow_mut();
        loop {
            if let Some(at) = seen.iter().position(|event| wanted(event).is_some()) {
                return wanted(&seen.remove(at)).expect("it was wanted");
            }
            let left = end.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(event) => seen.push(event),
                Err(_) => panic!("waited in vain for {what}; there was only {seen:?}"),
            }
        }
    }

    /// Takes the events that have come and were not waited for.
    pub fn other_events(&self) -> Vec<Event> {
        let mut seen = self.seen.borrow_mut();
        seen.extend(self.events.try_iter());
        std::mem::take(&mut seen)
    }

    /// Waits until the engine has counted something.
    pub fn wait_counted(&self, counted: impl Fn(&Counters) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !counted(&self.engine.counters()) {
            assert!(Instant::now() < end, "never counted: {:?}", self.engine.counters());
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }

    /// Opens a stream to a new party that speaks `codec`.
    pub fn party(&self, number: u128, codec: Codec) -> Party {
        self.party_in(GROUP, number, codec)
    }

    pub fn party_in(&self, group: GroupId, number: u128, codec: Codec) -> Party {
        let stream = StreamId(number);
        let local = self.engine.open(group, stream).expect("a port");
        let party = Party::new(stream, local, codec);
        self.apply_in(group, vec![party.remote_edit()]);
        party
    }

    /// Two parties who hear each other.
    pub fn call(&self, left: Codec, right: Codec) -> (Party, Party) {
        let (left, right) = (self.party(1, left), self.party(2, right));
        self.apply([left.hears(&right), right.hears(&left)]);
        (left, right)
    }
}

/// One party of a call.
pub struct Party {
    pub stream: StreamId,
    pub local: LocalAddress,
    pub remote: Remote,
    pub rtp: UdpSocket,
    pub rtcp: UdpSocket,
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
}

/// A packet as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    pub header: Header,
    pub payload: Vec<u8>,
}

pub fn socket(ip: IpAddr) -> UdpSocket {
    let socket = UdpSocket::bind((ip, 0)).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time limit");
    socket
}

/// How many frames there are that can be told from each other in both laws.
pub const FRAMES: u8 = 60;

/// One of [`FRAMES`] frames that can be told from each other and from silence, also after going through the tables.
pub fn frame(number: u8) -> Frame {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = BYTES.get_or_init(|| {
        let laws = [(Codec::Pcmu, Codec::Pcma), (Codec::Pcma, Codec::Pcmu)];
        let other = |(from, to): (Codec, Codec), byte: u8| from.table_to(to).expect("different laws")[usize::from(byte)];
        let unique = |byte: &u8| {
            laws.iter().all(|law| {
                (0..=255).all(|rival| rival == *byte || other(*law, rival) != other(*law, *byte))
                    && other(*law, *byte) != law.1.silence()
                    && *byte != law.0.silence()
            })
        };
        (0..=255).filter(unique).take(usize::from(FRAMES)).collect()
    });
    [bytes[usize::from(number)]; FRAME_SAMPLES]
}

impl Party {
    fn new(stream: StreamId, local: LocalAddress, codec: Codec) -> Party {
        let (rtp, rtcp) = (socket(LOCALHOST), socket(LOCALHOST));
        let remote = Remote {
            rtp: rtp.local_addr().expect("bound"),
            rtcp: rtcp.local_addr().expect("bound"),
            codec,
            payload_type: codec.static_payload_type(),
            dtmf: Some(101),
            direction: Direction::SendRecv,
            ptime_ms: 20,
        };
        let number = stream.0 as u32;
        Party { stream, local, remote, rtp, rtcp, ssrc: 1_000 + number, sequence: 65_530, timestamp: u32::MAX - 500 }
    }

    pub fn remote_edit(&self) -> Edit {
        Edit::Remote { stream: self.stream, remote: self.remote }
    }

    pub fn hears(&self, other: &Party) -> Edit {
        Edit::Hear { listener: self.stream, source: Source::Peer(other.stream) }
    }

    pub fn hears_silence(&self) -> Edit {
        Edit::Hear { listener: self.stream, source: Source::Silence }
    }

    pub fn to(&self) -> SocketAddr {
        SocketAddr::new(self.local.ip, self.local.rtp_port)
    }

    pub fn rtcp_to(&self) -> SocketAddr {
        SocketAddr::new(self.local.ip, self.local.rtcp_port)
    }

    /// The next packet of this party's stream, counted but not sent.
    pub fn packet(&mut self, payload: &[u8]) -> Vec<u8> {
        let payload_type = self.remote.payload_type;
        let header = Header { marker: false, payload_type, sequence: self.sequence, timestamp: self.timestamp, ssrc: self.ssrc };
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(160);
        [&header.to_bytes()[..], payload].concat()
    }

    /// Says one frame.
    pub fn say(&mut self, number: u8) {
        let packet = self.packet(&frame(number));
        self.rtp.send_to(&packet, self.to()).expect("sent");
    }

    /// Says a frame that is lost on the way.
    pub fn lose(&mut self) {
        self.packet(&[]);
    }

    /// Sends a packet of a telephone event that began `ago` samples before the next frame of audio.
    pub fn press(&mut self, payload_type: u8, payload: dtmf::Payload, begins: bool, ago: u32) {
        let header =
            Header { marker: begins, payload_type, sequence: self.sequence, timestamp: self.timestamp.wrapping_sub(ago), ssrc: self.ssrc };
        self.sequence = self.sequence.wrapping_add(1);
        let packet = [&header.to_bytes()[..], &payload.to_bytes()].concat();
        self.rtp.send_to(&packet, self.to()).expect("sent");
    }

    /// The next RTP packet.
    pub fn hear(&self) -> Got {
        let mut bytes = [0; limits::DATAGRAM_BYTES_MAX];
        let (length, from) = self.rtp.recv_from(&mut bytes).expect("a packet in time");
        assert_eq!(from, self.to(), "a packet from elsewhere");
        let packet = rtp::parse(&bytes[..length]).expect("an RTP packet");
        assert!(packet.payload.start == HEADER_BYTES);
        Got { header: packet.header, payload: bytes[packet.payload].to_vec() }
    }

    /// The next packet of audio that is not silence.
    pub fn hear_speech(&self) -> Got {
        loop {
            let got = self.hear();
            if got.header.payload_type == self.remote.payload_type && got.payload != self.remote.codec.silent_frame() {
                return got;
            }
        }
    }

    /// The number of the [`frame`] that `got` carries, said in `codec`.
    pub fn number(&self, got: &Got, codec: Codec) -> u8 {
        self.number_of(got, codec).expect("a frame of the test")
    }

    /// The same, `None` for any other sound.
    pub fn number_of(&self, got: &Got, codec: Codec) -> Option<u8> {
        (0..FRAMES).find(|number| {
            let mut said = frame(*number);
            codec.transcode_in_place(self.remote.codec, &mut said);
            got.payload == said
        })
    }

    /// The next RTCP compound, as its bytes.
    pub fn hear_control(&self) -> Vec<u8> {
        let mut bytes = [0; limits::DATAGRAM_BYTES_MAX];
        let (length, from) = self.rtcp.recv_from(&mut bytes).expect("a report in time");
        assert_eq!(from, self.rtcp_to(), "a report from elsewhere");
        bytes[..length].to_vec()
    }

    /// Waits for a report with a block about this party's stream, and gives the block.
    pub fn hear_report(&self) -> rtcp::ReportBlock {
        loop {
            let bytes = self.hear_control();
            for packet in rtcp::parse(&bytes).expect("RTCP") {
                if let rtcp::Packet::SenderReport { mut blocks, .. } | rtcp::Packet::ReceiverReport { mut blocks, .. } = packet
                    && let Some(block) = blocks.find(|block| block.ssrc == self.ssrc)
                {
                    return block;
                }
            }
        }
    }

    /// Speaks until the engine has surely latched: a frame that somebody hears, twice.
    pub fn say_until_heard_by(&mut self, other: &Party) {
        for number in [58, 59] {
            self.say(number);
            while other.number(&other.hear_speech(), self.remote.codec) != number {}
        }
    }
}

/// Checks that `next` continues `last` as one stream and gives how much its timestamp advanced.
pub fn follows(last: &Got, next: &Got) -> i32 {
    assert_eq!(last.header.ssrc, next.header.ssrc, "one source");
    assert_eq!(rtp::sequence_distance(last.header.sequence, next.header.sequence), 1, "no gap and no repetition");
    rtp::timestamp_distance(last.header.timestamp, next.header.timestamp)
}

/// Real time for tests that need it: music that the engine plays to a party of its own, one frame every 20 ms.
pub struct Metronome(Party);

impl Metronome {
    pub fn start(node: &Node) -> Metronome {
        let group = GroupId(99);
        let party = node.party_in(group, 99, Codec::Pcmu);
        let prompt = Arc::new(Prompt::from_samples(&[8_000; FRAME_SAMPLES]));
        let source = Source::Prompt { prompt, play: PlayId(99), repeat: Repeat::Forever };
        node.apply_in(group, vec![Edit::Hear { listener: party.stream, source }]);
        Metronome(party)
    }

    /// Waits for the next beat, 20 ms after the last on average.
    pub fn beat(&self) {
        self.0.hear();
    }
}
