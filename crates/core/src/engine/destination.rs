//! Leads a customer to where a rule says. Nothing of the place before is open any more.

use super::Engine;
use crate::{
    config::Destination,
    conversation::{Conversation, SegmentKind, Termination, TerminationReason, TerminationResult},
    ids::{AgentId, ConversationId, QueueId},
    input::{Actor, TransferTarget},
    limits::TRANSFER_RING,
    output::{Event, Prompt},
    queue::{Preferred, Request},
};

/// Where a customer was to be led is not there.
pub(super) const UNREACHABLE: Termination = Termination { result: TerminationResult::Us, reason: TerminationReason::Unreachable };

impl Engine {
    /// Leads the customer on; where the destination cannot be had, the conversation ends and says so. `otherwise` is how a
    /// conversation that is simply let go ends.
    pub(super) fn lead(&mut self, id: ConversationId, destination: &Destination, otherwise: Termination) {
        match destination {
            Destination::Queue(queue) => self.lead_to_queue(id, *queue, None),
            Destination::Agent(agent) => self.lead_to_agent(id, *agent),
            Destination::Number(number) => self.lead_outside(id, TransferTarget::Number(number.clone())),
            Destination::Person(name) => self.lead_outside(id, TransferTarget::Person(name.clone())),
            Destination::Flow(flow) => self.enter_flow(id, *flow),
            Destination::HangUp => self.end_conversation(id, otherwise),
            Destination::Message(prompt) => self.say_farewell(id, prompt.clone(), otherwise),
            Destination::Voicemail(mailbox) => self.ask_for_message(id, *mailbox),
            Destination::Callback(queue) => self.offer_callback(id, *queue),
        }
    }

    /// The customer hears somebody's telephone ring who is not one of our agents.
    fn lead_outside(&mut self, id: ConversationId, to: TransferTarget) {
        match to.as_endpoint().filter(|_| self.world.settings.outbound_line.is_some() && !self.bars(&to)) {
            Some(endpoint) => {
                self.emit(Event::TransferStarted { conversation: id, by: Actor::System, to });
                self.let_wait(id);
                self.dial_outside(id, endpoint);
            }
            None => self.end_conversation(id, UNREACHABLE),
        }
    }

    fn lead_to_queue(&mut self, id: ConversationId, queue: QueueId, preferred: Option<Preferred>) {
        match self.world.queues.get(&queue) {
            Some(state) if !self.takes_callers(state) => {
                let closed = Termination { result: TerminationResult::Us, reason: TerminationReason::Closed };
                self.end_conversation(id, closed);
            }
            Some(state) if state.takes_one_more(self.index.arriving(queue)) => {
                let request = self.world.conversations.get(&id).map(Conversation::request).unwrap_or_default();
                self.enqueue(id, queue, Request { preferred: preferred.or(request.preferred), ..request });
            }
            Some(_) => {
                let full = Termination { result: TerminationResult::Us, reason: TerminationReason::Full };
                self.end_conversation(id, full);
            }
            None => self.end_conversation(id, UNREACHABLE),
        }
    }

    /// The customer waits in the agent's own queue, for that agent first; without one the customer hears the telephone ring.
    fn lead_to_agent(&mut self, id: ConversationId, agent: AgentId) {
        match self.personal_queue(agent) {
            Some(queue) => {
                let wait = self.world.queues.get(&queue).map_or(TRANSFER_RING, |queue| queue.settings.ring);
                self.lead_to_queue(id, queue, Some(Preferred { agent, wait }));
            }
            None => self.ring_agent_or_end(id, agent, UNREACHABLE),
        }
    }

    /// The queue of those who want just this agent.
    pub(super) fn personal_queue(&self, agent: AgentId) -> Option<QueueId> {
        let agent = self.world.agents.get(&agent).filter(|agent| !agent.retiring)?;
        agent.settings.personal.filter(|queue| self.world.queues.contains_key(queue))
    }

    /// The customer hears the agent's telephone ring; an agent who cannot take it is no reason to wait.
    pub(super) fn ring_agent_or_end(&mut self, id: ConversationId, agent: AgentId, otherwise: Termination) {
        if self.world.agents.get(&agent).is_some_and(|agent| agent.is_routable()) {
            self.close_segment(id, Some(SegmentKind::Transfer));
            self.play_to_customer(id, Prompt::Ringback);
            self.offer_directly(id, agent);
        } else {
            self.end_conversation(id, otherwise);
        }
    }
}
