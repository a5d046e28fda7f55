//! Every command is answered, once.

use super::Findings;
use dreiklang_core::{Refusal, ids::CommandId};
use std::collections::BTreeSet;

const NAME: &str = "answers";

#[derive(Debug, Default)]
pub struct Answers {
    open: BTreeSet<CommandId>,
}

impl Answers {
    pub fn asked(&mut self, command: CommandId) {
        self.open.insert(command);
    }

    pub fn lost(&mut self, command: CommandId) {
        self.open.remove(&command);
    }

    pub fn answered(&mut self, command: CommandId, answer: &Result<(), Refusal>, found: &mut Findings) {
        let was_open = self.open.remove(&command);
        found.expect(was_open, NAME, "a command is answered once", || format!("{command}: {answer:?}"));
    }

    pub fn end(&self, found: &mut Findings) {
        found.expect(self.open.is_empty(), NAME, "every command is answered", || format!("{:?}", self.open));
    }
}
