//! REFER and its NOTIFYs.

use std::time::Duration;

use dreiklang_sip::event::{CauseKind, Event};

use crate::network::{Alice, Bob, Fate, Pair};

const TARGET: &str = "<sip:sip.pstnhub.microsoft.com:5061;transport=tls;x-m=8:orgid:dfcba638>";
const REFERRED_BY: &str = "<sip:sip.pstnhub.microsoft.com:5061;x-t=1;x-tt=aHR0cHM6Ly9h%3D>";

fn referred() -> (Pair, dreiklang_sip::event::CallId, dreiklang_sip::event::CallId) {
    let mut pair = Pair::new();
    let (alice, bob) = pair.talk();
    assert!(pair.at(Alice, |endpoint, now| endpoint.refer(now, alice, TARGET, Some(REFERRED_BY))));
    pair.settle();
    let Event::Refer { call, refer_to, referred_by, replaces } = pair.event(Bob) else { panic!("no REFER") };
    assert_eq!((call, refer_to.as_str(), referred_by.as_deref()), (bob, TARGET, Some(REFERRED_BY)));
    assert_eq!(replaces, None);
    (pair, alice, bob)
}

fn progress(pair: &mut Pair) -> Vec<(u16, bool)> {
    pair.events(Alice)
        .into_iter()
        .map(|event| match event {
            Event::ReferProgress { status, terminated, .. } => (status, terminated),
            Event::ReferAnswered { status, .. } => (status, false),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_refer_is_accepted_with_202_and_its_notifies_arrive_in_order() {
    let (mut pair, alice, bob) = referred();
    pair.clear_log();
    pair.at(Bob, |endpoint, now| endpoint.answer_refer(now, bob, Ok(())));
    pair.at(Bob, |endpoint, now| endpoint.notify_refer(now, bob, 180, ""));
    pair.at(Bob, |endpoint, now| endpoint.notify_refer(now, bob, 200, "OK"));
    pair.settle();
    assert_eq!(pair.kinds(), ["<202 REFER", "<NOTIFY", ">200 NOTIFY", "<NOTIFY", ">200 NOTIFY", "<NOTIFY", ">200 NOTIFY"]);
    assert_eq!(progress(&mut pair), [(202, false), (100, false), (180, false), (200, true)]);
    let last = pair.last(Bob, "NOTIFY");
    assert!(last.text.contains("Subscription-State: terminated;reason=noresource\r\n"), "{}", last.text);
    assert!(last.text.contains("Event: refer\r\n"));
    assert!(last.text.ends_with("\r\n\r\nSIP/2.0 200 OK\r\n"));
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
    pair.settle();
    pair.ended(Alice, alice);
    assert_eq!(pair.ended(Bob, bob).kind, CauseKind::RemoteHangUp);
    pair.all_gone();
}

#[test]
fn a_lost_notify_holds_back_those_after_it() {
    let (mut pair, _, bob) = referred();
    pair.lose(Bob, "NOTIFY", 1);
    pair.at(Bob, |endpoint, now| endpoint.answer_refer(now, bob, Ok(())));
    pair.at(Bob, |endpoint, now| endpoint.notify_refer(now, bob, 200, "OK"));
    pair.run(Duration::from_secs(2));
    assert_eq!(progress(&mut pair), [(202, false), (100, false), (200, true)]);
}

#[test]
fn hanging_up_lets_the_last_notify_arrive_before_the_bye() {
    let (mut pair, alice, bob) = referred();
    pair.clear_log();
    pair.at(Bob, |endpoint, now| endpoint.answer_refer(now, bob, Ok(())));
    pair.at(Bob, |endpoint, now| endpoint.notify_refer(now, bob, 200, "OK"));
    pair.at(Bob, |endpoint, now| endpoint.hang_up(now, bob, None));
    pair.ended(Bob, bob);
    pair.settle();
    assert_eq!(pair.kinds(), ["<202 REFER", "<NOTIFY", ">200 NOTIFY", "<NOTIFY", ">200 NOTIFY", "<BYE", ">200 BYE"]);
    pair.events(Alice);
    let _ = alice;
    pair.all_gone();
}

#[test]
fn a_bye_does_not_wait_for_lost_notifies_forever() {
    let (mut pair, _, bob) = referred();
    pair.set_rule(|packet| if packet.kind == "NOTIFY" { Fate::Lose } else { Fate::Deliver });
    pair.at(Bob, |endpoint, now| endpoint.answer_refer(now, bob, Ok(())));
    pair.at(Bob, |endpoint, now| endpoint.hang_up(now, bob, None));
    pair.run(Duration::from_secs(5));
    assert_eq!(pair.count(Bob, "BYE"), 1);
    pair.ended(Bob, bob);
    pair.events(Alice);
    pair.all_gone();
}

#[test]
fn a_refer_can_be_refused_and_another_one_follow() {
    let (mut pair, alice, bob) = referred();
    pair.at(Bob, |endpoint, now| endpoint.answer_refer(now, bob, Err(603)));
    pair.settle();
    assert_eq!(progress(&mut pair), [(603, false)]);
    assert!(pair.at(Alice, |endpoint, now| endpoint.refer(now, alice, TARGET, None)));
    pair.settle();
    assert!(matches!(pair.event(Bob), Event::Refer { .. }));
    pair.at(Bob, |endpoint, now| endpoint.answer_refer(now, bob, Ok(())));
    pair.settle();
    assert!(pair.last(Bob, "NOTIFY").text.contains("Event: refer;id="), "the second subscription is told apart");
}

#[test]
fn a_second_refer_during_the_first_is_refused_with_491() {
    let (mut pair, alice, bob) = referred();
    assert!(!pair.at(Alice, |endpoint, now| endpoint.refer(now, alice, TARGET, None)), "one at a time on our side");
    pair.at(Bob, |endpoint, now| endpoint.answer_refer(now, bob, Ok(())));
    pair.settle();
    progress(&mut pair);
    pair.no_event(Bob);
}

#[test]
fn a_subscription_without_outcome_is_terminated_after_three_minutes() {
    let (mut pair, _, bob) = referred();
    pair.at(Bob, |endpoint, now| endpoint.answer_refer(now, bob, Ok(())));
    pair.run(Duration::from_secs(181));
    assert!(pair.last(Bob, "NOTIFY").text.contains("Subscription-State: terminated;reason=timeout"));
    assert_eq!(progress(&mut pair).last(), Some(&(100, true)));
}

#[test]
fn a_refer_that_the_outside_forgets_is_refused_in_time() {
    let (mut pair, _, _) = referred();
    pair.run(Duration::from_secs(31));
    assert_eq!(progress(&mut pair), [(500, false)]);
}

#[test]
fn replaces_in_refer_to_names_a_call_of_the_peer() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.talk();
    let named = pair.endpoint(Alice).replaces_of(alice).unwrap();
    assert_eq!(pair.endpoint(Bob).call_replaced_by(&named), Some(bob));
    let target = format!("<sip:bob@10.0.0.2?Replaces={}%3Bto-tag%3D{}%3Bfrom-tag%3D{}>", named.call_id, named.to_tag, named.from_tag);
    pair.at(Alice, |endpoint, now| endpoint.refer(now, alice, &target, None));
    pair.settle();
    let Event::Refer { replaces, .. } = pair.event(Bob) else { panic!("no REFER") };
    assert_eq!(replaces, Some(named.clone()));
    let wrong = dreiklang_sip::call::replaces::Replaces { from_tag: "other".into(), ..named };
    assert_eq!(pair.endpoint(Bob).call_replaced_by(&wrong), None);
}
