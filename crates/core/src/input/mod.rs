//! What can happen to a tenant: everything the engine is ever told.

mod command;

pub use command::{Command, TransferTarget};

use crate::{
    config,
    conversation::{Cause, Quality},
    endpoint::{Line, Party},
    flow::ServiceAnswer,
    ids::{ActionId, AgentId, CommandId, LegId, RecordingId},
    output::ActionFailure,
    time::Millis,
};
use serde::{Deserialize, Serialize};

/// One thing that happened. Inputs about legs may come late, twice, or in the wrong order; the outcome must not change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Input {
    /// The time asked for by the last `WakeAt` has come.
    Wake,
    /// A document of configuration was written or removed.
    Configure {
        /// What changed.
        change: config::Change,
    },
    /// Somebody calls one of our numbers; the leg is not answered yet.
    Arrived {
        /// Named by the line.
        leg: LegId,
        /// The line it came over.
        line: Line,
        /// Who calls.
        caller: Party,
        /// What was dialed, as the line normalized it.
        dialed: String,
    },
    /// The far end of an outgoing leg rings.
    Ringing {
        /// Which leg.
        leg: LegId,
    },
    /// The leg has audio both ways.
    Connected {
        /// Which leg.
        leg: LegId,
        /// What the line needs to end this leg after a crash of ours; opaque here.
        token: Option<String>,
    },
    /// The leg is over. Every leg ends with exactly one accepted `Ended`.
    Ended {
        /// Which leg.
        leg: LegId,
        /// Why, in the core's words.
        cause: Cause,
    },
    /// Audio figures of a leg, normally right before or after its end.
    Measured {
        /// Which leg.
        leg: LegId,
        /// The figures.
        quality: Quality,
    },
    /// A prompt that plays once has ended.
    PlayFinished {
        /// Which leg.
        leg: LegId,
        /// The action that started it.
        play: ActionId,
    },
    /// A key was pressed.
    Digit {
        /// Whose.
        leg: LegId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        digit: char,
    },
    /// The far end put us on hold (or took us back) with its own telephone.
    HeldByParty {
        /// Whose telephone.
        leg: LegId,
        /// Held, or taken back.
        held: bool,
    },
    /// The far end asked with its own telephone to be replaced by somebody else.
    TransferRequested {
        /// Who asks (an agent's leg).
        leg: LegId,
        /// What was dialed as the target, as the line normalized it.
        target: String,
    },
    /// An agent's endpoint can be reached, or no longer.
    Reachable {
        /// Whose.
        agent: AgentId,
        /// Whether a call would get there.
        reachable: bool,
    },
    /// A recording was closed.
    RecordingFinished {
        /// Which.
        recording: RecordingId,
        /// Where it lies, relative to the recordings' place.
        path: String,
        /// Length of the audio.
        duration: Millis,
        /// Number of audio channels.
        channels: u8,
    },
    /// A recording could not be started or broke off.
    RecordingFailed {
        /// Which.
        recording: RecordingId,
        /// For people.
        reason: String,
    },
    /// An action was carried out.
    ActionDone {
        /// Which.
        action: ActionId,
    },
    /// An action could not be carried out.
    ActionFailed {
        /// Which.
        action: ActionId,
        /// Why.
        failure: ActionFailure,
    },
    /// A service answered what a flow asked; one that could not be asked is an action that failed.
    ServiceAnswered {
        /// The action that asked.
        action: ActionId,
        /// What it said.
        answer: ServiceAnswer,
    },
    /// A person or program wants something; answered by exactly one `Reply`.
    Command {
        /// Named by the one who asks.
        id: CommandId,
        /// Who asks.
        by: Actor,
        /// What for.
        command: Command,
    },
    /// This engine has just become the tenant's owner with replayed state: reissue unanswered actions and compare with the lines.
    TookOver,
    /// The answer of a line to "which legs live with you?" after a takeover. Legs of this line that are not named are ended.
    Survey {
        /// Which line answers.
        line: Line,
        /// Every leg that lives there.
        live: Vec<LegId>,
    },
    /// Take no new conversations (`true`), because this process is about to stop.
    Drain {
        /// On or off.
        on: bool,
    },
}

/// On whose behalf something was done; kept with the fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// A rule of the product.
    System,
    /// The agent, with the own desk or telephone.
    Agent(AgentId),
    /// A signed-in person (user name).
    User(String),
    /// A program with a token (its name).
    Token(String),
}
