//! What lines report about legs, sorted by whose leg it is and what it is waited for.
//!
//! Reports come late, twice and out of order. The rule: what concerns a leg that is unknown or over is ignored, except that
//! a leg comes to life that was given up; that one is told to end again.

use super::{
    Engine,
    ending::Closing,
    talk::{AfterTalk, Loss},
};
use crate::{
    conversation::{Cause, CauseKind, Conversation, Direction, Part, Quality, Role, Termination, TerminationReason, TerminationResult},
    ids::{ConversationId, LegId},
    limits::{TEXT_CHARS, TOKEN_CHARS},
    output::{Action, Event, HangUpReason},
    queue::{FlowOutReason, Outcome},
    text::clip,
};

impl Engine {
    pub(super) fn ringing(&mut self, id: LegId) {
        let Some(found) = self.world.conversation_of(id) else { return };
        let Some(leg) = found.leg(id) else { return };
        if leg.ringing_at.is_none() && leg.connected_at.is_none() && !leg.ending && leg.direction == Direction::Outbound {
            self.emit(Event::LegRinging { conversation: found.id, leg: id });
        }
    }

    pub(super) fn connected(&mut self, id: LegId, token: Option<String>) {
        let Some(found) = self.world.conversation_of(id) else {
            self.hang_up_revenant(id);
            return;
        };
        let (conversation, Some(leg)) = (found.id, found.leg(id)) else { return };
        let (role, ending, known) = (leg.role, leg.ending, leg.connected_at.is_some());
        // A token that would be cut is of no use.
        let token = token.filter(|token| token.len() <= TOKEN_CHARS);
        // What is behind a leg can change without the leg's end: then only the new token ends it.
        let renewed = known && token.is_some() && leg.token != token;
        if !known || renewed {
            self.emit(Event::LegConnected { conversation, leg: id, token });
        }
        if !known {
            self.settle_where(conversation, |action| matches!(action, Action::Answer { .. } | Action::Dial { .. }) && action.needs_leg(id));
        }
        if ending {
            self.hang_up_again(conversation, id);
        } else if !known {
            match role {
                Role::Customer => self.customer_connected(conversation),
                Role::Agent(_) => self.agent_connected(conversation, id),
                Role::External => self.outsider_connected(conversation, id),
            }
        }
    }

    fn agent_connected(&mut self, conversation: ConversationId, leg: LegId) {
        let offered = |found: &Conversation| found.offer_over(leg).is_some();
        if self.world.conversations.get(&conversation).is_some_and(offered) {
            self.offer_answered(conversation, leg);
        } else if self.world.conversations.get(&conversation).and_then(|found| found.part_of(leg)) == Some(Part::Supervisor) {
            self.supervision_answered(conversation, leg);
        } else {
            self.hang_up(leg, HangUpReason::CallerGone);
        }
    }

    /// A leg we had stopped waiting for lives after all.
    fn hang_up_revenant(&mut self, leg: LegId) {
        if let Some(gone) = self.world.departed.get(leg).filter(|gone| gone.given_up).copied() {
            self.repeat_hang_up(gone.conversation, leg, gone.line);
        }
    }

    /// Tells a leg to end that was told before, unless that is still under way.
    pub(super) fn hang_up_again(&mut self, conversation: ConversationId, leg: LegId) {
        if let Some(line) = self.world.leg(leg).map(|leg| leg.line) {
            self.repeat_hang_up(conversation, leg, line);
        }
    }

    fn repeat_hang_up(&mut self, conversation: ConversationId, leg: LegId, line: crate::endpoint::Line) {
        let open = |(_, action): (_, &Action)| matches!(action, Action::HangUp { leg: told, .. } if *told == leg);
        if !self.world.pending.of_conversation(conversation).any(open) {
            self.act(Action::HangUp { conversation, leg, line, reason: HangUpReason::Normal });
        }
    }

    pub(super) fn ended(&mut self, id: LegId, cause: Cause) {
        let cause = Cause { kind: cause.kind, detail: cause.detail.map(|detail| clip(detail, TEXT_CHARS)) };
        let Some(termination) = self.classify(id, &cause) else { return };
        self.end_leg(id, termination, cause.kind, Some(cause), false);
    }

    /// A leg is over: said by its line, or given up by us.
    pub(super) fn end_leg(&mut self, id: LegId, termination: Termination, kind: CauseKind, cause: Option<Cause>, given_up: bool) {
        let Some(found) = self.world.conversation_of(id) else { return };
        let conversation = found.id;
        let part = found.part_of(id);
        self.end_ghost_of_former_process(id);
        self.write_leg_end(id, termination, cause, given_up);
        match part {
            Some(Part::Customer) => self.customer_left(conversation, termination, kind),
            Some(Part::Offer) => self.offered_leg_ended(conversation, id, kind),
            Some(Part::Talk) => match loss(kind) {
                Some(loss) => self.partner_lost(conversation, loss),
                None => self.partner_left(conversation, termination),
            },
            Some(Part::Transfer) => self.outsider_failed(conversation, kind),
            Some(Part::Consult) => self.consulted_leg_ended(conversation, kind),
            Some(Part::Dialing) => self.calling_agent_left(conversation, termination),
            Some(Part::Member) => self.member_leg_ended(conversation, id),
            Some(Part::Supervisor) => self.supervisor_gone(conversation, id, kind),
            None => {}
        }
    }

    /// A line that lost a leg with the former process may say so before it is surveyed; its far end is still to be told.
    fn end_ghost_of_former_process(&mut self, id: LegId) {
        let Some(leg) = self.world.leg(id).filter(|leg| leg.since < self.world.took_over) else { return };
        if let Some(token) = leg.token.clone()
            && let (line, Some(conversation)) = (leg.line, self.world.legs.get(&id).copied())
            && self.world.pending.survey(line).is_some()
        {
            self.act(Action::EndGhost { conversation, leg: id, line, token });
        }
    }

    fn customer_left(&mut self, id: ConversationId, termination: Termination, kind: CauseKind) {
        let outcome = match loss(kind) {
            None => Outcome::Abandoned { short: self.is_short(id) },
            Some(_) => Outcome::FlowOut { reason: FlowOutReason::Failure },
        };
        let closing = Closing { visit: outcome, transfer: "the caller left", agent: AfterTalk::WrapUp };
        self.close_all(id, closing);
        self.settle_conversation(id, termination);
    }

    fn is_short(&self, id: ConversationId) -> bool {
        let visit = self.world.conversations.get(&id).and_then(|found| found.visit.as_ref());
        visit.is_some_and(|visit| {
            let queue = self.world.queues.get(&visit.queue);
            queue.is_some_and(|queue| self.now.since(visit.enqueued_at) <= queue.settings.short_abandon)
        })
    }

    pub(super) fn measured(&mut self, id: LegId, quality: Quality) {
        let known = match self.world.conversation_of(id) {
            Some(found) => found.leg(id).filter(|leg| !leg.measured).map(|_| found.id),
            None => self.world.departed.get(id).filter(|gone| !gone.measured).map(|gone| gone.conversation),
        };
        if let Some(conversation) = known {
            self.emit(Event::LegMeasured { conversation, leg: id, quality });
        }
    }

    /// Ends a conversation from our side, whatever it is doing.
    pub(super) fn break_off(&mut self, id: ConversationId, visit: FlowOutReason, result: TerminationResult, reason: TerminationReason) {
        let closing =
            Closing { visit: Outcome::FlowOut { reason: visit }, transfer: "the conversation was ended", agent: AfterTalk::WrapUp };
        self.close_all(id, closing);
        self.end_conversation(id, Termination { result, reason });
    }
}

/// Whether a party is gone without anybody having wanted it.
pub(super) fn loss(kind: CauseKind) -> Option<Loss> {
    match kind {
        CauseKind::Timeout | CauseKind::Network | CauseKind::MediaLost => Some(Loss::Network),
        // Nobody had told this leg to end, so it was no decision of the core's.
        CauseKind::Ours | CauseKind::Failure => Some(Loss::Failure),
        CauseKind::FarEnd | CauseKind::Busy | CauseKind::Declined | CauseKind::NoAnswer | CauseKind::Unreachable | CauseKind::Refused => {
            None
        }
    }
}
