//! What people and programs ask, each answered once. Whether a user or program may ask at all is the API's business; that
//! an agent acts for nobody else is checked here.

use super::{Engine, agent::wrong_state};
use crate::{
    agent::Occupation,
    callback::KeptPlace,
    config::check_language,
    conversation::{Conversation, SegmentKind, TerminationReason, TerminationResult},
    ids::{AgentId, CommandId, ConversationId},
    input::{Actor, Command},
    output::{HangUpReason, Output},
    queue::FlowOutReason,
    refusal::Refusal,
    routing::OfferOutcome,
};

impl Engine {
    pub(super) fn command(&mut self, id: CommandId, by: Actor, command: Command) {
        let answer = self.obey(by, command);
        self.outputs.push_back(Output::Reply(id, answer));
    }

    fn obey(&mut self, by: Actor, command: Command) -> Result<(), Refusal> {
        match command {
            Command::SetDuty { agent, duty } => {
                self.may_speak_for(&by, agent)?;
                self.set_duty(by, agent, duty)
            }
            Command::PlanDuty { agent, duty } => {
                self.may_speak_for(&by, agent)?;
                self.plan_duty(by, agent, duty)
            }
            Command::SetAvailability { agent, availability } => {
                self.may_speak_for(&by, agent)?;
                self.set_availability(by, agent, availability)
            }
            Command::SignIntoQueue { agent, queue } => {
                self.may_speak_for(&by, agent)?;
                self.sign_in_or_out(by, agent, queue, true)
            }
            Command::SignOutOfQueue { agent, queue } => {
                self.may_speak_for(&by, agent)?;
                self.sign_in_or_out(by, agent, queue, false)
            }
            Command::ChooseProfile { agent, profile } => {
                self.may_speak_for(&by, agent)?;
                self.choose_profile(by, agent, profile)
            }
            Command::FinishWrapUp { agent, disposition } => {
                self.may_speak_for(&by, agent)?;
                self.finish_wrap_up(by, agent, disposition)
            }
            Command::ExtendWrapUp { agent } => {
                self.may_speak_for(&by, agent)?;
                self.extend_wrap_up(by, agent)
            }
            Command::SetDisposition { agent, disposition } => {
                self.may_speak_for(&by, agent)?;
                self.set_disposition(by, agent, disposition)
            }
            Command::Decline { agent } => {
                self.may_speak_for(&by, agent)?;
                self.decline(agent)
            }
            Command::CloseQueue { queue, reason, until } => self.close_queue(by, queue, reason, until),
            Command::OpenQueue { queue } => self.open_queue(by, queue),
            Command::SetNotice { queue, notice } => self.set_notice(by, queue, notice),
            Command::Hold { conversation } => {
                self.may_steer(&by, conversation)?;
                self.hold(by, conversation)
            }
            Command::Resume { conversation } => {
                self.may_steer(&by, conversation)?;
                self.resume(conversation)
            }
            Command::Transfer { conversation, to } => {
                self.may_steer(&by, conversation)?;
                self.transfer(by, conversation, to)
            }
            Command::Pull { conversation, agent } => {
                self.may_speak_for(&by, agent)?;
                self.pull(by, conversation, agent)
            }
            Command::Requeue { conversation, queue, keep_wait } => {
                self.may_steer(&by, conversation)?;
                self.requeue(by, conversation, queue, keep_wait)
            }
            Command::Consult { conversation, to } => {
                self.may_steer(&by, conversation)?;
                self.consult(by, conversation, to)
            }
            Command::SwapConsult { conversation } => {
                self.may_steer(&by, conversation)?;
                self.swap_consult(by, conversation)
            }
            Command::CompleteConsult { conversation } => {
                self.may_steer(&by, conversation)?;
                self.complete_consult(by, conversation)
            }
            Command::MergeConsult { conversation } => {
                self.may_steer(&by, conversation)?;
                self.merge_consult(by, conversation)
            }
            Command::DropParty { conversation, leg } => self.drop_party(&by, conversation, leg),
            Command::Supervise { conversation, agent, mode } => self.supervise(by, conversation, agent, mode),
            Command::ChangeSupervision { conversation, agent, mode } => self.change_supervision(by, conversation, agent, mode),
            Command::EndSupervision { conversation, agent } => self.end_supervision_by(by, conversation, agent),
            Command::TakeOver { conversation, agent } => self.take_over_talk(by, conversation, agent),
            Command::CancelConsult { conversation } => {
                self.may_steer(&by, conversation)?;
                self.cancel_consult(by, conversation)
            }
            Command::SetLanguage { conversation, language } => {
                self.may_steer(&by, conversation)?;
                if let Some(tag) = &language {
                    check_language("language", tag)?;
                }
                self.choose_language(conversation, language);
                Ok(())
            }
            Command::RequestCallback { queue, party, at, priority, language } => {
                let place = KeptPlace { priority, language, ..KeptPlace::default() };
                self.request_callback(by, queue, party, at, place)
            }
            Command::CancelCallback { callback } => self.cancel_callback(by, callback),
            Command::RescheduleCallback { callback, at } => self.reschedule_callback(by, callback, at),
            Command::MarkMessage { message, state } => self.mark_message(by, message, state),
            Command::DeleteMessage { message } => self.delete_message(by, message),
            Command::SetPriority { conversation, priority } => {
                if !self.world.written.contains_key(&conversation) {
                    self.may_steer(&by, conversation)?;
                }
                self.set_priority(by, conversation, priority)
            }
            Command::StartRecording { conversation } => {
                self.may_steer(&by, conversation)?;
                self.start_recording_by(by, conversation)
            }
            Command::PauseRecording { conversation, secure, at_most } => {
                self.may_steer(&by, conversation)?;
                self.pause_recording(by, conversation, secure, at_most)
            }
            Command::ResumeRecording { conversation } => {
                self.may_steer(&by, conversation)?;
                self.resume_recording(by, conversation)
            }
            Command::StopRecording { conversation } => {
                self.may_steer(&by, conversation)?;
                self.stop_recording_by(by, conversation)
            }
            Command::HangUp { conversation } => {
                self.may_steer(&by, conversation)?;
                self.hang_up_conversation(&by, conversation)
            }
            Command::OpenWritten { letter } => self.open_written(by, *letter),
            Command::TakeWritten { conversation, agent } => {
                self.may_speak_for(&by, agent)?;
                self.take_written(by, conversation, agent)
            }
            Command::DeclineWritten { conversation, agent } => {
                self.may_speak_for(&by, agent)?;
                self.decline_written(conversation, agent)
            }
            Command::MoveWritten { conversation, queue, preferred } => {
                self.may_write(&by, conversation)?;
                self.move_written(by, conversation, queue, preferred)
            }
            Command::CloseWritten { conversation, by_customer, disposition } => {
                self.may_write(&by, conversation)?;
                self.close_written(by, conversation, by_customer, disposition)
            }
            Command::FinishWritten { conversation, disposition } => {
                self.may_write(&by, conversation)?;
                self.finish_written(by, conversation, disposition)
            }
            Command::SetHoursOverride { hours, to } => self.switch_hours(by, hours, to),
        }
    }

    fn decline(&mut self, agent: AgentId) -> Result<(), Refusal> {
        let state = self.agent(agent)?;
        let (Occupation::Offered { conversation, .. }, Some(leg)) = (state.occupation, state.leg) else {
            return Err(wrong_state("nothing is being offered"));
        };
        self.one_offer_failed(conversation, leg, OfferOutcome::Declined, Some(HangUpReason::Normal));
        Ok(())
    }

    fn hang_up_conversation(&mut self, by: &Actor, id: ConversationId) -> Result<(), Refusal> {
        if self.world.conversations.get(&id).and_then(Conversation::place) == Some(SegmentKind::Ending) {
            return Err(wrong_state("the conversation is being ended already"));
        }
        // Who ends a talk at the desk has ended it no other than by putting down the telephone.
        let alone = |found: &Conversation| found.consult.is_none() && found.members.is_empty();
        let found = self.world.conversations.get(&id).filter(|found| alone(found));
        if let (Actor::Agent(agent), Some(talk)) = (by, found.and_then(|found| found.talk.as_ref()))
            && talk.agent == Some(*agent)
            && self.survey_after_talk(id, Some(HangUpReason::Normal))
        {
            return Ok(());
        }
        let (result, reason) = match by {
            Actor::Agent(_) => (TerminationResult::Agent, TerminationReason::HungUp),
            Actor::System | Actor::User(_) | Actor::Token(_) => (TerminationResult::Us, TerminationReason::Ended),
        };
        self.break_off(id, FlowOutReason::Ended, result, reason);
        Ok(())
    }

    pub(super) fn may_speak_for(&self, by: &Actor, agent: AgentId) -> Result<(), Refusal> {
        match by {
            Actor::Agent(own) if *own != agent => {
                Err(Refusal::NotAllowed { reason: "agents act for themselves only; ask a supervisor".to_owned() })
            }
            _ => self.agent(agent).map(|_| ()),
        }
    }

    fn may_steer(&self, by: &Actor, id: ConversationId) -> Result<(), Refusal> {
        let missing = || Refusal::NotFound { what: "conversation".to_owned(), id: id.to_string() };
        let found = self.world.conversations.get(&id).filter(|found| !found.is_over()).ok_or_else(missing)?;
        match by {
            Actor::Agent(own)
                if found.talk.as_ref().and_then(|talk| talk.agent) != Some(*own)
                    && found.dialing.as_ref().map(|dialing| dialing.agent) != Some(*own) =>
            {
                Err(Refusal::NotAllowed { reason: "agents steer the conversation they are in only; an offer can be declined".to_owned() })
            }
            _ => Ok(()),
        }
    }
}
