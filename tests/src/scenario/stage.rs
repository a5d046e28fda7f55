//! What a scenario needs of the place it is played on: the core alone, or a line with real telephones and audio.
//!
//! Persons go by their names. Nothing here names a protocol, so that one text serves every line.

use anyhow::Result;
use dreiklang_core::{
    World,
    ids::{AgentId, ConversationId},
};
use std::{collections::BTreeSet, time::Duration};

/// What somebody hears at present.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sound {
    /// Another person, by name.
    Person(String),
    /// Hold music.
    Music,
    /// The sound of a ringing telephone.
    Ringback,
    /// The tone after which one speaks.
    Tone,
    /// A spoken text.
    Text(String),
    /// An audio file among the prompts, by name.
    File(String),
}

/// Counters of a queue since the beginning of the scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of docs/figures.md")]
pub struct Counts {
    pub offered: u64,
    pub answered: u64,
    pub abandoned: u64,
    pub flow_out: u64,
}

/// What a customer said about a talk.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of docs/flows.md")]
pub struct Score {
    pub question: String,
    pub score: u64,
    pub most: u64,
}

/// Where a scenario is played.
pub trait Stage {
    /// What was expected does not hold, and was looked at `looks` times: whether to look again, after a moment, because what leads
    /// to it may still be under way.
    fn look_again(&self, looks: u32) -> bool;
    /// A setting in the words of the interface: kind of document (`queue`, `agent`, `number`, `tenant` …), its name, field and value as JSON.
    /// A document that is not there yet is made.
    ///
    /// # Errors
    /// When the document would not be valid.
    fn set(&mut self, kind: &str, name: &str, field: &str, value: serde_json::Value) -> Result<()>;
    /// An agent comes to work and becomes ready.
    ///
    /// # Errors
    /// When there is no such agent.
    fn sign_in(&mut self, agent: &str) -> Result<()>;
    /// Somebody outside calls a number of ours, and shows the number `from`, or one that nobody else has.
    ///
    /// # Errors
    /// When the person is in a call already.
    fn dial(&mut self, caller: &str, number: &str, from: Option<&str>) -> Result<()>;
    /// Somebody whose telephone rings takes the call. Persons outside go by the number that was dialed.
    ///
    /// # Errors
    /// When it does not ring.
    fn answer(&mut self, person: &str) -> Result<()>;
    /// Somebody whose telephone rings refuses with the telephone.
    ///
    /// # Errors
    /// When it does not ring.
    fn decline(&mut self, person: &str) -> Result<()>;
    /// Somebody in a call puts down the telephone.
    ///
    /// # Errors
    /// When there is no call.
    fn hang_up(&mut self, person: &str) -> Result<()>;
    /// Somebody's connection breaks without a word.
    ///
    /// # Errors
    /// When there is no call.
    fn lose(&mut self, person: &str) -> Result<()>;
    /// A person in a call presses keys.
    ///
    /// # Errors
    /// When there is no call.
    fn press(&mut self, person: &str, keys: &str) -> Result<()>;
    /// What the person hears plays to its end.
    ///
    /// # Errors
    /// When nothing plays that would end.
    fn hear_out(&mut self, person: &str) -> Result<()>;
    /// A command of the interface by somebody, in the interface's words; names of persons and queues stand for ids, and the
    /// conversation is the one the named person is in.
    ///
    /// # Errors
    /// The refusal's text.
    fn ask(&mut self, by: &str, command: serde_json::Value) -> Result<()>;
    /// A service that was asked answers this, or cannot be reached.
    ///
    /// # Errors
    /// When nobody asked it.
    fn service_answers(&mut self, service: &str, answer: Option<serde_json::Value>) -> Result<()>;
    /// Somebody says of the oldest message in a mailbox that it is `heard` or `done`.
    ///
    /// # Errors
    /// The refusal's text, or when there is none.
    fn mark(&mut self, by: &str, mailbox: &str, state: &str) -> Result<()>;
    /// Where what somebody wrote is: `waits in Support`, `offered to Anna` or `with Anna`; `None` when it is closed.
    fn written_place(&self, writer: &str) -> Option<String>;
    /// Time passes.
    ///
    /// # Errors
    /// When the place breaks down meanwhile.
    fn pass(&mut self, time: Duration) -> Result<()>;

    /// Whether a person's telephone rings because of us.
    fn rings(&self, person: &str) -> bool;
    /// What a person hears; `None` when the person is in no call.
    fn hears(&self, person: &str) -> Option<BTreeSet<Sound>>;
    /// What an agent is busy with: `idle`, `offered`, `talking`, `wrap_up` and so on; `None` when there is no such agent.
    fn occupation(&self, agent: &str) -> Option<String>;
    /// Whether an agent is at work: `signed_out`, `off_duty` or `on_duty`.
    fn duty(&self, agent: &str) -> Option<String>;
    /// `ready`, or the reason for not being ready.
    fn availability(&self, agent: &str) -> Option<String>;
    /// What a caller's time is spent with: `queue`, `talk`, `hold` and so on; `None` when the caller has left.
    fn place(&self, caller: &str) -> Option<String>;
    /// The queue a caller waits in, by name.
    fn waits_in(&self, caller: &str) -> Option<String>;
    /// The counters of a queue.
    fn counts(&self, queue: &str) -> Counts;
    /// What a service was asked for and has not answered, oldest first.
    fn service_asked(&self, service: &str) -> Option<String>;

    /// What was typed privately and sent along with that.
    fn service_sent(&self, service: &str) -> Option<String>;

    /// Whether a text stands anywhere in what is kept of all that has happened.
    ///
    /// # Errors
    /// When that cannot be looked at.
    fn is_kept(&self, text: &str) -> Result<bool>;
    /// What customers said about an agent, oldest first.
    fn scores_of(&self, agent: &str) -> Vec<Score>;
    /// Open callbacks of a queue.
    fn callbacks(&self, queue: &str) -> usize;
    /// Messages in the mailbox of a queue or agent that nobody has heard, and all there are.
    fn messages(&self, mailbox: &str) -> (usize, usize);
    /// Whether the conversation a person is in is being recorded at this moment: not paused, not ended.
    fn is_recorded(&self, person: &str) -> bool;
}

/// Where a conversation in writing is, in the words of [`Stage::written_place`].
pub(super) fn written_place(world: &World, id: ConversationId) -> Option<String> {
    let found = world.written_of(id)?;
    let name = |agent: AgentId| world.agent(agent).map(|agent| agent.settings.name.clone()).unwrap_or_default();
    if let Some(handling) = found.handling {
        return Some(format!("with {}", name(handling.agent)));
    }
    if let Some(offer) = found.offers.first() {
        return Some(format!("offered to {}", name(offer.agent)));
    }
    let queue = world.queue(found.visit.as_ref()?.queue)?;
    Some(format!("waits in {}", queue.settings.name))
}
