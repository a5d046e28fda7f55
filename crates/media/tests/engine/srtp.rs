//! Encrypted parties: heard as well as any, and nobody else is.

use std::sync::Arc;

use dreiklang_media::codec::{Codec, FRAME_SAMPLES};
use dreiklang_media::dtmf;
use dreiklang_media::engine::{Edit, Event, Repeat, Report, Source};
use dreiklang_media::ids::{PlayId, RecordingId};
use dreiklang_media::limits;
use dreiklang_media::prompt::Prompt;
use dreiklang_media::rtcp::{self, Outline};
use dreiklang_media::rtp;
use dreiklang_media::srtp::{KeyPair, Keys, OVERHEAD_BYTES_MAX, Receiver, Sender, Suite};

use crate::party::{GROUP, Got, Node, Party, frame, socket};

/// A party with keys: what it sends is sealed, what it hears is opened.
struct Sealed {
    party: Party,
    keys: KeyPair,
    sender: Sender,
    receiver: Receiver,
}

fn keys(number: u8) -> Keys {
    Keys::new(Suite::Aes128Tag80, std::array::from_fn(|at| number ^ (at as u8).wrapping_mul(37)))
}

/// The keys of party `number` as the engine has them.
fn pair(number: u8) -> KeyPair {
    KeyPair { send: keys(2 * number), receive: keys(2 * number + 1) }
}

impl Sealed {
    fn new(node: &Node, number: u8, codec: Codec) -> Sealed {
        let party = node.party(number.into(), codec);
        let keys = pair(number);
        node.apply([protect(&party, Some(keys))]);
        Sealed { party, keys, sender: Sender::new(keys.receive), receiver: Receiver::new(keys.send) }
    }

    fn seal(&mut self, packet: &[u8]) -> Vec<u8> {
        let mut sealed = vec![0; packet.len() + OVERHEAD_BYTES_MAX];
        let length = self.sender.seal_rtp(packet, &mut sealed).expect("sealed");
        sealed.truncate(length);
        sealed
    }

    /// The next packet, not sent yet.
    fn packet(&mut self, number: u8) -> Vec<u8> {
        let packet = self.party.packet(&frame(number));
        self.seal(&packet)
    }

    fn send(&self, packet: &[u8]) {
        self.party.rtp.send_to(packet, self.party.to()).expect("sent");
    }

    fn say(&mut self, number: u8) {
        let packet = self.packet(number);
        self.send(&packet);
    }

    /// The next RTP packet, opened.
    fn hear(&mut self) -> Got {
        let mut bytes = [0; limits::DATAGRAM_BYTES_MAX];
        let length = self.party.rtp.recv(&mut bytes).expect("a packet in time");
        let length = self.receiver.open_rtp(&mut bytes[..length]).expect("an authentic packet");
        let packet = rtp::parse(&bytes[..length]).expect("an RTP packet");
        Got { header: packet.header, payload: bytes[packet.payload].to_vec() }
    }
}

fn protect(party: &Party, keys: Option<KeyPair>) -> Edit {
    Edit::Protect { stream: party.stream, keys }
}

fn call(node: &Node, left: Codec, right: Codec) -> (Sealed, Sealed) {
    let (left, right) = (Sealed::new(node, 1, left), Sealed::new(node, 2, right));
    node.apply([left.party.hears(&right.party), right.party.hears(&left.party)]);
    (left, right)
}

fn close(node: &Node, party: &Party) -> Report {
    node.apply([Edit::Close { stream: party.stream }]);
    node.wait("the figures", |event| match event {
        Event::Closed { group: GROUP, stream, report } if *stream == party.stream => Some(*report),
        _ => None,
    })
}

#[test]
fn two_encrypted_parties_hear_each_other_whatever_law_they_speak() {
    for codec in [Codec::Pcmu, Codec::Pcma] {
        let node = Node::start();
        let (mut left, mut right) = call(&node, Codec::Pcmu, codec);
        // The numbers of the test's packets wrap on the way.
        for number in 0..20 {
            left.say(number);
            let got = right.hear();
            assert_eq!(right.party.number(&got, Codec::Pcmu), number);
            right.say(number + 20);
            let got = left.hear();
            assert_eq!(left.party.number(&got, codec), number + 20);
        }
        let report = close(&node, &left.party);
        assert!(report.encrypted);
        assert_eq!((report.received.packets, report.ignored), (20, 0));
    }
}

#[test]
fn what_is_on_the_wire_is_not_what_was_said() {
    let node = Node::start();
    let (mut left, right) = call(&node, Codec::Pcmu, Codec::Pcmu);
    left.say(7);
    let mut bytes = [0; limits::DATAGRAM_BYTES_MAX];
    let length = right.party.rtp.recv(&mut bytes).expect("a packet in time");
    assert_eq!(length, 12 + FRAME_SAMPLES + 10);
    let same = bytes[12..length].iter().zip(frame(7)).filter(|(wire, said)| **wire == *said).count();
    assert!(same < 20, "{same} bytes are as they were");
}

#[test]
fn an_encrypted_party_and_two_plain_ones_hear_each_other() {
    let node = Node::start();
    let (mut left, mut right, third) = (Sealed::new(&node, 1, Codec::Pcma), node.party(2, Codec::Pcma), node.party(3, Codec::Pcma));
    node.apply([left.party.hears(&right), right.hears(&left.party), third.hears(&left.party)]);
    for number in 0..10 {
        left.say(number);
        assert_eq!(right.hear().payload, frame(number));
        assert_eq!(third.hear().payload, frame(number));
        right.say(number + 10);
        assert_eq!(left.hear().payload, frame(number + 10));
    }
    assert!(!close(&node, &right).encrypted);
}

#[test]
fn packets_without_the_right_key_are_neither_heard_nor_followed() {
    let node = Node::start();
    let (mut left, mut right) = call(&node, Codec::Pcmu, Codec::Pcmu);
    left.say(0);
    right.hear();
    // From another port of the same host, where a plain party would be followed after two packets.
    let injector = socket(crate::party::LOCALHOST);
    let mut stranger = Sender::new(keys(99));
    for sequence in 0..10u16 {
        let header = rtp::Header { marker: false, payload_type: 0, sequence, timestamp: u32::from(sequence) * 160, ssrc: 666 };
        let plain = [&header.to_bytes()[..], &frame(59)].concat();
        injector.send_to(&plain, left.party.to()).expect("sent");
        let mut sealed = vec![0; plain.len() + OVERHEAD_BYTES_MAX];
        let length = stranger.seal_rtp(&plain, &mut sealed).expect("sealed");
        injector.send_to(&sealed[..length], left.party.to()).expect("sent");
    }
    node.wait_counted(|counters| counters.unauthentic == 20);
    // A changed packet from the right place, and one that comes again.
    let packet = left.packet(1);
    for at in [1, 5, 20, packet.len() - 1] {
        let mut changed = packet.clone();
        changed[at] ^= 4;
        left.send(&changed);
    }
    node.wait_counted(|counters| counters.unauthentic == 24);
    left.send(&packet);
    assert_eq!(right.hear().payload, frame(1));
    left.send(&packet);
    left.send(&packet);
    node.wait_counted(|counters| counters.replayed == 2);
    left.say(2);
    assert_eq!(right.hear().payload, frame(2), "nothing else in between");
    right.say(3);
    assert_eq!(left.hear().payload, frame(3), "still sent to where it was");
    let report = close(&node, &left.party);
    assert_eq!((report.received.packets, report.unauthentic, report.replayed, report.ignored), (3, 24, 2, 26));
}

#[test]
fn the_same_keys_again_go_on_where_they_were() {
    let node = Node::start();
    let (mut left, mut right) = call(&node, Codec::Pcmu, Codec::Pcmu);
    let first = left.packet(0);
    left.send(&first);
    let mut last = Some(right.hear());
    for number in 1..20 {
        // Its numbers have wrapped by the first time: who began anew would not know.
        if number % 7 == 6 {
            node.apply([protect(&left.party, Some(left.keys)), left.party.remote_edit()]);
            node.apply([protect(&right.party, Some(right.keys)), right.party.remote_edit()]);
        }
        left.say(number);
        let got = right.hear();
        assert_eq!(got.payload, frame(number));
        if let Some(last) = last.replace(got.clone()) {
            assert_eq!(crate::party::follows(&last, &got), 160);
        }
    }
    left.send(&first);
    node.wait_counted(|counters| counters.replayed == 1);
    assert_eq!(node.engine.counters().unauthentic, 0);
}

#[test]
fn new_keys_take_over_without_a_lost_packet() {
    let node = Node::start();
    let (mut left, mut right) = call(&node, Codec::Pcmu, Codec::Pcmu);
    left.say(0);
    right.hear();
    right.say(1);
    let old_source = left.hear().header.ssrc;
    let late = left.packet(2);
    node.apply([protect(&left.party, Some(pair(9))), left.party.remote_edit()]);
    left.sender = Sender::new(pair(9).receive);
    left.receiver = Receiver::new(pair(9).send);
    left.say(3);
    assert_eq!(right.hear().payload, frame(3));
    left.send(&late);
    assert_eq!(right.hear().payload, frame(2), "it was on its way");
    right.say(4);
    let got = left.hear();
    assert_eq!(got.payload, frame(4));
    assert_ne!(got.header.ssrc, old_source, "both ends count from the same beginning");
    assert!(got.header.sequence < 1 << 15);
}

#[test]
fn encryption_can_begin_and_end_within_a_call() {
    let node = Node::start();
    let (mut left, mut right) = node.call(Codec::Pcmu, Codec::Pcmu);
    left.say_until_heard_by(&right);
    node.apply([protect(&left, Some(pair(1))), left.remote_edit()]);
    left.say(1);
    node.wait_counted(|counters| counters.unauthentic == 1);
    let mut left = Sealed { party: left, keys: pair(1), sender: Sender::new(pair(1).receive), receiver: Receiver::new(pair(1).send) };
    left.say(2);
    assert_eq!(right.hear().payload, frame(2));
    right.say(3);
    assert_eq!(left.hear().payload, frame(3));
    node.apply([protect(&left.party, None), left.party.remote_edit()]);
    left.party.say(4);
    assert_eq!(right.hear().payload, frame(4));
    right.say(5);
    assert_eq!(left.party.hear().payload, frame(5));
}

#[test]
fn prompts_digits_and_recordings_are_as_without() {
    let node = Node::start();
    let (mut left, mut right) = call(&node, Codec::Pcmu, Codec::Pcmu);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("call.wav");
    let recording = RecordingId(1);
    node.apply([Edit::Record { recording, path: path.clone(), left: left.party.stream, right: Some(right.party.stream) }]);
    left.say(5);
    right.hear();
    let event = dtmf::Payload { event: 7, end: false, volume: 10, duration: 160 };
    let header = rtp::Header {
        marker: true,
        payload_type: 101,
        sequence: left.party.sequence,
        timestamp: left.party.timestamp,
        ssrc: left.party.ssrc,
    };
    left.party.sequence = left.party.sequence.wrapping_add(1);
    let press = left.seal(&[&header.to_bytes()[..], &event.to_bytes()].concat());
    left.send(&press);
    let digit = node.wait("the digit", |event| if let Event::Digit { digit, .. } = event { Some(*digit) } else { None });
    assert_eq!(digit, '7');
    let got = right.hear();
    assert_eq!((got.header.payload_type, got.payload[0]), (101, 7), "passed on");
    node.apply([Edit::SendDigits { stream: right.party.stream, digits: "4".to_owned(), tone_ms: 40, gap_ms: 40 }]);
    let got = right.hear();
    assert_eq!((got.header.payload_type, got.payload[0]), (101, 4), "sent");
    node.wait("the digits", |event| matches!(event, Event::DigitsSent { complete: true, .. }).then_some(()));
    let prompt = Arc::new(Prompt::from_samples(&[8_000; FRAME_SAMPLES * 3]));
    let expected = prompt.frame(Codec::Pcmu, 0).expect("a frame").to_vec();
    let source = Source::Prompt { prompt, play: PlayId(1), repeat: Repeat::Once };
    node.apply([Edit::Hear { listener: left.party.stream, source }]);
    assert_eq!(left.hear().payload, expected);
    node.apply([Edit::StopRecording { recording }]);
    node.wait("the recording", |event| matches!(event, Event::RecordingFinished { .. }).then_some(()));
    let file = std::fs::read(&path).expect("the file");
    let said = frame(5)[0];
    assert!(file.iter().filter(|byte| **byte == said).count() >= FRAME_SAMPLES, "recorded in the clear");
}

#[test]
fn encrypted_parties_take_part_in_a_mix() {
    let node = Node::start();
    let (mut one, mut two, mut three) =
        (Sealed::new(&node, 1, Codec::Pcmu), Sealed::new(&node, 2, Codec::Pcma), node.party(3, Codec::Pcmu));
    let streams = [one.party.stream, two.party.stream, three.stream];
    let others = |own| streams.into_iter().filter(|stream| *stream != own).collect();
    node.apply(streams.map(|own| Edit::Hear { listener: own, source: Source::Mix(others(own)) }));
    // Loud enough to be told from silence, which is heard in between; each adds to the other.
    let loud = |codec: Codec, got: &Got| codec.decode(got.payload[0]).unsigned_abs() > 500;
    let (mut one_heard, mut two_heard) = (false, false);
    while !(one_heard && two_heard) {
        one.say(3);
        two.say(3);
        three.say(3);
        one_heard |= loud(Codec::Pcmu, &one.hear());
        two_heard |= loud(Codec::Pcma, &two.hear());
    }
}

#[test]
fn reports_are_encrypted_both_ways() {
    let node = Node::start_with(|config| config.rtcp_interval_ms = 200);
    let (mut left, mut right) = call(&node, Codec::Pcmu, Codec::Pcmu);
    left.say(0);
    right.hear();
    let mut bytes = [0; limits::DATAGRAM_BYTES_MAX];
    let length = left.party.rtcp.recv(&mut bytes).expect("a report in time");
    let length = left.receiver.open_rtcp(&mut bytes[..length]).expect("authentic");
    assert!(rtcp::parse(&bytes[..length]).is_ok());
    let mut plain = [0; limits::RTCP_BYTES_MAX];
    let outline = Outline { ssrc: left.party.ssrc, sender: None, block: None, cname: "party@example", goodbye: false };
    let length = rtcp::write(&outline, &mut plain);
    left.party.rtcp.send_to(&plain[..length], left.party.rtcp_to()).expect("sent");
    node.wait_counted(|counters| counters.unauthentic == 1);
    let mut sealed = [0; limits::RTCP_BYTES_MAX + OVERHEAD_BYTES_MAX];
    let length = left.sender.seal_rtcp(&plain[..length], &mut sealed).expect("sealed");
    left.party.rtcp.send_to(&sealed[..length], left.party.rtcp_to()).expect("sent");
    node.wait_counted(|counters| counters.rtcp_in == 1);
}
