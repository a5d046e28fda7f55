//! A conversation with a stranger: datagrams separated by the byte 0xFF arrive at an endpoint that answers calls, and time passes.
//! Nothing panics, every call ends once, and when all is over nothing is left.
#![no_main]

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use dreiklang_sip::{
    config::{Config, Locals},
    endpoint::Endpoint,
    event::{Event, Output},
    hop::Hop,
    message::parse_datagram,
};
use libfuzzer_sys::fuzz_target;

const SDP: &[u8] = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

fuzz_target!(|bytes: &[u8]| {
    let mut endpoint = Endpoint::new(Config::new("fuzz", Locals::default()), [7; 32]);
    let stranger = Hop::udp("192.0.2.9:5060".parse().expect("an address"));
    let mut now = Instant::now();
    let (mut open, mut over) = (BTreeSet::new(), BTreeSet::new());
    for (step, datagram) in bytes.split(|byte| *byte == 0xFF).take(8).enumerate() {
        match parse_datagram(datagram) {
            Ok(message) => endpoint.handle_message(now, stranger.clone(), message),
            Err(malformed) => endpoint.handle_malformed(now, stranger.clone(), malformed),
        }
        drain(&mut endpoint, now, step, &mut open, &mut over);
        now += Duration::from_millis(700);
        endpoint.handle_timeout(now);
        drain(&mut endpoint, now, step, &mut open, &mut over);
    }
    for call in &open {
        endpoint.hang_up(now, *call, None);
    }
    for _ in 0..200 {
        drain(&mut endpoint, now, 1, &mut open, &mut over);
        let Some(due) = endpoint.poll_timeout() else { break };
        now = now.max(due);
        endpoint.handle_timeout(now);
    }
    drain(&mut endpoint, now, 1, &mut open, &mut over);
    assert!(endpoint.is_idle(), "{} calls and {} transactions are left", endpoint.live_calls(), endpoint.transactions());
    assert!(open.is_empty(), "these calls never ended: {open:?}");
});

fn drain(
    endpoint: &mut Endpoint,
    now: Instant,
    step: usize,
    open: &mut BTreeSet<dreiklang_sip::event::CallId>,
    over: &mut BTreeSet<dreiklang_sip::event::CallId>,
) {
    while let Some(output) = endpoint.poll_output() {
        let Output::Event(event) = output else { continue };
        match event {
            Event::Incoming { call, .. } => {
                open.insert(call);
                if step % 2 == 0 {
                    endpoint.answer(now, call, SDP.to_vec());
                } else {
                    endpoint.ring(now, call, None);
                }
            }
            Event::Ended { call, .. } => {
                assert!(open.remove(&call) && over.insert(call), "a call ended twice, or never began");
            }
            Event::Reinvite { call, .. } => endpoint.answer_reinvite(now, call, Ok(SDP.to_vec())),
            _ => {}
        }
    }
}
