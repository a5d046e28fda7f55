//! The core's own look at a whole world, every now and then: deadlines, bounds, nobody waiting in vain.

use super::Findings;
use dreiklang_core::{World, check};

const NAME: &str = "whole";

/// Inputs between two looks.
const EVERY: u64 = 64;

#[derive(Debug, Default)]
pub struct Whole {
    inputs: u64,
}

impl Whole {
    pub fn between(&mut self, world: &World, found: &mut Findings) {
        self.inputs += 1;
        if self.inputs.is_multiple_of(EVERY) {
            self.end(world, found);
        }
    }

    pub fn end(&self, world: &World, found: &mut Findings) {
        for violation in check::check(world) {
            found.expect(false, NAME, violation.rule, || violation.detail.clone());
        }
    }
}
