//! Any edits in any order, with packets of all kinds in between: nothing breaks, nothing is left behind.

use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dreiklang_media::codec::Codec;
use dreiklang_media::engine::{Direction, Edit, Event, Remote, Repeat, Source};
use dreiklang_media::ids::{GroupId, PlayId, RecordingId, StreamId};
use dreiklang_media::prompt::Prompt;
use dreiklang_media::srtp::{KeyPair, Keys, Suite};
use proptest::prelude::*;

use crate::party::{GROUP, LOCALHOST, Node, ports, socket};

const STREAMS: u128 = 5;
const RECORDINGS: u128 = 3;

#[derive(Debug, Clone)]
enum Deed {
    Open(StreamId),
    Edit(Edit),
    /// Bytes to one of the ports that were ever opened.
    Packet(usize, Vec<u8>),
}

fn stream() -> impl Strategy<Value = StreamId> {
    (0..STREAMS).prop_map(StreamId)
}

fn recording() -> impl Strategy<Value = RecordingId> {
    (0..RECORDINGS).prop_map(RecordingId)
}

fn edit(party: SocketAddr) -> impl Strategy<Value = Edit> {
    let direction = prop_oneof![
        4 => Just(Direction::SendRecv),
        1 => Just(Direction::SendOnly),
        1 => Just(Direction::RecvOnly),
        1 => Just(Direction::Inactive),
    ];
    let codec = prop_oneof![Just(Codec::Pcmu), Just(Codec::Pcma)];
    let remote = (direction, codec, proptest::option::of(Just(101))).prop_map(move |(direction, codec, dtmf)| Remote {
        rtp: party,
        rtcp: party,
        codec,
        payload_type: codec.static_payload_type(),
        dtmf,
        direction,
        ptime_ms: 20,
    });
    let source = prop_oneof![
        1 => Just(Source::Silence),
        4 => stream().prop_map(Source::Peer),
        4 => proptest::collection::vec(stream(), 0..6).prop_map(Source::Mix),
        2 => (0u64..9, 0usize..400, any::<bool>()).prop_map(|(play, samples, forever)| Source::Prompt {
            prompt: Arc::new(Prompt::from_samples(&vec![900; samples])),
            play: PlayId(play),
            repeat: if forever { Repeat::Forever } else { Repeat::Once },
        }),
    ];
    prop_oneof![
        4 => (stream(), remote).prop_map(|(stream, remote)| Edit::Remote { stream, remote }),
        2 => (stream(), proptest::option::of(0u8..3)).prop_map(|(stream, key)| Edit::Protect {
            stream,
            keys: key.map(|key| KeyPair { send: Keys::new(Suite::Aes128Tag80, [key; 30]), receive: Keys::new(Suite::Aes128Tag32, [7; 30]) }),
        }),
        6 => (stream(), source).prop_map(|(listener, source)| Edit::Hear { listener, source }),
        1 => (stream(), "[0-9,x]{0,9}").prop_map(|(stream, digits)| Edit::SendDigits { stream, digits, tone_ms: 1, gap_ms: 1 }),
        2 => (recording(), stream(), proptest::option::of(stream())).prop_map(|(recording, left, right)| Edit::Record {
            recording,
            path: PathBuf::new(),
            left,
            right
        }),
        2 => (recording(), proptest::option::of(stream())).prop_map(|(recording, right)| Edit::RecordRight { recording, right }),
        1 => recording().prop_map(|recording| Edit::PauseRecording { recording }),
        1 => recording().prop_map(|recording| Edit::ResumeRecording { recording }),
        1 => recording().prop_map(|recording| Edit::StopRecording { recording }),
        2 => stream().prop_map(|stream| Edit::Close { stream }),
    ]
}

fn deeds(party: SocketAddr) -> impl Strategy<Value = Vec<Deed>> {
    let header = (prop_oneof![Just(0u8), Just(8), Just(101), Just(13), Just(200), Just(201), any::<u8>()], any::<[u8; 10]>());
    let bytes = (header, proptest::collection::vec(any::<u8>(), 0..200)).prop_map(|((kind, rest), payload)| {
        let mut bytes = vec![0x80, kind];
        bytes.extend(rest);
        bytes.extend(payload);
        bytes
    });
    let deed = prop_oneof![
        2 => stream().prop_map(Deed::Open),
        4 => edit(party).prop_map(Deed::Edit),
        4 => (any::<usize>(), bytes).prop_map(|(to, bytes)| Deed::Packet(to, bytes)),
    ];
    proptest::collection::vec(deed, 1..120)
}

fn play(party: &UdpSocket, deeds: Vec<Deed>) {
    let node = Node::start_with(|config| {
        config.ports = ports(30);
        config.shards = 1;
        config.quiet_ms = 10;
        config.keep_open_ms = 10;
        config.rtcp_interval_ms = 10;
    });
    let folder = tempfile::tempdir().expect("a folder");
    let mut known = Vec::new();
    let mut records = 0;
    for deed in deeds {
        match deed {
            Deed::Edit(Edit::Record { recording, left, right, .. }) => {
                records += 1;
                // Every fifth cannot be written.
                let place = if records % 5 == 0 { Path::new("/dev/null") } else { folder.path() };
                let path = place.join(format!("{records}.wav"));
                node.engine.apply(GROUP, vec![Edit::Record { recording, path, left, right }]);
            }
            Deed::Open(stream) => known.extend(node.engine.open(GROUP, stream).ok()),
            Deed::Edit(edit) => node.engine.apply(GROUP, vec![edit]),
            Deed::Packet(_, _) if known.is_empty() => {}
            Deed::Packet(to, bytes) => {
                let local = known[to % known.len()];
                let port = if to % 7 == 0 { local.rtcp_port } else { local.rtp_port };
                party.send_to(&bytes, (LOCALHOST, port)).expect("sent");
            }
        }
    }
    for number in 0..STREAMS {
        node.apply([Edit::Close { stream: StreamId(number) }]);
    }
    let counters = node.engine.counters();
    assert_eq!((counters.streams, counters.recordings), (0, 0), "everything is closed");
    let events = node.other_events();
    let closed = events.iter().filter(|event| matches!(event, Event::Closed { .. })).count();
    assert_eq!(closed, known.len(), "each stream that was opened has ended once");
    let recording_ended = |event: &Event| matches!(event, Event::RecordingFinished { .. } | Event::RecordingFailed { .. }).then_some(());
    for _ in events.iter().filter_map(recording_ended).count()..records {
        node.wait("the end of each recording", recording_ended);
    }
    assert!(!node.other_events().iter().any(|event| recording_ended(event).is_some()), "each ended once");
    // Every port is free again.
    for number in 0..25 {
        node.engine.open(GroupId(1), StreamId(1_000 + number)).expect("a port");
    }
}

#[test]
fn any_deeds_in_any_order_break_nothing_and_leave_nothing_behind() {
    let party = socket(LOCALHOST);
    let address = party.local_addr().expect("bound");
    proptest!(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() }, |(deeds in deeds(address))| {
        play(&party, deeds);
    });
}
