//! Parties who hear each other.

use dreiklang_media::codec::Codec;
use dreiklang_media::engine::{Direction, Edit, Event, Source};
use dreiklang_media::ids::{GroupId, PlayId, RecordingId, StreamId};

use crate::party::{GROUP, Node, follows, frame};

#[test]
fn two_parties_hear_each_other() {
    let node = Node::start();
    let (mut left, mut right) = node.call(Codec::Pcmu, Codec::Pcmu);
    for number in 0..50 {
        left.say(number);
        right.say(49 - number);
        assert_eq!(right.hear().payload, frame(number));
        assert_eq!(left.hear().payload, frame(49 - number));
    }
    for party in [&left, &right] {
        node.wait("the first packet", |event| {
            matches!(event, Event::FirstPacket { group: GROUP, stream } if *stream == party.stream).then_some(())
        });
    }
    assert!(!node.other_events().iter().any(|event| matches!(event, Event::FirstPacket { .. })), "the first packet is said once");
}

#[test]
fn what_is_sent_is_one_stream_of_our_own() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    left.say(0);
    let mut last = right.hear();
    assert!(last.header.marker, "the beginning of a talkspurt");
    assert_ne!(last.header.ssrc, left.ssrc, "nobody's source but ours");
    for number in 1..40 {
        left.say(number);
        let next = right.hear();
        assert_eq!(follows(&last, &next), 160);
        assert!(!next.header.marker);
        last = next;
    }
}

#[test]
fn parties_with_different_laws_understand_each_other() {
    let node = Node::start();
    let (mut left, mut right) = node.call(Codec::Pcma, Codec::Pcmu);
    for number in 0..50 {
        left.say(number);
        let got = right.hear();
        assert_eq!(got.header.payload_type, 0);
        assert_eq!(right.number(&got, Codec::Pcma), number);
        right.say(number);
        let got = left.hear();
        assert_eq!(got.header.payload_type, 8);
        assert_eq!(left.number(&got, Codec::Pcmu), number);
    }
}

#[test]
fn a_party_that_changes_to_the_other_law_without_a_word_is_understood() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    left.say(1);
    assert_eq!(right.number(&right.hear(), Codec::Pcmu), 1);
    left.remote.payload_type = 8;
    left.say(2);
    let got = right.hear();
    assert_eq!(got.header.payload_type, 0);
    assert_eq!(right.number(&got, Codec::Pcma), 2);
}

#[test]
fn loss_on_the_way_to_us_stays_visible_and_noise_packets_leave_no_gap() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    left.say(0);
    let first = right.hear();
    left.lose();
    left.say(2);
    let second = right.hear();
    assert_eq!(second.header.sequence.wrapping_sub(first.header.sequence), 2);
    assert_eq!(second.header.timestamp.wrapping_sub(first.header.timestamp), 320);
    // Comfort noise, RFC 3389.
    left.remote.payload_type = 13;
    let noise = left.packet(&[40]);
    left.rtp.send_to(&noise, left.to()).expect("sent");
    left.remote.payload_type = 0;
    left.say(4);
    assert_eq!(follows(&second, &right.hear()), 320);
}

#[test]
fn a_header_with_sources_extension_and_padding_is_passed_on_without_them() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcma);
    let plain = left.packet(&frame(3));
    let mut decorated = plain[..12].to_vec();
    decorated[0] |= 0x31;
    decorated.extend([1, 2, 3, 4, 0xBE, 0xDE, 0, 1, 9, 9, 9, 9]);
    decorated.extend_from_slice(&plain[12..]);
    decorated.extend([0, 0, 3]);
    left.rtp.send_to(&decorated, left.to()).expect("sent");
    assert_eq!(right.number(&right.hear(), Codec::Pcmu), 3);
}

#[test]
fn several_can_listen_to_one_and_each_gets_its_own_law() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcma);
    let supervisor = node.party(3, Codec::Pcmu);
    node.apply([supervisor.hears(&left)]);
    for number in 0..20 {
        left.say(number);
        assert_eq!(right.number(&right.hear(), Codec::Pcmu), number);
        assert_eq!(supervisor.number(&supervisor.hear(), Codec::Pcmu), number);
    }
}

#[test]
fn a_new_source_at_the_same_address_continues_our_stream() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    left.say(0);
    left.say(1);
    right.hear();
    let last = right.hear();
    (left.ssrc, left.sequence, left.timestamp) = (77, 12_345, 1_000_000);
    left.say(2);
    let next = right.hear();
    assert!(follows(&last, &next) >= 160);
    assert!(next.header.marker);
    assert_eq!(next.payload, frame(2));
}

#[test]
fn a_transfer_continues_our_stream_with_another_partner() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    let mut third = node.party(3, Codec::Pcma);
    left.say(0);
    let mut last = right.hear();
    node.apply([right.hears(&third), third.hears(&right), left.hears_silence()]);
    for number in 1..20 {
        third.say(number);
        left.say(50);
        let next = right.hear();
        assert_eq!(right.number(&next, Codec::Pcma), number, "only the new partner is heard");
        assert!(follows(&last, &next) >= 160);
        last = next;
    }
}

#[test]
fn hold_stops_audio_both_ways_and_resume_continues() {
    let node = Node::start();
    let (mut left, mut right) = node.call(Codec::Pcmu, Codec::Pcmu);
    left.say(0);
    let last = right.hear();
    right.say(0);
    left.hear();
    right.remote.direction = Direction::Inactive;
    node.apply([right.remote_edit()]);
    for number in 1..10 {
        left.say(number);
        right.say(number);
    }
    node.wait_counted(|counters| counters.ignored_held == 9 && counters.packets_in == 11);
    right.remote.direction = Direction::SendRecv;
    node.apply([right.remote_edit()]);
    left.say(20);
    let next = right.hear();
    assert_eq!(next.payload, frame(20), "nothing of what was said during hold");
    assert!(follows(&last, &next) >= 160);
    right.say(21);
    assert_eq!(left.hear().payload, frame(21));
}

#[test]
fn half_hold_lets_audio_through_in_one_direction() {
    let node = Node::start();
    let (mut left, mut right) = node.call(Codec::Pcmu, Codec::Pcmu);
    right.remote.direction = Direction::SendOnly;
    node.apply([right.remote_edit()]);
    right.say(1);
    left.say(2);
    assert_eq!(right.hear().payload, frame(2));
    node.wait_counted(|counters| counters.ignored_held == 1);
    right.remote.direction = Direction::RecvOnly;
    node.apply([right.remote_edit()]);
    left.say(3);
    right.say(4);
    assert_eq!(left.hear().payload, frame(4), "what it said while we did not receive is gone");
}

#[test]
fn who_hears_a_closed_stream_hears_silence() {
    let node = Node::start_with(|config| config.keep_open_ms = 300);
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    left.say(0);
    let last = right.hear();
    node.apply([Edit::Close { stream: left.stream }]);
    node.wait("the end", |event| matches!(event, Event::Closed { stream, .. } if *stream == left.stream).then_some(()));
    let silence = right.hear();
    assert_eq!(silence.payload, Codec::Pcmu.silent_frame());
    assert!(follows(&last, &silence) > 160, "a frame that keeps the path open, a while later");
}

#[test]
fn streams_of_different_calls_never_hear_each_other() {
    let node = Node::start_with(|config| config.keep_open_ms = 300);
    let left = node.party(1, Codec::Pcmu);
    let mut stranger = node.party_in(GroupId(8), 2, Codec::Pcmu);
    node.apply([left.hears(&stranger), Edit::Remote { stream: stranger.stream, remote: left.remote }, stranger.hears_silence()]);
    stranger.say(1);
    stranger.say(2);
    node.wait("the stranger's packet", |event| matches!(event, Event::FirstPacket { group: GroupId(8), .. }).then_some(()));
    assert_eq!(left.hear().payload, Codec::Pcmu.silent_frame(), "only what keeps the path open");
}

#[test]
fn edits_with_unknown_names_change_nothing() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    let nobody = StreamId(404);
    let recording = RecordingId(404);
    node.apply([
        Edit::Remote { stream: nobody, remote: left.remote },
        Edit::Hear { listener: nobody, source: Source::Peer(left.stream) },
        Edit::Hear { listener: right.stream, source: Source::Peer(nobody) },
        Edit::SendDigits { stream: nobody, digits: "1".to_owned(), tone_ms: 100, gap_ms: 100 },
        Edit::RecordRight { recording, right: Some(nobody) },
        Edit::PauseRecording { recording },
        Edit::ResumeRecording { recording },
        Edit::StopRecording { recording },
        Edit::Close { stream: nobody },
    ]);
    node.engine.apply(
        GroupId(9),
        vec![
            Edit::Close { stream: left.stream },
            Edit::Hear {
                listener: right.stream,
                source: Source::Prompt {
                    prompt: std::sync::Arc::new(dreiklang_media::prompt::Prompt::from_samples(&[0; 160])),
                    play: PlayId(1),
                    repeat: dreiklang_media::engine::Repeat::Forever,
                },
            },
        ],
    );
    assert_eq!(node.other_events(), []);
    left.say(5);
    assert_eq!(right.hear().payload, frame(5));
    node.apply([Edit::Record { recording, path: "/nowhere/x.wav".into(), left: nobody, right: None }]);
    node.wait("the refusal", |event| matches!(event, Event::RecordingFailed { recording: RecordingId(404), .. }).then_some(()));
}

#[test]
fn a_stream_that_hears_itself_is_an_echo() {
    let node = Node::start();
    let mut party = node.party(1, Codec::Pcma);
    node.apply([Edit::Hear { listener: party.stream, source: Source::Peer(party.stream) }]);
    for number in 0..10 {
        party.say(number);
        assert_eq!(party.hear().payload, frame(number));
    }
    node.apply([Edit::Close { stream: party.stream }]);
}
