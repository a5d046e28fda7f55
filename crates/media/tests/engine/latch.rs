//! Who is listened to: symmetric RTP and its limits.

use std::net::{IpAddr, Ipv4Addr};

use dreiklang_media::codec::Codec;
use dreiklang_media::rtp::Header;

use crate::party::{LOCALHOST, Node, Party, frame, socket};

/// Sends `count` consistent packets of another source from `socket` to a party's stream.
fn inject(socket: &std::net::UdpSocket, at: &Party, count: u16) {
    for sequence in 0..count {
        let header = Header { marker: false, payload_type: 0, sequence, timestamp: u32::from(sequence) * 160, ssrc: 666 };
        let packet = [&header.to_bytes()[..], &frame(59)].concat();
        socket.send_to(&packet, at.to()).expect("sent");
    }
}

#[test]
fn audio_from_another_host_is_never_heard() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    let injector = socket(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)));
    inject(&injector, &left, 20);
    node.wait_counted(|counters| counters.ignored_source == 20);
    for number in 0..20 {
        left.say(number);
        inject(&injector, &left, 1);
        assert_eq!(right.hear().payload, frame(number));
    }
}

#[test]
fn audio_from_another_port_is_not_heard_once_the_party_has_spoken() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    left.say_until_heard_by(&right);
    let injector = socket(LOCALHOST);
    for number in 0..20 {
        inject(&injector, &left, 3);
        left.say(number);
        assert_eq!(right.hear().payload, frame(number));
    }
}

#[test]
fn a_party_that_speaks_from_another_port_is_followed_there() {
    let node = Node::start();
    let (mut left, mut right) = node.call(Codec::Pcmu, Codec::Pcmu);
    right.say(1);
    assert_eq!(left.hear().payload, frame(1), "until it speaks it is sent to where it said");
    let signalled = std::mem::replace(&mut left.rtp, socket(LOCALHOST));
    left.say(2);
    left.say(3);
    assert_eq!(right.hear().payload, frame(3), "believed at the second packet");
    right.say(4);
    assert_eq!(left.hear().payload, frame(4), "and sent to from then on");
    // What it said it would use is another source now.
    left.rtp = signalled;
    for _ in 0..5 {
        left.say(5);
    }
    left.rtp = socket(LOCALHOST);
    for _ in 0..5 {
        left.say(6);
    }
    let mut third = node.party(3, Codec::Pcmu);
    node.apply([right.hears(&third)]);
    third.say(7);
    assert_eq!(right.hear().payload, frame(7));
}

#[test]
fn a_new_negotiation_moves_the_stream() {
    let node = Node::start();
    let (mut left, mut right) = node.call(Codec::Pcmu, Codec::Pcmu);
    left.say_until_heard_by(&right);
    let old = std::mem::replace(&mut left.rtp, socket(LOCALHOST));
    left.remote.rtp = left.rtp.local_addr().expect("bound");
    node.apply([left.remote_edit()]);
    right.say(1);
    assert_eq!(left.hear().payload, frame(1), "sent to the new place before it speaks");
    left.say(2);
    assert_eq!(right.hear().payload, frame(2), "and heard from there at once");
    left.say(3);
    assert_eq!(right.hear().payload, frame(3));
    let new = std::mem::replace(&mut left.rtp, old);
    left.say(50);
    left.say(51);
    left.rtp = new;
    left.say(4);
    assert_eq!(right.hear().payload, frame(4), "the old place is not heard any more");
}

#[test]
fn a_negotiation_that_moves_nothing_changes_nothing() {
    let node = Node::start();
    let (mut left, mut right) = node.call(Codec::Pcmu, Codec::Pcmu);
    left.rtp = socket(LOCALHOST);
    left.say(0);
    left.say(1);
    assert_eq!(right.hear().payload, frame(1));
    node.apply([left.remote_edit()]);
    right.say(2);
    assert_eq!(left.hear().payload, frame(2), "still sent to where it speaks from");
    left.say(3);
    assert_eq!(right.hear().payload, frame(3), "still heard from there at once");
}

#[test]
fn an_engine_on_both_ip_versions_speaks_to_parties_of_the_old_one() {
    let any = IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED);
    let node = Node::start_with(|config| {
        // A machine without IPv6 has only the old one to offer.
        let both = std::net::UdpSocket::bind((any, 0)).is_ok();
        config.bind_ip = if both { any } else { LOCALHOST };
        config.rtcp_interval_ms = 200;
    });
    let (mut left, mut right) = node.call(Codec::Pcmu, Codec::Pcma);
    left.say_until_heard_by(&right);
    right.say_until_heard_by(&left);
    left.hear_report();
    inject(&socket(LOCALHOST), &left, 3);
    left.say(1);
    assert_eq!(right.number(&right.hear(), Codec::Pcmu), 1);
}

#[test]
fn packets_before_any_negotiation_are_ignored() {
    let node = Node::start();
    let stream = dreiklang_media::ids::StreamId(9);
    let local = node.engine.open(crate::party::GROUP, stream).expect("a port");
    let stranger = socket(LOCALHOST);
    stranger.send_to(&[0x80; 40], (local.ip, local.rtp_port)).expect("sent");
    node.wait_counted(|counters| counters.ignored_source == 1);
}

#[test]
fn rubbish_on_both_ports_hurts_nobody() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    let rubbish: [&[u8]; 12] = [
        b"",
        b"\x80",
        b"\x80\x00\x00\x01",
        b"GET / HTTP/1.1\r\n\r\n",
        &[0x80; 11],
        &[0x8F, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1],
        &[0x90, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xBE, 0xDE, 0xFF, 0xFF],
        &[0xA0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF],
        &[0x81, 200, 0, 1, 0, 0, 0, 0],
        &[0x80, 201, 0xFF, 0xFF],
        &[0xFF; 1_500],
        &[0x00; 2_100],
    ];
    for bytes in rubbish {
        for (socket, to) in [(&left.rtp, left.to()), (&left.rtcp, left.rtcp_to())] {
            socket.send_to(bytes, to).expect("sent");
        }
    }
    node.wait_counted(|counters| counters.malformed >= 20);
    left.say(1);
    assert_eq!(right.hear_speech().payload, frame(1));
}
