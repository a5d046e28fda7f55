//! What must never happen, as a function of the world: run after every step of tests and simulations, and live in debug builds.
//!
//! What only a history can show (who was served first, what the figures add up to) is checked where histories are: in the
//! property tests.

mod written;

use crate::{
    agent::{Agent, Availability, Duty, Occupation},
    conversation::{Conversation, Facing, Hearing, Offer, Part, PauseReason, Purpose, Role, SegmentKind},
    flow::Node,
    ids::{AgentId, ConversationId},
    input::TransferTarget,
    limits,
    output::Action,
    routing,
    world::{Timer, World},
};
use std::collections::BTreeMap;

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule, as a sentence.
    pub rule: &'static str,
    /// What exactly.
    pub detail: String,
}

/// Everything in this world that must never be, as it is between two inputs; empty when all is well.
pub fn check(world: &World) -> Vec<Violation> {
    let mut found = Findings(Vec::new());
    for conversation in world.conversations() {
        check_place(world, conversation, &mut found);
        check_legs(world, conversation, &mut found);
        check_deadlines(world, conversation, &mut found);
    }
    check_agents(world, &mut found);
    check_queues(world, &mut found);
    check_nobody_waits_needlessly(world, &mut found);
    check_timers(world, &mut found);
    check_pending(world, &mut found);
    check_limits(world, &mut found);
    check_hours(world, &mut found);
    check_messages(world, &mut found);
    check_flows(world, &mut found);
    check_callbacks(world, &mut found);
    written::check(world, &mut found);
    found.0
}

struct Findings(Vec<Violation>);

impl Findings {
    fn expect(&mut self, holds: bool, rule: &'static str, detail: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Violation { rule, detail: detail() });
        }
    }
}

fn check_place(world: &World, conversation: &Conversation, found: &mut Findings) {
    let place = conversation.place();
    let says = || format!("{} is in {place:?}: {conversation:?}", conversation.id);
    let rule = "a conversation is in exactly one place";
    let is = |kinds: &[SegmentKind]| place.is_some_and(|kind| kinds.contains(&kind));
    found.expect(conversation.visit.is_some() == is(&[SegmentKind::Queue]), rule, says);
    found.expect(conversation.talk.is_some() == is(&[SegmentKind::Talk, SegmentKind::Hold]), rule, says);
    found.expect(conversation.playing.is_some() || !is(&[SegmentKind::Greeting]), rule, says);
    found.expect(conversation.ending.is_some() == is(&[SegmentKind::Ending]) || conversation.is_over(), rule, says);
    found.expect(conversation.transfer.is_none() || is(&[SegmentKind::Transfer]), rule, says);
    let consulting = conversation.offer.as_ref().is_some_and(|offer| offer.purpose == Purpose::Consult);
    let offered = if consulting { is(&[SegmentKind::Hold]) } else { is(&[SegmentKind::Queue, SegmentKind::Transfer]) };
    found.expect(conversation.offer.is_none() || offered, rule, says);
    check_message(world, conversation, found);
    check_flow(world, conversation, found);
    check_callback(world, conversation, found);
    check_offers(conversation, found);
    check_consult(conversation, found);
    check_parties(world, conversation, found);
    if is(&[SegmentKind::Transfer]) {
        let outside = conversation.transfer.as_ref().is_some_and(|transfer| transfer.leg.is_some());
        found.expect(conversation.offer.is_some() != outside, "a hand-over waits for exactly one telephone", says);
    }
    if let Some(talk) = &conversation.talk {
        let held = talk.held_since.is_some();
        found.expect(held == is(&[SegmentKind::Hold]), "a customer is on hold in the hold segment and nowhere else", says);
        let partner = conversation.leg(talk.leg).is_some_and(|leg| !leg.ending && leg.connected_at.is_some());
        found.expect(partner, "a talk has a living, connected other party", says);
    }
    if let Some(visit) = &conversation.visit {
        let counted = world.queue(visit.queue).is_some_and(|queue| queue.waiting.contains(&visit.turn(conversation.id)));
        found.expect(counted, "who is in a queue stands in its order of service", says);
    }
    if let Some(segment) = conversation.segment {
        let ordered = conversation.started_at <= segment.from && segment.from <= world.at();
        found.expect(ordered, "segments follow each other in time", says);
    }
}

fn check_flow(world: &World, conversation: &Conversation, found: &mut Findings) {
    let says = || format!("{}: {:?} in {:?}", conversation.id, conversation.run, conversation.place());
    let in_flow = conversation.place() == Some(SegmentKind::Flow);
    let Some(run) = &conversation.run else {
        let asked = world.pending().of_conversation(conversation.id).any(|(_, action)| matches!(action, Action::AskService { .. }));
        found.expect(!asked, "a service is asked once where a flow waits for its answer, and nowhere else", says);
        found.expect(!in_flow, "who is in a flow is at one of its nodes", says);
        return;
    };
    let away = conversation.place() == Some(SegmentKind::Transfer);
    found.expect(if run.away { away } else { in_flow }, "a flow goes on where the customer is in it, or being handed over by it", says);
    let edition = world.editions(run.flow).and_then(|editions| editions.edition(run.version));
    found.expect(edition.is_some_and(|flow| flow.nodes.contains_key(&run.node)), "the version of a flow is kept as long as it runs", says);
    let waits = run.away || conversation.playing.is_some() || run.waits_until.is_some();
    found.expect(waits, "a flow that says nothing waits for something", says);
    found.expect(run.due() == world.timers().due(Timer::Flow(conversation.id)), "a flow ends by itself", says);
    let asks = |action: &Action| matches!(action, Action::AskService { .. });
    let asked = world.pending().of_conversation(conversation.id).filter(|(_, action)| asks(action)).count();
    let node = edition.and_then(|flow| flow.nodes.get(&run.node));
    let wanted = usize::from(matches!(node, Some(Node::AskService(_))));
    found.expect(asked == wanted, "a service is asked once where a flow waits for its answer, and nowhere else", says);
    found.expect(run.steps <= limits::FLOW_STEPS, "nothing grows without bound", says);
}

fn check_offers(conversation: &Conversation, found: &mut Findings) {
    let says = || format!("{}: {:?} and {:?}", conversation.id, conversation.offer, conversation.also);
    if conversation.also.is_empty() {
        return;
    }
    let first = conversation.offer.as_ref();
    let together = |offer: &&Offer| {
        first.is_some_and(|first| (first.queue, first.made_at, first.rings_until) == (offer.queue, offer.made_at, offer.rings_until))
    };
    found.expect(
        conversation.also.iter().all(|offer| together(&offer)),
        "telephones that ring at once ring for the same and as long",
        says,
    );
    let serving = conversation.offers().all(|offer| offer.purpose == Purpose::Serve) && conversation.visit.is_some();
    found.expect(serving, "several telephones ring for a visit of a queue only", says);
    found.expect(conversation.also.len() < limits::RING_ALL_AGENTS, "not more telephones ring at once than allowed", says);
}

fn check_callback(world: &World, conversation: &Conversation, found: &mut Findings) {
    let says = || format!("{}: {:?} {:?} {:?}", conversation.id, conversation.segment, conversation.dialing, conversation.asking);
    let place = conversation.place();
    found.expect(conversation.dialing.is_some() == (place == Some(SegmentKind::Dialing)), "who calls back is there and nowhere else", says);
    found.expect(
        conversation.asking.is_some() == (place == Some(SegmentKind::Callback)),
        "a number is asked for where it is asked for",
        says,
    );
    let asked = world.timers().due(Timer::Asking(conversation.id)).is_some();
    found.expect(asked == conversation.asking.is_some(), "a question has a limit in time", says);
    if let Some(dialing) = &conversation.dialing {
        let there = conversation.leg(dialing.leg).is_some_and(|leg| !leg.ending && leg.connected_at.is_some());
        found.expect(there && conversation.callback.is_some(), "who calls back is alive and connected", says);
    }
}

/// Every callback stands in line or waits for its time.
fn check_callbacks(world: &World, found: &mut Findings) {
    for callback in world.callbacks().iter() {
        let says = || format!("{callback:?}");
        let due = world.timers().due(Timer::Callback(callback.id));
        match callback.conversation {
            None => found.expect(due == Some(callback.due) && !callback.calling, "a callback waits for its time", says),
            Some(id) => {
                let lives = world
                    .conversation(id)
                    .is_some_and(|conversation| !conversation.is_over() && conversation.callback == Some(callback.id));
                found.expect(lives && due.is_none(), "a callback stands in line", says);
            }
        }
        found.expect(world.queue(callback.queue).is_some(), "a callback has a queue", says);
    }
    for queue in world.queues() {
        let away = queue.waiting.iter().filter(|turn| world.conversation(turn.conversation).is_some_and(|found| found.callback.is_some()));
        found.expect(away.count() == queue.callbacks as usize, "callbacks in line are counted", || format!("{:?}", queue.settings.name));
    }
}

fn check_message(world: &World, conversation: &Conversation, found: &mut Findings) {
    let says = || format!("{}: {:?}, {:?}", conversation.id, conversation.message, conversation.segment);
    let there = conversation.place() == Some(SegmentKind::Voicemail);
    found.expect(conversation.message.is_some() == there, "who leaves a message is there and nowhere else", says);
    let Some(message) = conversation.message else { return };
    let open = world.leaving.get(&message);
    found.expect(open.is_some_and(|open| open.conversation == conversation.id), "a message that is left is known", says);
    let recorded = open.is_some_and(|open| open.recording.is_some());
    let ends = world.timers().due(Timer::Message(conversation.id)).is_some();
    found.expect(recorded == ends, "a message has a longest length from its tone on", says);
    found.expect(recorded || conversation.playing.is_some(), "who has not heard the tone hears the greeting", says);
}

/// Every message ends, and is forgotten in its time.
fn check_messages(world: &World, found: &mut Findings) {
    for (id, open) in world.leaving() {
        let being = match open.recording {
            None => world.conversation(open.conversation).is_some_and(|conversation| conversation.message == Some(id)),
            Some(recording) => world.recordings.get(&recording).is_some_and(|recording| recording.message == Some(id)),
        };
        found.expect(being, "a message that is left is being spoken or written", || format!("{id}: {open:?}"));
    }
    for message in world.messages().iter() {
        let forgotten = world.timers().due(Timer::MessageExpiry(message.id)) == Some(message.expires_at);
        found.expect(forgotten, "a message is forgotten in its time", || format!("{message:?}"));
        found.expect(world.mailbox(message.mailbox).is_some(), "a message belongs to somebody", || format!("{message:?}"));
    }
}

fn check_consult(conversation: &Conversation, found: &mut Findings) {
    let says = || format!("{}: {:?}", conversation.id, conversation.consult);
    let offered = conversation.offer.as_ref().is_some_and(|offer| offer.purpose == Purpose::Consult);
    let Some(consult) = &conversation.consult else {
        found.expect(!offered, "nobody rings for a consult that is over", says);
        return;
    };
    let agent = conversation.talk.as_ref().and_then(|talk| talk.agent);
    found.expect(agent == Some(consult.agent), "who consults is the agent of the talk", says);
    let place = if consult.facing == Facing::Target { SegmentKind::Hold } else { SegmentKind::Talk };
    found.expect(conversation.place() == Some(place), "a customer is on hold while the agent hears somebody else", says);
    let outside = consult.leg.is_some() && consult.target.is_none();
    let queued = matches!(consult.to, TransferTarget::Queue(_)) && consult.leg.is_none() && !offered;
    let ways = [offered, outside, consult.target.is_some(), queued].into_iter().filter(|way| *way).count();
    found.expect(ways == 1, "a consult waits for exactly one telephone, or for an agent of a queue", says);
    if let Some(leg) = consult.answered_leg() {
        let there = conversation.leg(leg).is_some_and(|leg| !leg.ending && leg.connected_at.is_some());
        found.expect(there, "who is consulted is alive and connected", says);
    }
}

fn check_parties(world: &World, conversation: &Conversation, found: &mut Findings) {
    let says = || format!("{}: {:?} {:?} {:?}", conversation.id, conversation.members, conversation.supervisors, conversation.talk);
    let there = |leg| conversation.leg(leg).is_some_and(|leg| !leg.ending && leg.connected_at.is_some());
    let agent = conversation.talk.as_ref().and_then(|talk| talk.agent);
    found.expect(conversation.members.is_empty() || conversation.talk.is_some(), "a conference is a talk", says);
    found.expect(conversation.members.iter().all(|member| there(member.leg)), "who is in a conference is there", says);
    found.expect(conversation.supervisors.is_empty() || agent.is_some(), "only an agent's talk is supervised", says);
    for one in &conversation.supervisors {
        found.expect(agent != Some(one.supervisor), "nobody supervises the own talk", says);
        let alive = conversation.leg(one.leg).is_some_and(|leg| !leg.ending && leg.connected_at.is_some() == one.answered_at.is_some());
        found.expect(alive, "a supervisor's telephone rings, or the supervisor is there", says);
    }
    if conversation.talk.is_some() {
        // Which music somebody hears may have been changed since.
        let heard =
            |table: &[Hearing]| table.iter().map(|party| (party.leg, party.voices.clone(), party.prompt.is_some())).collect::<Vec<_>>();
        let wanted = conversation.is_mixed().then(|| heard(&conversation.hearing(&world.hold_music(conversation))));
        let told = conversation.mixed.as_deref().map(heard);
        found.expect(wanted == told, "where more than two talk, the line knows who hears whom", || {
            format!("{}: {told:?}, should be {wanted:?}", conversation.id)
        });
    }
}

fn check_legs(world: &World, conversation: &Conversation, found: &mut Findings) {
    let says = || format!("{}: {:?}", conversation.id, conversation.legs);
    found.expect(!conversation.is_over() || !conversation.legs.is_empty(), "a conversation without legs is forgotten", says);
    let has_customer = conversation.customer_leg().is_some() || conversation.callback.is_some();
    found.expect(conversation.is_over() || has_customer, "a conversation that lives has its customer", says);
    for leg in &conversation.legs {
        let listed = world.conversation_of(leg.id).is_some_and(|owner| owner.id == conversation.id);
        found.expect(listed, "a leg belongs to one conversation", says);
        let parts = conversation.parts().filter(|(wanted, _)| *wanted == leg.id).count();
        found.expect(leg.ending || parts > 0, "a leg nobody needs is being ended", says);
        found.expect(parts <= 1, "a leg is needed for one thing", says);
        if conversation.is_over() {
            found.expect(leg.ending, "once the customer has left, every other leg is being ended", says);
        }
    }
}

/// Nothing may wait for something that never comes: whatever is open has a deadline.
fn check_deadlines(world: &World, conversation: &Conversation, found: &mut Findings) {
    let rule = "whatever is waited for has a deadline";
    let timers = world.timers();
    let mut need = |needed: bool, timer: Timer| {
        found.expect(timers.due(timer).is_some() == needed, rule, || format!("{timer:?}, needed: {needed}: {conversation:?}"));
    };
    let id = conversation.id;
    need(!conversation.is_over() && conversation.ending.is_none(), Timer::Conversation(id));
    need(conversation.playing.is_some(), Timer::Prompt(id));
    need(conversation.offer.is_some(), Timer::Ring(id));
    let queued =
        conversation.consult.as_ref().is_some_and(|consult| matches!(consult.to, TransferTarget::Queue(_)) && consult.leg.is_none());
    need(queued && conversation.offer.is_none(), Timer::ConsultWait(id));
    let widens_at = conversation.visit.as_ref().and_then(|visit| visit.widens_at(&world.queue(visit.queue)?.settings));
    need(widens_at.is_some(), Timer::Widen(id));
    if conversation.visit.is_none() {
        need(false, Timer::MaxWait(id));
    }
    need(world.overflow_due(id).is_some(), Timer::Overflow(id));
    need(conversation.visit.as_ref().and_then(|visit| visit.asks_again_at()).is_some(), Timer::AskAgain(id));
    need(world.announcement_due(id).is_some(), Timer::Announce(id));
    for leg in &conversation.legs {
        let fresh = !leg.ending && leg.connected_at.is_none();
        need(leg.ending, Timer::HangUp(leg.id));
        need(fresh && leg.role == Role::Customer, Timer::Answer(leg.id));
        let called = leg.role == Role::External || conversation.part_of(leg.id) == Some(Part::Supervisor);
        need(fresh && called, Timer::TransferRing(leg.id));
    }
    for offer in conversation.offers() {
        let bounded = offer.rings_until.since(offer.made_at) <= limits::RING_MAX + limits::CONFIRM
            && timers.due(Timer::Ring(id)) == Some(offer.rings_until);
        found.expect(bounded, "an offer does not outlive its ring time", || format!("{offer:?}"));
    }
}

fn check_agents(world: &World, found: &mut Findings) {
    let mut held: BTreeMap<AgentId, Vec<(ConversationId, Occupation)>> = BTreeMap::new();
    for conversation in world.conversations() {
        for offer in conversation.offers() {
            let occupation = Occupation::Offered { offer: offer.id, conversation: conversation.id };
            held.entry(offer.agent).or_default().push((conversation.id, occupation));
        }
        if let Some(agent) = conversation.talk.as_ref().and_then(|talk| talk.agent) {
            let occupation = match &conversation.consult {
                Some(_) => Occupation::Consulting { conversation: conversation.id },
                None => Occupation::Talking { conversation: conversation.id },
            };
            held.entry(agent).or_default().push((conversation.id, occupation));
        }
        if let Some(agent) = conversation.dialing.as_ref().map(|dialing| dialing.agent) {
            held.entry(agent).or_default().push((conversation.id, Occupation::Talking { conversation: conversation.id }));
        }
        for agent in conversation.members.iter().filter_map(|member| member.agent) {
            held.entry(agent).or_default().push((conversation.id, Occupation::Talking { conversation: conversation.id }));
        }
        for one in &conversation.supervisors {
            held.entry(one.supervisor).or_default().push((conversation.id, Occupation::Supervising { conversation: conversation.id }));
        }
        if let Some(target) = conversation.consult.as_ref().and_then(|consult| consult.target) {
            held.entry(target).or_default().push((conversation.id, Occupation::Consulting { conversation: conversation.id }));
        }
    }
    for (agent, conversations) in &held {
        found.expect(conversations.len() == 1, "an agent has one conversation at a time", || format!("{agent}: {conversations:?}"));
        found.expect(world.agent(*agent).is_some(), "an agent who is busy exists", || format!("{agent}: {conversations:?}"));
    }
    for agent in world.agents() {
        check_agent(world, agent, held.get(&agent.settings.id).and_then(|list| list.first()), found);
    }
}

fn check_agent(world: &World, agent: &Agent, held: Option<&(ConversationId, Occupation)>, found: &mut Findings) {
    let says = || format!("{agent:?} holds {held:?}");
    let id = agent.settings.id;
    let timed = world.timers().due(Timer::WrapUp(id));
    let wanted = match agent.occupation {
        Occupation::Idle | Occupation::WrapUp { .. } => None,
        busy => Some(busy),
    };
    found.expect(held.map(|(_, occupation)| *occupation) == wanted, "an agent is busy with what exists, and with nothing else", says);
    match agent.occupation {
        Occupation::WrapUp { until, .. } => found.expect(until == timed, "timed wrap-up ends", says),
        _ => found.expect(timed.is_none(), "only wrap-up has a wrap-up deadline", says),
    }
    if matches!(agent.occupation, Occupation::Offered { .. }) {
        let offer = agent.leg.and_then(|leg| world.conversation_of(leg)?.offer_over(leg));
        let wished = offer.is_some_and(|offer| offer.purpose == Purpose::Pull);
        let fit = agent.duty == Duty::OnDuty && (wished || agent.availability == Availability::Ready);
        found.expect(fit, "nobody is offered a conversation who is not on duty and ready, unless somebody wished just that", says);
    }
    if !matches!(agent.occupation, Occupation::Idle | Occupation::WrapUp { .. }) {
        found.expect(agent.leg.is_some(), "a busy agent has a telephone leg", says);
    }
    if let Some(leg) = agent.leg {
        let own = world.leg(leg).is_some_and(|leg| leg.role == Role::Agent(id));
        found.expect(own, "an agent's leg lives", says);
    }
    let busy = matches!(agent.occupation, Occupation::Talking { .. } | Occupation::Consulting { .. } | Occupation::WrapUp { .. });
    found.expect(agent.disposition.is_none() || busy, "what became of a conversation is said of one that is there", says);
    found.expect(agent.planned.is_none() || agent.occupation != Occupation::Idle, "what was planned is applied when idle", says);
    found.expect(agent.planned_duty.is_none() || !agent.has_nothing_to_do(), "a planned duty begins when there is nothing to do", says);
    let unknown = agent.signed_out.keys().find(|queue| !agent.settings.queues.contains(queue));
    found.expect(unknown.is_none(), "an agent is signed out of own queues only", says);
    let gone = agent.retiring && agent.has_nothing_to_do() && agent.leg.is_none();
    found.expect(!gone, "a removed agent disappears when done", says);
}

fn check_queues(world: &World, found: &mut Findings) {
    for queue in world.queues() {
        for turn in &queue.waiting {
            let visit = world.conversation(turn.conversation).and_then(|conversation| conversation.visit.as_ref());
            let same = visit.is_some_and(|visit| visit.queue == queue.settings.id && visit.turn(turn.conversation) == *turn);
            found.expect(same, "whoever stands in a queue's order of service is in the queue", || format!("{turn:?}"));
        }
    }
}

fn check_nobody_waits_needlessly(world: &World, found: &mut Findings) {
    let idle: Vec<&Agent> = world.agents().filter(|agent| agent.is_routable()).collect();
    if idle.is_empty() {
        return;
    }
    for conversation in world.conversations().filter(|conversation| conversation.wants_agent()) {
        let Some(asked) = routing::asked(world, conversation) else { continue };
        let missed = |id: AgentId| conversation.visit.as_ref().is_some_and(|visit| visit.missed_by.contains_key(&id));
        let idler = idle.iter().find(|agent| asked.misfit(agent).is_none() && !missed(agent.settings.id));
        found.expect(idler.is_none(), "no suitable agent idles while somebody waits", || {
            format!("{:?} idles, {conversation:?} waits", idler.map(|agent| &agent.settings.name))
        });
    }
    for conversation in world.conversations() {
        let Some(queue) = conversation.consulted_queue().and_then(|queue| world.queue(queue)) else { continue };
        let serves = |agent: &&&Agent| agent.works_for(queue.settings.id) && agent.has_skills(&queue.settings.skills);
        let idler = idle.iter().find(serves);
        found.expect(idler.is_none(), "no agent of a consulted queue idles while the consult waits", || {
            format!("{:?} idles, {conversation:?} waits", idler.map(|agent| &agent.settings.name))
        });
    }
}

fn check_timers(world: &World, found: &mut Findings) {
    for (due, timer) in world.timers().iter() {
        let meant = match timer {
            Timer::Conversation(id) | Timer::Ring(id) | Timer::Widen(id) | Timer::AskAgain(id) => {
                world.conversation(id).is_some() || world.written_of(id).is_some()
            }
            Timer::Notes(id) => world.written_of(id).is_some_and(|written| written.wrap_up.is_some_and(|notes| notes.until == due)),
            Timer::Prompt(id)
            | Timer::Flow(id)
            | Timer::Overflow(id)
            | Timer::Announce(id)
            | Timer::MaxWait(id)
            | Timer::Message(id)
            | Timer::Asking(id)
            | Timer::ConsultWait(id) => world.conversation(id).is_some(),
            Timer::Callback(callback) => world.callback(callback).is_some_and(|callback| callback.conversation.is_none()),
            Timer::MessageExpiry(message) => world.message(message).is_some(),
            Timer::Answer(leg) | Timer::TransferRing(leg) | Timer::HangUp(leg) | Timer::HangUpAgain(leg) => world.leg(leg).is_some(),
            Timer::Reopen(queue) => {
                world.queue(queue).is_some_and(|queue| queue.closed.as_ref().is_some_and(|closed| closed.until.is_some()))
            }
            Timer::WrapUp(agent) => world.agent(agent).is_some(),
            Timer::ReadyAgain(agent) => world.agent(agent).is_some_and(|agent| agent.availability != Availability::Ready),
            Timer::Action(action) => world.pending().get(action).is_some(),
            Timer::Recording(recording) => world.recordings.get(&recording).is_some_and(|open| open.stopping),
            Timer::RecordingPause(recording) => world.recordings.get(&recording).is_some_and(|open| open.pause.is_some()),
            Timer::Survey(_) => true,
            Timer::HoursOverride(hours) => world.hours_override(hours).is_some_and(|found| found.switch.until() == Some(due)),
        };
        found.expect(meant, "a deadline is for something that is there", || format!("{timer:?} at {due:?}"));
    }
}

fn check_pending(world: &World, found: &mut Findings) {
    for (id, action) in world.pending().iter() {
        // What the customer hears once has the conversation's deadline; once that place is left, the leg's.
        let ends = world.timers().due(Timer::Action(id)).is_some() || matches!(action, Action::Play { repeat: false, .. });
        found.expect(ends, "an action that nobody answers is forgotten", || format!("{id}: {action:?}"));
        if let Action::Play { leg, .. } | Action::Silence { leg, .. } | Action::Dial { leg, .. } | Action::Answer { leg, .. } = action {
            found.expect(world.leg(*leg).is_some(), "an action for a leg ends with the leg", || format!("{id}: {action:?}"));
        }
        if let Action::Mix { parties, .. } = action {
            let alive = parties.iter().all(|party| world.leg(party.leg).is_some());
            found.expect(alive, "an action for several legs ends with the first of them", || format!("{id}: {action:?}"));
        }
    }
    for (id, recording) in world.recordings() {
        let bounded = recording.stopping || world.conversation(recording.conversation).is_some_and(|found| found.recording == Some(id));
        found.expect(bounded, "a recording is closed with its conversation", || format!("{id}: {recording:?}"));
        let until = recording.pause.as_ref().and_then(|pause| pause.until);
        let ends = world.timers().due(Timer::RecordingPause(id)) == until;
        let secure = recording.pause.as_ref().is_some_and(|pause| pause.reason == PauseReason::Secure);
        let talk = world.conversation(recording.conversation).is_some_and(|found| found.talk.is_some());
        let private = !recording.stopping && world.types_privately(recording.conversation);
        found.expect(!private || recording.pause.is_some(), "what is typed privately is not recorded", || format!("{id}: {recording:?}"));
        let reason = talk || private;
        found.expect(ends && (!secure || until.is_some() && reason), "a secure pause ends by itself, and with the talk", || {
            format!("{id}: {recording:?}")
        });
        let resumes = |action: &Action| matches!(action, Action::ResumeRecording { recording, .. } if *recording == id);
        let kept = recording.pause.is_none() || !world.pending().iter().any(|(_, action)| resumes(action));
        found.expect(kept, "nothing is recorded during a pause", || format!("{id}: {recording:?}"));
    }
}

fn check_limits(world: &World, found: &mut Findings) {
    let mut within = |what: &'static str, count: usize, limit: usize| {
        found.expect(count <= limit, "nothing grows without bound", || format!("{count} {what}, at most {limit}"));
    };
    within("queues", world.queues().len(), limits::QUEUES_PER_TENANT);
    within("services", world.services().len(), limits::SERVICES_PER_TENANT);
    within("agents", world.agents().len(), limits::AGENTS_PER_TENANT);
    within("skills", world.skills().len(), limits::SKILLS_PER_TENANT);
    within("numbers", world.numbers().len(), limits::NUMBERS_PER_TENANT);
    within("callbacks", world.callbacks().len(), limits::CALLBACKS_PER_TENANT);
    within("messages", world.messages().len() + world.leaving().len(), limits::MESSAGES_PER_TENANT);
    within("remembered legs", world.departed().len(), limits::LEGS_REMEMBERED);
    for (_, recording) in world.recordings() {
        within("gaps of a recording", recording.gaps.len(), limits::RECORDING_GAPS);
    }
    for conversation in world.conversations() {
        within("legs", conversation.legs.len(), limits::LEGS_PER_CONVERSATION);
        let missed = conversation.visit.as_ref().map_or(0, |visit| visit.missed_by.len());
        within("agents passed over", missed, limits::PASSED_OVER_PER_VISIT);
        within("members of a conference", conversation.members.len(), limits::CONFERENCE_MEMBERS);
        within("supervisors", conversation.supervisors.len(), limits::SUPERVISORS_PER_CONVERSATION);
        within("visits", conversation.visits as usize, limits::VISITS_PER_CONVERSATION as usize);
    }
}

fn check_flows(world: &World, found: &mut Findings) {
    for (id, editions) in &world.flows {
        for (version, runs) in editions.kept() {
            let runs_here =
                |conversation: &&Conversation| conversation.run.as_ref().is_some_and(|run| (run.flow, run.version) == (*id, version));
            let counted = world.conversations().filter(runs_here).count();
            found.expect(counted == runs as usize, "customers in a version of a flow are counted", || {
                format!("{counted} and not {runs} in version {version} of {id}")
            });
        }
    }
}

fn check_hours(world: &World, found: &mut Findings) {
    for hours in world.hours() {
        let missing = hours.holidays.iter().find(|id| world.holiday_set(**id).is_none());
        found.expect(missing.is_none(), "opening hours name holidays that are there", || format!("{missing:?} of {}", hours.name));
    }
    for (id, switched) in &world.overrides {
        found.expect(world.hours_of(*id).is_some(), "what is switched is there", || format!("{id}: {switched:?}"));
        let ends = switched.switch.until() == world.timers().due(Timer::HoursOverride(*id));
        found.expect(ends, "a switch that ends by itself has a deadline", || format!("{id}: {switched:?}"));
    }
}
