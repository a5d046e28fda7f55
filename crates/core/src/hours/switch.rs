//! The switch with which a supervisor opens or closes against the clock.

use crate::{input::Actor, time::Timestamp};
use serde::{Deserialize, Serialize};

/// How the switch stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Switch {
    /// The hours decide.
    #[default]
    Automatic,
    /// Closed whatever the hours say.
    ForcedClosed {
        /// When the hours decide again; nothing when somebody has to switch back.
        #[serde(default)]
        until: Option<Timestamp>,
    },
    /// Open whatever the hours say.
    ForcedOpen {
        /// When the hours decide again; nothing when somebody has to switch back.
        #[serde(default)]
        until: Option<Timestamp>,
    },
}

/// Hours that somebody switched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// How; never automatic.
    pub switch: Switch,
    /// Who.
    pub by: Actor,
    /// Since when.
    pub since: Timestamp,
}

impl Switch {
    /// When the hours decide again by themselves.
    pub fn until(self) -> Option<Timestamp> {
        match self {
            Switch::Automatic => None,
            Switch::ForcedClosed { until } | Switch::ForcedOpen { until } => until,
        }
    }

    /// Whether it is open now whatever the hours say, or closed; nothing when they decide.
    pub(super) fn forces(self, at: Timestamp) -> Option<bool> {
        let open = match self {
            Switch::Automatic => return None,
            Switch::ForcedClosed { .. } => false,
            Switch::ForcedOpen { .. } => true,
        };
        // The timer that switches back may come late.
        self.until().is_none_or(|until| at < until).then_some(open)
    }
}
