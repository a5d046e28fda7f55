//! Nobody hears the own voice, nobody hears who listens, only the agent hears who whispers, and a customer on hold hears nobody.

use super::Findings;
use dreiklang_core::{
    Action, World,
    conversation::{SegmentKind, SupervisionMode},
};

const NAME: &str = "voices";

/// Seen when the line is told who hears whom.
pub fn told(world: &World, wish: &Action, found: &mut Findings) {
    let Action::Mix { conversation, parties, .. } = wish else { return };
    let Some(conversation) = world.conversation(*conversation) else { return };
    let says = || format!("{wish:?} for {:?}", conversation.supervisors);
    let agent = conversation.talk.as_ref().map(|talk| talk.leg);
    for one in &conversation.supervisors {
        let heard_by = || parties.iter().filter(|party| party.voices.contains(&one.leg)).map(|party| Some(party.leg));
        match one.mode {
            SupervisionMode::Listen => found.expect(heard_by().count() == 0, NAME, "nobody hears who listens", says),
            SupervisionMode::Whisper => {
                found.expect(heard_by().all(|leg| leg == agent), NAME, "only the agent hears who whispers", says);
            }
            SupervisionMode::Barge => {}
        }
    }
    let echo = parties.iter().find(|party| party.voices.contains(&party.leg));
    found.expect(echo.is_none(), NAME, "nobody hears what was said by the same one", says);
    let customer = parties.iter().find(|party| Some(party.leg) == conversation.customer);
    let hears = customer.is_some_and(|party| !party.voices.is_empty());
    found.expect(!hears || conversation.place() == Some(SegmentKind::Talk), NAME, "a customer on hold hears nobody", says);
}
