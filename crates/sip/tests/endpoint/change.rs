//! Changing a running session.

use std::time::Duration;

use dreiklang_sip::event::{CauseKind, Event};

use crate::network::{ANSWER, Alice, Bob, OFFER, Pair};

const HOLD: &[u8] = b"v=0\r\ns=hold\r\na=inactive\r\n";
const HELD: &[u8] = b"v=0\r\ns=held\r\na=inactive\r\n";

#[test]
fn a_call_is_held_and_resumed() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.talk();
    for (offer, answer) in [(HOLD, HELD), (OFFER, ANSWER)] {
        pair.at(Alice, |endpoint, now| endpoint.reinvite(now, alice, offer.to_vec()));
        pair.settle();
        let Event::Reinvite { call, sdp } = pair.event(Bob) else { panic!("no re-INVITE") };
        assert_eq!((call, sdp.as_deref()), (bob, Some(offer)));
        pair.at(Bob, |endpoint, now| endpoint.answer_reinvite(now, bob, Ok(answer.to_vec())));
        pair.settle();
        let Event::ReinviteAnswered { sdp, .. } = pair.event(Alice) else { panic!("not answered") };
        assert_eq!(sdp.as_deref(), Some(answer));
        pair.no_event(Bob);
        assert_eq!(pair.kinds(), [">INVITE", "<200 INVITE", ">ACK"]);
        pair.clear_log();
    }
}

#[test]
fn the_callee_can_hold_too() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.talk();
    pair.at(Bob, |endpoint, now| endpoint.reinvite(now, bob, HOLD.to_vec()));
    pair.settle();
    assert!(matches!(pair.event(Alice), Event::Reinvite { .. }));
    pair.at(Alice, |endpoint, now| endpoint.answer_reinvite(now, alice, Ok(HELD.to_vec())));
    pair.settle();
    assert!(matches!(pair.event(Bob), Event::ReinviteAnswered { .. }));
}

#[test]
fn a_refused_change_leaves_the_call_as_it_was() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.talk();
    pair.at(Alice, |endpoint, now| endpoint.reinvite(now, alice, HOLD.to_vec()));
    pair.settle();
    pair.event(Bob);
    pair.at(Bob, |endpoint, now| endpoint.answer_reinvite(now, bob, Err(488)));
    pair.settle();
    assert!(matches!(pair.event(Alice), Event::ReinviteFailed { status: 488, .. }));
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
    pair.settle();
    pair.ended(Alice, alice);
    assert_eq!(pair.ended(Bob, bob).kind, CauseKind::RemoteHangUp);
    pair.all_gone();
}

#[test]
fn a_refused_change_says_why() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.talk();
    pair.at(Alice, |endpoint, now| endpoint.reinvite(now, alice, HOLD.to_vec()));
    pair.settle();
    pair.event(Bob);
    let warning = "305 bob.example \"no codec that both know\"";
    pair.at(Bob, |endpoint, now| endpoint.refuse_reinvite(now, bob, 488, warning));
    pair.settle();
    assert!(matches!(pair.event(Alice), Event::ReinviteFailed { status: 488, .. }));
    let refusal = &pair.last(Bob, "488 INVITE").text;
    assert!(refusal.contains(&format!("Warning: {warning}\r\n")), "{refusal}");
}

#[test]
fn when_both_change_at_once_both_are_refused_with_491_and_both_succeed_later() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.talk();
    pair.at(Alice, |endpoint, now| endpoint.reinvite(now, alice, HOLD.to_vec()));
    pair.at(Bob, |endpoint, now| endpoint.reinvite(now, bob, HELD.to_vec()));
    pair.settle();
    assert_eq!((pair.count(Alice, "491 INVITE"), pair.count(Bob, "491 INVITE")), (1, 1));
    let mut changes = Vec::new();
    for _ in 0..60 {
        pair.run(Duration::from_millis(100));
        for (side, call) in [(Alice, alice), (Bob, bob)] {
            for event in pair.events(side) {
                match event {
                    Event::Reinvite { .. } => {
                        pair.at(side, |endpoint, now| endpoint.answer_reinvite(now, call, Ok(ANSWER.to_vec())));
                    }
                    Event::ReinviteAnswered { .. } => changes.push(side),
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    assert_eq!(changes, [Bob, Alice], "who owns the Call-ID waits longer");
}

#[test]
fn wishes_made_during_a_change_are_merged_into_one() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.talk();
    for offer in [HOLD, OFFER, HELD] {
        pair.at(Alice, |endpoint, now| endpoint.reinvite(now, alice, offer.to_vec()));
    }
    for expected in [HOLD, HELD] {
        pair.settle();
        let Event::Reinvite { sdp, .. } = pair.event(Bob) else { panic!("no re-INVITE") };
        assert_eq!(sdp.as_deref(), Some(expected));
        pair.at(Bob, |endpoint, now| endpoint.answer_reinvite(now, bob, Ok(ANSWER.to_vec())));
    }
    pair.settle();
    assert_eq!(pair.count(Alice, "INVITE"), 2);
}

#[test]
fn a_change_wished_before_the_ack_leaves_after_it() {
    let mut pair = Pair::new();
    pair.call();
    let bob = pair.incoming();
    pair.lose(Alice, "ACK", 1);
    pair.at(Bob, |endpoint, now| endpoint.answer(now, bob, ANSWER.to_vec()));
    pair.at(Bob, |endpoint, now| endpoint.reinvite(now, bob, HOLD.to_vec()));
    pair.settle();
    assert_eq!(pair.count(Bob, "INVITE"), 0);
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.count(Bob, "INVITE"), 1);
}

#[test]
fn lost_messages_of_a_change_are_made_good() {
    for (side, kind) in [(Alice, "INVITE"), (Bob, "200 INVITE"), (Alice, "ACK")] {
        let mut pair = Pair::new();
        let (alice, bob) = pair.talk();
        pair.lose(side, kind, 2);
        pair.at(Alice, |endpoint, now| endpoint.reinvite(now, alice, HOLD.to_vec()));
        pair.run(Duration::from_secs(3));
        assert!(matches!(pair.event(Bob), Event::Reinvite { .. }));
        pair.at(Bob, |endpoint, now| endpoint.answer_reinvite(now, bob, Ok(HELD.to_vec())));
        pair.run(Duration::from_secs(3));
        assert!(matches!(pair.event(Alice), Event::ReinviteAnswered { .. }), "{kind}");
        pair.no_event(Alice);
        pair.no_event(Bob);
        pair.at(Bob, |endpoint, now| endpoint.hang_up(now, bob, None));
        pair.settle();
        pair.ended(Alice, alice);
        pair.ended(Bob, bob);
        pair.all_gone();
    }
}

#[test]
fn a_change_whose_ack_never_comes_ends_the_call() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.talk();
    pair.lose(Alice, "ACK", usize::MAX);
    pair.at(Alice, |endpoint, now| endpoint.reinvite(now, alice, HOLD.to_vec()));
    pair.settle();
    pair.event(Bob);
    pair.at(Bob, |endpoint, now| endpoint.answer_reinvite(now, bob, Ok(HELD.to_vec())));
    pair.run(Duration::from_secs(33));
    assert_eq!(pair.ended(Bob, bob).kind, CauseKind::NoAck);
    pair.event(Alice);
    assert_eq!(pair.ended(Alice, alice).kind, CauseKind::RemoteHangUp);
    pair.all_gone();
}

#[test]
fn a_change_that_nobody_answers_ends_the_call() {
    let mut pair = Pair::new();
    let (alice, _) = pair.talk();
    pair.lose(Alice, "INVITE", usize::MAX);
    pair.at(Alice, |endpoint, now| endpoint.reinvite(now, alice, HOLD.to_vec()));
    pair.run(Duration::from_secs(33));
    let cause = pair.ended(Alice, alice);
    assert_eq!((cause.kind, cause.status), (CauseKind::Timeout, Some(408)));
    assert_eq!(pair.count(Alice, "BYE"), 1);
}

#[test]
fn a_change_that_the_outside_forgets_is_refused_in_time() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.talk();
    pair.at(Alice, |endpoint, now| endpoint.reinvite(now, alice, HOLD.to_vec()));
    pair.run(Duration::from_secs(31));
    assert!(matches!(pair.event(Bob), Event::Reinvite { .. }));
    assert!(matches!(pair.event(Alice), Event::ReinviteFailed { status: 500, .. }));
    pair.at(Bob, |endpoint, now| endpoint.answer_reinvite(now, bob, Ok(HELD.to_vec())));
    pair.settle();
    pair.no_event(Alice);
}

#[test]
fn hanging_up_during_a_change_of_the_peer_answers_it_first() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.talk();
    pair.at(Alice, |endpoint, now| endpoint.reinvite(now, alice, HOLD.to_vec()));
    pair.settle();
    pair.event(Bob);
    pair.at(Bob, |endpoint, now| endpoint.hang_up(now, bob, None));
    pair.settle();
    assert_eq!(pair.kinds(), [">INVITE", "<487 INVITE", "<BYE", ">ACK", ">200 BYE"]);
    pair.ended(Bob, bob);
    assert!(matches!(pair.event(Alice), Event::ReinviteFailed { status: 487, .. }));
    pair.ended(Alice, alice);
    pair.all_gone();
}

#[test]
fn hanging_up_during_a_change_of_ours_needs_no_patience() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.talk();
    pair.at(Alice, |endpoint, now| endpoint.reinvite(now, alice, HOLD.to_vec()));
    pair.settle();
    pair.event(Bob);
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
    pair.settle();
    pair.ended(Alice, alice);
    assert_eq!(pair.ended(Bob, bob).kind, CauseKind::RemoteHangUp);
    assert_eq!(pair.count(Bob, "487 INVITE"), 1);
    pair.all_gone();
}
