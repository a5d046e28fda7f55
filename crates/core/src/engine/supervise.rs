//! Supervision: a supervisor follows an agent's talk and listens, whispers, barges in or takes over, in any order and at any moment
//! of it. What becomes of a supervisor never harms the talk.

use super::{Engine, agent::wrong_state, talk::AfterTalk, transfer::has_room_for_leg};
use crate::{
    agent::Occupation,
    conversation::{CauseKind, ConsultOutcome, Direction, Role, Supervision, SupervisionMode, SupervisionOutcome},
    ids::{AgentId, ConversationId, LegId},
    input::Actor,
    limits::{RING_MARGIN, SUPERVISORS_PER_CONVERSATION, TRANSFER_RING},
    output::{Action, Event, HangUpReason},
    refusal::Refusal,
};

impl Engine {
    pub(super) fn supervise(&mut self, by: Actor, id: ConversationId, supervisor: AgentId, mode: SupervisionMode) -> Result<(), Refusal> {
        self.may_supervise(&by, supervisor)?;
        let missing = || Refusal::NotFound { what: "conversation".to_owned(), id: id.to_string() };
        let found = self.world.conversations.get(&id).filter(|found| !found.is_over()).ok_or_else(missing)?;
        let Some(agent) = found.talk.as_ref().and_then(|talk| talk.agent) else {
            return Err(wrong_state("no agent of yours is in a talk there; only such a talk can be supervised"));
        };
        let state = self.agent(supervisor)?;
        if !state.can_supervise() {
            let name = &state.settings.name;
            let reason = format!("{name} cannot be called for it now; who supervises is signed in, reachable, and busy with nothing else");
            return Err(Refusal::WrongState { reason });
        }
        if found.supervisors.len() >= SUPERVISORS_PER_CONVERSATION {
            return Err(Refusal::Full { what: "supervisors of one talk".to_owned(), limit: SUPERVISORS_PER_CONVERSATION as u64 });
        }
        has_room_for_leg(found)?;
        let (line, to) = (state.settings.line, state.settings.endpoint.clone());
        let (from, since) = (state.occupation, state.occupation_since);
        let caller = found.caller.clone();
        let leg = LegId(self.mint());
        self.emit(Event::SupervisionStarted { conversation: id, supervisor, agent, leg, mode, by });
        let (role, direction) = (Role::Agent(supervisor), Direction::Outbound);
        self.emit(Event::LegAdded { conversation: id, leg, role, line, direction, endpoint: to.clone() });
        let occupation = Occupation::Supervising { conversation: id };
        self.emit(Event::OccupationChanged { agent: supervisor, occupation, from, since });
        self.act(Action::Dial { conversation: id, leg, line, to, caller, ring_limit: TRANSFER_RING + RING_MARGIN });
        Ok(())
    }

    /// Agents supervise themselves, and only when they may; everybody else has been judged already.
    fn may_supervise(&self, by: &Actor, supervisor: AgentId) -> Result<(), Refusal> {
        self.may_speak_for(by, supervisor)?;
        match by {
            Actor::Agent(own) if !self.agent(*own)?.settings.supervises => {
                let reason = "this agent may not supervise; an administrator can allow it with \"supervises\"".to_owned();
                Err(Refusal::NotAllowed { reason })
            }
            _ => Ok(()),
        }
    }

    fn supervision(&self, by: &Actor, id: ConversationId, supervisor: AgentId) -> Result<Supervision, Refusal> {
        self.may_supervise(by, supervisor)?;
        let found = self.world.conversations.get(&id).and_then(|found| found.supervisors.iter().find(|one| one.supervisor == supervisor));
        found.cloned().ok_or_else(|| wrong_state("this supervisor does not follow the conversation; begin a supervision first"))
    }

    /// The supervisor is there.
    pub(super) fn supervision_answered(&mut self, id: ConversationId, leg: LegId) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        let Some(supervisor) = found.supervisors.iter().find(|one| one.leg == leg).map(|one| one.supervisor) else { return };
        self.emit(Event::SupervisionAnswered { conversation: id, supervisor, leg });
        self.rehear(id);
    }

    pub(super) fn change_supervision(
        &mut self,
        by: Actor,
        id: ConversationId,
        supervisor: AgentId,
        mode: SupervisionMode,
    ) -> Result<(), Refusal> {
        let one = self.supervision(&by, id, supervisor)?;
        if one.mode != mode {
            self.emit(Event::SupervisionChanged { conversation: id, supervisor, mode, by });
            self.rehear(id);
        }
        Ok(())
    }

    pub(super) fn end_supervision_by(&mut self, by: Actor, id: ConversationId, supervisor: AgentId) -> Result<(), Refusal> {
        let one = self.supervision(&by, id, supervisor)?;
        let reason = if one.answered_at.is_some() { HangUpReason::Normal } else { HangUpReason::CallerGone };
        self.end_supervision(id, &one, SupervisionOutcome::Ended, Some(reason), by, None);
        self.rehear(id);
        Ok(())
    }

    /// The supervisor becomes the agent of the talk, and the agent wraps up.
    pub(super) fn take_over_talk(&mut self, by: Actor, id: ConversationId, supervisor: AgentId) -> Result<(), Refusal> {
        let one = self.supervision(&by, id, supervisor)?;
        if one.answered_at.is_none() {
            return Err(wrong_state("the supervisor has not answered yet; wait until the telephone is picked up"));
        }
        self.end_consult(id, ConsultOutcome::Cancelled, Some(HangUpReason::CallerGone), by.clone());
        self.hand_on_to_supervisor(id, &one, by, Some(HangUpReason::Transferred), AfterTalk::WrapUp);
        Ok(())
    }

    fn hand_on_to_supervisor(&mut self, id: ConversationId, one: &Supervision, by: Actor, hang_up: Option<HangUpReason>, after: AfterTalk) {
        let queue = self.world.conversations.get(&id).and_then(|found| found.talk.as_ref()).and_then(|talk| talk.queue);
        self.write_supervision_end(id, one, SupervisionOutcome::TookOver, by, None);
        self.end_talk(id, hang_up, after);
        self.start_talk(id, one.leg, Some(one.supervisor), queue);
    }

    /// The agent is gone while a supervisor talks with the customer. Says whether there was one.
    pub(super) fn hand_on_to_barging_supervisor(&mut self, id: ConversationId, after: AfterTalk) -> bool {
        let Some(found) = self.world.conversations.get(&id) else { return false };
        let barging = |one: &&Supervision| one.mode == SupervisionMode::Barge && one.answered_at.is_some();
        let Some(one) = found.supervisors.iter().find(barging).cloned() else { return false };
        self.hand_on_to_supervisor(id, &one, Actor::System, None, after);
        true
    }

    /// A supervisor's leg is over, or rang too long.
    pub(super) fn supervisor_gone(&mut self, id: ConversationId, leg: LegId, kind: CauseKind) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        let Some(one) = found.supervisors.iter().find(|one| one.leg == leg).cloned() else { return };
        let outcome = match kind {
            _ if one.answered_at.is_some() => SupervisionOutcome::Left,
            CauseKind::FarEnd | CauseKind::Declined => SupervisionOutcome::Declined,
            CauseKind::Busy => SupervisionOutcome::Busy,
            CauseKind::NoAnswer => SupervisionOutcome::NoAnswer,
            CauseKind::Unreachable | CauseKind::Refused | CauseKind::Timeout | CauseKind::Network | CauseKind::MediaLost => {
                SupervisionOutcome::Unreachable
            }
            CauseKind::Ours | CauseKind::Failure => SupervisionOutcome::Failed,
        };
        self.end_supervision(id, &one, outcome, None, Actor::System, None);
        self.rehear(id);
    }

    /// Nobody follows the talk any more; who hears what is no matter any more, or is said by the caller.
    pub(super) fn end_supervisions(&mut self, id: ConversationId, outcome: SupervisionOutcome, problem: Option<&str>) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        for one in found.supervisors.clone() {
            let reason = if one.answered_at.is_some() { HangUpReason::Normal } else { HangUpReason::CallerGone };
            self.end_supervision(id, &one, outcome, Some(reason), Actor::System, problem);
        }
    }

    /// `hang_up` is `None` when the leg has ended already.
    fn end_supervision(
        &mut self,
        id: ConversationId,
        one: &Supervision,
        outcome: SupervisionOutcome,
        hang_up: Option<HangUpReason>,
        by: Actor,
        problem: Option<&str>,
    ) {
        self.write_supervision_end(id, one, outcome, by, problem);
        if let Some(reason) = hang_up {
            self.hang_up(one.leg, reason);
        }
        self.after_talk(one.supervisor, id, None, AfterTalk::Nothing);
    }

    fn write_supervision_end(
        &mut self,
        id: ConversationId,
        one: &Supervision,
        outcome: SupervisionOutcome,
        by: Actor,
        problem: Option<&str>,
    ) {
        self.emit(Event::SupervisionEnded {
            conversation: id,
            supervisor: one.supervisor,
            leg: one.leg,
            mode: one.mode,
            started_at: one.started_at,
            answered_at: one.answered_at,
            outcome,
            by,
            problem: problem.map(str::to_owned),
        });
    }
}
