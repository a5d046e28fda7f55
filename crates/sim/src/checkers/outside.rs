//! No number outside is called that the tenant's rules bar, and never more at once than they allow.

use super::Findings;
use dreiklang_core::{
    Action, World,
    conversation::{Direction, Role},
    endpoint::Endpoint,
};

const NAME: &str = "outside";

/// Seen when the line is told to call; the leg is there already.
pub fn told(world: &World, wish: &Action, found: &mut Findings) {
    let Action::Dial { leg, to: Endpoint::Number(number), .. } = wish else { return };
    if world.leg(*leg).is_some_and(|leg| matches!(leg.role, Role::Agent(_))) {
        return;
    }
    let rules = &world.settings().outbound;
    found.expect(rules.allows(number), NAME, "only numbers that may be called are called", || format!("{wish:?}"));
    if let Some(most) = rules.at_once {
        let legs = world.conversations().flat_map(|found| &found.legs);
        let outside = legs.filter(|leg| {
            let called = leg.direction == Direction::Outbound && matches!(leg.endpoint, Endpoint::Number(_));
            called && !matches!(leg.role, Role::Agent(_))
        });
        let count = outside.count();
        found.expect(count <= usize::from(most), NAME, "no more numbers are called at once than allowed", || format!("{count}: {wish:?}"));
    }
}
