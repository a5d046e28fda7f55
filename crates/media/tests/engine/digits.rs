//! Telephone events: relayed, reported, sent.

use dreiklang_media::codec::Codec;
use dreiklang_media::dtmf::{Payload, Presses};
use dreiklang_media::engine::{Edit, Event};

use crate::party::{GROUP, Node, Party, follows, frame};

/// Presses a key as telephones do: four updates and three ends, audio left out meanwhile.
fn press(party: &mut Party, event: u8) -> usize {
    let updates = (1..=4u16).map(|number| (false, number * 160));
    let packets: Vec<_> = updates.chain([(true, 800); 3]).collect();
    for (number, (end, duration)) in packets.iter().enumerate() {
        party.press(101, Payload { event, end: *end, volume: 10, duration: *duration }, number == 0, 0);
    }
    party.timestamp = party.timestamp.wrapping_add(800);
    packets.len()
}

fn digits(events: &[Event]) -> String {
    events.iter().filter_map(|event| if let Event::Digit { digit, .. } = event { Some(*digit) } else { None }).collect()
}

#[test]
fn events_are_passed_on_with_the_listeners_payload_type_and_each_press_is_reported_once() {
    let node = Node::start();
    let mut left = node.party(1, Codec::Pcmu);
    let mut right = node.party(2, Codec::Pcma);
    right.remote.dtmf = Some(96);
    node.apply([right.remote_edit(), left.hears(&right), right.hears(&left)]);
    left.say(0);
    let mut last = right.hear();
    for event in [1, 5, 5, 11] {
        let mut began = None;
        for number in 0..press(&mut left, event) {
            let next = right.hear();
            assert_eq!(next.header.payload_type, 96);
            let payload = Payload::parse(&next.payload).expect("an event");
            assert_eq!((payload.event, payload.end), (event, number >= 4));
            assert_eq!(next.header.marker, number == 0);
            follows(&last, &next);
            assert_eq!(*began.get_or_insert(next.header.timestamp), next.header.timestamp, "one press, one timestamp");
            last = next;
        }
        left.say(event);
        let next = right.hear();
        assert_eq!(follows(&last, &next), 800, "audio goes on where the event ended");
        assert_eq!(right.number(&next, Codec::Pcmu), event);
        last = next;
    }
    assert_eq!(digits(&node.other_events()), "155#");
}

#[test]
fn events_to_a_party_that_takes_none_are_reported_but_leave_no_gap() {
    let node = Node::start();
    let mut left = node.party(1, Codec::Pcmu);
    let mut right = node.party(2, Codec::Pcmu);
    right.remote.dtmf = None;
    node.apply([right.remote_edit(), left.hears(&right), right.hears(&left)]);
    left.say(0);
    let last = right.hear();
    press(&mut left, 7);
    left.say(1);
    let next = right.hear();
    assert_eq!(next.payload, frame(1));
    assert_eq!(follows(&last, &next), 160 + 800);
    assert_eq!(digits(&node.other_events()), "7");
}

#[test]
fn a_press_of_which_only_the_last_packet_survives_is_reported() {
    let node = Node::start();
    let mut left = node.party(1, Codec::Pcmu);
    left.say(0);
    for _ in 0..6 {
        left.lose();
    }
    left.press(101, Payload { event: 9, end: true, volume: 10, duration: 800 }, false, 800);
    node.wait("the digit", |event| matches!(event, Event::Digit { group: GROUP, digit: '9', .. }).then_some(()));
}

#[test]
fn digits_are_sent_as_events_between_audio_and_reported_when_they_are_out() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    left.say(1);
    let mut last = right.hear();
    let digits = "30*9#";
    node.apply([Edit::SendDigits { stream: right.stream, digits: digits.to_owned(), tone_ms: 80, gap_ms: 60 }]);
    let mut presses = Presses::default();
    let mut heard = String::new();
    let mut packets = 0;
    // Each digit: four updates and three ends.
    while packets < digits.len() * 7 {
        let next = right.hear();
        assert_eq!(next.header.payload_type, 101);
        follows(&last, &next);
        let payload = Payload::parse(&next.payload).expect("an event");
        heard.extend(presses.handle(next.header.ssrc, next.header.timestamp, payload));
        last = next;
        packets += 1;
        left.say(2);
    }
    assert_eq!(heard, digits);
    node.wait("the end of the digits", |event| {
        matches!(event, Event::DigitsSent { stream, complete: true, .. } if *stream == right.stream).then_some(())
    });
    node.wait_counted(|counters| counters.packets_in == 1 + packets as u64);
    left.say(3);
    let mut next = right.hear();
    while right.number(&next, Codec::Pcmu) != 3 {
        follows(&last, &next);
        (last, next) = (next, right.hear());
    }
    assert!(follows(&last, &next) >= 0, "audio is heard again in the same stream");
}

#[test]
fn digits_to_a_party_that_takes_no_events_are_reported_as_not_sent() {
    let node = Node::start();
    let mut party = node.party(1, Codec::Pcmu);
    party.remote.dtmf = None;
    node.apply([party.remote_edit(), Edit::SendDigits { stream: party.stream, digits: "1".to_owned(), tone_ms: 100, gap_ms: 100 }]);
    node.wait("the refusal", |event| matches!(event, Event::DigitsSent { complete: false, .. }).then_some(()));
    assert_eq!(node.engine.counters().packets_out, 0);
}

#[test]
fn a_stream_that_ends_while_digits_are_sent_says_so() {
    let node = Node::start();
    let party = node.party(1, Codec::Pcmu);
    node.apply([
        Edit::SendDigits { stream: party.stream, digits: "1234567890".to_owned(), tone_ms: 100, gap_ms: 100 },
        Edit::Close { stream: party.stream },
    ]);
    node.wait("the end of the digits", |event| matches!(event, Event::DigitsSent { complete: false, .. }).then_some(()));
}
