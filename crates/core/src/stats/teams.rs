//! What Teams' own queue reports call the end of a call, so that figures from before and after a migration can be compared.
//!
//! From the dimensions of Microsoft's auto attendant and call queue reports: Abandoned, Agent Answered (Call, Callback),
//! Overflowed, Timed Out and No Agents, each of the last three with where the call was led.

use crate::{
    config::Destination,
    queue::{FlowOutReason, Outcome},
};
use serde::{Deserialize, Serialize};

macro_rules! outcomes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $title:literal;)*) => {
        /// One of the ends that Teams' reports tell apart.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum TeamsOutcome {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl TeamsOutcome {
            /// All of them.
            pub const ALL: &[TeamsOutcome] = &[$(TeamsOutcome::$name,)*];

            /// For programs.
            pub fn as_str(self) -> &'static str {
                match self { $(TeamsOutcome::$name => $word,)* }
            }

            /// As Teams writes it.
            pub fn title(self) -> &'static str {
                match self { $(TeamsOutcome::$name => $title,)* }
            }
        }
    };
}

outcomes! {
    /// The caller left.
    Abandoned = "abandoned", "Abandoned";
    /// An agent took the call.
    AnsweredCall = "agent_answered_call", "Agent Answered (Call)";
    /// An agent took a callback.
    AnsweredCallback = "agent_answered_callback", "Agent Answered (Callback)";
    /// Too many waited; led to an application: a queue or flow of ours.
    OverflowedApplication = "overflowed_application", "Overflowed (Application)";
    /// Too many waited; let go.
    OverflowedDisconnect = "overflowed_disconnect", "Overflowed (Disconnect)";
    /// Too many waited; led to a number outside.
    OverflowedExternal = "overflowed_external", "Overflowed (External)";
    /// Too many waited; led to a person.
    OverflowedUser = "overflowed_user", "Overflowed (User)";
    /// Too many waited; led to a mailbox.
    OverflowedVoicemail = "overflowed_voicemail", "Overflowed (Voicemail)";
    /// Waited too long; led to an application.
    TimedOutApplication = "timed_out_application", "Timed Out (Application)";
    /// Waited too long; let go.
    TimedOutDisconnect = "timed_out_disconnect", "Timed Out (Disconnect)";
    /// Waited too long; led to a number outside.
    TimedOutExternal = "timed_out_external", "Timed Out (External)";
    /// Waited too long; led to a person.
    TimedOutUser = "timed_out_user", "Timed Out (User)";
    /// Waited too long; led to a mailbox.
    TimedOutVoicemail = "timed_out_voicemail", "Timed Out (Voicemail)";
    /// Nobody was at work; led to an application.
    NoAgentsApplication = "no_agents_application", "No Agents (Application)";
    /// Nobody was at work; let go.
    NoAgentsDisconnect = "no_agents_disconnect", "No Agents (Disconnect)";
    /// Nobody was at work; led to a number outside.
    NoAgentsExternal = "no_agents_external", "No Agents (External)";
    /// Nobody was at work; led to a person.
    NoAgentsUser = "no_agents_user", "No Agents (User)";
    /// Nobody was at work; led to a mailbox.
    NoAgentsVoicemail = "no_agents_voicemail", "No Agents (Voicemail)";
}

/// Where a rule led, as Teams tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeamsTarget {
    /// An auto attendant or queue.
    Application,
    /// Nowhere.
    Disconnect,
    /// A telephone number.
    External,
    /// A person.
    User,
    /// A mailbox.
    Voicemail,
}

impl TeamsTarget {
    /// What Teams would call this destination. A callback is a promise of a queue: an application to Teams.
    pub fn of(to: &Destination) -> TeamsTarget {
        match to {
            Destination::Queue(_) | Destination::Flow(_) | Destination::Callback(_) => TeamsTarget::Application,
            Destination::Agent(_) | Destination::Person(_) => TeamsTarget::User,
            Destination::Number(_) => TeamsTarget::External,
            Destination::Voicemail(_) => TeamsTarget::Voicemail,
            Destination::Message(_) | Destination::HangUp => TeamsTarget::Disconnect,
        }
    }
}

impl TeamsOutcome {
    /// What Teams would call the end of a visit; `led` is why and where a rule led the caller, if one did. Nothing for ends Teams
    /// does not know: moved by a person, led away by an estimate, a closed queue or a key, a failure. `callback` says that it is
    /// one that stood in line.
    pub fn of(outcome: Outcome, led: Option<(FlowOutReason, TeamsTarget)>, callback: bool) -> Option<TeamsOutcome> {
        use TeamsTarget::{Application, Disconnect, External, User, Voicemail};
        // The rule knows better why than the visit's end does, which may only say that a mailbox was the way out.
        let outcome = match (outcome, led) {
            (Outcome::FlowOut { .. }, Some((reason, _))) => Outcome::FlowOut { reason },
            (outcome, _) => outcome,
        };
        Some(match (outcome, led.map_or(Disconnect, |(_, to)| to)) {
            (Outcome::Answered, _) if callback => TeamsOutcome::AnsweredCallback,
            (Outcome::Answered, _) => TeamsOutcome::AnsweredCall,
            (Outcome::Abandoned { .. }, _) => TeamsOutcome::Abandoned,
            (Outcome::FlowOut { reason: FlowOutReason::Overlong }, to) => match to {
                Application => TeamsOutcome::OverflowedApplication,
                Disconnect => TeamsOutcome::OverflowedDisconnect,
                External => TeamsOutcome::OverflowedExternal,
                User => TeamsOutcome::OverflowedUser,
                Voicemail => TeamsOutcome::OverflowedVoicemail,
            },
            (Outcome::FlowOut { reason: FlowOutReason::TimedOut | FlowOutReason::MaxWait }, to) => match to {
                Application => TeamsOutcome::TimedOutApplication,
                Disconnect => TeamsOutcome::TimedOutDisconnect,
                External => TeamsOutcome::TimedOutExternal,
                User => TeamsOutcome::TimedOutUser,
                Voicemail => TeamsOutcome::TimedOutVoicemail,
            },
            (Outcome::FlowOut { reason: FlowOutReason::NoAgents }, to) => match to {
                Application => TeamsOutcome::NoAgentsApplication,
                Disconnect => TeamsOutcome::NoAgentsDisconnect,
                External => TeamsOutcome::NoAgentsExternal,
                User => TeamsOutcome::NoAgentsUser,
                Voicemail => TeamsOutcome::NoAgentsVoicemail,
            },
            (Outcome::FlowOut { .. }, _) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::QueueId;

    #[test]
    fn ends_are_named_as_teams_names_them() {
        let left = |reason| Outcome::FlowOut { reason };
        let queue = TeamsTarget::of(&Destination::Queue(QueueId(1)));
        let named = |outcome, to| TeamsOutcome::of(outcome, to, false).map(TeamsOutcome::title);
        assert_eq!(named(Outcome::Answered, None), Some("Agent Answered (Call)"));
        assert_eq!(TeamsOutcome::of(Outcome::Answered, None, true), Some(TeamsOutcome::AnsweredCallback));
        assert_eq!(named(Outcome::Abandoned { short: true }, None), Some("Abandoned"));
        assert_eq!(named(left(FlowOutReason::Overlong), Some((FlowOutReason::Overlong, queue))), Some("Overflowed (Application)"));
        assert_eq!(named(left(FlowOutReason::MaxWait), None), Some("Timed Out (Disconnect)"));
        assert_eq!(
            named(left(FlowOutReason::Voicemail), Some((FlowOutReason::NoAgents, TeamsTarget::Voicemail))),
            Some("No Agents (Voicemail)")
        );
        assert_eq!(named(left(FlowOutReason::Key), Some((FlowOutReason::Key, queue))), None);
    }
}
