//! What operations say and are answered. Only what is used; what else the service sends is passed over.

use super::identifier::{CommunicationUser, Identifier, PhoneNumber, TeamsApp};
use crate::Word;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Takes a call.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AnswerCall {
    /// From the event that announced it.
    pub incoming_call_context: String,
    /// Where the call's events go.
    pub callback_uri: String,
    /// Comes back with the answer's events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_context: Option<String>,
    /// Who speaks texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_intelligence_options: Option<CallIntelligence>,
}

/// Who speaks texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallIntelligence {
    /// Address of the AI services that are linked with the resource.
    pub cognitive_services_endpoint: String,
}

/// Begins a call. On behalf of a resource account no caller number or name may be given.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateCall {
    /// Whom to call.
    pub targets: Vec<Identifier>,
    /// Where the call's events go.
    pub callback_uri: String,
    /// Comes back with the events of its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_context: Option<String>,
    /// Who speaks texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_intelligence_options: Option<CallIntelligence>,
    /// The resource account on whose behalf the call is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teams_app_source: Option<TeamsApp>,
}

/// A call as the service knows it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallConnection {
    /// Names it in every operation.
    pub call_connection_id: String,
    /// The server's name of it.
    #[serde(default)]
    pub server_call_id: Option<String>,
    /// `connecting`, `connected`, `disconnected` and others.
    #[serde(default)]
    pub call_connection_state: Word,
    /// Whom it was made to.
    #[serde(default)]
    pub targets: Vec<Identifier>,
    /// Shared by all its legs.
    #[serde(default)]
    pub correlation_id: Option<String>,
    /// The number that was dialed.
    #[serde(default)]
    pub answered_for: Option<PhoneNumber>,
    /// Who answered it.
    #[serde(default)]
    pub answered_by: Option<CommunicationUser>,
}

impl CallConnection {
    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        ["disconnecting", "disconnected"].iter().any(|state| self.call_connection_state.is(state))
    }

    /// Whether it stands.
    pub fn is_connected(&self) -> bool {
        ["connected", "transferring", "transferAccepted"].iter().any(|state| self.call_connection_state.is(state))
    }
}

/// Refuses a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectCall {
    /// From the event that announced it.
    pub incoming_call_context: String,
    /// `none`, `busy` or `forbidden`.
    pub call_reject_reason: Word,
}

/// Somebody in a call.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Who.
    #[serde(default)]
    pub identifier: Identifier,
    /// Is not heard.
    #[serde(default)]
    pub is_muted: bool,
    /// Hears music instead of the others.
    #[serde(default)]
    pub is_on_hold: bool,
}

/// A page of participants.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Participants {
    #[serde(default)]
    pub value: Vec<Participant>,
    #[serde(default)]
    pub next_link: Option<String>,
}

/// Calls somebody into a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddParticipant {
    /// Whom.
    pub participant_to_add: Identifier,
    /// How long it rings; up to 180 seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation_timeout_in_seconds: Option<u32>,
    /// Comes back with its events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_context: Option<String>,
    /// What travels with the invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_calling_context: Option<CustomCallingContext>,
}

/// Headers for the invited.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomCallingContext {
    /// For applications; telephones do not get them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub voip_headers: BTreeMap<String, String>,
}

/// An invitation that is on its way.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// Who was invited.
    #[serde(default)]
    pub participant: Option<Participant>,
    /// Names it when it is taken back.
    #[serde(default)]
    pub invitation_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CancelAdd<'a> {
    pub invitation_id: &'a str,
    pub operation_context: &'a str,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RemoveParticipant<'a> {
    pub participant_to_remove: &'a Identifier,
    pub operation_context: &'a str,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MoveParticipants<'a> {
    pub target_participants: [&'a Identifier; 1],
    pub from_call: &'a str,
    pub operation_context: &'a str,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MuteParticipants<'a> {
    pub target_participants: [&'a Identifier; 1],
}

/// What is played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum PlaySource {
    /// A WAV file that the service can fetch.
    File {
        /// Where.
        file: FileSource,
        /// The same for the same contents.
        #[serde(rename = "playSourceCacheId", skip_serializing_if = "Option::is_none")]
        cache: Option<String>,
    },
    /// A text, spoken by the service.
    Text {
        /// Which.
        text: TextSource,
    },
}

/// A WAV file: 16 kHz, one channel, 16 bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileSource {
    /// Where it lies.
    pub uri: String,
}

/// A text to be spoken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TextSource {
    /// What is said.
    pub text: String,
    /// In which language, such as `de-DE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_locale: Option<String>,
    /// `male` or `female`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice_kind: Option<Word>,
}

/// Plays something.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Play {
    /// What, one after the other.
    pub play_sources: Vec<PlaySource>,
    /// To whom; to everybody where empty.
    pub play_to: Vec<Identifier>,
    /// In place of what plays now.
    pub interrupt_call_media_operation: bool,
    /// How.
    pub play_options: PlayOptions,
    /// Comes back with its events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_context: Option<String>,
}

/// How something is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PlayOptions {
    /// Again and again.
    #[serde(rename = "loop")]
    pub repeat: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Hold<'a> {
    pub target_participant: &'a Identifier,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub play_source_info: Option<&'a PlaySource>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OneParticipant<'a> {
    pub target_participant: &'a Identifier,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_context: Option<&'a str>,
}

/// Records a call. With Teams Phone extensibility: by connection, audio, WAV.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StartRecording {
    /// Which call.
    pub call_connection_id: String,
    /// Where its events go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording_state_callback_uri: Option<String>,
    /// `audio`.
    pub recording_content_type: Word,
    /// `mixed` or `unmixed`.
    pub recording_channel_type: Word,
    /// `wav`.
    pub recording_format_type: Word,
    /// Who goes on which channel; with `unmixed`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channel_affinity: Vec<ChannelAffinity>,
}

/// Who goes on a channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChannelAffinity {
    /// 0 to 4.
    pub channel: u8,
    /// Who.
    pub participant: Identifier,
}

/// A recording as the service knows it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// Names it in every operation.
    pub recording_id: String,
    /// `active` or `inactive`.
    #[serde(default)]
    pub recording_state: Word,
}
