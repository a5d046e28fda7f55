//! Calls per second of two endpoints in one thread, without sockets: INVITE, 180, 200, ACK, BYE, 200, every message
//! written, read and handled on both sides, as a mean over ten simulated seconds of load.
//!
//! `cargo run --release -p dreiklang-sip --example throughput`

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dreiklang_sip::config::{Config, Local, Locals};
use dreiklang_sip::endpoint::{Endpoint, Invite};
use dreiklang_sip::event::{Event, Output};
use dreiklang_sip::hop::Hop;
use dreiklang_sip::message::{NameAddr, ParseError, Uri, parse_datagram};

const SDP: &str = "v=0\r\no=- 20518 0 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n\
    m=audio 54400 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n";

/// Calls per simulated second; the clock moves on so that finished transactions are cleaned up as in real life.
const CALLS_PER_SECOND: u32 = 2_000;
const SECONDS: u32 = 40;

struct Node {
    endpoint: Endpoint,
    hop: Hop,
    inbox: VecDeque<Arc<[u8]>>,
    ended: u32,
}

impl Node {
    fn new(address: &str, seed: u8) -> Node {
        let hop = Hop::udp(address.parse().expect("a literal address"));
        let local = Local::new(&hop.remote.ip().to_string(), hop.remote.port());
        let config = Config::new("Dreiklang", Locals { udp: Some(local), tcp: None, tls: None });
        Node { endpoint: Endpoint::new(config, [seed; 32]), hop, inbox: VecDeque::new(), ended: 0 }
    }

    /// Handles what arrived and what is due; returns what leaves.
    fn step(&mut self, now: Instant, from: &Hop, messages: &mut u64) -> Vec<Arc<[u8]>> {
        self.endpoint.handle_timeout(now);
        while let Some(bytes) = self.inbox.pop_front() {
            *messages += 1;
            if let Ok(message) = parse_datagram(&bytes) {
                self.endpoint.handle_message(now, from.clone(), message);
            }
        }
        let mut out = Vec::new();
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Transmit { bytes, .. } => out.push(bytes),
                Output::Event(Event::Incoming { call, .. }) => {
                    self.endpoint.ring(now, call, None);
                    self.endpoint.answer(now, call, SDP.as_bytes().to_vec());
                }
                Output::Event(Event::Answered { call, .. }) => self.endpoint.hang_up(now, call, None),
                Output::Event(Event::Ended { .. }) => self.ended += 1,
                Output::Event(_) => {}
            }
        }
        out
    }
}

fn main() -> Result<(), ParseError> {
    let mut alice = Node::new("10.0.0.1:5060", 1);
    let mut bob = Node::new("10.0.0.2:5060", 2);
    let uri = Uri::parse("sip:+4930123456@10.0.0.2:5060;user=phone")?;
    let from = NameAddr::new(Uri::parse("sip:+4989654321@10.0.0.1:5060;user=phone")?);
    let start = Instant::now();
    let mut now = start;
    let mut messages = 0;
    let mut most = 0;
    for _ in 0..CALLS_PER_SECOND * SECONDS {
        now += Duration::from_secs(1) / CALLS_PER_SECOND;
        let mut invite = Invite::new(uri.clone(), bob.hop.clone(), from.clone(), NameAddr::new(uri.clone()));
        invite.body = Some(SDP.as_bytes().to_vec());
        alice.endpoint.invite(now, invite);
        loop {
            let sent = alice.step(now, &bob.hop, &mut messages);
            bob.inbox.extend(sent);
            let answered = bob.step(now, &alice.hop, &mut messages);
            alice.inbox.extend(answered);
            if alice.inbox.is_empty() && bob.inbox.is_empty() {
                break;
            }
        }
        most = most.max(alice.endpoint.transactions() + bob.endpoint.transactions());
    }
    let time = start.elapsed();
    let calls = f64::from(alice.ended);
    println!(
        "{} calls, {} ended at the other side, {messages} messages in {:.2} s: {:.0} calls/s = {:.0} dialogs/s, {:.1} µs per message; \
         at most {most} transactions at once",
        alice.ended,
        bob.ended,
        time.as_secs_f64(),
        calls / time.as_secs_f64(),
        2.0 * calls / time.as_secs_f64(),
        time.as_secs_f64() * 1e6 / messages as f64,
    );
    Ok(())
}
