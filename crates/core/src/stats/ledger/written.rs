//! What happens to conversations in writing.

use super::{Books, Changed, Event, Key, Ledger, Stamped, Subject, slot};
use crate::{
    ids::{AgentId, QueueId},
    stats::interval::Writing,
    time::Timestamp,
    written::Channel,
};

impl Ledger {
    pub(super) fn written(&mut self, stamped: &Stamped, books: &mut impl Books) -> Option<Key> {
        let at = stamped.at;
        match &stamped.event {
            Event::WrittenOfferEnded { channel, queue, agent, outcome, .. } => {
                let book = |writing: &mut Writing| writing.offer_ended(*outcome);
                book_for(books, at, *channel, Some(*queue), Some(*agent), book);
                None
            }
            Event::WrittenUnqueued { channel, queue, outcome, wait, within, agent, .. } => {
                book_for(books, at, *channel, Some(*queue), None, |writing| writing.unqueued(*outcome, *wait, *within));
                // Only what an agent took was that agent's.
                if agent.is_some() {
                    book_for(books, at, *channel, None, *agent, |writing| writing.unqueued(*outcome, *wait, *within));
                }
                None
            }
            Event::WrittenQueued { channel, queue, .. } => {
                book_for(books, at, *channel, Some(*queue), None, |writing| writing.entered += 1);
                None
            }
            Event::WrittenTaken { agent, .. } => Some(self.agent(*agent, at, Changed::Given, books)),
            Event::WrittenReleased { channel, queue, agent, since, moved, .. } => {
                book_for(books, at, *channel, Some(*queue), Some(*agent), |writing| {
                    writing.handled += 1;
                    writing.handling = writing.handling + at.since(*since);
                    writing.moved += u64::from(*moved);
                });
                Some(self.agent(*agent, at, Changed::Taken, books))
            }
            Event::WrittenWrapUpStarted { agent, .. } => Some(self.agent(*agent, at, Changed::Given, books)),
            Event::WrittenWrapUpEnded { channel, queue, agent, started_at, .. } => {
                book_for(books, at, *channel, Some(*queue), Some(*agent), |writing| {
                    writing.wrap_up = writing.wrap_up + at.since(*started_at);
                });
                Some(self.agent(*agent, at, Changed::Taken, books))
            }
            _ => None,
        }
    }
}

fn book_for(
    books: &mut impl Books,
    at: Timestamp,
    channel: Channel,
    queue: Option<QueueId>,
    agent: Option<AgentId>,
    mut add: impl FnMut(&mut Writing),
) {
    for subject in queue.map(Subject::Queue).into_iter().chain(agent.map(Subject::Agent)) {
        add(books.tally(subject, slot::slot(at)).interval.written.entry(channel).or_default());
    }
}
