//! Conference: who was consulted joins the talk of customer and agent. Parties come by consult and merge, and go one by one; the
//! customer stays with those who are left.

use super::{Engine, agent::wrong_state, talk::AfterTalk};
use crate::{
    conversation::{ConsultOutcome, Member, MemberEnd, Part, SupervisionOutcome},
    ids::{ConversationId, LegId},
    input::Actor,
    limits::CONFERENCE_MEMBERS,
    output::{Event, HangUpReason},
    refusal::Refusal,
};

impl Engine {
    /// The consulted party joins the talk.
    pub(super) fn merge_consult(&mut self, by: Actor, id: ConversationId) -> Result<(), Refusal> {
        let (leg, _) = self.answered_consult(id)?;
        let Some(found) = self.world.conversations.get(&id) else { return Err(wrong_state("the conversation is over")) };
        let Some(consult) = found.consult.clone() else { return Err(wrong_state("no consult is under way")) };
        if found.members.len() >= CONFERENCE_MEMBERS {
            let what = "parties of a conference beside customer and agent".to_owned();
            return Err(Refusal::Full { what, limit: CONFERENCE_MEMBERS as u64 });
        }
        self.write_consult_end(id, &consult, ConsultOutcome::Merged, by.clone());
        self.emit(Event::MemberJoined { conversation: id, leg, agent: consult.target, by });
        if let Some(target) = consult.target {
            self.become_talking(target, id);
        }
        self.back_to_customer(id);
        Ok(())
    }

    /// Somebody lets a party go, or leaves.
    pub(super) fn drop_party(&mut self, by: &Actor, id: ConversationId, leg: LegId) -> Result<(), Refusal> {
        let missing = |what: &str, id: String| Refusal::NotFound { what: what.to_owned(), id };
        let found = self.world.conversations.get(&id).filter(|found| !found.is_over());
        let found = found.ok_or_else(|| missing("conversation", id.to_string()))?;
        let member = found.members.iter().find(|member| member.leg == leg);
        let agent = found.talk.as_ref().and_then(|talk| talk.agent);
        if let Actor::Agent(own) = by
            && agent != Some(*own)
            && member.and_then(|member| member.agent) != Some(*own)
        {
            let reason = "the agent of the talk lets parties go; others in it leave themselves only".to_owned();
            return Err(Refusal::NotAllowed { reason });
        }
        if member.is_some() {
            self.member_left(id, leg, MemberEnd::Dropped, Some(HangUpReason::Normal));
            return Ok(());
        }
        match found.part_of(leg) {
            None => Err(missing("leg", leg.to_string())),
            Some(Part::Talk) if !found.members.is_empty() => {
                if found.consult.is_some() {
                    return Err(wrong_state("a consult is under way; complete it, or cancel it first"));
                }
                self.hand_on_to_member(id, Some(HangUpReason::Normal), AfterTalk::WrapUp);
                Ok(())
            }
            Some(_) => {
                Err(wrong_state("this is no party of a conference; end the conversation, the consult or the supervision it belongs to"))
            }
        }
    }

    /// A member's leg is over.
    pub(super) fn member_leg_ended(&mut self, id: ConversationId, leg: LegId) {
        self.member_left(id, leg, MemberEnd::Left, None);
    }

    /// `hang_up` is `None` when the leg has ended already.
    fn member_left(&mut self, id: ConversationId, leg: LegId, end: MemberEnd, hang_up: Option<HangUpReason>) {
        if self.end_member(id, leg, end, hang_up, None) {
            self.rehear(id);
        }
    }

    fn end_member(&mut self, id: ConversationId, leg: LegId, end: MemberEnd, hang_up: Option<HangUpReason>, problem: Option<&str>) -> bool {
        let Some(found) = self.world.conversations.get(&id) else { return false };
        let Some(Member { agent, joined_at, .. }) = found.members.iter().find(|member| member.leg == leg).cloned() else { return false };
        self.emit(Event::MemberLeft { conversation: id, leg, agent, joined_at, end, problem: problem.map(str::to_owned) });
        if let Some(reason) = hang_up {
            self.hang_up(leg, reason);
        }
        if let Some(agent) = agent.filter(|_| end != MemberEnd::Promoted) {
            self.after_talk(agent, id, None, AfterTalk::Nothing);
        }
        true
    }

    /// The whole conference is over; who hears what is no matter any more, or is said by the caller.
    pub(super) fn end_members(&mut self, id: ConversationId, end: MemberEnd, hang_up: HangUpReason, problem: Option<&str>) {
        let Some(found) = self.world.conversations.get(&id) else { return };
        let legs: Vec<LegId> = found.members.iter().map(|member| member.leg).collect();
        for leg in legs {
            self.end_member(id, leg, end, Some(hang_up), problem);
        }
    }

    /// The other party of the talk leaves a conference: an agent among the members takes the place, or else somebody outside.
    /// Says whether there was one.
    pub(super) fn hand_on_to_member(&mut self, id: ConversationId, hang_up: Option<HangUpReason>, after: AfterTalk) -> bool {
        let Some(found) = self.world.conversations.get(&id) else { return false };
        let next = found.members.iter().find(|member| member.agent.is_some()).or(found.members.first());
        let (Some(next), Some(talk)) = (next.cloned(), &found.talk) else { return false };
        let queue = talk.queue.filter(|_| next.agent.is_some());
        self.end_member(id, next.leg, MemberEnd::Promoted, None, None);
        self.end_talk(id, hang_up, after);
        self.start_talk(id, next.leg, next.agent, queue);
        true
    }

    /// The line cannot connect so many: customer and agent go on alone, and who came to them is let go with the reason.
    pub(super) fn mix_failed(&mut self, id: ConversationId, problem: &str) {
        self.end_members(id, MemberEnd::Failed, HangUpReason::Failure, Some(problem));
        self.end_supervisions(id, SupervisionOutcome::Failed, Some(problem));
        self.rehear(id);
    }

    /// The other party of the talk is gone. Who talks with the customer anyway has the customer from now on: a supervisor who
    /// barges in, or a member of the conference. Says whether there was one.
    pub(super) fn continue_without_partner(&mut self, id: ConversationId, after: AfterTalk) -> bool {
        self.hand_on_to_barging_supervisor(id, after) || self.hand_on_to_member(id, None, after)
    }
}
