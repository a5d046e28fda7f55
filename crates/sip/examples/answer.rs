//! A telephone that takes every call, rings, answers and accepts every change: something for other people's software to
//! call. It has no media.
//!
//! `cargo run -p dreiklang-sip --example answer -- 127.0.0.1:5060`, then for example
//! `sipp -sn uac 127.0.0.1:5060 -m 100`.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use dreiklang_sip::config::Config;
use dreiklang_sip::endpoint::Endpoint;
use dreiklang_sip::event::{Event, Output};
use dreiklang_sip::transport::{self, Item, Transports};

fn sdp(address: SocketAddr) -> Vec<u8> {
    let ip = address.ip();
    format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n").into_bytes()
}

fn on_event(endpoint: &mut Endpoint, now: Instant, address: SocketAddr, event: Event) {
    match event {
        Event::Incoming { call, request, .. } => {
            println!("{call:?}: {}", request.headers.get("From").unwrap_or_default());
            endpoint.ring(now, call, None);
            endpoint.answer(now, call, sdp(address));
        }
        Event::Reinvite { call, .. } => endpoint.answer_reinvite(now, call, Ok(sdp(address))),
        Event::Refer { call, .. } => endpoint.answer_refer(now, call, Err(603)),
        Event::Ended { call, cause } => println!("{call:?}: {:?} {}", cause.kind, cause.reason.unwrap_or_default()),
        _ => {}
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:5060".to_owned()).parse()?;
    let config = transport::Config { udp: Some(wanted), tcp: Some(wanted), ..transport::Config::default() };
    let mut transports = Transports::bind(config).await?;
    let locals = transports.local_addresses().advertised(&wanted.ip().to_string());
    // A real program takes the seed from the operating system.
    let seed = [u8::try_from(std::process::id() % 251)?; 32];
    let mut endpoint = Endpoint::new(Config::new("Dreiklang-Answer", locals), seed);
    loop {
        while let Some(output) = endpoint.poll_output() {
            match output {
                Output::Transmit { hop, bytes } => transports.send(&hop, bytes.to_vec()),
                Output::Event(event) => on_event(&mut endpoint, Instant::now(), wanted, event),
            }
        }
        let deadline = endpoint.poll_timeout().unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
        tokio::select! {
            incoming = transports.recv() => match incoming.item {
                Item::Message(message) => endpoint.handle_message(Instant::now(), incoming.hop, message),
                Item::Malformed(malformed) => endpoint.handle_malformed(Instant::now(), incoming.hop, malformed),
                Item::Closed | Item::Failed { .. } => endpoint.handle_transport_error(Instant::now(), &incoming.hop),
            },
            () = tokio::time::sleep_until(deadline.into()) => endpoint.handle_timeout(Instant::now()),
        }
    }
}
