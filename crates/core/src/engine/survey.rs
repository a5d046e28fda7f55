//! What a customer says about a talk that is over. The agent has nothing to do with it any more.

use super::{Engine, talk::AfterTalk};
use crate::{
    conversation::LastTalk,
    flow::Score,
    ids::{ConversationId, FlowId},
    output::{Event, HangUpReason},
};

impl Engine {
    /// An agent has ended the talk: the customer goes on in a flow, where the queue wants that. Says whether it does. `hang_up` is
    /// what the agent's telephone is told.
    pub(super) fn survey_after_talk(&mut self, id: ConversationId, hang_up: Option<HangUpReason>) -> bool {
        let Some((flow, talk)) = self.survey_of(id) else { return false };
        self.stop_recording(id);
        self.end_talk(id, hang_up, AfterTalk::WrapUp);
        self.emit(Event::SurveyOffered { conversation: id, flow, queue: talk.queue, agent: talk.agent });
        self.enter_flow(id, flow);
        true
    }

    fn survey_of(&self, id: ConversationId) -> Option<(FlowId, LastTalk)> {
        self.customer(id)?;
        let found = self.world.conversations.get(&id).filter(|found| found.ending.is_none())?;
        let talk = found.talk.as_ref()?;
        let flow = self.world.queues.get(&talk.queue?)?.settings.calls.after_talk?;
        self.world.flow(flow)?;
        Some((flow, LastTalk { agent: talk.agent?, queue: talk.queue }))
    }

    /// The customer gave a score.
    pub(super) fn scored(&mut self, id: ConversationId, flow: FlowId, given: Score) {
        let last = self.world.conversations.get(&id).and_then(|found| found.last_talk);
        let Score { question, score, least, most } = given;
        let (queue, agent) = (last.and_then(|last| last.queue), last.map(|last| last.agent));
        self.emit(Event::SurveyAnswered { conversation: id, flow, question, score, least, most, queue, agent });
    }
}
