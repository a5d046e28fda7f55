//! All callers, answerers and telephones, driven from outside: messages and the time come in, messages go out.

use super::{
    answerer::{Answerers, News},
    caller::Callers,
    outbox::{Outbox, Side},
    phone::Phones,
    scenario::Scenario,
    tally::Tally,
};
use crate::{
    audio::Audio,
    timers::{Nanos, SECOND, Timer},
};
use dreiklang_sip::message::{Message, Method, Uri};
use std::{net::SocketAddr, sync::Arc};

/// Timers and calls handled before others get their turn.
const BATCH: usize = 64;

/// When calls begin.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// When the first one does.
    pub from: Nanos,
    /// Calls per second.
    pub rate: f64,
    /// When no more do.
    pub until: Nanos,
    /// How many at most.
    pub count: u64,
    /// Calls that begin from here …
    pub measured_from: Nanos,
    /// … to here are counted.
    pub measured_to: Nanos,
}

/// Everything but sockets and threads.
pub struct World {
    /// Output and what all share.
    pub io: Outbox,
    /// Who calls.
    pub callers: Callers,
    /// Who answers.
    pub answerers: Answerers,
    /// Who signs in.
    pub phones: Phones,
    pace: Option<Pace>,
    begun: u64,
}

impl World {
    /// Nobody calls yet.
    pub fn new(scenario: Arc<Scenario>, audio: Arc<Audio>, target: Uri, phones: Phones) -> World {
        let answerers = Answerers::new(phones.users());
        World { io: Outbox::new(scenario, audio), callers: Callers::new(target), answerers, phones, pace: None, begun: 0 }
    }

    /// Begins a step: counts start anew.
    pub fn begin(&mut self, pace: Pace) {
        self.io.tally = Tally::default();
        self.callers.begin_step();
        self.begun = 0;
        self.pace = Some(pace);
    }

    /// No more calls begin.
    pub fn stop_calling(&mut self) {
        self.pace = None;
    }

    /// A message arrived at one of our sockets.
    pub fn on_message(&mut self, now: Nanos, side: Side, from: SocketAddr, message: &Message) {
        self.io.now = now;
        match (side, message) {
            (Side::Caller, Message::Response(response)) => self.callers.on_response(&mut self.io, response),
            (Side::Caller, Message::Request(request)) => self.callers.on_request(&mut self.io, request, from),
            (Side::Answerer, Message::Response(response)) => match response.headers.cseq().map(|cseq| cseq.method) {
                Ok(Method::Register) => self.phones.on_response(&mut self.io, response),
                _ => self.answerers.on_response(&mut self.io, response),
            },
            (Side::Answerer, Message::Request(request)) => {
                let news = self.answerers.on_request(&mut self.io, request, from, self.callers.started);
                match news {
                    Some(News::Arrived(call)) => self.callers.on_arrival(&mut self.io, call),
                    Some(News::Met(call)) => self.callers.on_met(&mut self.io, call),
                    None => {}
                }
            }
        }
    }

    /// Does what is due. Says whether something still is.
    pub fn on_time(&mut self, now: Nanos) -> bool {
        self.io.now = now;
        for _ in 0..BATCH {
            let Some(timer) = self.io.timers.pop_due(now) else { break };
            match timer {
                Timer::CallRepeat { .. } | Timer::CallGiveUp(_) | Timer::CallHangUp(_) | Timer::CallForget(_) => {
                    self.callers.on_time(&mut self.io, timer)
                }
                Timer::LegAnswer(_) | Timer::LegRepeat { .. } | Timer::LegHangUp(_) | Timer::LegForget(_) => {
                    self.answerers.on_time(&mut self.io, timer)
                }
                Timer::PhoneRepeat { .. } | Timer::PhoneRefresh(_) => self.phones.on_time(&mut self.io, timer),
            }
        }
        for _ in 0..BATCH {
            let Some((pace, at)) = self.next_call().filter(|(_, at)| *at <= now) else { break };
            let measured = at >= pace.measured_from && at < pace.measured_to;
            if measured {
                self.io.tally.lateness.record(now - at);
            }
            self.callers.begin(&mut self.io, measured);
            self.begun += 1;
        }
        self.next_due().is_some_and(|due| due <= now)
    }

    fn next_call(&self) -> Option<(Pace, Nanos)> {
        let pace = self.pace?;
        let at = pace.from + (self.begun as f64 * SECOND as f64 / pace.rate) as Nanos;
        (at < pace.until && self.begun < pace.count).then_some((pace, at))
    }

    /// When [`World::on_time`] wants to be called next.
    pub fn next_due(&self) -> Option<Nanos> {
        let call = self.next_call().map(|(_, at)| at);
        call.into_iter().chain(self.io.timers.next()).min()
    }
}

#[cfg(test)]
#[path = "world_tests.rs"]
mod tests;
