//! Services that flows ask: mostly quick, now and then slow, silent, or with an answer of another form.

use crate::stage::{Entry, Stage};
use dreiklang_core::{
    Input,
    expression::Value,
    flow::ServiceAnswer,
    ids::{ActionId, ConversationId},
    time::Millis,
};

impl Stage<'_> {
    /// The owner has a service asked.
    pub fn ask_service(&mut self, action: ActionId, conversation: ConversationId) {
        let faults = self.plan.faults;
        let chance = self.chance_for(Some(conversation));
        let silent = chance.happens(faults.ignored);
        let refused = chance.happens(faults.refused);
        let slow = chance.happens(faults.late);
        let takes = chance.between(Millis(20), if slow { Millis::from_secs(30) } else { Millis::from_secs(2) });
        let twice = chance.happens(faults.twice).then(|| chance.between(takes, Millis::from_secs(40)));
        let answer = match chance.below(8) {
            0 => ServiceAnswer { status: 404, body: Value::Null },
            1 => ServiceAnswer { status: 200, body: Value::from("Everything is fine.") },
            kind => ServiceAnswer {
                status: 200,
                body: Value::map([("customer", Value::map([("vip", Value::Bool(kind > 5)), ("rounds", Value::Int(kind as i64))]))]),
            },
        };
        if silent {
            self.trace.note(self.now, "the service does not answer");
        } else if refused {
            let failure = super::line::failure("the service cannot be reached");
            self.agenda.put(self.now + takes, Entry::Give(Box::new(Input::ActionFailed { action, failure })));
        } else {
            for takes in [Some(takes), twice].into_iter().flatten() {
                let answer = answer.clone();
                self.agenda.put(self.now + takes, Entry::Give(Box::new(Input::ServiceAnswered { action, answer })));
            }
        }
    }
}
