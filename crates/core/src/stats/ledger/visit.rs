//! What happens to a conversation in a queue: visits, offers, predictions.

use super::{Books, Event, Key, Ledger, Stamped, Subject, TeamsTarget, book, slot, spread};
use crate::{callback::CallbackOutcome, ids::QueueId, stats::teams::TeamsOutcome, time::Timestamp};

/// Books what becomes of callbacks.
fn callback(event: &Event, at: Timestamp, books: &mut impl Books) {
    let queue = match event {
        Event::CallbackOffered { queue, .. }
        | Event::CallbackRequested { queue, .. }
        | Event::CallbackRepeated { queue, .. }
        | Event::CallbackCalled { queue: Some(queue), .. }
        | Event::CallbackEnded { queue, .. } => *queue,
        _ => return,
    };
    let counters = &mut books.tally(Subject::Queue(queue), slot::slot(at)).interval;
    match event {
        Event::CallbackOffered { .. } => counters.callbacks_offered += 1,
        Event::CallbackRequested { place, .. } => {
            counters.callbacks_requested += 1;
            counters.callbacks_place_kept += u64::from(place.in_line_since < at);
        }
        Event::CallbackRepeated { .. } => counters.callbacks_repeated += 1,
        Event::CallbackCalled { .. } => counters.callback_attempts += 1,
        Event::CallbackEnded { outcome, requested_at, .. } => match outcome {
            CallbackOutcome::Connected => {
                counters.callbacks_connected += 1;
                counters.callback_time = counters.callback_time + at.since(*requested_at);
            }
            CallbackOutcome::Failed | CallbackOutcome::Expired => counters.callbacks_failed += 1,
            CallbackOutcome::Cancelled => counters.callbacks_cancelled += 1,
            CallbackOutcome::CalledAgain => counters.callbacks_overtaken += 1,
        },
        _ => {}
    }
}

impl Ledger {
    pub(super) fn visit(&mut self, stamped: &Stamped, books: &mut impl Books) -> Option<Key> {
        let (at, slot) = (stamped.at, slot::slot(stamped.at));
        match &stamped.event {
            Event::VisitStarted { conversation, queue, .. } => {
                let subjects = self.known(*conversation).subjects(Some(*queue), None);
                book(books, &subjects, slot, |tally| tally.interval.entered += 1);
                let known = self.conversations.get_mut(conversation)?;
                (known.queue, known.led_to) = (Some(*queue), None);
                Some(Key::Conversation(*conversation))
            }
            Event::VisitOverflowed { conversation, reason, to, .. } => {
                self.conversations.get_mut(conversation)?.led_to = Some((*reason, TeamsTarget::of(to)));
                Some(Key::Conversation(*conversation))
            }
            Event::VisitEnded { conversation, queue, outcome, wait, .. } => {
                let known = self.known(*conversation);
                let subjects = known.subjects(Some(*queue), None);
                let (within, teams) = (self.promise(*queue), TeamsOutcome::of(*outcome, known.led_to, known.callback));
                book(books, &subjects, slot, |tally| tally.interval.visit_ended(*outcome, *wait, within, teams));
                let from = Timestamp(at.0.saturating_sub_unsigned(wait.0));
                spread(from, at, |slot, span| book(books, &subjects, slot, |tally| tally.spent.wait(*outcome, span)));
                None
            }
            Event::OfferEnded { conversation, queue, agent, outcome, .. } => {
                let subjects = self.known(*conversation).subjects(*queue, Some(*agent));
                book(books, &subjects, slot, |tally| tally.interval.offer_ended(*outcome));
                None
            }
            Event::EstimateMeasured { queue, estimate, wait, held, .. } => {
                let counters = &mut books.tally(Subject::Queue(*queue), slot).interval;
                counters.estimates += 1;
                counters.estimates_held += u64::from(*held);
                counters.estimate_short = counters.estimate_short + (*wait - estimate.likely);
                counters.estimate_long = counters.estimate_long + (estimate.likely - *wait);
                None
            }
            event => {
                callback(event, at, books);
                None
            }
        }
    }

    /// What the queue promises; what queues promise when nothing else is said, for one whose settings are missing.
    fn promise(&self, queue: QueueId) -> crate::time::Millis {
        self.promises.get(&queue).copied().unwrap_or_else(|| crate::queue::ServiceLevel::default().within)
    }
}
