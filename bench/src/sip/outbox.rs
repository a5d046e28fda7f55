//! What callers, answerers and telephones have in common: the time, timers, messages to send, counts, audio.

use super::{scenario::Scenario, tally::Tally};
use crate::{
    audio::Audio,
    timers::{Nanos, Timer, Timers},
};
use std::{net::SocketAddr, sync::Arc};

/// Which of our sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// That of the callers.
    Caller,
    /// That of the answerers.
    Answerer,
}

/// A message to send.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// From which socket.
    pub side: Side,
    /// To where.
    pub to: SocketAddr,
    /// The message.
    pub bytes: Arc<[u8]>,
}

/// Shared state and output of the user agents.
pub struct Outbox {
    /// The present.
    pub now: Nanos,
    /// Parameters.
    pub scenario: Arc<Scenario>,
    /// Deadlines.
    pub timers: Timers,
    /// Counts.
    pub tally: Tally,
    /// Audio ports and streams.
    pub audio: Arc<Audio>,
    /// What is to be sent, in order.
    pub messages: Vec<Outgoing>,
}

impl Outbox {
    /// Nothing to send yet.
    pub fn new(scenario: Arc<Scenario>, audio: Arc<Audio>) -> Outbox {
        Outbox { now: 0, scenario, timers: Timers::default(), tally: Tally::default(), audio, messages: Vec::new() }
    }

    /// Sends a message.
    pub fn send(&mut self, side: Side, to: SocketAddr, bytes: impl Into<Arc<[u8]>>) {
        self.messages.push(Outgoing { side, to, bytes: bytes.into() });
    }

    /// Sets a timer.
    pub fn after(&mut self, delay: Nanos, timer: Timer) {
        self.timers.set(self.now.saturating_add(delay), timer);
    }
}
