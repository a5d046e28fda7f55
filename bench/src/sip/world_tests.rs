//! The world against itself over a network in memory that loses what the test says, on a clock of its own.

use super::*;
use crate::{
    sip::{outbox::Outgoing, phone::Pattern, scenario, scenario::HangUp},
    timers::{Clock, MS},
};
use dreiklang_sip::{
    digest::{Challenger, Secret, Verdict},
    message::{Request, Response, parse_datagram},
};
use std::{collections::VecDeque, time::Instant};

struct Network {
    world: World,
    now: Nanos,
    wire: VecDeque<Outgoing>,
    carried: u64,
    scenario: Arc<Scenario>,
}

impl Network {
    fn new(scenario: Scenario, phones: Phones) -> Network {
        let scenario = Arc::new(scenario);
        let audio = Arc::new(Audio::open(scenario.answer_address.ip(), Clock::start(), false).unwrap());
        let world = World::new(scenario.clone(), audio, Uri::parse("sip:bench0001@127.0.0.1").unwrap(), phones);
        Network { world, now: 0, wire: VecDeque::new(), carried: 0, scenario }
    }

    /// The callers' peer is our own answering side.
    fn direct(hang_up: HangUp) -> Network {
        let mut scenario = scenario::sample();
        scenario.peer = scenario.answer_address;
        scenario.hang_up = hang_up;
        Network::new(scenario, Phones::new(None, 0, ""))
    }

    fn call(&mut self, count: u64) {
        self.world.begin(Pace { from: self.now, rate: 100.0, until: Nanos::MAX, count, measured_from: 0, measured_to: Nanos::MAX });
    }

    /// Lets messages and time pass until nothing is left to do or `limit` is over.
    fn run(&mut self, limit: Nanos, mut is_lost: impl FnMut(u64, &Outgoing) -> bool) {
        let end = self.now + limit;
        loop {
            self.wire.extend(self.world.io.messages.drain(..));
            if let Some(message) = self.wire.pop_front() {
                self.carried += 1;
                if is_lost(self.carried, &message) {
                    continue;
                }
                let from = if message.side == Side::Caller { self.scenario.caller_address } else { self.scenario.answer_address };
                let side = if message.to == self.scenario.caller_address { Side::Caller } else { Side::Answerer };
                self.world.on_message(self.now, side, from, &parse_datagram(&message.bytes).unwrap());
                continue;
            }
            match self.world.next_due() {
                Some(due) if due <= end => self.now = self.now.max(due),
                _ => return,
            }
            self.world.on_time(self.now);
        }
    }

    fn tally(&self) -> &Tally {
        &self.world.io.tally
    }
}

#[test]
fn every_call_is_connected_and_ended_on_a_good_network() {
    for hang_up in [HangUp::Caller, HangUp::Answerer] {
        let mut network = Network::direct(hang_up);
        network.call(50);
        network.run(60 * SECOND, |_, _| false);
        let tally = network.tally();
        assert_eq!(
            (tally.offered, tally.answered, tally.connected, tally.completed, tally.failed),
            (50, 50, 50, 50, 0),
            "{}",
            tally.causes_text()
        );
        assert_eq!((tally.repeats_sent, tally.repeats_seen, tally.unmatched, network.carried), (0, 0, 0, 50 * 5));
        assert_eq!((network.world.callers.live, network.world.callers.open, network.world.answerers.live), (0, 0, 0));
    }
}

#[test]
fn lost_messages_are_repeated_until_every_call_is_through() {
    for hang_up in [HangUp::Caller, HangUp::Answerer] {
        let mut network = Network::direct(hang_up);
        network.call(200);
        // One message in eight is lost, without a pattern that could hit the same call again and again.
        network.run(120 * SECOND, |count, _| count.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61 == 0);
        let tally = network.tally();
        assert_eq!((tally.completed, tally.failed), (200, 0), "{hang_up:?}: {}", tally.causes_text());
        assert!(tally.repeats_sent > 50, "{}", tally.repeats_sent);
        assert_eq!((network.world.callers.live, network.world.answerers.live), (0, 0));
    }
}

#[test]
fn a_peer_that_never_replies_fails_calls_after_the_patience_of_callers() {
    let mut network = Network::direct(HangUp::Caller);
    network.call(3);
    network.run(60 * SECOND, |_, _| true);
    let tally = network.tally();
    assert_eq!((tally.failed, tally.causes_text().as_str()), (3, "3 × no reply"));
    // The INVITE and its repetitions at 0.5, 1.5, 3.5 and 7.5 s; patience ends at 10 s.
    assert_eq!(network.carried, 3 * 5);
}

#[test]
fn a_call_that_only_rings_is_cancelled_and_its_leg_ends_too() {
    let mut scenario = (*Network::direct(HangUp::Caller).scenario).clone();
    scenario.ring = 3_600 * SECOND;
    let mut network = Network::new(scenario, Phones::new(None, 0, ""));
    network.call(2);
    network.run(60 * SECOND, |_, _| false);
    assert_eq!(network.tally().causes_text(), "2 × no answer");
    assert_eq!((network.world.callers.live, network.world.answerers.live), (0, 0));
}

#[test]
fn without_the_answerers_acknowledgement_a_call_is_not_connected() {
    let mut network = Network::direct(HangUp::Caller);
    network.call(1);
    network.run(60 * SECOND, |_, message| message.bytes.starts_with(b"ACK"));
    let tally = network.tally();
    assert_eq!((tally.answered, tally.connected, tally.causes_text().as_str()), (1, 0, "1 × answered but not put through"));
    assert_eq!((network.world.callers.live, network.world.answerers.live), (0, 0));
}

#[test]
fn calls_of_an_earlier_step_are_not_counted_in_the_next() {
    let mut network = Network::direct(HangUp::Caller);
    network.call(4);
    network.run(0, |_, _| true);
    network.world.stop_calling();
    network.world.callers.end_all(&mut network.world.io, "still up at the end");
    network.call(2);
    network.run(60 * SECOND, |_, _| false);
    let tally = network.tally();
    assert_eq!((tally.offered, tally.completed, tally.failed), (2, 2, 0));
}

/// A registrar that asks for the password, then calls an agent twice.
#[test]
fn agents_sign_in_with_digest_and_take_one_call_at_a_time() {
    let scenario = scenario::sample();
    let pattern = Pattern::parse("bench{}:pass{}").unwrap();
    let mut network = Network::new(scenario, Phones::new(Some(&pattern), 40, "127.0.0.1"));
    let mut challenger = Challenger::new("bench", [7; 32], Instant::now());
    let source = network.scenario.peer;
    network.world.phones.sign_in(&mut network.world.io);
    let mut requests = 0;
    while let Some(message) = network.world.io.messages.pop() {
        let Ok(Message::Request(request)) = parse_datagram(&message.bytes) else { panic!("only requests are sent") };
        requests += 1;
        let verdict =
            challenger.verify(Instant::now(), &request, source.ip(), |user| Some(Secret::Password(format!("pass{}", &user[5..]))));
        let response = if matches!(verdict, Verdict::Accepted { .. }) {
            Response::to_request(&request, 200, "")
        } else {
            let mut response = Response::to_request(&request, 401, "");
            for challenge in challenger.challenges(Instant::now(), source.ip(), false) {
                response.headers.push("WWW-Authenticate", &challenge);
            }
            response
        };
        network.world.on_message(MS, Side::Answerer, source, &Message::Response(response));
    }
    assert_eq!((requests, network.world.phones.progress()), (80, crate::sip::phone::Progress::Done));

    let offer = |call: u64, user: &str| {
        let mut invite = Request::new(Method::Invite, Uri::parse(&format!("sip:{user}@127.0.0.1:7002")).unwrap());
        invite.headers.push("Via", &format!("SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK{call}"));
        invite.headers.push("From", "<sip:+499900000000@127.0.0.1>;tag=1");
        invite.headers.push("To", &format!("<sip:{user}@127.0.0.1>"));
        invite.headers.push("Call-ID", &format!("offer-{call}"));
        invite.headers.push("CSeq", "1 INVITE");
        invite.headers.push("Contact", "<sip:127.0.0.1:5060>");
        Message::Request(invite)
    };
    let mut status_of = |message: Message| {
        network.world.on_message(2 * MS, Side::Answerer, source, &message);
        let last = network.world.io.messages.pop().unwrap();
        let Ok(Message::Response(response)) = parse_datagram(&last.bytes) else { panic!("only responses are sent") };
        response.status
    };
    assert_eq!(status_of(offer(1, "bench0007")), 200);
    assert_eq!(status_of(offer(2, "bench0007")), 486);
    assert_eq!(status_of(offer(3, "bench0008")), 200);
    assert_eq!(status_of(offer(4, "nobody")), 404);
    assert_eq!(network.world.io.tally.double_offers, 1);
}
