//! A past for a server: the core itself decides what calls leave behind, and its facts go into the journal.

use dreiklang_core::{
    Action, Actor, Command, Engine, Input, Output, Stamped, World,
    agent::{Availability, Duty},
    conversation::{Cause, CauseKind},
    endpoint::{Line, Party},
    ids::{AgentId, LegId, TenantId},
    time::{Millis, Timestamp},
};
use dreiklang_store::Store;

/// When the past begins; on the hour, so that intervals are easy to tell.
pub const BEGIN: i64 = 1_900_000_800_000;

pub struct Past {
    engine: Engine,
    facts: Vec<Stamped>,
    /// Wishes since the last look.
    wishes: Vec<Action>,
    pub now: i64,
    legs: u128,
}

impl Past {
    /// Goes on where the journal ends.
    pub async fn after(store: &Store, tenant: TenantId) -> Past {
        let mut facts = Vec::new();
        store.replay(tenant, 0, |stamped| facts.push(stamped)).await.unwrap();
        let mut past =
            Past { engine: Engine::replay(World::new(tenant), facts), facts: Vec::new(), wishes: Vec::new(), now: BEGIN, legs: 1_000 };
        // The process before was drained; a new owner takes conversations again.
        past.give(Input::TookOver);
        past
    }

    /// Writes the facts down.
    pub async fn write(self, store: &Store, tenant: TenantId) {
        let acquired = store.acquire(tenant, "past").await.unwrap();
        let version = store.append(tenant, acquired.epoch, acquired.version, &self.facts).await.unwrap();
        store.wait_projected(tenant, version).await.unwrap();
    }

    fn give(&mut self, input: Input) {
        self.engine.handle(Timestamp(self.now), input);
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Event(fact) => self.facts.push(fact),
                Output::Action(_, wish) => self.wishes.push(wish),
                Output::Reply(_, reply) => reply.unwrap(),
                Output::WakeAt(_) => {}
            }
        }
    }

    pub fn pass(&mut self, seconds: i64) {
        self.now += seconds * 1_000;
        self.give(Input::Wake);
    }

    fn ask(&mut self, command: Command) {
        self.give(Input::Command { id: dreiklang_core::ids::CommandId(1), by: Actor::System, command });
    }

    pub fn ready(&mut self, agent: &str) {
        let agent: AgentId = agent.parse().unwrap();
        self.ask(Command::SetDuty { agent, duty: Duty::OnDuty });
        self.ask(Command::SetAvailability { agent, availability: Availability::Ready });
    }

    pub fn not_ready(&mut self, agent: &str) {
        let agent: AgentId = agent.parse().unwrap();
        self.ask(Command::SetAvailability { agent, availability: Availability::NotReady { reason: "break".into() } });
    }

    /// Somebody calls and is connected; returns the leg.
    pub fn arrive(&mut self, caller: &str, dialed: &str) -> LegId {
        self.legs += 1;
        let leg = LegId(self.legs);
        let caller = Party { number: Some(caller.into()), name: None };
        self.give(Input::Arrived { leg, line: Line::Connected, caller, dialed: dialed.into() });
        self.give(Input::Connected { leg, token: Some("only for the line".into()) });
        leg
    }

    /// The telephone that was dialed last.
    pub fn dialed(&mut self) -> LegId {
        let found = self.wishes.drain(..).rev().find_map(|wish| match wish {
            Action::Dial { leg, .. } => Some(leg),
            _ => None,
        });
        found.expect("an agent's telephone rings")
    }

    pub fn answer(&mut self, leg: LegId) {
        self.give(Input::Connected { leg, token: None });
    }

    pub fn hang_up(&mut self, leg: LegId) {
        self.give(Input::Ended { leg, cause: Cause { kind: CauseKind::FarEnd, detail: None } });
        // The lines end what they are told to end.
        loop {
            let ended: Vec<LegId> =
                self.wishes.drain(..).filter_map(|wish| if let Action::HangUp { leg, .. } = wish { Some(leg) } else { None }).collect();
            if ended.is_empty() {
                break;
            }
            for leg in ended {
                self.give(Input::Ended { leg, cause: Cause { kind: CauseKind::Ours, detail: None } });
            }
        }
    }

    pub fn press(&mut self, leg: LegId, digit: char) {
        self.give(Input::Digit { leg, digit });
    }

    /// Closes the recording that was begun last, with this file.
    pub fn recorded(&mut self, path: &str) {
        let recording = self.facts.iter().rev().find_map(|fact| match &fact.event {
            dreiklang_core::Event::RecordingStarted { recording, .. } => Some(*recording),
            _ => None,
        });
        self.give(Input::RecordingFinished {
            recording: recording.expect("a recording was begun"),
            path: path.into(),
            duration: Millis(60_000),
            channels: 2,
        });
    }
}
