//! Watching a peer with OPTIONS.

use std::time::Duration;

use dreiklang_sip::event::Event;
use dreiklang_sip::health::{Health, HealthConfig, PeerHealth};
use dreiklang_sip::hop::Hop;
use dreiklang_sip::message::{Method, NameAddr, Response, Uri};

use crate::network::{Alice, Bob, Fate, Pair, config};

struct Watch {
    pair: Pair,
    health: Health,
    changes: Vec<PeerHealth>,
    /// What Bob answers; by himself when `None`.
    answer: Option<(u16, u32)>,
}

impl Watch {
    fn new(pair: Pair) -> Watch {
        let uri = Uri::parse("sip:10.0.0.2").unwrap();
        let from = NameAddr::new(Uri::parse("sip:10.0.0.1").unwrap());
        let health = Health::new(HealthConfig::new(uri, Hop::udp(Bob.address()), from), pair.now);
        Watch { pair, health, changes: Vec::new(), answer: None }
    }

    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds * 2 {
            let health = &mut self.health;
            let change = self.pair.at(Alice, |endpoint, now| health.handle_timeout(now, endpoint));
            self.changes.extend(change);
            self.pair.run(Duration::from_millis(100));
            for event in self.pair.events(Bob) {
                let Event::Request { id, request, .. } = event else { panic!("{event:?}") };
                let (status, wait) = self.answer.unwrap_or((200, 0));
                let mut response = Response::to_request(&request, status, "");
                if wait > 0 {
                    response.headers.push("Retry-After", &wait.to_string());
                }
                self.pair.at(Bob, |endpoint, now| endpoint.respond(now, id, response));
            }
            self.pair.run(Duration::from_millis(400));
            for event in self.pair.events(Alice) {
                let Event::Response { id, result } = event else { panic!("{event:?}") };
                if self.health.owns(id) {
                    self.changes.extend(self.health.handle_response(self.pair.now, id, &result));
                }
            }
        }
    }
}

#[test]
fn a_peer_that_answers_is_up_and_asked_every_30_s() {
    let mut watch = Watch::new(Pair::new());
    assert!(watch.health.is_usable(), "an unknown peer is worth a try");
    watch.run(100);
    assert_eq!(watch.changes, [PeerHealth::Up]);
    assert_eq!(watch.pair.count(Alice, "OPTIONS"), 4);
}

#[test]
fn a_silent_peer_is_down_after_two_pings_and_up_with_the_first_answer() {
    let mut watch = Watch::new(Pair::new());
    watch.run(2);
    watch.pair.set_rule(|_| Fate::Lose);
    watch.run(60);
    assert_eq!(watch.changes, [PeerHealth::Up, PeerHealth::Down]);
    watch.pair.set_rule(|_| Fate::Deliver);
    watch.run(16);
    assert_eq!(watch.changes.last(), Some(&PeerHealth::Up));
}

#[test]
fn a_503_is_down_at_once_and_its_retry_after_is_obeyed() {
    let mut busy = config(Bob);
    busy.requests.push(Method::Options);
    let mut watch = Watch::new(Pair::with(config(Alice), busy));
    watch.answer = Some((503, 60));
    watch.run(55);
    assert_eq!(watch.changes, [PeerHealth::Down]);
    assert_eq!(watch.pair.count(Alice, "OPTIONS"), 1);
    watch.answer = Some((404, 0));
    watch.run(10);
    assert_eq!(watch.changes, [PeerHealth::Down, PeerHealth::Up], "a refusal comes from a living peer");
}

#[test]
fn what_calls_experience_counts_too() {
    let mut watch = Watch::new(Pair::new());
    watch.run(2);
    let now = watch.pair.now;
    assert_eq!(watch.health.note_failure(now), None);
    assert_eq!(watch.health.note_failure(now), Some(PeerHealth::Down));
    watch.run(12);
    assert_eq!(watch.health.health(), PeerHealth::Up);
    assert_eq!(watch.health.note_unavailable(watch.pair.now, Some(Duration::from_secs(3))), Some(PeerHealth::Down));
}

#[test]
fn a_peer_that_has_to_say_yes_is_down_when_it_refuses() {
    let mut strict = config(Bob);
    strict.requests.push(Method::Options);
    let mut watch = Watch::new(Pair::with(config(Alice), strict));
    let uri = Uri::parse("sip:10.0.0.2").unwrap();
    let from = NameAddr::new(Uri::parse("sip:sbc.example.com").unwrap());
    let mut strict = HealthConfig::new(uri, Hop::udp(Bob.address()), from);
    strict.success_only = true;
    watch.health = Health::new(strict, watch.pair.now);
    watch.answer = Some((403, 0));
    watch.run(30);
    assert_eq!(watch.changes, [PeerHealth::Down]);
    assert_eq!(watch.health.last_status(), Some(403));
    watch.answer = Some((200, 0));
    watch.run(30);
    assert_eq!(watch.changes, [PeerHealth::Down, PeerHealth::Up]);
}
