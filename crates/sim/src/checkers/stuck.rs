//! When everybody has gone home and every deadline has passed, nobody is stuck and nothing is open.

use super::Findings;
use dreiklang_core::{Action, World, agent::Occupation, world::Timer};

const NAME: &str = "stuck";

pub fn end(world: &World, found: &mut Findings) {
    for conversation in world.conversations() {
        found.expect(false, NAME, "no conversation outlives the day", || format!("{conversation:?}"));
    }
    for agent in world.agents() {
        let free = agent.occupation == Occupation::Idle && agent.leg.is_none();
        found.expect(free, NAME, "no agent is stuck", || format!("{agent:?}"));
    }
    for (id, action) in world.pending().iter() {
        // A line that nobody answers for is asked again and again.
        let asked = matches!(action, Action::Survey { .. });
        found.expect(asked, NAME, "no action stays open", || format!("{id}: {action:?}"));
    }
    for (id, recording) in world.recordings() {
        found.expect(false, NAME, "no recording stays open", || format!("{id}: {recording:?}"));
    }
    for (id, open) in world.leaving() {
        found.expect(false, NAME, "no message stays half left", || format!("{id}: {open:?}"));
    }
    for (due, timer) in world.timers().iter() {
        let beyond = match timer {
            Timer::Survey(_) => true,
            // Messages are kept longer than a day.
            Timer::MessageExpiry(message) => world.message(message).is_some(),
            Timer::Action(id) => world.pending().get(id).is_some_and(|action| matches!(action, Action::Survey { .. })),
            _ => false,
        };
        found.expect(beyond, NAME, "no deadline is left", || format!("{timer:?} at {due:?}"));
    }
}
