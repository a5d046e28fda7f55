//! Prompts, music, and silence that keeps a path open.

use std::sync::Arc;
use std::time::Instant;

use dreiklang_media::codec::{Codec, FRAME_SAMPLES};
use dreiklang_media::engine::{Direction, Edit, Event, Repeat, Source};
use dreiklang_media::ids::{PlayId, StreamId};
use dreiklang_media::prompt::Prompt;

use crate::party::{GROUP, Got, Node, follows};

/// A prompt whose frames differ.
fn prompt(frames: usize) -> Arc<Prompt> {
    let samples: Vec<i16> = (0..frames * FRAME_SAMPLES).map(|at| 1_000 + 100 * (at / FRAME_SAMPLES) as i16).collect();
    Arc::new(Prompt::from_samples(&samples))
}

fn play(listener: StreamId, prompt: &Arc<Prompt>, play: u64, repeat: Repeat) -> Edit {
    Edit::Hear { listener, source: Source::Prompt { prompt: prompt.clone(), play: PlayId(play), repeat } }
}

/// Checks that `next` comes 20 ms after `last` in the stream's own time, or later if the machine stopped the engine.
fn on_the_grid(node: &Node, last: &Got, next: &Got) {
    let advanced = follows(last, next);
    assert!(advanced == 160 || advanced > 160 && node.engine.counters().stalls > 0, "{advanced}");
}

fn finished(wanted: u64) -> impl Fn(&Event) -> Option<()> {
    move |event| matches!(event, Event::PlayFinished { group: GROUP, play, .. } if *play == PlayId(wanted)).then_some(())
}

#[test]
fn a_prompt_is_played_frame_by_frame_on_the_grid_and_then_the_peer_continues_the_stream() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcma);
    let prompt = prompt(25);
    let began = Instant::now();
    node.apply([play(right.stream, &prompt, 1, Repeat::Once)]);
    let mut last = right.hear();
    assert!(last.header.marker);
    assert_eq!(last.payload, prompt.frame(Codec::Pcma, 0).expect("a frame"));
    for number in 1..25 {
        let next = right.hear();
        assert_eq!(next.payload, prompt.frame(Codec::Pcma, number).expect("a frame"), "no word is lost");
        on_the_grid(&node, &last, &next);
        last = next;
    }
    // Sooner than real time would be a burst; later is the machine's business.
    assert!(began.elapsed().as_millis() >= 24 * 20 - 5, "{:?}", began.elapsed());
    node.wait("the end of the prompt", finished(1));
    node.apply([right.hears(&left)]);
    left.say(1);
    let next = right.hear();
    assert_eq!(right.number(&next, Codec::Pcmu), 1);
    assert!(next.header.marker);
    assert!(follows(&last, &next) >= 160);
}

#[test]
fn timestamps_follow_the_clock_from_prompt_to_prompt() {
    let node = Node::start();
    let party = node.party(1, Codec::Pcmu);
    let prompt = prompt(3);
    node.apply([play(party.stream, &prompt, 1, Repeat::Once)]);
    let began = Instant::now();
    let mut last = party.hear();
    for _ in 0..2 {
        last = party.hear();
    }
    node.wait("the end", finished(1));
    // Let some time pass that the listener must see in the timestamps.
    let pause = node.party(2, Codec::Pcmu);
    node.apply([play(pause.stream, &prompt, 2, Repeat::Once)]);
    node.wait("the end", finished(2));
    node.apply([play(party.stream, &prompt, 3, Repeat::Once)]);
    let next = party.hear();
    let advanced = follows(&last, &next);
    let elapsed = began.elapsed().as_millis() as i32 * 8;
    assert!(advanced >= 3 * 160, "the pause is at least the other prompt, not {advanced}");
    assert!(advanced <= elapsed + 160, "and not longer than the time that passed: {advanced} of {elapsed}");
}

#[test]
fn music_repeats_without_a_seam_until_something_else_is_heard() {
    let node = Node::start();
    let (mut left, right) = node.call(Codec::Pcmu, Codec::Pcmu);
    let music = prompt(4);
    node.apply([play(right.stream, &music, 1, Repeat::Forever)]);
    let mut last = right.hear();
    for number in 1..18 {
        let next = right.hear();
        on_the_grid(&node, &last, &next);
        assert_eq!(next.payload, music.frame(Codec::Pcmu, number % 4).expect("a frame"));
        last = next;
    }
    node.apply([right.hears(&left)]);
    let events = node.other_events();
    assert!(!events.iter().any(|event| matches!(event, Event::PlayFinished { .. })), "it was stopped, not finished");
    left.say(9);
    let mut next = right.hear();
    while right.number_of(&next, Codec::Pcmu) != Some(9) {
        on_the_grid(&node, &last, &next);
        (last, next) = (next, right.hear());
    }
    assert!(next.header.marker);
}

#[test]
fn a_prompt_that_is_replaced_is_not_reported_finished() {
    let node = Node::start();
    let party = node.party(1, Codec::Pcmu);
    node.apply([play(party.stream, &prompt(100), 1, Repeat::Once)]);
    party.hear();
    node.apply([play(party.stream, &prompt(1), 2, Repeat::Once)]);
    node.wait("the end of the second", finished(2));
    assert!(!node.other_events().iter().any(|event| finished(1)(event).is_some()));
}

#[test]
fn a_prompt_waits_until_the_other_end_is_known() {
    let node = Node::start();
    let stream = StreamId(5);
    node.engine.open(GROUP, stream).expect("a port");
    let other = node.party(1, Codec::Pcmu);
    let prompt = prompt(3);
    node.apply([play(stream, &prompt, 1, Repeat::Once), play(other.stream, &prompt, 2, Repeat::Once)]);
    node.wait("the end of the other one's", finished(2));
    assert!(!node.other_events().iter().any(|event| finished(1)(event).is_some()));
    node.apply([Edit::Remote { stream, remote: other.remote }]);
    node.wait("the end", finished(1));
    for _ in 0..6 {
        let mut bytes = [0; 200];
        other.rtp.recv_from(&mut bytes).expect("three frames of each");
    }
}

#[test]
fn a_prompt_goes_on_unheard_while_the_other_end_holds() {
    let node = Node::start();
    let mut party = node.party(1, Codec::Pcmu);
    party.remote.direction = Direction::Inactive;
    node.apply([party.remote_edit(), play(party.stream, &prompt(5), 1, Repeat::Once)]);
    node.wait("the end", finished(1));
    assert_eq!(node.engine.counters().packets_out, 0);
}

#[test]
fn an_empty_prompt_is_finished_at_once() {
    let node = Node::start();
    let party = node.party(1, Codec::Pcmu);
    node.apply([play(party.stream, &prompt(0), 1, Repeat::Once)]);
    node.wait("the end", finished(1));
}

#[test]
fn a_hundred_listeners_get_every_frame_of_a_prompt() {
    let node = Node::start_with(|config| config.ports = crate::party::ports(150));
    let parties: Vec<_> = (0..100).map(|number| node.party(number, Codec::Pcmu)).collect();
    let prompt = prompt(10);
    node.apply(parties.iter().map(|party| play(party.stream, &prompt, party.stream.0 as u64, Repeat::Once)).collect::<Vec<_>>());
    for party in &parties {
        let mut last = party.hear();
        for number in 1..10 {
            let next = party.hear();
            assert_eq!(next.payload, prompt.frame(Codec::Pcmu, number).expect("a frame"));
            on_the_grid(&node, &last, &next);
            last = next;
        }
        node.wait("the end", finished(party.stream.0 as u64));
    }
}

#[test]
fn silence_sends_a_frame_now_and_then_and_nothing_during_hold() {
    let node = Node::start_with(|config| config.keep_open_ms = 200);
    let mut party = node.party(1, Codec::Pcma);
    let first = party.hear();
    let second = party.hear();
    assert_eq!(first.payload, Codec::Pcma.silent_frame());
    assert!(follows(&first, &second) >= 1_600, "200 ms later");
    party.remote.direction = Direction::RecvOnly;
    node.apply([party.remote_edit()]);
    party.rtp.set_nonblocking(true).expect("a socket");
    let mut bytes = [0; 200];
    while party.rtp.recv(&mut bytes).is_ok() {}
    let other = node.party(2, Codec::Pcma);
    for _ in 0..3 {
        other.hear();
    }
    assert!(party.rtp.recv(&mut bytes).is_err(), "only the other one is sent something");
}
