//! A call: its parties, the applications connected to it, and what each is doing.

use super::{
    effect::Ids,
    operation::Operation,
    streaming::{Streaming, Transcription},
};
use crate::{acs::identifier::Identifier, people::sound::Frame};
use serde_json::{Value, json};
use std::{collections::VecDeque, sync::Arc};

/// A call across all its legs.
pub(crate) struct Call {
    pub(crate) key: u64,
    pub(crate) server_call_id: String,
    pub(crate) correlation_id: String,
    /// Object id of the resource account it runs over.
    pub(crate) account: Option<String>,
    /// The number that was called.
    pub(crate) dialed: Option<String>,
    /// Who called.
    pub(crate) caller: Identifier,
    /// Rings at applications.
    pub(crate) ring: Option<Ring>,
    pub(crate) legs: Vec<Leg>,
    pub(crate) connections: Vec<Connection>,
    /// Said once, when a call is over and only has to be forgotten.
    pub(crate) is_over: bool,
    pub(crate) group: Option<String>,
}

/// An unanswered call.
pub(crate) struct Ring {
    pub(crate) context: String,
    pub(crate) until: u64,
}

/// A party.
pub(crate) struct Leg {
    pub(crate) identifier: Identifier,
    pub(crate) raw: String,
    pub(crate) stage: LegStage,
    pub(crate) muted: bool,
    pub(crate) on_hold: bool,
    /// What the party hears on hold, again and again.
    pub(crate) hold_music: Option<Loop>,
    /// An announcement of the network to this party, once.
    pub(crate) announcement: Option<Loop>,
    /// Called by us over the resource account's number.
    pub(crate) is_outbound: bool,
    /// What the party says in this step.
    pub(crate) frame: Frame,
    pub(crate) speaks: bool,
}

/// Sound and place in it.
#[derive(Clone, Default)]
pub(crate) struct Loop {
    /// Until it is fetched there is none.
    pub(crate) ticket: u64,
    pub(crate) samples: Option<Arc<[i16]>>,
    pub(crate) at: usize,
}

/// How far a party is.
pub(crate) enum LegStage {
    Ringing { until: u64, invite: Invite },
    Connected,
}

/// Why somebody is called, and who wants to know.
#[derive(Clone)]
pub(crate) struct Invite {
    pub(crate) id: String,
    pub(crate) purpose: Purpose,
    pub(crate) connection: Option<String>,
    pub(crate) context: Option<String>,
    pub(crate) callback: Option<String>,
}

#[derive(Clone)]
pub(crate) enum Purpose {
    /// The call is made for it.
    Create,
    /// Joins the call.
    Add,
    /// Takes over this party of that call.
    Transfer { from: u64, transferee: String },
    /// Gets the call instead of the application.
    Redirect,
}

/// An application in a call.
pub(crate) struct Connection {
    pub(crate) id: String,
    pub(crate) state: &'static str,
    pub(crate) callback: String,
    pub(crate) context: Option<String>,
    pub(crate) targets: Vec<Identifier>,
    pub(crate) source: Option<Identifier>,
    pub(crate) answered_by: Option<String>,
    pub(crate) answered_for: Option<String>,
    /// Speech services are linked.
    pub(crate) has_speech: bool,
    pub(crate) roster_number: u32,
    pub(crate) operations: VecDeque<Operation>,
    pub(crate) streaming: Option<Streaming>,
    pub(crate) transcription: Option<Transcription>,
    /// Whose keys are told, with context, callback and the number of the last one.
    pub(crate) listeners: Vec<KeyListener>,
    pub(crate) is_created: bool,
}

/// Continuous recognition of one party's keys.
pub(crate) struct KeyListener {
    pub(crate) raw: String,
    pub(crate) context: Option<String>,
    pub(crate) callback: Option<String>,
    pub(crate) sequence: u32,
}

/// What an application says when it takes or makes a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Joining {
    pub(crate) callback: String,
    pub(crate) context: Option<String>,
    pub(crate) has_speech: bool,
    pub(crate) answered_by: Option<String>,
    pub(crate) streaming: Option<super::streaming::StreamingOptions>,
    pub(crate) transcription: Option<super::streaming::TranscriptionOptions>,
}

impl Leg {
    pub(crate) fn new(identifier: Identifier, stage: LegStage) -> Leg {
        let raw = identifier.raw_id();
        Leg {
            identifier,
            raw,
            stage,
            muted: false,
            on_hold: false,
            hold_music: None,
            announcement: None,
            is_outbound: false,
            frame: [0; crate::people::sound::FRAME],
            speaks: false,
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        matches!(self.stage, LegStage::Connected)
    }

    /// The invite that rings.
    pub(crate) fn invite(&self) -> Option<&Invite> {
        match &self.stage {
            LegStage::Ringing { invite, .. } => Some(invite),
            LegStage::Connected => None,
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "identifier": self.identifier.to_json(), "isMuted": self.muted, "isOnHold": self.on_hold })
    }
}

impl Connection {
    pub(crate) fn new(id: String, joining: &Joining) -> Connection {
        Connection {
            id,
            state: "connecting",
            callback: joining.callback.clone(),
            context: joining.context.clone(),
            targets: Vec::new(),
            source: None,
            answered_by: joining.answered_by.clone(),
            answered_for: None,
            has_speech: joining.has_speech,
            roster_number: 0,
            operations: VecDeque::new(),
            streaming: joining.streaming.clone().map(Streaming::new),
            transcription: joining.transcription.clone().map(Transcription::new),
            listeners: Vec::new(),
            is_created: false,
        }
    }
}

impl Call {
    pub(crate) fn ids(&self, connection: &str) -> Ids {
        Ids { connection: connection.to_owned(), server_call: self.server_call_id.clone(), correlation: self.correlation_id.clone() }
    }

    pub(crate) fn leg(&self, raw: &str) -> Option<usize> {
        self.legs.iter().position(|leg| leg.raw.eq_ignore_ascii_case(raw))
    }

    pub(crate) fn connected_leg(&mut self, raw: &str) -> Option<&mut Leg> {
        self.legs.iter_mut().find(|leg| leg.raw.eq_ignore_ascii_case(raw) && leg.is_connected())
    }

    pub(crate) fn connected(&self) -> impl Iterator<Item = &Leg> {
        self.legs.iter().filter(|leg| leg.is_connected())
    }

    pub(crate) fn connection(&self, id: &str) -> Option<usize> {
        self.connections.iter().position(|connection| connection.id == id)
    }

    /// The properties of a connection, as the interface gives them.
    pub(crate) fn properties(&self, index: usize) -> Value {
        let connection = &self.connections[index];
        let mut value = json!({
            "callConnectionId": connection.id,
            "serverCallId": self.server_call_id,
            "targets": connection.targets.iter().map(Identifier::to_json).collect::<Vec<_>>(),
            "callConnectionState": connection.state,
            "callbackUri": connection.callback,
            "correlationId": self.correlation_id,
        });
        if let Some(source) = &connection.source {
            value["source"] = source.to_json();
        }
        if let Some(id) = &connection.answered_by {
            value["answeredBy"] = json!({ "id": id });
        }
        if let Some(number) = &connection.answered_for {
            value["answeredFor"] = json!({ "value": number });
        }
        if let Some(streaming) = &connection.streaming {
            value["mediaStreamingSubscription"] = streaming.json();
        }
        if let Some(transcription) = &connection.transcription {
            value["transcriptionSubscription"] = transcription.json();
        }
        value
    }

    pub(crate) fn roster(&self) -> Vec<Value> {
        self.connected().map(Leg::json).collect()
    }
}
