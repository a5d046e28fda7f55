//! What the service tells of calls while they go on: CloudEvents, at least once, in any order.

use super::{identifier::Identifier, model::Participant};
use crate::Word;
use serde::Deserialize;
use serde_json::Value;

/// One event.
#[derive(Clone, Debug, Deserialize)]
pub struct CloudEvent {
    /// The same in every delivery of it.
    pub id: String,
    /// Such as `Microsoft.Communication.CallConnected`.
    #[serde(rename = "type")]
    pub kind: String,
    /// By kind.
    #[serde(default)]
    pub data: Value,
}

/// What every event says.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// Which call.
    #[serde(default)]
    pub call_connection_id: String,
    /// The server's name of it.
    #[serde(default)]
    pub server_call_id: Option<String>,
    /// Shared by all its legs.
    #[serde(default)]
    pub correlation_id: Option<String>,
    /// What we gave the operation.
    #[serde(default)]
    pub operation_context: Option<String>,
    /// How it went.
    #[serde(default)]
    pub result_information: Option<ResultInformation>,
}

/// How something went.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultInformation {
    /// Like an HTTP or SIP status.
    #[serde(default)]
    pub code: Option<i64>,
    /// The service's own.
    #[serde(default)]
    pub sub_code: Option<i64>,
    /// For people.
    #[serde(default)]
    pub message: Option<String>,
    /// What the telephone network said.
    #[serde(default)]
    pub sip_details: Option<Diagnostic>,
    /// What the telephone network said, in its older words.
    #[serde(default)]
    pub q850_details: Option<Diagnostic>,
}

/// What the telephone network said.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Diagnostic {
    /// Its code.
    #[serde(default)]
    pub code: Option<i64>,
    /// For people.
    #[serde(default)]
    pub message: Option<String>,
}

/// What happened. Kinds that are not used, and those that are new, are [`Happening::Other`].
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// The call stands.
    CallConnected,
    /// It is over.
    CallDisconnected,
    /// Answering failed.
    AnswerFailed,
    /// Calling failed.
    CreateCallFailed,
    /// Who is in the call now.
    ParticipantsUpdated {
        /// Everybody.
        participants: Vec<Participant>,
        /// Grows with each change.
        sequence: i64,
    },
    /// Who was invited is in.
    AddParticipantSucceeded(Identifier),
    /// Who was invited is not.
    AddParticipantFailed(Identifier),
    /// An invitation was taken back.
    CancelAddParticipantSucceeded,
    /// It was not; it may have been accepted.
    CancelAddParticipantFailed,
    /// Somebody was let out.
    RemoveParticipantSucceeded(Identifier),
    /// Somebody was not.
    RemoveParticipantFailed(Identifier),
    /// Somebody came from another call.
    MoveParticipantSucceeded(Identifier),
    /// Somebody did not.
    MoveParticipantFailed(Identifier),
    /// A prompt has ended.
    PlayCompleted,
    /// A prompt could not be played.
    PlayFailed,
    /// A prompt was cut off.
    PlayCanceled,
    /// Somebody could not be put on hold.
    HoldFailed,
    /// A key was pressed.
    Tone {
        /// Which: `0`–`9`, `*`, `#`, `A`–`D`.
        key: char,
        /// Counts the keys.
        sequence: i64,
    },
    /// Keys are not told any more.
    TonesStopped,
    /// A recording runs, or not.
    RecordingStateChanged {
        /// Which.
        recording: String,
        /// It does.
        active: bool,
    },
    /// A recording could not be started.
    StartRecordingFailed {
        /// Which, where it got that far.
        recording: Option<String>,
    },
    /// Something else.
    Other,
}

/// An event, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The same in every delivery of it.
    pub id: String,
    /// About what.
    pub about: About,
    /// What.
    pub what: Happening,
}

/// The events of a delivery.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn parse(body: &[u8]) -> Result<Vec<Event>, String> {
    crate::webhook::events::<CloudEvent>(body)?.into_iter().map(CloudEvent::known).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Updated {
    #[serde(default)]
    participants: Vec<Participant>,
    #[serde(default)]
    sequence_number: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToneData {
    tone: Word,
    #[serde(default)]
    sequence_id: i64,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordingData {
    #[serde(default)]
    recording_id: Option<String>,
    #[serde(default)]
    state: Word,
}

impl CloudEvent {
    /// What it says.
    ///
    /// # Errors
    /// When its data lacks what every such event has.
    pub fn known(self) -> Result<Event, String> {
        let wrong = |error: serde_json::Error| format!("{} {}: {error}", self.kind, self.id);
        let about: About = serde_json::from_value(self.data.clone()).map_err(wrong)?;
        let data = || self.data.clone();
        let who = || serde_json::from_value::<Identifier>(self.data["participant"].clone()).unwrap_or_default();
        let name = self.kind.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        let what = match name.as_str() {
            "callconnected" => Happening::CallConnected,
            "calldisconnected" => Happening::CallDisconnected,
            "answerfailed" => Happening::AnswerFailed,
            "createcallfailed" => Happening::CreateCallFailed,
            "participantsupdated" => {
                let updated: Updated = serde_json::from_value(data()).map_err(wrong)?;
                Happening::ParticipantsUpdated { participants: updated.participants, sequence: updated.sequence_number }
            }
            "addparticipantsucceeded" => Happening::AddParticipantSucceeded(who()),
            "addparticipantfailed" => Happening::AddParticipantFailed(who()),
            "canceladdparticipantsucceeded" => Happening::CancelAddParticipantSucceeded,
            "canceladdparticipantfailed" => Happening::CancelAddParticipantFailed,
            "removeparticipantsucceeded" => Happening::RemoveParticipantSucceeded(who()),
            "removeparticipantfailed" => Happening::RemoveParticipantFailed(who()),
            "moveparticipantsucceeded" => Happening::MoveParticipantSucceeded(who()),
            "moveparticipantfailed" => Happening::MoveParticipantFailed(who()),
            "playcompleted" => Happening::PlayCompleted,
            "playfailed" => Happening::PlayFailed,
            "playcanceled" => Happening::PlayCanceled,
            "holdfailed" => Happening::HoldFailed,
            "continuousdtmfrecognitiontonereceived" => {
                let tone: ToneData = serde_json::from_value(data()).map_err(wrong)?;
                match key_of(&tone.tone) {
                    Some(key) => Happening::Tone { key, sequence: tone.sequence_id },
                    None => Happening::Other,
                }
            }
            "continuousdtmfrecognitionstopped" | "continuousdtmfrecognitiontonefailed" => Happening::TonesStopped,
            "recordingstatechanged" => {
                let changed: RecordingData = serde_json::from_value(data()).map_err(wrong)?;
                let recording = changed.recording_id.ok_or_else(|| format!("{} {}: no recording", self.kind, self.id))?;
                Happening::RecordingStateChanged { recording, active: changed.state.is("active") }
            }
            "startrecordingfailed" => {
                let failed: RecordingData = serde_json::from_value(data()).map_err(wrong)?;
                Happening::StartRecordingFailed { recording: failed.recording_id }
            }
            _ => Happening::Other,
        };
        Ok(Event { id: self.id, about, what })
    }
}

/// The service spells keys out.
fn key_of(tone: &Word) -> Option<char> {
    const KEYS: [(&str, char); 16] = [
        ("zero", '0'),
        ("one", '1'),
        ("two", '2'),
        ("three", '3'),
        ("four", '4'),
        ("five", '5'),
        ("six", '6'),
        ("seven", '7'),
        ("eight", '8'),
        ("nine", '9'),
        ("a", 'A'),
        ("b", 'B'),
        ("c", 'C'),
        ("d", 'D'),
        ("pound", '#'),
        ("asterisk", '*'),
    ];
    KEYS.iter().find(|(name, _)| tone.is(name)).map(|(_, key)| *key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one(kind: &str, data: Value) -> Event {
        let body = json!([{
            "id": "e", "source": "calling/callConnections/c", "type": format!("Microsoft.Communication.{kind}"), "data": data,
            "time": "2026-11-28T10:00:00Z", "specversion": "1.0", "datacontenttype": "application/json", "subject": "calling/callConnections/c",
        }]);
        parse(body.to_string().as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn events_say_which_call_which_operation_and_how_it_went() {
        let event = one(
            "AddParticipantFailed",
            json!({
                "callConnectionId": "c", "operationContext": "leg", "version": "2026-03-12", "publicEventType": "x",
                "resultInformation": { "code": 603, "subCode": 0, "message": "declined", "sipDetails": { "code": 603, "message": "Decline" } },
                "participant": { "rawId": "8:acs:r_t_u" },
            }),
        );
        assert_eq!(event.about.operation_context.as_deref(), Some("leg"));
        assert_eq!(event.about.result_information.unwrap().code, Some(603));
        assert_eq!(event.what, Happening::AddParticipantFailed(Identifier::of_extension("r", "t", "u")));
    }

    #[test]
    fn keys_and_rosters_keep_their_numbers() {
        let tone = one("ContinuousDtmfRecognitionToneReceived", json!({ "callConnectionId": "c", "sequenceId": 4, "tone": "Pound" }));
        assert_eq!(tone.what, Happening::Tone { key: '#', sequence: 4 });
        let data = json!({ "callConnectionId": "c", "sequenceNumber": 3, "participants": [
            { "identifier": { "rawId": "4:+4930" }, "isMuted": false, "isOnHold": true }, { "identifier": { "rawId": "8:acs:x" } } ] });
        let Happening::ParticipantsUpdated { participants, sequence } = one("ParticipantsUpdated", data).what else { panic!() };
        assert_eq!((participants.len(), sequence, participants[0].is_on_hold, participants[1].is_muted), (2, 3, true, false));
    }

    #[test]
    fn recordings_are_told_by_their_state_whatever_its_case() {
        let changed =
            one("RecordingStateChanged", json!({ "recordingId": "r", "state": "Active", "recordingKind": "AzureCommunicationServices" }));
        assert_eq!(changed.what, Happening::RecordingStateChanged { recording: "r".to_owned(), active: true });
    }

    #[test]
    fn new_kinds_are_passed_over() {
        assert_eq!(one("CallSummarized", json!({ "callConnectionId": "c", "x": [1] })).what, Happening::Other);
        assert!(parse(b"[{\"id\":1}]").is_err());
    }
}
