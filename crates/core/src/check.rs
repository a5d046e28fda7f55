//! What must never happen, as a function of the world.

use crate::world::World;

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub rule: &'static str,
    /// What exactly.
    pub detail: String,
}

/// Everything in this world that must never be; empty when all is well.
pub fn check(_world: &World) -> Vec<Violation> {
    Vec::new()
}
