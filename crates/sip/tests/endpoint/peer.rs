//! One endpoint against messages written by hand.

use std::time::{Duration, Instant};

use dreiklang_sip::config::Config;
use dreiklang_sip::endpoint::Endpoint;
use dreiklang_sip::event::{Event, Output};
use dreiklang_sip::hop::Hop;
use dreiklang_sip::message::{Message, Request, Response, parse_datagram};

use crate::network::{Alice, Bob, config};

/// Bob's endpoint, with the test in Alice's place.
pub struct Peer {
    pub now: Instant,
    pub endpoint: Endpoint,
    pub sent: Vec<Message>,
    pub hops: Vec<Hop>,
    pub events: Vec<Event>,
    /// Answers to malformed requests repeat their malformed headers; whether that is a surprise.
    pub strict: bool,
    branch: u32,
}

impl Peer {
    pub fn new() -> Peer {
        Peer::with(config(Bob))
    }

    pub fn with(config: Config) -> Peer {
        Peer {
            now: Instant::now(),
            endpoint: Endpoint::new(config, [7; 32]),
            sent: Vec::new(),
            hops: Vec::new(),
            events: Vec::new(),
            strict: true,
            branch: 0,
        }
    }

    pub fn source() -> Hop {
        Hop::udp(Alice.address())
    }

    fn collect(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Event(event) => self.events.push(event),
                Output::Transmit { hop, bytes } => {
                    let message = parse_datagram(&bytes);
                    assert!(message.is_ok() || !self.strict, "{}", String::from_utf8_lossy(&bytes));
                    self.sent.extend(message);
                    self.hops.push(hop);
                }
            }
        }
    }

    pub fn act<R>(&mut self, action: impl FnOnce(&mut Endpoint, Instant) -> R) -> R {
        let result = action(&mut self.endpoint, self.now);
        self.collect();
        result
    }

    pub fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.endpoint.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.endpoint.handle_timeout(self.now);
            self.collect();
        }
        self.now = until;
    }

    /// Sends text; line ends become CRLF. `%BRANCH%` is a fresh branch.
    pub fn send(&mut self, text: &str) {
        self.branch += 1;
        let text = text.replace("%BRANCH%", &format!("z9hG4bKtest{}", self.branch)).replace('\n', "\r\n");
        self.sent.clear();
        self.hops.clear();
        self.events.clear();
        match parse_datagram(text.as_bytes()) {
            Ok(message) => self.endpoint.handle_message(self.now, Peer::source(), message),
            Err(malformed) => self.endpoint.handle_malformed(self.now, Peer::source(), malformed),
        }
        self.collect();
    }

    /// A request outside dialogs with more header lines.
    pub fn request(&mut self, method: &str, uri: &str, extra: &str) {
        self.branch += 1;
        let branch = self.branch;
        self.send(&format!(
            "{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=%BRANCH%;rport\nMax-Forwards: 70\n\
             From: <sip:alice@10.0.0.1>;tag=a{branch}\nTo: <{uri}>\nCall-ID: call{branch}\nCSeq: 1 {method}\n\
             Contact: <sip:alice@10.0.0.1>\n{extra}Content-Length: 0\n\n"
        ));
    }

    pub fn response(&self) -> &Response {
        match self.sent.as_slice() {
            [Message::Response(response)] => response,
            other => panic!("expected one response: {other:?}"),
        }
    }

    pub fn responses(&self) -> Vec<u16> {
        self.sent
            .iter()
            .filter_map(|message| match message {
                Message::Response(response) => Some(response.status),
                Message::Request(_) => None,
            })
            .collect()
    }

    pub fn sent_request(&self, method: &str) -> &Request {
        self.sent
            .iter()
            .find_map(|message| match message {
                Message::Request(request) if request.method.as_str() == method => Some(request),
                _ => None,
            })
            .unwrap_or_else(|| panic!("no {method} in {:?}", self.sent))
    }
}
