//! Conversations in writing: nobody has more of a channel than fits, only who is ready is offered one, the elder of two equal
//! ones first, and what begins ends once.

use super::Findings;
use dreiklang_core::{
    Event, World,
    conversation::Visit,
    ids::{AgentId, ConversationId, OfferId, VisitId},
    written::{Channel, WorkState},
};
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "written";

#[derive(Debug, Default)]
pub struct Written {
    open: BTreeSet<ConversationId>,
    visits: BTreeSet<VisitId>,
    offers: BTreeSet<OfferId>,
    /// What an agent has of each channel: offered, open, or with notes that are not finished.
    has: BTreeMap<AgentId, BTreeMap<ConversationId, Channel>>,
    decided: Option<(ConversationId, Vec<AgentId>)>,
    touched: Vec<AgentId>,
}

impl Written {
    /// Looks at one fact, and at the world right before it.
    pub fn observe(&mut self, world: &World, event: &Event, found: &mut Findings) {
        let says = || format!("{event:?}");
        match event {
            Event::Decided { conversation, decision, .. } => self.decided = Some((*conversation, decision.chosen.clone())),
            Event::WrittenOpened { conversation, .. } => {
                found.expect(self.open.insert(*conversation), NAME, "a conversation in writing is opened once", says);
            }
            Event::WrittenClosed { conversation, .. } => {
                found.expect(self.open.remove(conversation), NAME, "a conversation in writing is closed once", says);
            }
            Event::WrittenQueued { visit, .. } => {
                found.expect(self.visits.insert(*visit), NAME, "a stay in a queue begins once", says);
            }
            Event::WrittenUnqueued { visit, .. } => {
                found.expect(self.visits.remove(visit), NAME, "a stay in a queue ends once", says);
            }
            Event::WrittenOffered { offer, conversation, channel, agent, .. } => {
                found.expect(self.offers.insert(*offer), NAME, "an offer begins once", says);
                let decided = self.decided.as_ref().is_some_and(|(of, chosen)| of == conversation && chosen.contains(agent));
                found.expect(decided, NAME, "an offer follows a decision for this agent", says);
                offered(world, *conversation, *agent, *channel, found);
                self.give(world, *agent, *conversation, *channel, found);
            }
            Event::WrittenOfferEnded { offer, conversation, agent, .. } => {
                found.expect(self.offers.remove(offer), NAME, "an offer ends once", says);
                self.take(*agent, *conversation);
            }
            Event::WrittenTaken { conversation, channel, agent, .. } => {
                self.give(world, *agent, *conversation, *channel, found);
            }
            Event::WrittenReleased { conversation, agent, .. } | Event::WrittenWrapUpEnded { conversation, agent, .. } => {
                self.take(*agent, *conversation);
            }
            // It fitted as long as it was open, and a smaller share may have been written since.
            Event::WrittenWrapUpStarted { conversation, channel, agent, .. } => {
                self.has.entry(*agent).or_default().insert(*conversation, *channel);
                self.touched.push(*agent);
            }
            _ => {}
        }
    }

    fn give(&mut self, world: &World, agent: AgentId, conversation: ConversationId, channel: Channel, found: &mut Findings) {
        let has = self.has.entry(agent).or_default();
        let before = has.values().filter(|other| **other == channel).count();
        let most = world.agent(agent).and_then(|agent| agent.settings.channels.get(&channel)).map_or(0, |share| usize::from(share.at_once));
        found.expect(before < most, NAME, "an agent has no more of a channel than fits", || {
            format!("{agent} has {before} of at most {most} and gets {conversation}")
        });
        let twice = has.insert(conversation, channel).is_some();
        found.expect(!twice, NAME, "nobody gets what they have", || format!("{agent} gets {conversation}"));
        self.touched.push(agent);
    }

    fn take(&mut self, agent: AgentId, conversation: ConversationId) {
        self.has.entry(agent).or_default().remove(&conversation);
        self.touched.push(agent);
    }

    /// Within one input, what is had and what is said may differ for a moment.
    pub fn between(&mut self, world: &World, found: &mut Findings) {
        while let Some(id) = self.touched.pop() {
            let says = world.agent(id).map(|agent| agent.work.iter().map(|(id, work)| (*id, work.channel)).collect::<BTreeMap<_, _>>());
            let has = self.has.get(&id).cloned().unwrap_or_default();
            found.expect(says.unwrap_or_default() == has, NAME, "an agent is said to have what the agent has", || {
                format!("{id} has {has:?}")
            });
        }
    }

    /// When everybody has gone home.
    pub fn end(&self, world: &World, found: &mut Findings) {
        let nothing = self.open.is_empty() && self.visits.is_empty() && self.offers.is_empty();
        found.expect(nothing, NAME, "whatever is written is closed", || format!("{:?} {:?} {:?}", self.open, self.visits, self.offers));
        for agent in world.agents() {
            found.expect(agent.work.is_empty(), NAME, "nobody is left with something to answer", || format!("{agent:?}"));
        }
    }
}

fn offered(world: &World, id: ConversationId, agent: AgentId, channel: Channel, found: &mut Findings) {
    let state = world.agent(agent);
    let ready = state.is_some_and(|agent| agent.is_free_for(channel));
    found.expect(ready, NAME, "only who is ready and has room is offered something in writing", || format!("{state:?}"));
    let Some(written) = world.written_of(id) else { return };
    let Some(visit) = &written.visit else { return };
    found.expect(!visit.missed_by.contains_key(&agent), NAME, "who is passed over is not asked", || format!("{agent}: {visit:?}"));
    let signed_out = state.is_some_and(|agent| agent.signed_out.contains_key(&visit.queue));
    found.expect(!signed_out, NAME, "nobody is offered a queue they are signed out of", || format!("{state:?}"));
    let Some(queue) = world.queue(visit.queue).filter(|_| written.offers.is_empty()) else { return };
    let own = visit.turn(id);
    let terms = |visit: &Visit| (visit.terms.preferred.map(|waited| waited.agent), visit.terms.language.clone(), visit.skills.clone());
    let elder = queue.written.iter().filter(|turn| turn.priority == own.priority && turn.enqueued_at < own.enqueued_at).find(|turn| {
        let could_have = |other: &Visit| terms(other) == terms(visit) && !other.missed_by.contains_key(&agent);
        world
            .written_of(turn.conversation)
            .is_some_and(|other| other.channel == channel && other.wants_agent() && other.visit.as_ref().is_some_and(could_have))
    });
    found.expect(elder.is_none(), NAME, "of two equal ones the older one is served first", || {
        format!("{id} is offered to {agent} although {elder:?} has waited longer")
    });
    let already = state.and_then(|agent| agent.work_on(id)).map(|work| work.state);
    found.expect(!matches!(already, Some(WorkState::Open)), NAME, "nobody is offered what they have", || format!("{agent}: {already:?}"));
}
