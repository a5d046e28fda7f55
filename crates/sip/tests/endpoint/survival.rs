//! Crashes, transport errors, requests outside calls.

use std::time::Duration;

use dreiklang_sip::event::{CauseKind, Event, RequestFailed};
use dreiklang_sip::hop::{ConnectionId, Hop};
use dreiklang_sip::message::{Method, Request, Uri};

use crate::network::{Alice, Bob, Fate, OFFER, Pair, invite};

#[test]
fn a_call_of_a_crashed_process_is_ended_by_its_token() {
    for crashed in [Alice, Bob] {
        let mut pair = Pair::new();
        let (alice, bob) = pair.talk();
        let (call, survivor) = if crashed == Alice { (alice, bob) } else { (bob, alice) };
        let token = pair.endpoint(crashed).dialog_token(call).unwrap();
        assert!(!token.contains('\n'));
        pair.restart(crashed);
        pair.at(crashed, |endpoint, now| endpoint.end_ghost(now, &token)).unwrap();
        pair.settle();
        assert_eq!(pair.ended(crashed.other(), survivor).kind, CauseKind::RemoteHangUp);
        assert_eq!(pair.count(crashed.other(), "200 BYE"), 1);
        pair.all_gone();
    }
}

#[test]
fn requests_to_a_restarted_endpoint_are_481_and_end_the_call() {
    let mut pair = Pair::new();
    let (alice, _) = pair.talk();
    pair.restart(Bob);
    pair.at(Alice, |endpoint, now| endpoint.reinvite(now, alice, OFFER.to_vec()));
    pair.settle();
    let cause = pair.ended(Alice, alice);
    assert_eq!((cause.kind, cause.status), (CauseKind::Lost, Some(481)));
    pair.all_gone();
}

#[test]
fn a_transport_error_ends_a_call_that_is_being_placed() {
    let mut pair = Pair::new();
    pair.set_rule(|_| Fate::Lose);
    let alice = pair.call();
    pair.at(Alice, |endpoint, now| endpoint.handle_transport_error(now, &Hop::udp(Bob.address())));
    let cause = pair.ended(Alice, alice);
    assert_eq!((cause.kind, cause.status), (CauseKind::TransportError, Some(503)));
    pair.all_gone();
}

#[test]
fn a_transport_error_elsewhere_touches_nothing() {
    let mut pair = Pair::new();
    pair.call();
    for hop in [Hop::udp("10.0.0.3:5060".parse().unwrap()), Hop::tcp(Bob.address())] {
        pair.at(Alice, |endpoint, now| endpoint.handle_transport_error(now, &hop));
    }
    pair.no_event(Alice);
}

#[test]
fn a_ringing_call_survives_a_transport_error() {
    let mut pair = Pair::new();
    pair.call();
    let bob = pair.incoming();
    pair.at(Bob, |endpoint, now| endpoint.ring(now, bob, None));
    pair.settle();
    pair.event(Alice);
    pair.at(Alice, |endpoint, now| endpoint.handle_transport_error(now, &Hop::udp(Bob.address())));
    pair.no_event(Alice);
}

#[test]
fn an_established_call_ends_when_its_next_request_cannot_be_sent() {
    let mut pair = Pair::new();
    let (alice, _) = pair.talk();
    pair.at(Alice, |endpoint, now| endpoint.handle_transport_error(now, &Hop::udp(Bob.address())));
    pair.no_event(Alice);
    pair.set_rule(|_| Fate::Lose);
    pair.at(Alice, |endpoint, now| endpoint.reinvite(now, alice, OFFER.to_vec()));
    pair.at(Alice, |endpoint, now| endpoint.handle_transport_error(now, &Hop::udp(Bob.address())));
    assert_eq!(pair.ended(Alice, alice).kind, CauseKind::TransportError);
}

#[test]
fn the_end_of_a_stream_fails_what_waits_on_it_and_nothing_else() {
    let mut peer = crate::peer::Peer::new();
    let over = |connection: Option<u64>| {
        let mut hop = Hop::tcp(Alice.address());
        hop.connection = connection.map(ConnectionId);
        hop
    };
    let mut call = |connection: Option<u64>| {
        let mut wish = invite(Some(OFFER));
        wish.hop = over(connection);
        peer.act(|endpoint, now| endpoint.invite(now, wish))
    };
    let (first, second, dialing) = (call(Some(1)), call(Some(2)), call(None));
    let ended = |peer: &mut crate::peer::Peer, hop: Hop| -> Vec<_> {
        peer.act(|endpoint, now| endpoint.handle_transport_error(now, &hop));
        peer.events
            .drain(..)
            .filter_map(|event| match event {
                Event::Ended { call, cause } if cause.kind == CauseKind::TransportError => Some(call),
                _ => None,
            })
            .collect()
    };
    let mut elsewhere = over(Some(1));
    elsewhere.remote = "10.0.0.1:49999".parse().unwrap();
    let sent = peer.hops.len();
    assert!(ended(&mut peer, elsewhere).is_empty(), "the machine may still be there");
    assert_eq!(peer.hops[sent..], [over(None)], "what was lost with its connection is dialed once");
    assert_eq!(ended(&mut peer, over(None)), [first, dialing], "it is not");
    assert!(ended(&mut peer, over(Some(2))).is_empty());
    assert_eq!(ended(&mut peer, over(None)), [second]);
    peer.run(Duration::from_secs(40));
    assert!(peer.endpoint.is_idle());
}

#[test]
fn a_request_outside_calls_is_completed_sent_and_answered() {
    let mut pair = Pair::new();
    let request = Request::new(Method::Options, Uri::parse("sip:10.0.0.2").unwrap());
    let id = pair.at(Alice, |endpoint, now| endpoint.request(now, request, Hop::udp(Bob.address())));
    pair.settle();
    let Event::Response { id: answered, result } = pair.event(Alice) else { panic!("no response") };
    assert_eq!((answered, result.unwrap().status), (id, 200));
    pair.all_gone();
}

#[test]
fn a_request_outside_calls_fails_after_32_s_of_silence() {
    let mut pair = Pair::new();
    pair.set_rule(|_| Fate::Lose);
    let request = Request::new(Method::Options, Uri::parse("sip:10.0.0.2").unwrap());
    pair.at(Alice, |endpoint, now| endpoint.request(now, request, Hop::udp(Bob.address())));
    pair.run(Duration::from_secs(31));
    pair.no_event(Alice);
    pair.run(Duration::from_secs(1));
    assert!(matches!(pair.event(Alice), Event::Response { result: Err(RequestFailed::TimedOut), .. }));
    pair.all_gone();
}

#[test]
fn wishes_about_ended_calls_are_void() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.talk();
    pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
    pair.settle();
    pair.ended(Alice, alice);
    pair.ended(Bob, bob);
    pair.clear_log();
    for call in [alice, bob] {
        for side in [Alice, Bob] {
            pair.at(side, |endpoint, now| {
                endpoint.ring(now, call, None);
                endpoint.answer(now, call, OFFER.to_vec());
                endpoint.reject(now, call, 486, "", Vec::new());
                endpoint.ignore(now, call);
                endpoint.reinvite(now, call, OFFER.to_vec());
                endpoint.answer_reinvite(now, call, Ok(OFFER.to_vec()));
                endpoint.answer_refer(now, call, Ok(()));
                endpoint.notify_refer(now, call, 200, "");
                endpoint.acknowledge(now, call, None);
                endpoint.hang_up(now, call, None);
                assert!(!endpoint.refer(now, call, "<sip:a@b>", None));
            });
        }
    }
    assert!(pair.log.is_empty(), "{:?}", pair.kinds());
    pair.all_gone();
}

#[test]
fn hanging_up_at_any_moment_tells_the_end_exactly_once() {
    // The caller hangs up after every possible number of milliseconds of a call set-up.
    for moment in 0..60 {
        let mut pair = Pair::new();
        let alice = pair.at(Alice, |endpoint, now| endpoint.invite(now, invite(Some(OFFER))));
        let mut told = [0, 0];
        let mut hung_up = false;
        for millisecond in 0..100 {
            pair.run(Duration::from_millis(1));
            if millisecond == moment {
                pair.at(Alice, |endpoint, now| endpoint.hang_up(now, alice, None));
                hung_up = true;
            }
            for event in pair.events(Bob) {
                match event {
                    Event::Incoming { call, .. } => pair.at(Bob, |endpoint, now| {
                        endpoint.ring(now, call, None);
                        endpoint.answer(now, call, OFFER.to_vec());
                    }),
                    Event::Ended { .. } => told[1] += 1,
                    _ => {}
                }
            }
            told[0] += pair.events(Alice).iter().filter(|event| matches!(event, Event::Ended { .. })).count();
        }
        assert!(hung_up);
        assert_eq!(told, [1, 1], "hung up after {moment} ms: {:?}", pair.kinds());
        pair.all_gone();
    }
}
