//! What Event Grid delivers: its envelope, its handshake, calls that come in, files of recordings.

use crate::{acs::identifier::Identifier, limits};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One event, in Event Grid's own schema.
#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    /// The same in every delivery of it.
    pub id: String,
    /// Such as `Microsoft.Communication.IncomingCall`.
    #[serde(rename = "eventType")]
    pub kind: String,
    /// What it is about.
    #[serde(default)]
    pub subject: String,
    /// By kind.
    #[serde(default)]
    pub data: Value,
}

/// An event, understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// A subscription is being made: answer with this code.
    Validation {
        /// To be sent back.
        code: String,
    },
    /// Somebody calls.
    IncomingCall(Box<IncomingCall>),
    /// A recording can be fetched.
    RecordingFile(Box<RecordingFile>),
    /// Something else.
    Other,
}

/// Somebody calls one of our resource accounts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IncomingCall {
    /// Who is called.
    pub to: Identifier,
    /// Who calls.
    pub from: Identifier,
    /// Shown by the network; not to be trusted.
    #[serde(default)]
    pub caller_display_name: Option<String>,
    /// To be handed back to answer or reject the call.
    pub incoming_call_context: String,
    /// Shared by all legs of the call.
    #[serde(default)]
    pub correlation_id: String,
    /// The server's name of the call.
    #[serde(default)]
    pub server_call_id: Option<String>,
    /// What came with the call.
    #[serde(default)]
    pub custom_context: Option<CustomContext>,
    /// On whose behalf an agent's client calls out, where it does.
    #[serde(default)]
    pub on_behalf_of_callee: Option<Identifier>,
}

/// Headers that travel with a call.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomContext {
    /// From the telephone network's side.
    #[serde(default)]
    pub sip_headers: Option<BTreeMap<String, String>>,
    /// From applications.
    #[serde(default)]
    pub voip_headers: Option<BTreeMap<String, String>>,
}

/// A finished recording, in one or several pieces.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordingFile {
    /// Which recording.
    pub recording: String,
    /// Its pieces in order.
    pub chunks: Vec<Chunk>,
    /// Length of the audio.
    pub duration_ms: u64,
}

/// A piece of a recording.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chunk {
    /// Place in the order.
    #[serde(default)]
    pub index: u32,
    /// Where the audio lies.
    pub content_location: String,
    /// What to delete when it has been fetched.
    #[serde(default)]
    pub delete_location: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordingData {
    recording_storage_info: StorageInfo,
    #[serde(default)]
    recording_duration_ms: u64,
    #[serde(default)]
    recording_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StorageInfo {
    recording_chunks: Vec<Chunk>,
}

/// The events of a delivery: an array, or one alone.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn parse(body: &[u8]) -> Result<Vec<Event>, String> {
    crate::webhook::events(body)
}

/// The answer to a handshake.
pub fn validation_response(code: &str) -> String {
    serde_json::json!({ "validationResponse": code }).to_string()
}

impl Event {
    /// What it says.
    ///
    /// # Errors
    /// When its data lacks what every such event has.
    pub fn known(&self) -> Result<Known, String> {
        let wrong = |error: serde_json::Error| format!("{} {}: {error}", self.kind, self.id);
        let kind = self.kind.as_str();
        if kind.eq_ignore_ascii_case("Microsoft.EventGrid.SubscriptionValidationEvent") {
            let code = self.data["validationCode"].as_str().filter(|code| code.len() <= limits::TOLD_CHARS);
            return Ok(Known::Validation { code: code.ok_or("a handshake without a code")?.to_owned() });
        }
        if kind.eq_ignore_ascii_case("Microsoft.Communication.IncomingCall") {
            return Ok(Known::IncomingCall(Box::new(serde_json::from_value(self.data.clone()).map_err(wrong)?)));
        }
        if kind.eq_ignore_ascii_case("Microsoft.Communication.RecordingFileStatusUpdated") {
            let data: RecordingData = serde_json::from_value(self.data.clone()).map_err(wrong)?;
            let recording = data.recording_id.or_else(|| after(&self.subject, "/recordingId/")).ok_or("a recording without an id")?;
            let mut chunks = data.recording_storage_info.recording_chunks;
            chunks.sort_by_key(|chunk| chunk.index);
            return Ok(Known::RecordingFile(Box::new(RecordingFile { recording, chunks, duration_ms: data.recording_duration_ms })));
        }
        Ok(Known::Other)
    }
}

/// The part of a subject that follows a word.
fn after(subject: &str, word: &str) -> Option<String> {
    let at = subject.to_ascii_lowercase().find(&word.to_ascii_lowercase())?;
    let rest = subject.get(at + word.len()..)?;
    rest.split('/').next().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one(value: Value) -> Known {
        let events = parse(json!([value]).to_string().as_bytes()).unwrap();
        events[0].known().unwrap()
    }

    #[test]
    fn a_call_to_a_resource_account_is_understood_whatever_else_comes_with_it() {
        let known = one(json!({
            "id": "e1", "topic": "/subscriptions/x", "subject": "/caller/4:+49/recipient/28:orgid:ra",
            "eventType": "Microsoft.Communication.IncomingCall", "dataVersion": "1.0", "metadataVersion": "1", "eventTime": "2026-11-28T10:00:00Z",
            "data": {
                "to": { "kind": "unknown", "rawId": "28:orgid:cc3a8e2c-0f8d-4a65-9c5f-5a1f4d5b7e11" },
                "from": { "kind": "PhoneNumber", "rawId": "4:+4930123456", "phoneNumber": { "value": "+4930123456" }, "new": 1 },
                "callerDisplayName": "", "incomingCallContext": "eyJ", "correlationId": "c1", "serverCallId": "s1",
                "customContext": { "sipHeaders": { "User-To-User": "42" }, "voipHeaders": {} },
            },
        }));
        let Known::IncomingCall(call) = known else { panic!("{known:?}") };
        assert_eq!(call.to.resource_account(), Some("cc3a8e2c-0f8d-4a65-9c5f-5a1f4d5b7e11"));
        assert_eq!(call.from.number(), Some("+4930123456"));
        assert_eq!(call.incoming_call_context, "eyJ");
        assert_eq!(call.custom_context.unwrap().sip_headers.unwrap()["User-To-User"], "42");
    }

    #[test]
    fn the_handshake_gives_its_code_back() {
        let event = json!({
            "id": "v", "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "subject": "",
            "data": { "validationCode": "512d38b6", "validationUrl": "https://x" },
        });
        assert_eq!(one(event), Known::Validation { code: "512d38b6".to_owned() });
        assert_eq!(validation_response("512d38b6"), r#"{"validationResponse":"512d38b6"}"#);
    }

    #[test]
    fn a_recording_is_named_by_the_subject_and_its_pieces_come_in_order() {
        let known = one(json!({
            "id": "r", "eventType": "Microsoft.Communication.RecordingFileStatusUpdated",
            "subject": "/recording/call/c/serverCallId/s/recordingId/rec-7",
            "data": { "recordingStorageInfo": { "recordingChunks": [
                { "documentId": "b", "index": 1, "endReason": "SessionEnded", "contentLocation": "https://x/b", "deleteLocation": "https://x/b" },
                { "documentId": "a", "index": 0, "endReason": "x", "contentLocation": "https://x/a" },
            ] }, "recordingDurationMs": 6620, "recordingStartTime": "2026-11-28T10:00:00Z" },
        }));
        let Known::RecordingFile(file) = known else { panic!("{known:?}") };
        assert_eq!((file.recording.as_str(), file.duration_ms), ("rec-7", 6620));
        assert_eq!(file.chunks.iter().map(|chunk| chunk.content_location.as_str()).collect::<Vec<_>>(), ["https://x/a", "https://x/b"]);
    }

    #[test]
    fn what_is_new_is_passed_over_and_what_is_broken_is_named() {
        assert_eq!(one(json!({ "id": "x", "eventType": "Microsoft.Communication.SomethingNew", "data": 7 })), Known::Other);
        let events = parse(br#"{"id":"x","eventType":"Microsoft.Communication.IncomingCall","data":{}}"#).unwrap();
        assert!(events[0].known().unwrap_err().contains("missing field"));
        assert!(parse(b"hello").is_err());
    }
}
