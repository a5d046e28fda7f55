//! Opening and closing: ports, limits, the end of the engine.

use std::net::UdpSocket;

use dreiklang_media::codec::Codec;
use dreiklang_media::engine::{Config, Edit, Engine, Event, OpenError, StartError};
use dreiklang_media::ids::StreamId;
use dreiklang_media::record;
use dreiklang_media::rtcp;

use crate::party::{GROUP, LOCALHOST, Node, ports};

fn closed(wanted: StreamId) -> impl Fn(&Event) -> Option<()> {
    move |event| matches!(event, Event::Closed { stream, .. } if *stream == wanted).then_some(())
}

#[test]
fn ports_are_an_even_one_and_the_next_from_the_range() {
    let range = ports(20);
    let node = Node::start_with(|config| config.ports = range.clone());
    for number in 0..10 {
        let local = node.engine.open(GROUP, StreamId(number)).expect("a port");
        assert!(local.rtp_port.is_multiple_of(2) && local.rtcp_port == local.rtp_port + 1);
        assert!(range.contains(&local.rtp_port) && range.contains(&local.rtcp_port));
        assert_eq!(local.ip, LOCALHOST);
    }
}

#[test]
fn ten_thousand_calls_over_a_few_ports_leave_nothing_behind() {
    let node = Node::start_with(|config| config.ports = ports(8));
    for number in 0..10_000 {
        let stream = StreamId(number);
        node.engine.open(GROUP, stream).expect("a port, because the last stream is closed");
        node.apply([Edit::Close { stream }]);
        node.wait("the end", closed(stream));
    }
    assert_eq!(node.engine.counters().streams, 0);
    let files = std::fs::read_dir("/proc/self/fd").expect("Linux").count();
    assert!(files < 100, "{files} files are open");
}

#[test]
fn more_streams_than_ports_are_refused_until_one_is_closed() {
    let node = Node::start_with(|config| config.ports = ports(6));
    let mut open = 0;
    let refused = loop {
        match node.engine.open(GROUP, StreamId(open)) {
            Ok(_) => open += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, OpenError::PortsExhausted { pairs: 6 }), "{refused}");
    assert!((1..=6).contains(&open), "at most what the range holds");
    assert!(matches!(node.engine.open(GROUP, StreamId(0)), Err(OpenError::AlreadyOpen)));
    node.apply([Edit::Close { stream: StreamId(0) }]);
    node.wait("the end", closed(StreamId(0)));
    node.engine.open(GROUP, StreamId(0)).expect("its ports are free");
}

#[test]
fn an_engine_that_cannot_work_says_why() {
    let start = |change: fn(&mut Config)| {
        let mut config = Config::new(LOCALHOST, LOCALHOST, 20_000..=20_100, record::Config::default());
        change(&mut config);
        Engine::start(config, |_| {}).err()
    };
    assert!(matches!(start(|config| config.shards = 0), Some(StartError::Shards(0))));
    assert!(matches!(start(|config| config.shards = 1_000), Some(StartError::Shards(1_000))));
    assert!(matches!(start(|config| config.ports = 20_001..=20_002), Some(StartError::NoPorts { first: 20_001, last: 20_002 })));
    let elsewhere = start(|config| config.bind_ip = [192, 0, 2, 1].into());
    assert!(matches!(elsewhere, Some(StartError::Bind { .. })));
    assert!(elsewhere.is_some_and(|error| error.to_string().contains("192.0.2.1")));
}

#[test]
fn the_end_of_the_engine_closes_streams_says_goodbye_and_frees_ports() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    left.say(1);
    right.hear();
    let other = node.engine.clone();
    node.engine.shutdown();
    other.shutdown();
    for party in [&left, &right] {
        node.wait("the end", closed(party.stream));
        let bytes = party.hear_control();
        assert!(rtcp::parse(&bytes).expect("RTCP").any(|packet| matches!(packet, rtcp::Packet::Goodbye { .. })));
        UdpSocket::bind((LOCALHOST, party.local.rtp_port)).expect("free again");
    }
    assert!(matches!(node.engine.open(GROUP, StreamId(9)), Err(OpenError::ShutDown)));
    node.apply([left.hears(&right)]);
}

#[test]
fn an_engine_that_nobody_holds_any_more_ends() {
    let node = Node::start();
    let party = node.party(1, Codec::Pcmu);
    let stream = party.stream;
    let config = Config { shards: 1, ..Config::new(LOCALHOST, LOCALHOST, ports(5), record::Config::default()) };
    let (sender, events) = std::sync::mpsc::sync_channel(10);
    let engine = Engine::start(config, move |event| sender.send(event).expect("listening")).expect("an engine");
    engine.open(GROUP, stream).expect("a port");
    drop(engine);
    assert!(matches!(events.try_recv(), Ok(Event::Closed { .. })));
}
