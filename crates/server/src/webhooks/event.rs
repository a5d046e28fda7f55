//! From facts to CloudEvents 1.0.
//!
//! One fact becomes at most one event. Events carry what a receiver needs to act without asking back, in words of the interface.

use dreiklang_core::{
    Event, Stamped,
    endpoint::{Line, Party},
    ids::{ConversationId, TenantId},
    time::Timestamp,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

macro_rules! types {
    ($($name:ident = $text:literal;)*) => {
        $(const $name: &str = concat!("dev.dreiklang.", $text, ".v1");)*
        /// Every type of event.
        pub const TYPES: &[&str] = &[$($name),*, TEST];
    };
}

types! {
    ARRIVED = "conversation.arrived";
    QUEUED = "conversation.queued";
    OFFERED = "conversation.offered";
    ANSWERED = "conversation.answered";
    HELD = "conversation.held";
    RESUMED = "conversation.resumed";
    TRANSFERRED = "conversation.transferred";
    ENDED = "conversation.ended";
    AGENT_STATE = "agent.state_changed";
    RECORDING = "recording.ready";
}

/// Sent on request, to see that a receiver works.
pub const TEST: &str = "dev.dreiklang.test.v1";

/// Remembers what later facts of a conversation do not repeat.
#[derive(Clone, Debug, Default)]
pub struct Translator {
    callers: BTreeMap<ConversationId, (Line, Party, String)>,
}

impl Translator {
    /// Remembers a conversation that began before the facts that are translated.
    pub fn know(&mut self, conversation: &dreiklang_core::conversation::Conversation) {
        self.callers.insert(conversation.id, (conversation.line, conversation.caller.clone(), conversation.dialed.clone()));
    }

    /// The event of a fact, if it is one of those told.
    pub fn translate(&mut self, tenant: TenantId, stamped: &Stamped) -> Option<Value> {
        if let Event::ConversationStarted { conversation, line, caller, dialed, .. } = &stamped.event
            && self.callers.len() < dreiklang_core::limits::CONVERSATIONS_PER_TENANT
        {
            self.callers.insert(*conversation, (*line, caller.clone(), dialed.clone()));
        }
        let (kind, subject, mut data) = told(stamped)?;
        if let Some(conversation) = conversation_of(&stamped.event) {
            data["conversation"] = json!(conversation);
            if let Some((line, caller, dialed)) = self.callers.get(&conversation) {
                data["line"] = json!(line);
                data["caller_number"] = json!(caller.number);
                data["dialed"] = json!(dialed);
            }
        }
        if let Event::ConversationEnded { conversation, .. } = &stamped.event {
            self.callers.remove(conversation);
        }
        Some(envelope(tenant, &format!("{tenant}-{}", stamped.seq), kind, &subject, stamped.at, data))
    }
}

/// A CloudEvent (CloudEvents 1.0.2 §3.1).
pub fn envelope(tenant: TenantId, id: &str, kind: &str, subject: &str, at: Timestamp, data: Value) -> Value {
    json!({
        "specversion": "1.0",
        "id": id,
        "source": format!("/tenants/{tenant}"),
        "type": kind,
        "subject": subject,
        "time": rfc3339(at),
        "datacontenttype": "application/json",
        "data": data,
    })
}

fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map(|at| at.to_string()).unwrap_or_default()
}

fn conversation_of(event: &Event) -> Option<ConversationId> {
    match event {
        Event::ConversationStarted { conversation, .. }
        | Event::VisitStarted { conversation, .. }
        | Event::OfferMade { conversation, .. }
        | Event::TalkStarted { conversation, .. }
        | Event::HoldStarted { conversation, .. }
        | Event::HoldEnded { conversation }
        | Event::TransferEnded { conversation, .. }
        | Event::ConversationEnded { conversation, .. }
        | Event::RecordingFinished { conversation, .. } => Some(*conversation),
        _ => None,
    }
}

fn told(stamped: &Stamped) -> Option<(&'static str, String, Value)> {
    let event = match &stamped.event {
        Event::ConversationStarted { conversation, direction, .. } => {
            (ARRIVED, conversation.to_string(), json!({ "direction": direction }))
        }
        Event::VisitStarted { conversation, queue, visit, priority, .. } => {
            (QUEUED, conversation.to_string(), json!({ "queue": queue, "visit": visit, "priority": priority }))
        }
        Event::OfferMade { conversation, queue, agent, offer, rings_until, .. } => {
            (OFFERED, conversation.to_string(), json!({ "queue": queue, "agent": agent, "offer": offer, "rings_until": rings_until }))
        }
        Event::TalkStarted { conversation, queue, agent, .. } => {
            (ANSWERED, conversation.to_string(), json!({ "queue": queue, "agent": agent }))
        }
        Event::HoldStarted { conversation, .. } => (HELD, conversation.to_string(), json!({})),
        Event::HoldEnded { conversation } => (RESUMED, conversation.to_string(), json!({})),
        Event::TransferEnded { conversation, to, failure } => {
            (TRANSFERRED, conversation.to_string(), json!({ "to": to, "succeeded": failure.is_none(), "failure": failure }))
        }
        Event::ConversationEnded { conversation, started_at, termination } => (
            ENDED,
            conversation.to_string(),
            json!({ "started_at": started_at, "ended_at": stamped.at, "result": termination.result, "reason": termination.reason }),
        ),
        Event::DutyChanged { agent, duty, .. } => {
            (AGENT_STATE, agent.to_string(), json!({ "agent": agent, "changed": "duty", "duty": duty }))
        }
        Event::AvailabilityChanged { agent, availability, .. } => {
            (AGENT_STATE, agent.to_string(), json!({ "agent": agent, "changed": "availability", "availability": availability }))
        }
        Event::OccupationChanged { agent, occupation, .. } => {
            (AGENT_STATE, agent.to_string(), json!({ "agent": agent, "changed": "occupation", "occupation": occupation }))
        }
        Event::ReachabilityChanged { agent, reachable } => {
            (AGENT_STATE, agent.to_string(), json!({ "agent": agent, "changed": "reachable", "reachable": reachable }))
        }
        Event::RecordingFinished { recording, duration, channels, .. } => (
            RECORDING,
            recording.to_string(),
            json!({ "recording": recording, "duration_ms": duration, "channels": channels, "audio": format!("/api/v1/recordings/{recording}/audio") }),
        ),
        _ => return None,
    };
    Some(event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dreiklang_core::{conversation::Direction, ids::QueueId};

    #[test]
    fn an_event_is_a_cloud_event_that_says_who_calls() {
        let mut translator = Translator::default();
        let started = Stamped {
            seq: 7,
            at: Timestamp(1_700_000_000_123),
            event: Event::ConversationStarted {
                conversation: ConversationId(1),
                line: Line::Connected,
                direction: Direction::Inbound,
                caller: Party { number: Some("+4930123456".into()), name: None },
                dialed: "+49301".into(),
                number: None,
                callback: None,
            },
        };
        let event = translator.translate(TenantId(2), &started).unwrap();
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["type"], "dev.dreiklang.conversation.arrived.v1");
        assert_eq!(event["time"], "2023-11-14T22:13:20.123Z");
        assert_eq!(event["source"], format!("/tenants/{}", TenantId(2)));
        assert_eq!(event["id"], format!("{}-7", TenantId(2)));
        let talk = Stamped {
            seq: 8,
            at: Timestamp(1),
            event: Event::TalkStarted {
                conversation: ConversationId(1),
                queue: Some(QueueId(3)),
                agent: None,
                leg: dreiklang_core::ids::LegId(4),
            },
        };
        let event = translator.translate(TenantId(2), &talk).unwrap();
        assert_eq!(event["data"]["caller_number"], "+4930123456", "later events repeat it");
        assert_eq!(event["data"]["queue"], json!(QueueId(3)));
    }

    #[test]
    fn every_type_is_listed_once() {
        let mut sorted = TYPES.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), TYPES.len());
        assert!(TYPES.iter().all(|kind| kind.starts_with("dev.dreiklang.") && kind.ends_with(".v1")));
    }
}
