//! A new process owns the tenant: what was open is wished again, and what the former process took with it is ended.

use super::{
    Engine,
    ending::Closing,
    talk::{AfterTalk, Loss},
};
use crate::{
    conversation::{CauseKind, Leg, Part, Termination, TerminationReason, TerminationResult},
    endpoint::Line,
    ids::{ActionId, ConversationId, LegId},
    output::{Action, Event, HangUpReason, Output},
    queue::{FlowOutReason, Outcome},
    routing::OfferOutcome,
    written::Written,
};
use std::collections::{BTreeMap, BTreeSet};

const LINES: [Line; 3] = [Line::Connected, Line::Extended, Line::Unified];
const RESTARTED: Termination = Termination { result: TerminationResult::Us, reason: TerminationReason::Restarted };

impl Engine {
    pub(super) fn took_over(&mut self) {
        self.emit(Event::TookOver {});
        if self.world.draining {
            // It was the former process that was about to stop.
            self.emit(Event::DrainChanged { on: false });
        }
        self.take_back_expired_offers();
        self.forget_private();
        let surveys: Vec<ActionId> =
            self.world.pending.iter().filter(|(_, action)| matches!(action, Action::Survey { .. })).map(|(id, _)| id).collect();
        for id in surveys {
            self.settle(id, None);
        }
        // What was uttered just now, by this very call, is in the outputs already.
        let uttered: BTreeSet<ActionId> = self
            .outputs
            .iter()
            .filter_map(|output| match output {
                Output::Action(id, _) => Some(*id),
                _ => None,
            })
            .collect();
        for (id, action) in self.world.pending.iter() {
            if !uttered.contains(&id) {
                self.outputs.push_back(Output::Action(id, action.clone()));
            }
        }
        for line in LINES {
            self.act(Action::Survey { line });
        }
    }

    /// Whether these telephones rang while nobody was in charge cannot be told, so that no agent is blamed.
    fn take_back_expired_offers(&mut self) {
        let overdue = |written: &&Written| written.offers.first().is_some_and(|offer| offer.until <= self.now);
        let written: Vec<ConversationId> = self.world.written.values().filter(overdue).map(|written| written.id).collect();
        for id in written {
            self.withdraw_written(id, None);
        }
        let expired: Vec<ConversationId> = self
            .world
            .conversations
            .values()
            .filter(|found| found.offer.as_ref().is_some_and(|offer| offer.rings_until <= self.now))
            .map(|found| found.id)
            .collect();
        for id in expired {
            self.offer_failed(id, OfferOutcome::Withdrawn, Some(HangUpReason::NoAnswer));
        }
    }

    /// A line says which legs live with it.
    pub(super) fn surveyed(&mut self, line: Line, live: &[LegId]) {
        let Some(asked) = self.world.pending.survey(line) else { return };
        self.settle(asked, None);
        let live: BTreeSet<LegId> = live.iter().copied().collect();
        // Legs added since the takeover may be younger than the line's answer.
        let former = |leg: &&Leg| leg.line == line && leg.since < self.world.took_over && !live.contains(&leg.id);
        let mut dead: BTreeMap<ConversationId, Vec<Leg>> = BTreeMap::new();
        for found in self.world.conversations.values() {
            let gone: Vec<Leg> = found.legs.iter().filter(former).cloned().collect();
            if !gone.is_empty() {
                dead.insert(found.id, gone);
            }
        }
        for (id, legs) in dead {
            self.bury(id, &legs);
        }
        for leg in live {
            self.hang_up_stranger(line, leg);
        }
    }

    /// Ends legs that died with the former process.
    fn bury(&mut self, id: ConversationId, dead: &[Leg]) {
        for leg in dead {
            if let Some(token) = leg.token.clone() {
                self.act(Action::EndGhost { conversation: id, leg: leg.id, line: leg.line, token });
            }
        }
        let customer = self.world.conversations.get(&id).and_then(|found| found.customer);
        if dead.iter().any(|leg| Some(leg.id) == customer) {
            for leg in dead {
                self.write_leg_end(leg.id, RESTARTED, None, false);
            }
            let closing = Closing {
                visit: Outcome::FlowOut { reason: FlowOutReason::Failure },
                transfer: "the system was restarted",
                agent: AfterTalk::Nothing,
            };
            self.close_all(id, closing);
            self.settle_conversation(id, RESTARTED);
            return;
        }
        // Who could be given the customer first, so that nobody is who is gone as well.
        let part = |leg: LegId| self.world.conversation_of(leg).and_then(|found| found.part_of(leg));
        let successor = |leg: &&Leg| matches!(part(leg.id), Some(Part::Consult | Part::Member | Part::Supervisor));
        let (first, then): (Vec<&Leg>, Vec<&Leg>) = dead.iter().partition(successor);
        for leg in first.into_iter().chain(then) {
            let Some(found) = self.world.conversations.get(&id) else { return };
            let part = found.part_of(leg.id);
            self.write_leg_end(leg.id, RESTARTED, None, false);
            match part {
                Some(Part::Offer) => self.one_offer_failed(id, leg.id, OfferOutcome::Withdrawn, None),
                Some(Part::Talk) => self.partner_lost(id, Loss::Restart),
                Some(Part::Transfer) => self.transfer_failed(id, "the system was restarted", RESTARTED),
                Some(Part::Consult) => self.consulted_leg_ended(id, CauseKind::Failure),
                Some(Part::Dialing) => self.calling_agent_left(id, RESTARTED),
                Some(Part::Member) => self.member_leg_ended(id, leg.id),
                Some(Part::Supervisor) => self.supervisor_gone(id, leg.id, CauseKind::Failure),
                Some(Part::Customer) | None => {}
            }
        }
    }

    /// A leg lives that belongs to no conversation.
    fn hang_up_stranger(&mut self, line: Line, leg: LegId) {
        if self.world.legs.contains_key(&leg) {
            return;
        }
        let conversation = match self.world.departed.get(leg) {
            Some(gone) => gone.conversation,
            None => ConversationId(self.mint()),
        };
        self.act(Action::HangUp { conversation, leg, line, reason: HangUpReason::Failure });
    }
}
