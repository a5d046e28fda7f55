//! Wishes to lines, and how they fail.

use super::Prompt;
use crate::{
    conversation::Hearing,
    endpoint::{Endpoint, Line, Party},
    flow::ServiceRequest,
    ids::{ConversationId, LegId, RecordingId, ServiceId},
    time::Millis,
};
use serde::{Deserialize, Serialize};

/// Wishes to a line, or to whoever asks services. Each is idempotent: carried out twice it changes nothing the second time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields repeat the words of the glossary; what is not obvious is said at the variant")]
pub enum Action {
    /// Accept an arriving leg; answered by `Input::Connected` or `Input::Ended`.
    Answer { conversation: ConversationId, leg: LegId, line: Line },
    /// Refuse an arriving leg.
    Reject { conversation: ConversationId, leg: LegId, line: Line, reason: RejectReason },
    /// Call somebody; answered by `Ringing`, `Connected` or `Ended`. The core itself ends the ringing.
    Dial { conversation: ConversationId, leg: LegId, line: Line, to: Endpoint, caller: Party, ring_limit: Millis },
    /// End a leg in whatever state it is; answered by `Ended`.
    HangUp { conversation: ConversationId, leg: LegId, line: Line, reason: HangUpReason },
    /// Let this leg alone hear a prompt, in place of whatever it heard. A prompt that plays once is answered by `PlayFinished` with this action's id.
    Play { conversation: ConversationId, leg: LegId, line: Line, prompt: Prompt, repeat: bool },
    /// Let two legs hear each other, and nothing else.
    Bridge { conversation: ConversationId, a: LegId, b: LegId, line: Line },
    /// Let every one of these legs hear just what is said of it: the whole of who hears whom where more than two talk. A line that
    /// cannot do it fails, and customer and agent go on alone.
    Mix { conversation: ConversationId, line: Line, parties: Vec<Hearing> },
    /// Let this leg hear nothing.
    Silence { conversation: ConversationId, leg: LegId, line: Line },
    /// Record `left` on the left channel and `right`, as soon as there is one, on the right; carried out before a `Bridge` uttered later.
    StartRecording { conversation: ConversationId, recording: RecordingId, line: Line, left: LegId, right: Option<LegId> },
    /// The right channel is from now on this leg.
    RecordRight { conversation: ConversationId, recording: RecordingId, line: Line, right: Option<LegId> },
    /// Record nothing until `ResumeRecording`; time goes on. It may only be answered as done when nothing more gets into the file.
    PauseRecording { conversation: ConversationId, recording: RecordingId, line: Line },
    /// Record again.
    ResumeRecording { conversation: ConversationId, recording: RecordingId, line: Line },
    /// Close a recording; answered by `RecordingFinished` or `RecordingFailed`.
    StopRecording { conversation: ConversationId, recording: RecordingId, line: Line },
    /// Tell the telephone that asked for a transfer how it went.
    AnswerTransfer { conversation: ConversationId, leg: LegId, line: Line, accepted: bool },
    /// End a leg of a former process from what was kept of it.
    EndGhost { conversation: ConversationId, leg: LegId, line: Line, token: String },
    /// Ask a service of the organization on behalf of the customer's flow; answered by `Input::ServiceAnswered`. May come twice when
    /// a process fails, with the same id.
    AskService { conversation: ConversationId, service: ServiceId, request: Box<ServiceRequest> },
    /// Ask a line which legs live with it; answered by `Input::Survey`.
    Survey { line: Line },
}

impl Action {
    /// As it may be written down: without what is carried to a service only.
    pub(crate) fn written(&self) -> Action {
        match self {
            Action::AskService { conversation, service, request } => {
                Action::AskService { conversation: *conversation, service: *service, request: Box::new(request.written()) }
            }
            other => other.clone(),
        }
    }

    /// The line that has to carry it out; `None` for what is no line's business.
    pub fn line(&self) -> Option<Line> {
        match self {
            Action::Answer { line, .. }
            | Action::Reject { line, .. }
            | Action::Dial { line, .. }
            | Action::HangUp { line, .. }
            | Action::Play { line, .. }
            | Action::Bridge { line, .. }
            | Action::Mix { line, .. }
            | Action::Silence { line, .. }
            | Action::StartRecording { line, .. }
            | Action::RecordRight { line, .. }
            | Action::PauseRecording { line, .. }
            | Action::ResumeRecording { line, .. }
            | Action::StopRecording { line, .. }
            | Action::AnswerTransfer { line, .. }
            | Action::EndGhost { line, .. }
            | Action::Survey { line } => Some(*line),
            Action::AskService { .. } => None,
        }
    }

    /// The conversation it is about; `None` for what concerns a whole line.
    pub fn conversation(&self) -> Option<ConversationId> {
        match self {
            Action::Answer { conversation, .. }
            | Action::Reject { conversation, .. }
            | Action::Dial { conversation, .. }
            | Action::HangUp { conversation, .. }
            | Action::Play { conversation, .. }
            | Action::Bridge { conversation, .. }
            | Action::Mix { conversation, .. }
            | Action::Silence { conversation, .. }
            | Action::StartRecording { conversation, .. }
            | Action::RecordRight { conversation, .. }
            | Action::PauseRecording { conversation, .. }
            | Action::ResumeRecording { conversation, .. }
            | Action::StopRecording { conversation, .. }
            | Action::AnswerTransfer { conversation, .. }
            | Action::AskService { conversation, .. }
            | Action::EndGhost { conversation, .. } => Some(*conversation),
            Action::Survey { .. } => None,
        }
    }

    /// Whether it loses its meaning when this leg ends. Refusals and ends of ghosts are about legs that are over already.
    pub fn needs_leg(&self, wanted: LegId) -> bool {
        match self {
            Action::Answer { leg, .. }
            | Action::Dial { leg, .. }
            | Action::HangUp { leg, .. }
            | Action::Play { leg, .. }
            | Action::Silence { leg, .. }
            | Action::AnswerTransfer { leg, .. } => *leg == wanted,
            Action::Bridge { a, b, .. } => *a == wanted || *b == wanted,
            Action::Mix { parties, .. } => parties.iter().any(|party| party.leg == wanted),
            Action::Reject { .. }
            | Action::StartRecording { .. }
            | Action::RecordRight { .. }
            | Action::PauseRecording { .. }
            | Action::ResumeRecording { .. }
            | Action::StopRecording { .. }
            | Action::EndGhost { .. }
            | Action::AskService { .. }
            | Action::Survey { .. } => false,
        }
    }

    /// The recording it is about.
    pub fn recording(&self) -> Option<RecordingId> {
        match self {
            Action::StartRecording { recording, .. }
            | Action::RecordRight { recording, .. }
            | Action::PauseRecording { recording, .. }
            | Action::ResumeRecording { recording, .. }
            | Action::StopRecording { recording, .. } => Some(*recording),
            _ => None,
        }
    }

    /// Whether it decides what a leg hears, so that a later one of this kind makes it meaningless.
    pub fn is_hearing(&self) -> bool {
        matches!(self, Action::Play { .. } | Action::Bridge { .. } | Action::Mix { .. } | Action::Silence { .. })
    }
}

/// Why an action was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct ActionFailure {
    /// Stable code with a page in `docs/errors`.
    pub code: String,
    /// For the operator.
    pub detail: String,
}

/// Why an arriving leg is refused; each line has a way to say it to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// Nobody has this number here.
    UnknownNumber,
    /// No room: too many conversations or callers waiting.
    Busy,
    /// We are about to stop; another node should take it.
    Draining,
    /// The number leads nowhere at present.
    Unavailable,
    /// The caller is on a list of those who are not let in.
    Blocked,
}

/// Why we end a leg; shown to the network where it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HangUpReason {
    /// The conversation is over.
    Normal,
    /// Somebody else took it, so that the telephone need not show a missed call.
    AnsweredElsewhere,
    /// It rang too long.
    NoAnswer,
    /// The caller is gone.
    CallerGone,
    /// The leg was replaced by a transfer.
    Transferred,
    /// Something of ours failed.
    Failure,
}
