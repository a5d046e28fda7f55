//! Session timers end to end.

use std::time::Duration;

use dreiklang_sip::event::{CauseKind, Event};

use crate::network::{ANSWER, Alice, Bob, Fate, OFFER, Pair, Side, config};

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

#[test]
fn an_established_call_is_refreshed_by_update_at_half_time_and_lives_on() {
    let mut pair = Pair::new();
    pair.talk();
    pair.run(minutes(16));
    assert_eq!(pair.kinds(), [">UPDATE", "<200 UPDATE"]);
    pair.run(minutes(180));
    pair.no_event(Alice);
    pair.no_event(Bob);
}

#[test]
fn a_refresh_whose_answers_are_lost_ends_the_call_for_the_refresher() {
    let mut pair = Pair::new();
    let (alice, _) = pair.talk();
    pair.set_rule(|packet| if packet.from == Bob { Fate::Lose } else { Fate::Deliver });
    pair.run(minutes(16));
    assert_eq!(pair.ended(Alice, alice).kind, CauseKind::Timeout);
}

#[test]
fn the_other_side_hangs_up_when_no_refresh_comes() {
    let mut pair = Pair::new();
    let (_, bob) = pair.talk();
    pair.set_rule(|packet| if packet.from == Alice { Fate::Lose } else { Fate::Deliver });
    pair.run(minutes(30));
    assert_eq!(pair.ended(Bob, bob).kind, CauseKind::SessionExpired);
    assert_eq!(pair.count(Bob, "BYE"), 11, "a BYE is a transaction like any other");
    let bye = pair.log.iter().find(|packet| packet.kind == "BYE").unwrap();
    assert!(bye.text.contains("Reason: SIP;cause=408"));
}

#[test]
fn a_peer_without_update_is_refreshed_by_a_re_invite_with_the_same_sdp() {
    let mut pair = Pair::new();
    // Bob's messages lose their Allow on the way, as if he had none.
    let (alice, bob) = without_update(&mut pair);
    pair.clear_log();
    pair.run(minutes(16));
    let Event::Reinvite { call, sdp } = pair.event(Bob) else { panic!("no refresh: {:?}", pair.kinds()) };
    assert_eq!((call, sdp.as_deref()), (bob, Some(OFFER)));
    pair.at(Bob, |endpoint, now| endpoint.answer_reinvite(now, bob, Ok(ANSWER.to_vec())));
    pair.settle();
    pair.no_event(Alice);
    assert_eq!(pair.kinds().last().map(String::as_str), Some(">ACK"));
    let _ = alice;
}

/// A call in which Alice is told that Bob cannot do UPDATE.
fn without_update(pair: &mut Pair) -> (dreiklang_sip::event::CallId, dreiklang_sip::event::CallId) {
    let (alice, bob) = pair.talk();
    // The next answer of Bob carries an Allow without UPDATE: a re-INVITE of Alice, answered by hand.
    pair.rewrite(Bob, |text| text.replace(", UPDATE", ""));
    pair.at(Alice, |endpoint, now| endpoint.reinvite(now, alice, OFFER.to_vec()));
    pair.settle();
    pair.events(Bob);
    pair.at(Bob, |endpoint, now| endpoint.answer_reinvite(now, bob, Ok(ANSWER.to_vec())));
    pair.settle();
    pair.events(Alice);
    (alice, bob)
}

#[test]
fn an_interval_that_is_too_short_for_the_peer_is_raised_after_422() {
    let mut short = config(Alice);
    short.session_expires = Some(Duration::from_secs(300));
    let mut strict = config(Bob);
    strict.session_expires_min = Duration::from_secs(600);
    let mut pair = Pair::with(short, strict);
    pair.call();
    pair.settle();
    assert_eq!(pair.kinds(), [">INVITE", "<422 INVITE", ">ACK", ">INVITE"]);
    let second = pair.last(Alice, "INVITE");
    assert!(second.text.contains("Session-Expires: 600\r\n") && second.text.contains("Min-SE: 600\r\n"));
    assert!(second.text.contains("CSeq: 2 INVITE"));
    assert!(matches!(pair.event(Bob), Event::Incoming { .. }));
    pair.no_event(Alice);
}

#[test]
fn without_session_timers_on_one_side_nothing_is_refreshed() {
    for side in [Alice, Bob] {
        let plain = |wanted: Side| {
            let mut config = config(wanted);
            if wanted == side {
                config.session_expires = None;
            }
            config
        };
        let mut pair = Pair::with(plain(Alice), plain(Bob));
        pair.talk();
        pair.run(minutes(120));
        assert_eq!(pair.kinds(), Vec::<String>::new());
    }
}
