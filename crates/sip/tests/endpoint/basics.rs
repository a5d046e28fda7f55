//! Calls without trouble.

use dreiklang_sip::event::{CauseKind, Event};

use crate::network::{ANSWER, Alice, Bob, OFFER, Pair, invite};

#[test]
fn a_call_is_placed_rung_answered_and_hung_up_by_the_caller() {
    let mut pair = Pair::new();
    let alice = pair.call();
    pair.settle();
    let Event::Incoming { call: bob, request, sdp, hop } = pair.event(Bob) else { panic!("no call") };
    assert_eq!(sdp.as_deref(), Some(OFFER));
    assert_eq!(request.uri.to_string(), "sip:bob@10.0.0.2");
    assert_eq!(hop.remote, Alice.address());
    pair.at(Bob, |endpoint, now| endpoint.ring(now, bob, None));
    pair.settle();
    assert!(matches!(pair.event(Alice), Event::Progress { call, status: 180, sdp: None, .. } if call == alice));
    pair.at(Bob, |endpoint, now| endpoint.answer(now, bob, ANSWER.to_vec()));
    pair.settle();
    let Event::Answered { sdp, .. } = pair.event(Alice) else { panic!("not answered") };
    assert_eq!(sdp.as_deref(), Some(ANSWER));
    assert!(matches!(pair.event(Bob), Event::Acknowledged { sdp: None, .. }));
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, Some("Q.850;cause=16")));
    assert_eq!(pair.ended(Alice, alice).kind, CauseKind::Local);
    pair.settle();
    let cause = pair.ended(Bob, bob);
    assert_eq!((cause.kind, cause.reason.as_deref()), (CauseKind::RemoteHangUp, Some("Q.850;cause=16")));
    assert_eq!(pair.kinds(), [">INVITE", "<180 INVITE", "<200 INVITE", ">ACK", ">BYE", "<200 BYE"]);
    pair.all_gone();
}

#[test]
fn the_callee_can_hang_up_too() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.talk();
    pair.at(Bob, |endpoint, now| endpoint.hang_up(now, bob, None));
    assert_eq!(pair.ended(Bob, bob).kind, CauseKind::Local);
    pair.settle();
    assert_eq!(pair.ended(Alice, alice).kind, CauseKind::RemoteHangUp);
    assert_eq!(pair.kinds(), ["<BYE", ">200 BYE"]);
    pair.all_gone();
}

#[test]
fn a_callee_that_is_known_by_another_name_says_so_throughout() {
    let mut pair = Pair::new();
    pair.call();
    pair.settle();
    let Event::Incoming { call: bob, .. } = pair.event(Bob) else { panic!("no call") };
    let contact = "<sip:sbc.example.com:5061;transport=tls>";
    pair.at(Bob, |endpoint, now| {
        endpoint.set_contact(bob, contact);
        endpoint.ring(now, bob, None);
        endpoint.answer(now, bob, ANSWER.to_vec());
    });
    pair.settle();
    for kind in ["180 INVITE", "200 INVITE"] {
        let text = &pair.last(Bob, kind).text;
        assert!(text.contains(contact), "{text}");
    }
    pair.at(Bob, |endpoint, now| endpoint.reinvite(now, bob, ANSWER.to_vec()));
    pair.settle();
    let text = &pair.last(Bob, "INVITE").text;
    assert!(text.contains(contact), "{text}");
}

#[test]
fn both_sides_can_hang_up_at_the_same_moment() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.talk();
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
    pair.at(Bob, |endpoint, now| endpoint.hang_up(now, bob, None));
    assert_eq!(pair.ended(Alice, alice).kind, CauseKind::Local);
    assert_eq!(pair.ended(Bob, bob).kind, CauseKind::Local);
    pair.settle();
    assert_eq!(pair.count(Alice, "200 BYE") + pair.count(Bob, "200 BYE"), 2);
    pair.all_gone();
}

#[test]
fn a_call_can_be_refused_and_the_refusal_is_acknowledged() {
    let mut pair = Pair::new();
    let alice = pair.call();
    let bob = pair.incoming();
    let extra = vec![("Reason".to_owned(), "Q.850;cause=17".to_owned()), ("Retry-After".to_owned(), "7".to_owned())];
    pair.at(Bob, |endpoint, now| endpoint.reject(now, bob, 486, "Busy", extra));
    assert_eq!(pair.ended(Bob, bob).status, Some(486));
    pair.settle();
    let cause = pair.ended(Alice, alice);
    assert_eq!((cause.kind, cause.status), (CauseKind::Rejected, Some(486)));
    assert_eq!(cause.reason.as_deref(), Some("Q.850;cause=17"));
    assert_eq!(cause.response.unwrap().headers.retry_after_s(), Some(7));
    assert_eq!(pair.kinds(), [">INVITE", "<486 INVITE", ">ACK"]);
    pair.all_gone();
}

#[test]
fn trying_leaves_by_itself_only_when_the_outside_is_slow() {
    let mut pair = Pair::new();
    pair.call();
    let bob = pair.incoming();
    assert_eq!(pair.count(Bob, "100 INVITE"), 0);
    pair.run(std::time::Duration::from_millis(200));
    assert_eq!(pair.count(Bob, "100 INVITE"), 1);
    pair.at(Bob, |endpoint, now| endpoint.reject(now, bob, 404, "", Vec::new()));
    pair.settle();
    assert_eq!(pair.last(Bob, "404 INVITE").text.lines().next(), Some("SIP/2.0 404 Not Found"));
}

#[test]
fn a_long_ringing_call_repeats_its_180_every_minute() {
    let mut pair = Pair::new();
    pair.call();
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.ring(now, bob, None));
    pair.run(std::time::Duration::from_secs(125));
    assert_eq!(pair.count(Bob, "180 INVITE"), 3);
}

#[test]
fn early_media_travels_in_a_183() {
    let mut pair = Pair::new();
    pair.call();
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.ring(now, bob, Some(ANSWER.to_vec())));
    pair.settle();
    let Event::Progress { status, sdp, .. } = pair.event(Alice) else { panic!("no progress") };
    assert_eq!((status, sdp.as_deref()), (183, Some(ANSWER)));
}

#[test]
fn an_ignored_call_is_never_answered_however_often_it_comes() {
    let mut pair = Pair::new();
    let alice = pair.call();
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.ignore(now, bob));
    assert_eq!(pair.ended(Bob, bob).kind, CauseKind::Local);
    pair.drain();
    assert_eq!(pair.count(Alice, "INVITE"), 7);
    assert!(pair.log.iter().all(|packet| packet.from == Alice), "{:?}", pair.kinds());
    let cause = pair.ended(Alice, alice);
    assert_eq!((cause.kind, cause.status), (CauseKind::Timeout, Some(408)));
    pair.all_gone();
}

#[test]
fn an_invite_without_offer_gets_the_offer_in_the_200_and_the_answer_in_the_ack() {
    let mut pair = Pair::new();
    let alice = pair.at(Alice, |endpoint, now| endpoint.invite(now, invite(None)));
    pair.settle();
    let Event::Incoming { call: bob, sdp: None, .. } = pair.event(Bob) else { panic!("no offerless call") };
    pair.at(Bob, |endpoint, now| endpoint.answer(now, bob, OFFER.to_vec()));
    pair.settle();
    let Event::Answered { sdp, .. } = pair.event(Alice) else { panic!("not answered") };
    assert_eq!(sdp.as_deref(), Some(OFFER));
    assert_eq!(pair.count(Alice, "ACK"), 0, "the ACK waits for the answer");
    pair.at(Alice, |endpoint, now| endpoint.acknowledge(now, alice, Some(ANSWER.to_vec())));
    pair.settle();
    let Event::Acknowledged { sdp, .. } = pair.event(Bob) else { panic!("not acknowledged") };
    assert_eq!(sdp.as_deref(), Some(ANSWER));
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
    pair.ended(Alice, alice);
    pair.settle();
    pair.ended(Bob, bob);
    pair.all_gone();
}

#[test]
fn a_call_that_rings_too_long_is_canceled() {
    let mut pair = Pair::new();
    let mut wish = invite(Some(OFFER));
    wish.ring_limit = std::time::Duration::from_secs(20);
    let alice = pair.at(Alice, |endpoint, now| endpoint.invite(now, wish));
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.ring(now, bob, None));
    pair.run(std::time::Duration::from_secs(21));
    assert!(matches!(pair.event(Alice), Event::Progress { .. }));
    assert_eq!(pair.ended(Alice, alice).kind, CauseKind::NoAnswer);
    assert_eq!(pair.ended(Bob, bob).kind, CauseKind::Canceled);
    pair.all_gone();
}

#[test]
fn a_silent_peer_is_given_up_early_when_a_reply_limit_is_set() {
    let mut pair = Pair::new();
    pair.lose(Alice, "INVITE", 100);
    let mut wish = invite(Some(OFFER));
    wish.reply_limit = Some(std::time::Duration::from_secs(5));
    let alice = pair.at(Alice, |endpoint, now| endpoint.invite(now, wish));
    pair.run(std::time::Duration::from_secs(5));
    assert_eq!(pair.ended(Alice, alice).kind, CauseKind::Timeout);
    pair.all_gone();
}
