//! Lost, repeated and late messages.

use std::time::Duration;

use dreiklang_sip::event::{CauseKind, Event};

use crate::network::{ANSWER, Alice, Bob, Fate, Pair};

/// A whole call in which the first `count` messages of this kind are lost; it must come about and end all the same.
fn call_with_loss(from: crate::network::Side, kind: &str, count: usize) -> Pair {
    let mut pair = Pair::new();
    pair.lose(from, kind, count);
    let alice = pair.call();
    pair.run(Duration::from_secs(5));
    let Event::Incoming { call: bob, .. } = pair.event(Bob) else { panic!("no call") };
    pair.at(Bob, |endpoint, now| endpoint.ring(now, bob, None));
    pair.run(Duration::from_secs(3));
    pair.at(Bob, |endpoint, now| endpoint.answer(now, bob, ANSWER.to_vec()));
    pair.run(Duration::from_secs(10));
    let answered: Vec<Event> = pair.events(Alice);
    assert_eq!(answered.iter().filter(|event| matches!(event, Event::Answered { .. })).count(), 1, "{answered:?}");
    assert!(matches!(pair.event(Bob), Event::Acknowledged { .. }), "{:?}", pair.kinds());
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
    pair.run(Duration::from_secs(10));
    assert_eq!(pair.ended(Alice, alice).kind, CauseKind::Local);
    assert_eq!(pair.ended(Bob, bob).kind, CauseKind::RemoteHangUp);
    pair.all_gone();
    pair
}

#[test]
fn a_lost_invite_is_sent_again() {
    let pair = call_with_loss(Alice, "INVITE", 2);
    assert_eq!(pair.count(Alice, "INVITE"), 3);
}

#[test]
fn a_lost_180_does_no_harm() {
    call_with_loss(Bob, "180 INVITE", 1);
}

#[test]
fn a_lost_200_is_repeated_by_the_call() {
    let pair = call_with_loss(Bob, "200 INVITE", 3);
    assert_eq!(pair.count(Bob, "200 INVITE"), 4);
    assert_eq!(pair.count(Alice, "ACK"), 1);
}

#[test]
fn a_lost_ack_is_repeated_with_every_200_and_told_once() {
    let pair = call_with_loss(Alice, "ACK", 2);
    assert_eq!(pair.count(Alice, "ACK"), 3);
    let acks: Vec<&str> = pair.log.iter().filter(|packet| packet.kind == "ACK").map(|packet| packet.text.as_str()).collect();
    assert_eq!(acks[0], acks[2], "the same ACK is repeated, not a new one built");
}

#[test]
fn a_lost_bye_is_sent_again() {
    let pair = call_with_loss(Alice, "BYE", 2);
    assert_eq!(pair.count(Alice, "BYE"), 3);
}

#[test]
fn a_lost_200_to_bye_is_repeated() {
    let pair = call_with_loss(Bob, "200 BYE", 1);
    assert_eq!(pair.count(Bob, "200 BYE"), 2);
}

#[test]
fn a_200_without_ack_is_repeated_for_32_s_and_then_the_call_is_hung_up() {
    let mut pair = Pair::new();
    pair.lose(Alice, "ACK", usize::MAX);
    let alice = pair.call();
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.answer(now, bob, ANSWER.to_vec()));
    pair.run(Duration::from_secs(31));
    pair.no_event(Bob);
    pair.run(Duration::from_secs(2));
    assert_eq!(pair.ended(Bob, bob).kind, CauseKind::NoAck);
    assert_eq!(pair.count(Bob, "200 INVITE"), 11, "at 0, .5, 1.5, 3.5, 7.5 and then every 4 s");
    assert_eq!(pair.count(Bob, "BYE"), 1);
    assert!(matches!(pair.event(Alice), Event::Answered { .. }));
    assert_eq!(pair.ended(Alice, alice).kind, CauseKind::RemoteHangUp);
    pair.all_gone();
}

#[test]
fn a_late_repetition_of_the_invite_makes_no_second_call() {
    let mut pair = Pair::new();
    let mut copies = 0;
    pair.set_rule(move |packet| {
        if packet.kind == "INVITE" && copies == 0 {
            copies = 1;
            return Fate::Copies(200);
        }
        Fate::Deliver
    });
    let alice = pair.call();
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.answer(now, bob, ANSWER.to_vec()));
    pair.run(Duration::from_secs(3));
    assert!(matches!(pair.event(Bob), Event::Acknowledged { .. }));
    pair.no_event(Bob);
    assert_eq!(pair.count(Bob, "200 INVITE"), 1, "repetitions after the ACK are absorbed in silence");
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
    pair.settle();
    pair.ended(Bob, bob);
    pair.no_event(Bob);
}

#[test]
fn everything_twice_is_told_once() {
    let mut pair = Pair::new();
    pair.set_rule(|_| Fate::Copies(2));
    let alice = pair.call();
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.ring(now, bob, None));
    pair.settle();
    pair.at(Bob, |endpoint, now| endpoint.answer(now, bob, ANSWER.to_vec()));
    pair.settle();
    // A provisional response carries nothing that tells a repetition from news.
    let told = pair.events(Alice);
    assert_eq!(told.iter().filter(|event| matches!(event, Event::Answered { .. })).count(), 1);
    assert!(matches!(pair.event(Bob), Event::Acknowledged { .. }));
    pair.at(Bob, |endpoint, now| endpoint.hang_up(now, bob, None));
    pair.settle();
    pair.ended(Alice, alice);
    pair.ended(Bob, bob);
    pair.all_gone();
}

#[test]
fn a_180_that_arrives_after_the_200_is_not_told() {
    let mut pair = Pair::new();
    pair.set_rule(|packet| if packet.kind == "180 INVITE" { Fate::Delay(Duration::from_millis(80)) } else { Fate::Deliver });
    pair.call();
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.ring(now, bob, None));
    pair.at(Bob, |endpoint, now| endpoint.answer(now, bob, ANSWER.to_vec()));
    pair.settle();
    assert!(matches!(pair.event(Alice), Event::Answered { .. }));
    pair.no_event(Alice);
}

#[test]
fn a_bye_that_nobody_answers_ends_after_32_s() {
    let mut pair = Pair::new();
    let (alice, _) = pair.talk();
    pair.set_rule(|_| Fate::Lose);
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
    pair.ended(Alice, alice);
    pair.run(Duration::from_secs(33));
    assert!(pair.endpoint(Alice).poll_timeout().is_none() || pair.endpoint(Alice).live_calls() == 0);
    assert_eq!(pair.count(Alice, "BYE"), 11);
}

#[test]
fn a_refusal_is_repeated_until_its_ack() {
    let mut pair = Pair::new();
    pair.lose(Alice, "ACK", 2);
    let alice = pair.call();
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.reject(now, bob, 603, "", Vec::new()));
    pair.ended(Bob, bob);
    pair.run(Duration::from_secs(5));
    assert_eq!(pair.ended(Alice, alice).status, Some(603));
    assert_eq!((pair.count(Bob, "603 INVITE"), pair.count(Alice, "ACK")), (3, 3));
    pair.all_gone();
}
