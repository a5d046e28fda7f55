//! CANCEL and the races around it.

use std::time::Duration;

use dreiklang_sip::event::{CauseKind, Event};

use crate::network::{ANSWER, Alice, Bob, Fate, Pair};

#[test]
fn a_ringing_call_is_canceled_with_200_to_the_cancel_and_487_to_the_invite() {
    let mut pair = Pair::new();
    let alice = pair.call();
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.ring(now, bob, None));
    pair.settle();
    pair.events(Alice);
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, Some("SIP;cause=200;text=\"Call completed elsewhere\"")));
    assert_eq!(pair.ended(Alice, alice).kind, CauseKind::Local);
    pair.settle();
    let cause = pair.ended(Bob, bob);
    assert_eq!((cause.kind, cause.status), (CauseKind::Canceled, Some(487)));
    assert_eq!(cause.reason.as_deref(), Some("SIP;cause=200;text=\"Call completed elsewhere\""));
    assert_eq!(pair.kinds(), [">INVITE", "<180 INVITE", ">CANCEL", "<200 CANCEL", "<487 INVITE", ">ACK"]);
    pair.all_gone();
}

#[test]
fn a_cancel_waits_for_the_first_provisional_response() {
    let mut pair = Pair::new();
    let alice = pair.call();
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
    pair.ended(Alice, alice);
    let bob = pair.incoming();
    assert_eq!(pair.count(Alice, "CANCEL"), 0);
    pair.run(Duration::from_millis(200));
    assert_eq!(pair.kinds(), [">INVITE", "<100 INVITE", ">CANCEL", "<200 CANCEL", "<487 INVITE", ">ACK"]);
    assert_eq!(pair.ended(Bob, bob).kind, CauseKind::Canceled);
    pair.all_gone();
}

#[test]
fn a_200_that_crosses_the_cancel_is_acknowledged_and_hung_up() {
    let mut pair = Pair::new();
    let alice = pair.call();
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.ring(now, bob, None));
    pair.settle();
    pair.events(Alice);
    pair.at(Bob, |endpoint, now| endpoint.answer(now, bob, ANSWER.to_vec()));
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, Some("Q.850;cause=16")));
    pair.settle();
    pair.ended(Alice, alice);
    assert!(matches!(pair.event(Bob), Event::Acknowledged { .. }));
    let cause = pair.ended(Bob, bob);
    assert_eq!((cause.kind, cause.reason.as_deref()), (CauseKind::RemoteHangUp, Some("Q.850;cause=16")));
    assert_eq!(pair.count(Bob, "200 CANCEL"), 1);
    assert_eq!(pair.count(Bob, "487 INVITE"), 0);
    pair.no_event(Alice);
    pair.all_gone();
}

#[test]
fn a_200_to_a_canceled_call_without_any_provisional_is_hung_up_too() {
    let mut pair = Pair::new();
    let alice = pair.call();
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
    pair.ended(Alice, alice);
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.answer(now, bob, ANSWER.to_vec()));
    pair.settle();
    assert!(matches!(pair.event(Bob), Event::Acknowledged { .. }));
    assert_eq!(pair.ended(Bob, bob).kind, CauseKind::RemoteHangUp);
    assert_eq!(pair.kinds(), [">INVITE", "<200 INVITE", ">ACK", ">BYE", "<200 BYE"]);
    pair.all_gone();
}

#[test]
fn a_lost_cancel_is_sent_again() {
    let mut pair = Pair::new();
    let alice = pair.call();
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.ring(now, bob, None));
    pair.settle();
    pair.events(Alice);
    pair.lose(Alice, "CANCEL", 2);
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
    pair.run(Duration::from_secs(2));
    pair.ended(Alice, alice);
    assert_eq!(pair.ended(Bob, bob).kind, CauseKind::Canceled);
    assert_eq!(pair.count(Alice, "CANCEL"), 3);
    pair.all_gone();
}

#[test]
fn a_cancel_without_any_487_gives_up_after_32_s() {
    let mut pair = Pair::new();
    let alice = pair.call();
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.ring(now, bob, None));
    pair.settle();
    pair.events(Alice);
    pair.set_rule(|packet| if packet.kind == "487 INVITE" { Fate::Lose } else { Fate::Deliver });
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
    pair.ended(Alice, alice);
    pair.settle();
    pair.ended(Bob, bob);
    pair.run(Duration::from_secs(33));
    pair.all_gone();
}

#[test]
fn hanging_up_an_unanswered_incoming_call_refuses_it() {
    let mut pair = Pair::new();
    let alice = pair.call();
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.hang_up(now, bob, Some("Q.850;cause=31")));
    assert_eq!(pair.ended(Bob, bob).kind, CauseKind::Local);
    pair.settle();
    let cause = pair.ended(Alice, alice);
    assert_eq!((cause.status, cause.reason.as_deref()), (Some(480), Some("Q.850;cause=31")));
    pair.all_gone();
}

#[test]
fn hanging_up_before_the_ack_waits_for_the_ack_before_the_bye() {
    let mut pair = Pair::new();
    let alice = pair.call();
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.answer(now, bob, ANSWER.to_vec()));
    pair.at(Bob, |endpoint, now| endpoint.hang_up(now, bob, None));
    assert_eq!(pair.ended(Bob, bob).kind, CauseKind::Local);
    assert_eq!(pair.count(Bob, "BYE"), 0);
    pair.settle();
    assert!(matches!(pair.event(Alice), Event::Answered { .. }));
    assert_eq!(pair.ended(Alice, alice).kind, CauseKind::RemoteHangUp);
    assert_eq!(pair.kinds(), [">INVITE", "<200 INVITE", ">ACK", "<BYE", ">200 BYE"]);
    pair.all_gone();
}

#[test]
fn hanging_up_before_an_ack_that_never_comes_says_bye_in_the_end() {
    let mut pair = Pair::new();
    let alice = pair.call();
    let bob = pair.incoming();
    pair.lose(Alice, "ACK", usize::MAX);
    pair.at(Bob, |endpoint, now| endpoint.answer(now, bob, ANSWER.to_vec()));
    pair.at(Bob, |endpoint, now| endpoint.hang_up(now, bob, None));
    pair.ended(Bob, bob);
    pair.run(Duration::from_secs(33));
    assert!(matches!(pair.event(Alice), Event::Answered { .. }));
    assert_eq!(pair.ended(Alice, alice).kind, CauseKind::RemoteHangUp);
    pair.all_gone();
}
