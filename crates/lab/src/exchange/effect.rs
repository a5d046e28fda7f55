//! What the exchange wants done outside, and the writing of its events.

use crate::dice::Dice;
use serde_json::{Value, json};

/// A wish.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Tell the application about its call.
    Callback { uri: String, connection: String, event: Value },
    /// Tell the subscribers of Event Grid.
    Grid(Value),
    /// Fetch or speak what is to be played.
    Load { ticket: u64, sources: Vec<Source> },
    /// Connect to the application's socket.
    OpenSocket { id: u64, url: String, connection: String, correlation: String },
    /// Send a frame.
    SocketText { id: u64, text: String },
    /// Close the socket.
    CloseSocket { id: u64 },
    /// Put a file into the customer's own storage.
    Upload { url: String, content_type: &'static str, bytes: Vec<u8> },
}

/// Where a sound comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A WAV file at an address.
    File(String),
    /// A text, and the language it is in.
    Text { text: String, language: String },
}

/// Who an event is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    pub(crate) connection: String,
    pub(crate) server_call: String,
    pub(crate) correlation: String,
}

/// Everything that is to be done outside, and what is needed to write it.
pub(crate) struct Post {
    pub(crate) out: Vec<Effect>,
    pub(crate) dice: Dice,
    pub(crate) start: jiff::Timestamp,
    /// Milliseconds since the start.
    pub(crate) now: u64,
    pub(crate) resource_name: String,
}

impl Post {
    /// The present moment.
    pub(crate) fn time(&self) -> jiff::Timestamp {
        self.time_at(self.now)
    }

    pub(crate) fn time_at(&self, ms: u64) -> jiff::Timestamp {
        self.start.checked_add(jiff::SignedDuration::from_millis(ms as i64)).unwrap_or(self.start)
    }

    /// An event of a call, for its application.
    pub(crate) fn event(&mut self, ids: &Ids, uri: &str, kind: &str, context: Option<&str>, extra: Value) {
        let mut data = json!({
            "version": "2026-03-12",
            "callConnectionId": ids.connection,
            "serverCallId": ids.server_call,
            "correlationId": ids.correlation,
            "publicEventType": format!("Microsoft.Communication.{kind}"),
        });
        if let Some(context) = context {
            data["operationContext"] = json!(context);
        }
        merge(&mut data, extra);
        let place = format!("calling/callConnections/{}", ids.connection);
        let event = json!({
            "id": self.dice.guid(),
            "source": place,
            "type": format!("Microsoft.Communication.{kind}"),
            "data": data,
            "time": self.time().to_string(),
            "specversion": "1.0",
            "datacontenttype": "application/json",
            "subject": place,
        });
        self.out.push(Effect::Callback { uri: uri.to_owned(), connection: ids.connection.clone(), event });
    }

    /// An event of Event Grid.
    pub(crate) fn grid(&mut self, kind: &str, subject: &str, data: Value) {
        let topic = format!(
            "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/lab/providers/Microsoft.Communication/communicationServices/{}",
            self.resource_name
        );
        let event = json!({
            "id": self.dice.guid(),
            "topic": topic,
            "subject": subject,
            "data": data,
            "eventType": format!("Microsoft.Communication.{kind}"),
            "dataVersion": "1.0",
            "metadataVersion": "1",
            "eventTime": self.time().to_string(),
        });
        self.out.push(Effect::Grid(event));
    }
}

/// Puts the fields of one object into another.
pub(crate) fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

/// How something went, as events say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) code: u32,
    pub(crate) sub_code: u32,
    pub(crate) message: &'static str,
    /// Status of the telephone network.
    pub(crate) sip: Option<(u32, &'static str)>,
    /// Its cause value.
    pub(crate) q850: Option<(u32, &'static str)>,
}

impl Cause {
    pub(crate) const fn new(code: u32, sub_code: u32, message: &'static str) -> Cause {
        Cause { code, sub_code, message, sip: None, q850: None }
    }

    const fn pstn(code: u32, sub_code: u32, message: &'static str, sip: (u32, &'static str), q850: (u32, &'static str)) -> Cause {
        Cause { code, sub_code, message, sip: Some(sip), q850: Some(q850) }
    }

    pub(crate) fn json(&self) -> Value {
        let mut value = json!({ "code": self.code, "subCode": self.sub_code, "message": self.message });
        if let Some((code, message)) = self.sip {
            value["sipDetails"] = json!({ "code": code, "message": message });
        }
        if let Some((code, message)) = self.q850 {
            value["q850Details"] = json!({ "code": code, "message": message });
        }
        json!({ "resultInformation": value })
    }

    pub(crate) fn short(&self) -> String {
        format!("{}/{}", self.code, self.sub_code)
    }
}

pub(crate) const SUCCESS: Cause = Cause::new(200, 0, "");
pub(crate) const SERVER_FAILED: Cause = Cause::new(500, 9_999, "Unknown internal server error.");
pub(crate) const HUNG_UP: Cause = Cause::new(0, 0, "The call was ended by its application.");
pub(crate) const TERMINATED: Cause = Cause::new(0, 7_000, "The call was ended for everyone by its application.");
pub(crate) const REMOVED: Cause = Cause::new(0, 5_300, "The participant was removed from the conversation by another participant.");
pub(crate) const LEFT: Cause = Cause::new(0, 0, "The participant left.");
pub(crate) const PSTN_LEFT: Cause = Cause::pstn(0, 560_000, "The conversation has ended.", (200, "OK"), (16, "Normal call clearing"));
pub(crate) const TRANSFERRED: Cause = Cause::new(0, 7_000, "The call was transferred.");
pub(crate) const CANCELED: Cause = Cause::new(487, 0, "The call was canceled by the originator.");
pub(crate) const DECLINED: Cause = Cause::new(603, 0, "Decline. DiagCode: 603#0.");
pub(crate) const PSTN_DECLINED: Cause = Cause::pstn(603, 560_603, "Decline.", (603, "Decline"), (21, "Call rejected"));
pub(crate) const BUSY: Cause = Cause::new(486, 0, "Busy here.");
pub(crate) const PSTN_BUSY: Cause = Cause::pstn(486, 560_486, "Busy here.", (486, "Busy Here"), (17, "User busy"));
pub(crate) const NO_ANSWER: Cause = Cause::new(487, 10_004, "Call was canceled on timeout. No answer.");
pub(crate) const PSTN_NO_ANSWER: Cause =
    Cause::pstn(487, 10_004, "Call was canceled on timeout. No answer.", (487, "Request Terminated"), (19, "No answer from user"));
pub(crate) const NO_ENDPOINT: Cause = Cause::new(480, 10_037, "No callee endpoint was found.");
pub(crate) const PSTN_UNREACHABLE: Cause =
    Cause::pstn(480, 560_480, "Temporarily unavailable.", (480, "Temporarily Unavailable"), (20, "Subscriber absent"));
pub(crate) const PSTN_UNKNOWN: Cause =
    Cause::pstn(404, 560_404, "The number does not exist.", (404, "Not Found"), (1, "Unallocated number"));
pub(crate) const WRONG_PERSONA: Cause = Cause::new(408, 10_057, "Call setup was not finalized: no client is signed in with this identity.");
