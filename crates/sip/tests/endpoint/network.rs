//! Two endpoints and the datagrams between them, on a virtual clock.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dreiklang_sip::config::{Config, Local, Locals};
use dreiklang_sip::endpoint::{Endpoint, Invite};
use dreiklang_sip::event::{CallId, Cause, Event, Output};
use dreiklang_sip::hop::Hop;
use dreiklang_sip::message::{Message, NameAddr, Uri, parse_datagram};

/// SDP is opaque to the endpoint.
pub const OFFER: &[u8] = b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=offer\r\n";
pub const ANSWER: &[u8] = b"v=0\r\no=- 2 2 IN IP4 10.0.0.2\r\ns=answer\r\n";

/// One way through the network takes this long.
pub const DELAY: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Alice,
    Bob,
}
pub use Side::{Alice, Bob};

impl Side {
    pub fn other(self) -> Side {
        match self {
            Alice => Bob,
            Bob => Alice,
        }
    }
    fn index(self) -> usize {
        self as usize
    }
    pub fn address(self) -> SocketAddr {
        match self {
            Alice => "10.0.0.1:5060".parse().unwrap(),
            Bob => "10.0.0.2:5060".parse().unwrap(),
        }
    }
}

/// A message on the wire.
#[derive(Clone)]
pub struct Packet {
    pub from: Side,
    /// `INVITE`, or `200 INVITE`.
    pub kind: String,
    pub text: String,
    bytes: Arc<[u8]>,
}

/// What the network does with a packet.
pub enum Fate {
    Deliver,
    Lose,
    /// Arrives this many times, each later than the one before by the delay.
    Copies(u32),
    Delay(Duration),
}

type Rewrite = fn(&str) -> String;
type Rule = Box<dyn FnMut(&Packet) -> Fate>;

pub struct Pair {
    pub now: Instant,
    start: Instant,
    endpoints: [Endpoint; 2],
    events: [VecDeque<Event>; 2],
    flight: BTreeMap<(Instant, u64), Packet>,
    sequence: u64,
    rule: Rule,
    rewrite: Option<(Side, Rewrite)>,
    /// Everything that was sent, lost or not.
    pub log: Vec<Packet>,
}

pub fn config(side: Side) -> Config {
    let address = side.address();
    let local = Local::new(&address.ip().to_string(), address.port());
    let locals = Locals { udp: Some(local.clone()), tcp: Some(local), tls: None };
    Config::new("Dreiklang-Test", locals)
}

impl Pair {
    pub fn new() -> Pair {
        Pair::with(config(Alice), config(Bob))
    }

    pub fn with(alice: Config, bob: Config) -> Pair {
        let now = Instant::now();
        Pair {
            now,
            start: now,
            endpoints: [Endpoint::new(alice, [1; 32]), Endpoint::new(bob, [2; 32])],
            events: [VecDeque::new(), VecDeque::new()],
            flight: BTreeMap::new(),
            sequence: 0,
            rule: Box::new(|_| Fate::Deliver),
            rewrite: None,
            log: Vec::new(),
        }
    }

    pub fn set_rule(&mut self, rule: impl FnMut(&Packet) -> Fate + 'static) {
        self.rule = Box::new(rule);
    }

    /// Loses the first `count` packets of this kind from this side.
    pub fn lose(&mut self, from: Side, kind: &str, count: usize) {
        let (kind, mut left) = (kind.to_owned(), count);
        self.set_rule(move |packet| {
            if packet.from == from && packet.kind == kind && left > 0 {
                left -= 1;
                return Fate::Lose;
            }
            Fate::Deliver
        });
    }

    /// Does something at an endpoint and collects what it puts out.
    pub fn at<R>(&mut self, side: Side, action: impl FnOnce(&mut Endpoint, Instant) -> R) -> R {
        let result = action(&mut self.endpoints[side.index()], self.now);
        self.collect(side);
        result
    }

    pub fn endpoint(&self, side: Side) -> &Endpoint {
        &self.endpoints[side.index()]
    }

    /// Replaces an endpoint by a fresh one, as after a crash.
    pub fn restart(&mut self, side: Side) {
        self.endpoints[side.index()] = Endpoint::new(config(side), [9; 32]);
    }

    fn collect(&mut self, side: Side) {
        while let Some(output) = self.endpoints[side.index()].poll_output() {
            match output {
                Output::Event(event) => self.events[side.index()].push_back(event),
                Output::Transmit { hop, bytes } => self.send(side, &hop, bytes),
            }
        }
    }

    /// Changes the text of everything that this side sends from now on.
    pub fn rewrite(&mut self, from: Side, rewrite: Rewrite) {
        self.rewrite = Some((from, rewrite));
    }

    fn send(&mut self, from: Side, hop: &Hop, mut bytes: Arc<[u8]>) {
        if let Some((side, rewrite)) = self.rewrite
            && side == from
        {
            bytes = Arc::from(rewrite(&String::from_utf8_lossy(&bytes)).into_bytes());
        }
        assert_eq!(hop.remote, from.other().address(), "sent to nobody: {}", String::from_utf8_lossy(&bytes));
        let message = parse_datagram(&bytes).unwrap_or_else(|bad| panic!("{bad:?}: {}", String::from_utf8_lossy(&bytes)));
        let kind = match &message {
            Message::Request(request) => request.method.to_string(),
            Message::Response(response) => {
                let cseq = response.headers.cseq().unwrap();
                format!("{} {}", response.status, cseq.method)
            }
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let packet = Packet { from, kind, text, bytes };
        self.log.push(packet.clone());
        match (self.rule)(&packet) {
            Fate::Lose => {}
            Fate::Deliver => self.fly(packet, DELAY),
            Fate::Delay(delay) => self.fly(packet, delay),
            Fate::Copies(count) => (1..=count).for_each(|copy| self.fly(packet.clone(), DELAY * copy)),
        }
    }

    fn fly(&mut self, packet: Packet, delay: Duration) {
        self.sequence += 1;
        self.flight.insert((self.now + delay, self.sequence), packet);
    }

    /// Delivers a packet from the log once more, as a strange network might.
    pub fn replay(&mut self, index: usize) {
        if let Some(packet) = self.log.get(index).cloned() {
            self.fly(packet, DELAY);
        }
    }

    fn next_time(&self) -> Option<Instant> {
        let flight = self.flight.keys().next().map(|(at, _)| *at);
        let timers = self.endpoints.iter().filter_map(Endpoint::poll_timeout);
        flight.into_iter().chain(timers).min()
    }

    /// Lets the time pass until `until`, delivering and expiring whatever is due.
    fn run_until(&mut self, until: Instant) {
        while let Some(at) = self.next_time().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            while let Some(entry) = self.flight.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let packet = entry.remove();
                let to = packet.from.other();
                let message = parse_datagram(&packet.bytes).unwrap();
                self.endpoints[to.index()].handle_message(self.now, Hop::udp(packet.from.address()), message);
                self.collect(to);
            }
            for side in [Alice, Bob] {
                self.endpoints[side.index()].handle_timeout(self.now);
                self.collect(side);
            }
        }
        self.now = until;
    }

    pub fn run(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// Long enough for what is on its way, and its answer, to arrive; too short for any retransmission.
    pub fn settle(&mut self) {
        self.run(DELAY * 10);
    }

    /// Until nothing is left to happen.
    pub fn drain(&mut self) {
        for _ in 0..10_000 {
            match self.next_time() {
                Some(at) => self.run_until(at.max(self.now)),
                None => return,
            }
        }
        panic!("the endpoints never come to rest");
    }

    pub fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    pub fn events(&mut self, side: Side) -> Vec<Event> {
        self.events[side.index()].drain(..).collect()
    }

    /// The next event of a side.
    pub fn event(&mut self, side: Side) -> Event {
        self.events[side.index()].pop_front().unwrap_or_else(|| panic!("{side:?} has no event; sent so far: {:?}", self.kinds()))
    }

    pub fn no_event(&self, side: Side) {
        assert!(self.events[side.index()].is_empty(), "{side:?} has {:?}", self.events[side.index()]);
    }

    /// What was sent, in order: `>` from Alice, `<` from Bob.
    pub fn kinds(&self) -> Vec<String> {
        let arrow = |side| if side == Alice { ">" } else { "<" };
        self.log.iter().map(|packet| format!("{}{}", arrow(packet.from), packet.kind)).collect()
    }

    pub fn clear_log(&mut self) {
        self.log.clear();
    }

    pub fn count(&self, from: Side, kind: &str) -> usize {
        self.log.iter().filter(|packet| packet.from == from && packet.kind == kind).count()
    }

    /// The last message of this kind.
    pub fn last(&self, from: Side, kind: &str) -> &Packet {
        self.log
            .iter()
            .rev()
            .find(|packet| packet.from == from && packet.kind == kind)
            .unwrap_or_else(|| panic!("no {kind} in {:?}", self.kinds()))
    }

    // ---- shorthand --------------------------------------------------------------------------------------------------

    /// Alice calls Bob with an offer.
    pub fn call(&mut self) -> CallId {
        self.at(Alice, |endpoint, now| endpoint.invite(now, invite(Some(OFFER))))
    }

    /// Runs until Bob is called.
    pub fn incoming(&mut self) -> CallId {
        self.settle();
        match self.event(Bob) {
            Event::Incoming { call, .. } => call,
            other => panic!("{other:?}"),
        }
    }

    /// Alice and Bob talk.
    pub fn talk(&mut self) -> (CallId, CallId) {
        let alice = self.call();
        let bob = self.incoming();
        self.at(Bob, |endpoint, now| endpoint.answer(now, bob, ANSWER.to_vec()));
        self.settle();
        assert!(matches!(self.event(Alice), Event::Answered { call, .. } if call == alice));
        assert!(matches!(self.event(Bob), Event::Acknowledged { call, .. } if call == bob));
        self.clear_log();
        (alice, bob)
    }

    /// The next event must be the end of `call`.
    pub fn ended(&mut self, side: Side, call: CallId) -> Cause {
        match self.event(side) {
            Event::Ended { call: ended, cause } if ended == call => cause,
            other => panic!("{side:?}: {other:?}"),
        }
    }

    /// Everything came to rest, nothing was left behind, and nothing more was told.
    pub fn all_gone(&mut self) {
        self.drain();
        for side in [Alice, Bob] {
            self.no_event(side);
            assert!(self.endpoint(side).is_idle(), "{side:?} keeps something after {:?}", self.elapsed());
        }
    }
}

/// Alice's INVITE to Bob.
pub fn invite(offer: Option<&[u8]>) -> Invite {
    let uri = Uri::parse("sip:bob@10.0.0.2").unwrap();
    let from = NameAddr::new(Uri::parse("sip:alice@10.0.0.1").unwrap());
    let mut invite = Invite::new(uri.clone(), Hop::udp(Bob.address()), from, NameAddr::new(uri));
    invite.body = offer.map(<[u8]>::to_vec);
    invite
}
