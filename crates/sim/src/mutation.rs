//! Faults put in on purpose, to prove that the checkers find what they are for.
//!
//! A mutation sits between the engine and everything that sees its facts: some are left out or changed, as if the engine had
//! forgotten or miscounted, and the checkers' world is made of what is left. The engine itself stays as it is.

use dreiklang_core::{
    Action, Event, Input, Stamped,
    agent::{Availability, Occupation},
    callers::Treatment,
    config::Change,
    conversation::{Role, TerminationReason, TerminationResult},
    endpoint::Endpoint,
    flow::PRIVATE_KEY,
    ids::{AgentId, LegId},
    queue::Outcome,
    routing::OfferOutcome,
    time::{Millis, Timestamp},
};

/// Something that is wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// An agent who missed an offer stays busy with it.
    ForgetToFreeAgentOnNoAnswer,
    /// An answered visit does not leave the queue.
    StayInQueueWhileTalking,
    /// A visit is counted twice.
    CountVisitTwice,
    /// A segment ends a second early.
    GapBetweenSegments,
    /// An offer that nobody answers does not end.
    RingForEver,
    /// A visit is served although an equal one has waited longer.
    ServeTheYoungerFirst,
    /// An agent is offered a conversation without having become ready.
    OfferToWhoIsNotReady,
    /// A leg ends and nobody knows why.
    EndWithoutCause,
    /// A customer's leg never ends.
    ForgetALeg,
    /// A recording is never closed.
    ForgetARecording,
    /// An action is answered and stays open.
    ForgetAnAnswer,
    /// A document becomes something else than what was stored.
    ChangeADocumentUnseen,
    /// A conversation is offered without a reason.
    OfferWithoutReason,
    /// A caller who is to be favored is let in although the list blocks.
    LetBlockedIn,
    /// Where more than two talk, the customer hears everybody, whatever is meant for whom.
    LetTheCustomerHearEverybody,
    /// Whoever is called outside is called at a number that may not be called.
    CallWhomNobodyMay,
    /// A key of a private answer is written down.
    WriteAPrivateKey,
    /// An agent stays busy with what was taken off the desk.
    ForgetToFreeAgentInWriting,
    /// Offers in writing are made although the agent has as many as fit.
    GiveMoreThanFits,
    /// A report that comes twice counts twice.
    CountReportsTwice,
}

impl Mutation {
    /// All, each with the checkers of which one has to find it, whichever looks first.
    pub const ALL: &[(Mutation, &[&str])] = &[
        (Mutation::ForgetToFreeAgentOnNoAnswer, &["capacity"]),
        (Mutation::StayInQueueWhileTalking, &["place"]),
        (Mutation::CountVisitTwice, &["balance"]),
        (Mutation::GapBetweenSegments, &["tiling"]),
        (Mutation::RingForEver, &["ringing"]),
        (Mutation::ServeTheYoungerFirst, &["order"]),
        (Mutation::OfferToWhoIsNotReady, &["ready"]),
        (Mutation::EndWithoutCause, &["ends"]),
        (Mutation::ForgetALeg, &["whole", "stuck", "ends"]),
        (Mutation::ForgetARecording, &["stuck"]),
        (Mutation::ForgetAnAnswer, &["whole", "stuck"]),
        (Mutation::ChangeADocumentUnseen, &["replay"]),
        (Mutation::OfferWithoutReason, &["reasons"]),
        (Mutation::LetBlockedIn, &["blocked"]),
        (Mutation::LetTheCustomerHearEverybody, &["voices"]),
        (Mutation::CallWhomNobodyMay, &["outside"]),
        (Mutation::WriteAPrivateKey, &["private"]),
        (Mutation::ForgetToFreeAgentInWriting, &["written", "whole"]),
        (Mutation::GiveMoreThanFits, &["written", "ringing", "whole"]),
        (Mutation::CountReportsTwice, &["repeats"]),
    ];
}

/// Facts that go by untouched before a mutation strikes, so that the day is in full swing.
const BEFORE: u64 = 2_000;

/// A mutation at work.
#[derive(Debug)]
pub struct Mutant {
    mutation: Mutation,
    /// Struck already, where once is enough.
    done: bool,
    /// Whose change of occupation is the next to be left out.
    missed: Option<AgentId>,
}

impl Mutant {
    pub(crate) fn new(mutation: Mutation) -> Mutant {
        Mutant { mutation, done: false, missed: None }
    }

    /// What the checkers see instead of a fact.
    pub(crate) fn alter(&mut self, stamped: &Stamped) -> Vec<Event> {
        let event = stamped.event.clone();
        if stamped.seq < BEFORE || self.done {
            return vec![event];
        }
        let once = |mutant: &mut Mutant, events: Vec<Event>| {
            mutant.done = true;
            events
        };
        match (self.mutation, event) {
            (Mutation::ForgetToFreeAgentOnNoAnswer, event @ Event::OfferEnded { agent, outcome: OfferOutcome::NoAnswer, .. }) => {
                self.missed = Some(agent);
                vec![event]
            }
            (Mutation::ForgetToFreeAgentOnNoAnswer, Event::OccupationChanged { agent, occupation: Occupation::Idle, .. })
                if self.missed == Some(agent) =>
            {
                once(self, Vec::new())
            }
            (Mutation::StayInQueueWhileTalking, Event::VisitEnded { outcome: Outcome::Answered, .. }) => once(self, Vec::new()),
            (Mutation::CountVisitTwice, event @ Event::VisitEnded { .. }) => once(self, vec![event.clone(), event]),
            (Mutation::GapBetweenSegments, mut event) => {
                if let Event::SegmentClosed { from, to, next: Some(_), .. } = &mut event {
                    *to = Timestamp(to.0 - 1_000).max(*from);
                    self.done = true;
                }
                vec![event]
            }
            (Mutation::RingForEver, Event::OfferEnded { outcome: OfferOutcome::NoAnswer, .. }) => once(self, Vec::new()),
            (Mutation::ServeTheYoungerFirst, mut event) => {
                // Every second one seems to have come later than it did.
                if let Event::VisitStarted { enqueued_at, .. } = &mut event
                    && stamped.at.0 % 2 == 0
                {
                    *enqueued_at = *enqueued_at + Millis::from_secs(600);
                }
                vec![event]
            }
            (Mutation::OfferToWhoIsNotReady, Event::AvailabilityChanged { availability: Availability::Ready, .. }) => Vec::new(),
            (Mutation::EndWithoutCause, mut event) => {
                if let Event::LegEnded { termination, .. } = &mut event {
                    (termination.result, termination.reason) = (TerminationResult::Unknown, TerminationReason::Unknown);
                    self.done = true;
                }
                vec![event]
            }
            (Mutation::ForgetALeg, Event::LegEnded { role: Role::Customer, .. }) => once(self, Vec::new()),
            (Mutation::ForgetARecording, Event::RecordingFinished { .. }) => once(self, Vec::new()),
            (Mutation::ForgetAnAnswer, Event::ActionSettled { .. }) => once(self, Vec::new()),
            (Mutation::OfferWithoutReason, Event::Decided { decision, .. }) if !decision.chosen.is_empty() => once(self, Vec::new()),
            (Mutation::LetBlockedIn, mut event) => {
                if let Event::CallerListed { treatment, .. } = &mut event {
                    **treatment = Treatment::Block { message: None };
                }
                vec![event]
            }
            (Mutation::LetTheCustomerHearEverybody, mut event) => {
                if let Event::ActionRequested { wish: Action::Mix { parties, .. }, .. } = &mut event {
                    let everybody = parties.iter().map(|party| party.leg).collect();
                    if let Some(customer) = parties.first_mut() {
                        customer.voices = everybody;
                    }
                }
                vec![event]
            }
            (Mutation::CallWhomNobodyMay, mut event) => {
                if let Event::ActionRequested { wish: Action::Dial { to: Endpoint::Number(number), .. }, .. } = &mut event {
                    number.insert_str(1, "88");
                }
                vec![event]
            }
            (Mutation::WriteAPrivateKey, mut event) => {
                if let Event::FlowKeyed { key, .. } = &mut event
                    && *key == PRIVATE_KEY
                {
                    *key = '7';
                    self.done = true;
                }
                vec![event]
            }
            (Mutation::ForgetToFreeAgentInWriting, Event::WrittenReleased { .. }) => once(self, Vec::new()),
            (Mutation::GiveMoreThanFits, Event::WrittenOfferEnded { outcome: OfferOutcome::Declined, .. }) => once(self, Vec::new()),
            (Mutation::ChangeADocumentUnseen, event) => {
                let document = Event::Configured { change: self.other_document() };
                once(self, vec![event, document])
            }
            (_, event) => vec![event],
        }
    }

    fn other_document(&self) -> Change {
        let name = "Musterhaus & Söhne".to_owned();
        Change::PutTenant(dreiklang_core::config::Tenant { name, ..Default::default() })
    }

    /// What the engine is told instead of a report that comes for the second time.
    pub(crate) fn alter_repeated(&self, input: &mut Input) {
        if self.mutation == Mutation::CountReportsTwice
            && let Input::Arrived { leg, .. } = input
        {
            *leg = LegId(leg.0 + 32);
        }
    }
}
