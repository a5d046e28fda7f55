//! What must never be of conversations in writing and of the agents who have them.

use super::Findings;
use crate::{
    agent::{Agent, Duty},
    ids::{AgentId, ConversationId},
    limits, routing,
    world::{Timer, World},
    written::{Work, WorkState, Written},
};
use std::collections::BTreeMap;

pub(super) fn check(world: &World, found: &mut Findings) {
    let mut given: BTreeMap<(AgentId, ConversationId), &Written> = BTreeMap::new();
    for written in world.written() {
        check_place(world, written, found);
        for agent in written.offers.iter().map(|offer| offer.agent).chain(written.agent()) {
            let twice = given.insert((agent, written.id), written);
            found.expect(twice.is_none(), "nobody is offered what they have", || format!("{agent}: {written:?}"));
        }
    }
    for agent in world.agents() {
        check_work(agent, &mut given, found);
    }
    found.expect(given.is_empty(), "what an agent has in writing is known at the agent", || format!("{given:?}"));
    for queue in world.queues() {
        for turn in &queue.written {
            let visit = world.written_of(turn.conversation).and_then(|written| written.visit.as_ref());
            let same = visit.is_some_and(|visit| visit.queue == queue.settings.id && visit.turn(turn.conversation) == *turn);
            found.expect(same, "whoever stands in a queue's order of service is in the queue", || format!("{turn:?}"));
        }
        found.expect(queue.written.len() <= limits::WRITTEN_PER_QUEUE, "nothing grows without bound", || queue.settings.name.clone());
    }
    check_nobody_waits_needlessly(world, found);
}

fn check_place(world: &World, written: &Written, found: &mut Findings) {
    let says = || format!("{written:?}");
    let places = [written.visit.is_some(), written.handling.is_some(), written.wrap_up.is_some()];
    found.expect(places.iter().filter(|is| **is).count() == 1, "a conversation in writing is in exactly one place", says);
    found.expect(written.wrap_up.is_some() == written.is_over(), "notes follow what is closed, and nothing else is kept", says);
    found.expect(written.offers.is_empty() || written.visit.is_some(), "only what waits is offered", says);
    found.expect(written.offers.len() <= limits::RING_ALL_AGENTS, "nothing grows without bound", says);
    let rings = world.timers().due(Timer::Ring(written.id));
    let until = written.offers.first().map(|offer| offer.until);
    found.expect(rings == until, "an offer in writing ends by itself", says);
    let ends = world.timers().due(Timer::Conversation(written.id)).is_some();
    found.expect(ends != written.is_over(), "a conversation in writing does not live for ever", says);
    found.expect(written.visits <= limits::VISITS_PER_CONVERSATION, "nothing grows without bound", says);
    if let Some(visit) = &written.visit {
        let counted = world.queue(visit.queue).is_some_and(|queue| queue.written.contains(&visit.turn(written.id)));
        found.expect(counted, "who is in a queue stands in its order of service", says);
        let asks_again = world.timers().due(Timer::AskAgain(written.id));
        found.expect(asks_again == visit.asks_again_at(), "who was passed over is asked again in time", says);
    }
}

fn check_work(agent: &Agent, given: &mut BTreeMap<(AgentId, ConversationId), &Written>, found: &mut Findings) {
    let id = agent.settings.id;
    for (conversation, work) in &agent.work {
        let written = given.remove(&(id, *conversation));
        let same = written.is_some_and(|written| fits(id, written, work));
        found.expect(same, "an agent sees to what is there, and as what it is", || format!("{id}: {work:?} of {written:?}"));
    }
    found.expect(agent.work.is_empty() || agent.duty == Duty::OnDuty || agent.retiring, "who has something to answer is at work", || {
        format!("{agent:?}")
    });
}

fn fits(agent: AgentId, written: &Written, work: &Work) -> bool {
    let state = match work.state {
        WorkState::Offered { offer, until } => written.offer_to(agent).is_some_and(|made| (made.id, made.until) == (offer, until)),
        WorkState::Open => written.handling.is_some_and(|handling| handling.agent == agent),
        WorkState::WrapUp { until } => written.wrap_up.is_some_and(|wrap_up| (wrap_up.agent, wrap_up.until) == (agent, until)),
    };
    state && written.channel == work.channel
}

fn check_nobody_waits_needlessly(world: &World, found: &mut Findings) {
    for written in world.written().filter(|written| written.wants_agent()) {
        let Some(asked) = routing::asked_in_writing(world, written) else { continue };
        let missed = |id: AgentId| written.visit.as_ref().is_some_and(|visit| visit.missed_by.contains_key(&id));
        let could = |agent: &&Agent| agent.is_free_for(written.channel) && asked.misfit(agent).is_none() && !missed(agent.settings.id);
        let idler = world.agents().find(could);
        found.expect(idler.is_none(), "no suitable agent idles while somebody waits", || {
            format!("{:?} idles, {written:?} waits", idler.map(|agent| &agent.settings.name))
        });
    }
}
