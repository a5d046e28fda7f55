//! What a bill can be made of later: one record for every leg that ended and every recording that finished, in exact
//! milliseconds. Rounding to begun minutes, free minutes and prices are the rate's matter, not the meter's.
//!
//! Nothing in here is a fact of its own: every record follows from the journal.

use crate::{
    conversation::{Direction, Role},
    endpoint::{Endpoint, Line},
    ids::{ConversationId, LegId, QueueId, RecordingId},
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};

/// What was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A leg's time from connected to ended; zero when it never was.
    Connected,
    /// The same for legs that Microsoft's platform carries and charges for by participant and minute: those of the unified
    /// line. Written beside `Connected`.
    Platform,
    /// Time recorded, without pauses.
    Recorded,
}

impl Unit {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Unit::Connected => "connected",
            Unit::Platform => "platform",
            Unit::Recorded => "recorded",
        }
    }
}

/// Whether the network outside charges for a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// A telephone or client of the organization's own.
    Inside,
    /// A number of the public network.
    Outside,
}

impl Reach {
    /// Where this endpoint lies. A caller who withholds the number comes over the public network as well.
    pub fn of(endpoint: &Endpoint, role: Role) -> Reach {
        match (endpoint, role) {
            (Endpoint::Number(_), _) | (_, Role::Customer) => Reach::Outside,
            (Endpoint::Desk(_) | Endpoint::Address(_) | Endpoint::Person(_), Role::Agent(_) | Role::External) => Reach::Inside,
        }
    }
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metered {
    /// The event of the journal it follows from; together with `unit` it tells records apart.
    pub seq: u64,
    /// What was used.
    pub unit: Unit,
    /// How much, in milliseconds.
    pub quantity: Millis,
    /// From when.
    pub from: Timestamp,
    /// To when.
    pub to: Timestamp,
    /// For which conversation.
    pub conversation: ConversationId,
    /// The queue the customer was in last, if in any.
    pub queue: Option<QueueId>,
    /// Over which line.
    pub line: Option<Line>,
    /// The leg, for what is about one.
    pub leg: Option<LegId>,
    /// Whose leg.
    pub role: Option<Role>,
    /// Who called whom.
    pub direction: Option<Direction>,
    /// Where the leg ended.
    pub reach: Option<Reach>,
    /// The recording, for what is about one.
    pub recording: Option<RecordingId>,
}
