//! Two endpoints on real sockets: the hops that the endpoint names must work in the transport.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use dreiklang_sip::config::Config;
use dreiklang_sip::endpoint::{Endpoint, Invite};
use dreiklang_sip::event::{CallId, CauseKind, Event, Output};
use dreiklang_sip::hop::{Hop, Transport};
use dreiklang_sip::message::{NameAddr, Uri};
use dreiklang_sip::transport::{self, Item, Transports};

/// Far longer than anything here takes; a test that hits it has failed.
const LIMIT: Duration = Duration::from_secs(20);

/// An endpoint with its sockets, driven by hand.
struct Phone {
    transports: Transports,
    endpoint: Endpoint,
    address: SocketAddr,
    transport: Transport,
}

impl Phone {
    async fn new(transport: Transport, seed: u8) -> Phone {
        let mut config = transport::Config::default();
        let loopback = Some("127.0.0.1:0".parse().unwrap());
        match transport {
            Transport::Udp => config.udp = loopback,
            _ => config.tcp = loopback,
        }
        let transports = Transports::bind(config).await.unwrap();
        let addresses = transports.local_addresses();
        let locals = addresses.advertised("127.0.0.1");
        let address = addresses.udp.or(addresses.tcp).unwrap();
        Phone { transports, endpoint: Endpoint::new(Config::new("Test", locals), [seed; 32]), address, transport }
    }

    fn hop(&self) -> Hop {
        match self.transport {
            Transport::Udp => Hop::udp(self.address),
            _ => Hop::tcp(self.address),
        }
    }

    fn act<R>(&mut self, action: impl FnOnce(&mut Endpoint, Instant) -> R) -> R {
        action(&mut self.endpoint, Instant::now())
    }

    /// Sends what is to be sent and receives until the endpoint has something to tell.
    async fn event(&mut self) -> Event {
        tokio::time::timeout(LIMIT, self.next_event()).await.expect("nothing happened in time")
    }

    async fn next_event(&mut self) -> Event {
        loop {
            while let Some(output) = self.endpoint.poll_output() {
                match output {
                    Output::Transmit { hop, bytes } => self.transports.send(&hop, bytes.to_vec()),
                    Output::Event(event) => return event,
                }
            }
            let deadline = self.endpoint.poll_timeout().map_or(Instant::now() + LIMIT, |at| at);
            tokio::select! {
                incoming = self.transports.recv() => match incoming.item {
                    Item::Message(message) => self.endpoint.handle_message(Instant::now(), incoming.hop, message),
                    Item::Malformed(malformed) => self.endpoint.handle_malformed(Instant::now(), incoming.hop, malformed),
                    Item::Closed | Item::Failed { .. } => self.endpoint.handle_transport_error(Instant::now(), &incoming.hop),
                },
                () = tokio::time::sleep_until(deadline.into()) => self.endpoint.handle_timeout(Instant::now()),
            }
        }
    }
}

/// Runs one side in the background of the other's wait.
async fn event_of(waiting: &mut Phone, other: &mut Phone) -> Event {
    tokio::select! {
        event = waiting.event() => event,
        event = other.event() => panic!("the other side first: {event:?}"),
    }
}

async fn talk(alice: &mut Phone, bob: &mut Phone) -> (CallId, CallId) {
    let uri = Uri::parse(&format!("sip:bob@{}", bob.address)).unwrap();
    let from = NameAddr::new(Uri::parse("sip:alice@example.com").unwrap());
    let mut invite = Invite::new(uri.clone(), bob.hop(), from, NameAddr::new(uri));
    invite.body = Some(b"v=0\r\n".to_vec());
    let call = alice.act(|endpoint, now| endpoint.invite(now, invite));
    let Event::Incoming { call: answered, .. } = event_of(bob, alice).await else { panic!("no call") };
    bob.act(|endpoint, now| endpoint.answer(now, answered, b"v=0\r\n".to_vec()));
    assert!(matches!(event_of(alice, bob).await, Event::Answered { .. }));
    assert!(matches!(event_of(bob, alice).await, Event::Acknowledged { .. }));
    (call, answered)
}

#[tokio::test]
async fn calls_over_datagrams_and_streams_are_ended_by_either_side() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let (mut alice, mut bob) = (Phone::new(transport, 1).await, Phone::new(transport, 2).await);
        for caller_ends in [true, false] {
            let (call, answered) = talk(&mut alice, &mut bob).await;
            let (ending, other) = if caller_ends { (&mut alice, &mut bob) } else { (&mut bob, &mut alice) };
            ending.act(|endpoint, now| endpoint.hang_up(now, if caller_ends { call } else { answered }, None));
            assert!(matches!(ending.event().await, Event::Ended { .. }));
            let Event::Ended { cause, .. } = event_of(other, ending).await else { panic!("not ended over {transport}") };
            assert_eq!(cause.kind, CauseKind::RemoteHangUp);
        }
        if transport == Transport::Tcp {
            assert_eq!(alice.transports.connection_count(), 1, "one connection carries both directions");
        }
    }
}

#[tokio::test]
async fn a_peer_that_nobody_listens_at_is_a_transport_error_at_once() {
    let mut alice = Phone::new(Transport::Tcp, 1).await;
    let closed = Phone::new(Transport::Tcp, 2).await;
    let hop = closed.hop();
    drop(closed);
    let uri = Uri::parse("sip:bob@127.0.0.1").unwrap();
    let invite = Invite::new(uri.clone(), hop, NameAddr::new(uri.clone()), NameAddr::new(uri));
    alice.act(|endpoint, now| endpoint.invite(now, invite));
    let Event::Ended { cause, .. } = alice.event().await else { panic!("not ended") };
    assert_eq!(cause.kind, CauseKind::TransportError);
}

#[tokio::test]
async fn a_call_survives_the_loss_of_its_connection_and_dials_the_contact() {
    let (mut alice, mut bob) = (Phone::new(Transport::Tcp, 1).await, Phone::new(Transport::Tcp, 2).await);
    let (_, answered) = talk(&mut alice, &mut bob).await;
    // Alice's sockets are replaced: her listener keeps its address, the connection is gone.
    let address = alice.address;
    alice.transports.close().await;
    let config = transport::Config { tcp: Some(address), ..transport::Config::default() };
    alice.transports = Transports::bind(config).await.unwrap();
    bob.act(|endpoint, now| endpoint.hang_up(now, answered, None));
    assert!(matches!(bob.event().await, Event::Ended { .. }));
    let Event::Ended { cause, .. } = event_of(&mut alice, &mut bob).await else { panic!("not ended") };
    assert_eq!(cause.kind, CauseKind::RemoteHangUp);
}
