//! Whether a number outside may be called now.

use super::Engine;
use crate::{
    config::{Barred, Destination},
    conversation::{Conversation, Direction, Leg, Role},
    endpoint::Endpoint,
    input::TransferTarget,
};

impl Engine {
    /// What stands against calling this number now.
    pub(super) fn barred(&self, number: &str) -> Option<Barred> {
        let rules = &self.world.settings.outbound;
        if !rules.allows(number) {
            return Some(Barred::Destination);
        }
        let most = rules.at_once?;
        let outside = |leg: &&Leg| {
            leg.direction == Direction::Outbound && !matches!(leg.role, Role::Agent(_)) && matches!(leg.endpoint, Endpoint::Number(_))
        };
        let called =
            self.world.conversations().flat_map(|found: &Conversation| &found.legs).filter(outside).take(usize::from(most)).count();
        (called >= usize::from(most)).then_some(Barred::AtOnce(most))
    }

    /// Whether rules stand against calling whom a transfer names.
    pub(super) fn bars(&self, to: &TransferTarget) -> bool {
        matches!(to, TransferTarget::Number(number) if self.barred(number).is_some())
    }

    /// Whether rules stand against leading a customer there.
    pub(super) fn bars_destination(&self, to: &Destination) -> bool {
        matches!(to, Destination::Number(number) if self.barred(number).is_some())
    }
}
