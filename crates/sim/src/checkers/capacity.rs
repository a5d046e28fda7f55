//! An agent holds no more conversations than allowed, and is said to be busy with exactly what is held.

use super::Findings;
use dreiklang_core::{
    Event, World,
    agent::Occupation,
    conversation::SegmentKind,
    ids::{AgentId, ConversationId},
};
use std::collections::BTreeMap;

const NAME: &str = "capacity";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// The telephone rings for it.
    Offered,
    /// In its talk.
    Talking,
    /// Asked about it.
    Consulted,
    /// Calls the customer back.
    Calling,
    /// Follows its talk, or is called for that.
    Supervising,
}

#[derive(Debug, Default)]
pub struct Capacity {
    held: BTreeMap<AgentId, Vec<(ConversationId, Held)>>,
    touched: Vec<AgentId>,
}

impl Capacity {
    pub fn observe(&mut self, world: &World, event: &Event, found: &mut Findings) {
        match event {
            Event::OfferMade { agent, conversation, .. } => self.take(*agent, *conversation, Held::Offered, found),
            Event::OfferEnded { agent, conversation, .. } => self.leave(*agent, *conversation, Held::Offered),
            Event::TalkStarted { agent: Some(agent), conversation, .. } => self.take(*agent, *conversation, Held::Talking, found),
            Event::TalkEnded { agent: Some(agent), conversation, .. } => self.leave(*agent, *conversation, Held::Talking),
            Event::CallbackCalled { agent, conversation, .. } => self.take(*agent, *conversation, Held::Calling, found),
            Event::SegmentClosed { kind: SegmentKind::Dialing, agent: Some(agent), conversation, .. } => {
                self.leave(*agent, *conversation, Held::Calling);
            }
            Event::ConsultAnswered { agent: Some(agent), conversation, .. } => self.take(*agent, *conversation, Held::Consulted, found),
            Event::ConsultEnded { target: Some(agent), conversation, .. } => self.leave(*agent, *conversation, Held::Consulted),
            Event::MemberJoined { agent: Some(agent), conversation, .. } => self.take(*agent, *conversation, Held::Talking, found),
            Event::MemberLeft { agent: Some(agent), conversation, .. } => self.leave(*agent, *conversation, Held::Talking),
            Event::SupervisionStarted { supervisor, conversation, .. } => self.take(*supervisor, *conversation, Held::Supervising, found),
            Event::SupervisionEnded { supervisor, conversation, .. } => self.leave(*supervisor, *conversation, Held::Supervising),
            Event::OccupationChanged { agent, from, .. } => {
                let known = world.agent(*agent).map(|agent| agent.occupation);
                found.expect(known == Some(*from), NAME, "a change of occupation begins where the last one ended", || format!("{event:?}"));
                self.touched.push(*agent);
            }
            _ => {}
        }
    }

    fn take(&mut self, agent: AgentId, conversation: ConversationId, how: Held, found: &mut Findings) {
        let held = self.held.entry(agent).or_default();
        held.push((conversation, how));
        let alone = held.iter().all(|(other, _)| *other == conversation);
        found.expect(alone, NAME, "an agent has one conversation at a time", || format!("{agent}: {held:?}"));
        self.touched.push(agent);
    }

    fn leave(&mut self, agent: AgentId, conversation: ConversationId, how: Held) {
        if let Some(held) = self.held.get_mut(&agent) {
            held.retain(|entry| *entry != (conversation, how));
        }
        self.touched.push(agent);
    }

    /// Within one input, what is held and what is said may differ for a moment.
    pub fn between(&mut self, world: &World, found: &mut Findings) {
        while let Some(id) = self.touched.pop() {
            let Some(agent) = world.agent(id) else { continue };
            let held = self.held.get(&id).map(Vec::as_slice).unwrap_or_default();
            let holds =
                |conversation, ways: &[Held]| held.len() == 1 && held.iter().all(|(held, how)| *held == conversation && ways.contains(how));
            let fits = match agent.occupation {
                Occupation::Offered { conversation, .. } => holds(conversation, &[Held::Offered]),
                Occupation::Talking { conversation } => holds(conversation, &[Held::Talking, Held::Calling]),
                Occupation::Consulting { conversation } => holds(conversation, &[Held::Talking, Held::Consulted]),
                Occupation::Supervising { conversation } => holds(conversation, &[Held::Supervising]),
                Occupation::Idle | Occupation::WrapUp { .. } => held.is_empty(),
            };
            found.expect(fits, NAME, "an agent is busy with what is held, and with nothing else", || {
                format!("{} holds {held:?} and is {:?}", agent.settings.name, agent.occupation)
            });
        }
    }
}
