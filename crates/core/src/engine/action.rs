//! Wishes: uttered, answered, superseded, forgotten.

use super::Engine;
use crate::{
    conversation::{Cause, CauseKind, ConsultOutcome, Part, SegmentKind, TerminationReason, TerminationResult},
    ids::{ActionId, ConversationId, LegId, RecordingId},
    limits::TEXT_CHARS,
    output::{Action, ActionFailure, Event, HangUpReason, Output, Prompt},
    queue::FlowOutReason,
    text::clip,
};

impl Engine {
    /// Utters a wish.
    pub(super) fn act(&mut self, wish: Action) -> ActionId {
        if wish.is_hearing() {
            self.supersede_hearing(&wish);
        }
        let id = ActionId(self.mint());
        self.emit(Event::ActionRequested { action: id, wish: wish.written() });
        self.outputs.push_back(Output::Action(id, wish));
        id
    }

    /// An earlier wish about what the same legs hear must not be carried out again after a takeover.
    fn supersede_hearing(&mut self, wish: &Action) {
        let Some(conversation) = wish.conversation() else { return };
        let legs: Vec<LegId> = match wish {
            Action::Bridge { a, b, .. } => vec![*a, *b],
            Action::Play { leg, .. } | Action::Silence { leg, .. } => vec![*leg],
            Action::Mix { parties, .. } => parties.iter().map(|party| party.leg).collect(),
            _ => return,
        };
        self.settle_where(conversation, |action| action.is_hearing() && legs.iter().any(|leg| action.needs_leg(*leg)));
    }

    pub(super) fn settle_where(&mut self, conversation: ConversationId, meaningless: impl Fn(&Action) -> bool) {
        let found: Vec<ActionId> =
            self.world.pending.of_conversation(conversation).filter(|(_, action)| meaningless(action)).map(|(id, _)| id).collect();
        for id in found {
            self.settle(id, None);
        }
    }

    /// Drops what was wished for a leg that has ended.
    pub(super) fn settle_leg(&mut self, conversation: ConversationId, leg: LegId) {
        self.settle_where(conversation, |action| action.needs_leg(leg));
    }

    /// Drops what was wished for a recording that is closed.
    pub(super) fn settle_recording(&mut self, conversation: ConversationId, recording: RecordingId) {
        self.settle_where(conversation, |action| action.recording() == Some(recording));
    }

    pub(super) fn settle(&mut self, action: ActionId, failure: Option<ActionFailure>) {
        if self.world.pending.get(action).is_some() {
            self.emit(Event::ActionSettled { action, failure });
        }
    }

    pub(super) fn action_done(&mut self, id: ActionId) {
        match self.world.pending.get(id) {
            // Answered by what they ask for; being under way is no answer.
            Some(Action::Survey { .. } | Action::AskService { .. } | Action::Play { repeat: false, .. }) | None => {}
            Some(_) => self.settle(id, None),
        }
    }

    pub(super) fn action_failed(&mut self, id: ActionId, failure: ActionFailure) {
        let Some(wish) = self.world.pending.get(id).cloned() else { return };
        let failure = ActionFailure { code: clip(failure.code, TEXT_CHARS), detail: clip(failure.detail, TEXT_CHARS) };
        let reason = failure.detail.clone();
        let listener = self.listener(id);
        let cause = Cause { kind: CauseKind::Failure, detail: Some(failure.code.clone()) };
        self.settle(id, Some(failure));
        match wish {
            // The caller still hears it ring; hanging up is tried until it succeeds.
            Action::Answer { conversation, .. } => {
                self.break_off(conversation, FlowOutReason::Failure, TerminationResult::Us, TerminationReason::Failure);
            }
            Action::Dial { leg, .. } => self.ended(leg, cause),
            // It may live: its deadline goes on, and until then it is told again now and then.
            Action::HangUp { .. } => {}
            Action::Play { repeat: false, .. } => self.prompt_over(listener),
            Action::Bridge { conversation, b, .. } => self.bridge_failed(conversation, b),
            Action::Mix { conversation, .. } => self.mix_failed(conversation, &reason),
            Action::StartRecording { recording, .. } => self.recording_failed(recording, reason),
            // Half of what should be heard is missing from now on: what there is, is closed.
            Action::RecordRight { conversation, .. } => self.stop_recording(conversation),
            Action::PauseRecording { conversation, recording, .. } | Action::ResumeRecording { conversation, recording, .. } => {
                self.pause_failed(conversation, recording, &reason);
            }
            Action::AskService { conversation, .. } => self.service_failed(conversation, reason),
            // It closes with its legs, or is written off.
            Action::StopRecording { .. } => {}
            // Music or silence that is missing is no reason to lose a customer; the rest concerns what is over.
            Action::Play { .. }
            | Action::Silence { .. }
            | Action::Reject { .. }
            | Action::AnswerTransfer { .. }
            | Action::EndGhost { .. }
            | Action::Survey { .. } => {}
        }
    }

    /// The two do not hear each other and are not going to: the other party's leg is given up, as if its connection had broken.
    fn bridge_failed(&mut self, conversation: ConversationId, leg: LegId) {
        let Some(found) = self.world.conversations.get(&conversation) else { return };
        if found.talk.as_ref().is_some_and(|talk| talk.leg == leg) {
            self.hang_up(leg, HangUpReason::Failure);
            self.partner_lost(conversation, super::talk::Loss::Failure);
        } else if found.part_of(leg) == Some(Part::Consult) {
            self.consult_failed(conversation, ConsultOutcome::Failure, Some(HangUpReason::Failure));
        }
    }

    pub(super) fn play_finished(&mut self, leg: LegId, play: ActionId) {
        if matches!(self.world.pending.get(play), Some(Action::Play { leg: listener, .. }) if *listener == leg) {
            let listener = self.listener(play);
            self.settle(play, None);
            self.prompt_over(listener);
        }
    }

    /// The conversation whose customer waits for the end of this prompt. Ask before the action is settled.
    pub(super) fn listener(&self, play: ActionId) -> Option<ConversationId> {
        let conversation = self.world.pending.get(play)?.conversation()?;
        self.world.conversations.get(&conversation).filter(|found| found.playing == Some(play)).map(|found| found.id)
    }

    /// What the customer heard once has ended, or is not to be heard at all; what follows depends on where the customer is.
    pub(super) fn prompt_over(&mut self, listener: Option<ConversationId>) {
        let Some(id) = listener else { return };
        let Some(found) = self.world.conversations.get(&id) else { return };
        match (found.place(), found.farewell) {
            (Some(SegmentKind::Greeting), Some(termination)) => self.end_conversation(id, termination),
            (Some(SegmentKind::Greeting), None) => self.go_to_target(id),
            (Some(SegmentKind::Flow), _) => self.flow_said(id),
            (Some(SegmentKind::Queue), _) => self.play_music(id),
            (Some(SegmentKind::Voicemail), _) => self.message_prompt_over(id),
            _ => {}
        }
    }

    /// Tells a leg to end, once.
    pub(super) fn hang_up(&mut self, leg: LegId, reason: HangUpReason) {
        let Some(conversation) = self.world.conversation_of(leg) else { return };
        let (id, line) = match conversation.leg(leg) {
            Some(found) if !found.ending => (conversation.id, found.line),
            _ => return,
        };
        self.act(Action::HangUp { conversation: id, leg, line, reason });
    }

    /// Lets the customer hear something until further notice.
    pub(super) fn play_to_customer(&mut self, conversation: ConversationId, prompt: Prompt) {
        let Some((leg, line)) = self.customer(conversation) else { return };
        self.let_hear(Action::Play { conversation, leg, line, prompt, repeat: true });
    }

    /// The customer's leg and its line, while it lives and is not being ended.
    pub(super) fn customer(&self, conversation: ConversationId) -> Option<(LegId, crate::endpoint::Line)> {
        let leg = self.world.conversations.get(&conversation)?.customer_leg()?;
        (!leg.ending).then_some((leg.id, leg.line))
    }
}
