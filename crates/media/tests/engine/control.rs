//! RTCP: reports with the right numbers, goodbyes, and what counts as a sign of life.

use std::time::{Duration, SystemTime};

use dreiklang_media::codec::Codec;
use dreiklang_media::engine::{Direction, Edit, Event, Report};
use dreiklang_media::limits::RTCP_BYTES_MAX;
use dreiklang_media::rtcp::{self, Outline, Packet, ReportBlock, SenderInfo};

use crate::party::{FRAMES, GROUP, Node, Party, frame};

fn close(node: &Node, party: &Party) -> Report {
    node.apply([Edit::Close { stream: party.stream }]);
    node.wait("the figures", |event| match event {
        Event::Closed { group: GROUP, stream, report } if *stream == party.stream => Some(*report),
        _ => None,
    })
}

fn send(party: &Party, sender: Option<SenderInfo>, block: Option<ReportBlock>) {
    let mut bytes = [0; RTCP_BYTES_MAX];
    let outline = Outline { ssrc: party.ssrc, sender, block, cname: "party@example", goodbye: false };
    let length = rtcp::write(&outline, &mut bytes);
    party.rtcp.send_to(&bytes[..length], party.rtcp_to()).expect("sent");
}

#[test]
fn receiver_reports_tell_the_loss_that_happened() {
    let node = Node::start_with(|config| config.rtcp_interval_ms = 1_000);
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    // Every fifth packet of a hundred is lost, the last one is not. The first report comes after 250 ms at the soonest.
    for number in 0..100 {
        if number % 5 == 2 { left.lose() } else { left.say(number % FRAMES) }
    }
    node.wait_counted(|counters| counters.packets_in == 80);
    let (mut lost, mut block) = (0, left.hear_report());
    while block.extended_highest != 65_530 + 99 {
        lost += u32::from(block.fraction_lost);
        block = left.hear_report();
    }
    assert_eq!(block.cumulative_lost, 20);
    assert!(lost + u32::from(block.fraction_lost) > 0, "some interval had the loss");
    drop(right);
    let report = close(&node, &left);
    assert_eq!((report.received.packets, report.received.bytes, report.received.lost), (80, 80 * 160, Some(20)));
    assert!(report.received.poor, "20 % loss is beyond the dashboard's 10 %");
    assert!(report.received.mos.is_some_and(|mos| mos < 4.0));
}

#[test]
fn receiver_reports_tell_the_jitter_that_happened() {
    let node = Node::start_with(|config| config.rtcp_interval_ms = 300);
    let mut left = node.party(1, Codec::Pcmu);
    // Timestamps that swing by two seconds dwarf whatever the machine adds: |D| is 16,000 samples from packet to packet.
    for number in 0..200 {
        left.timestamp = if number % 2 == 0 { 1_000_000 } else { 1_016_000 };
        left.say(0);
    }
    node.wait_counted(|counters| counters.packets_in == 200);
    let mut block = left.hear_report();
    while block.extended_highest != 65_530 + 199 {
        block = left.hear_report();
    }
    assert!((15_000..17_000).contains(&block.jitter), "jitter {}", block.jitter);
    let jitter_ms = close(&node, &left).received.jitter_ms.expect("packets came");
    assert!((jitter_ms - f64::from(block.jitter) / 8.0).abs() < 0.01);
}

#[test]
fn sender_reports_tell_what_we_sent_and_the_answer_gives_the_round_trip() {
    let node = Node::start_with(|config| config.rtcp_interval_ms = 300);
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    for number in 0..10 {
        left.say(number);
        right.hear();
    }
    let (ssrc, info) = loop {
        let bytes = right.hear_control();
        let mut packets = rtcp::parse(&bytes).expect("RTCP");
        if let Some(Packet::SenderReport { ssrc, info, .. }) = packets.next()
            && info.packets == 10
        {
            assert!(
                matches!(packets.next(), Some(Packet::Description { ssrc: described, cname }) if described == ssrc && !cname.is_empty())
            );
            break (ssrc, info);
        }
    };
    assert_eq!(info.bytes, 1_600);
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let off = (rtcp::ntp(unix) >> 32).abs_diff(info.ntp >> 32);
    assert!(off < 30, "the wall clock is off by {off} s");
    // A receiver that says it held the report back for a while: the round trip is what remains. The engine's clock has
    // moved on since, so telling "all but 200 ms of it" gives at least 200 ms.
    let block = ReportBlock {
        ssrc,
        fraction_lost: 64,
        cumulative_lost: 3,
        extended_highest: 9,
        jitter: 88,
        last_report: rtcp::ntp_middle(info.ntp).wrapping_sub(65_536 / 5),
        since_last_report: 0,
    };
    send(&right, None, Some(block));
    node.wait_counted(|counters| counters.rtcp_in == 1);
    let report = close(&node, &right);
    let round_trip_ms = report.round_trip_ms.expect("measured");
    assert!((199.0..20_000.0).contains(&round_trip_ms), "{round_trip_ms} ms");
    assert_eq!((report.sent.packets, report.sent.lost, report.sent.jitter_ms), (10, Some(3), Some(11.0)));
    assert!(report.sent.poor, "3 of 10 lost");
}

#[test]
fn reports_echo_the_other_ends_sender_report() {
    let node = Node::start_with(|config| config.rtcp_interval_ms = 300);
    let mut left = node.party(1, Codec::Pcmu);
    left.say(0);
    node.wait_counted(|counters| counters.packets_in == 1);
    let ntp = rtcp::ntp(Duration::from_secs(1_000));
    send(&left, Some(SenderInfo { ntp, rtp_timestamp: 0, packets: 1, bytes: 160 }), None);
    node.wait_counted(|counters| counters.rtcp_in == 1);
    let mut block = left.hear_report();
    while block.last_report == 0 {
        block = left.hear_report();
    }
    assert_eq!(block.last_report, rtcp::ntp_middle(ntp));
    assert!(block.since_last_report < 65_536 * 20);
}

#[test]
fn reports_are_sent_during_hold_and_before_any_audio() {
    let node = Node::start_with(|config| config.rtcp_interval_ms = 200);
    let mut party = node.party(1, Codec::Pcmu);
    party.remote.direction = Direction::Inactive;
    node.apply([party.remote_edit()]);
    for _ in 0..3 {
        let bytes = party.hear_control();
        assert!(matches!(rtcp::parse(&bytes).expect("RTCP").next(), Some(Packet::ReceiverReport { .. })));
    }
}

#[test]
fn reports_go_to_the_shared_port_when_that_was_negotiated() {
    let node = Node::start_with(|config| config.rtcp_interval_ms = 200);
    let mut party = node.party(1, Codec::Pcmu);
    party.remote.rtcp = party.remote.rtp;
    node.apply([party.remote_edit()]);
    let mut bytes = [0; 300];
    let (length, from) = party.rtp.recv_from(&mut bytes).expect("a report");
    assert_eq!(from, party.to());
    assert!(rtcp::parse(&bytes[..length]).is_ok());
    // And they are understood there.
    party.rtp.send_to(&bytes[..length], party.to()).expect("sent");
    node.wait_counted(|counters| counters.rtcp_in == 1);
}

#[test]
fn a_closed_stream_says_goodbye() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    left.say(1);
    let ssrc = right.hear().header.ssrc;
    let report = close(&node, &right);
    assert_eq!(report.sent.packets, 1);
    assert_eq!((report.received.packets, report.received.lost, report.received.mos), (0, None, None));
    let bytes = right.hear_control();
    let packets: Vec<_> = rtcp::parse(&bytes).expect("RTCP").collect();
    assert!(matches!(packets[0], Packet::SenderReport { info: SenderInfo { packets: 1, bytes: 160, .. }, .. }));
    assert_eq!(packets.last(), Some(&Packet::Goodbye { ssrc }));
}

#[test]
fn a_goodbye_of_the_other_end_ends_nothing() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    left.say(1);
    right.hear();
    let mut bytes = [0; RTCP_BYTES_MAX];
    let outline = Outline { ssrc: left.ssrc, sender: None, block: None, cname: "x", goodbye: true };
    let length = rtcp::write(&outline, &mut bytes);
    left.rtcp.send_to(&bytes[..length], left.rtcp_to()).expect("sent");
    node.wait_counted(|counters| counters.rtcp_in == 1);
    left.say(2);
    assert_eq!(right.hear().payload, frame(2));
}

#[test]
fn a_party_that_falls_quiet_is_reported_once_until_it_returns() {
    let quiet = |event: &Event| matches!(event, Event::Quiet { group: GROUP, ms, .. } if *ms >= 300).then_some(());
    let node = Node::start_with(|config| config.quiet_ms = 300);
    let mut left = node.party(1, Codec::Pcmu);
    node.wait("silence from the beginning", quiet);
    left.say(1);
    node.wait_counted(|counters| counters.packets_in == 1);
    node.wait("silence after speech", quiet);
    // Control packets are signs of life as well.
    send(&left, None, None);
    node.wait_counted(|counters| counters.rtcp_in == 1);
    node.wait("silence after a report", quiet);
    // A second party falls quiet after us; we are not reported again meanwhile.
    let other = node.party(2, Codec::Pcmu);
    let stream = node.wait("the other one's silence", |event| if let Event::Quiet { stream, .. } = event { Some(*stream) } else { None });
    assert_eq!(stream, other.stream);
}

#[test]
fn a_party_on_hold_is_not_missed() {
    let node = Node::start_with(|config| config.quiet_ms = 300);
    let mut held = node.party(1, Codec::Pcmu);
    held.remote.direction = Direction::SendOnly;
    node.apply([held.remote_edit()]);
    let other = node.party(2, Codec::Pcmu);
    let stream = node.wait("the other one's silence", |event| if let Event::Quiet { stream, .. } = event { Some(*stream) } else { None });
    assert_eq!(stream, other.stream);
    assert!(!node.other_events().iter().any(|event| matches!(event, Event::Quiet { .. })));
}
