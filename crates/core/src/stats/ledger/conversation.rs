//! What happens in a conversation outside of its queue: talks, holds, hand-overs, wrap-ups, legs and recordings.

use super::{Books, Event, Key, Ledger, Metered, Millis, Reach, Stamped, Subject, TeamsTarget, Timestamp, Unit, book, slot, spread};
use crate::{
    conversation::{ConsultOutcome, Direction, Gap, SegmentKind, TerminationResult},
    endpoint::Line,
    ids::{AgentId, ConversationId, LegId, NumberId, QueueId, RecordingId},
    queue::FlowOutReason,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Whose talk.
type Whose = (Option<QueueId>, Option<AgentId>);

/// What is remembered of a conversation with something still to come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<NumberId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<Line>,
    /// It began as a callback.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) callback: bool,
    /// Queue of the last visit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) queue: Option<QueueId>,
    /// Why and where a rule led the customer whose visit is about to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) led_to: Option<(FlowOutReason, TeamsTarget)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    talk: Option<Talk>,
    /// The last talk, and whether the customer was on hold at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<(Whose, Timestamp, bool)>,
    /// The talk that is being handed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<Whose>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    legs: BTreeMap<LegId, (Direction, Reach)>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    recordings: BTreeMap<RecordingId, Timestamp>,
    /// Agents who finish notes.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    wrapping: BTreeSet<AgentId>,
    /// The customer was asked how the talk was, and has given no score yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    asked: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    over: bool,
}

/// A talk under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Talk {
    whose: Whose,
    /// Since when it is what it is: talk or hold.
    since: Timestamp,
    held: bool,
    /// A hold that ended at this moment, unless a talk followed: the end of the talk ends the hold a moment earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold_ended: Option<Timestamp>,
}

impl Known {
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    fn is_done(&self) -> bool {
        self.over && self.legs.is_empty() && self.recordings.is_empty() && self.wrapping.is_empty()
    }

    /// For whom something of this conversation is booked.
    pub(super) fn subjects(&self, queue: Option<QueueId>, agent: Option<AgentId>) -> Vec<Subject> {
        let number = self.number.map(Subject::Number);
        let line = self.line.map(Subject::Line);
        [queue.map(Subject::Queue), agent.map(Subject::Agent), number, line].into_iter().flatten().collect()
    }

    fn of(&self, (queue, agent): Whose) -> Vec<Subject> {
        self.subjects(queue, agent)
    }

    /// Books the stretch of the talk that ends now, where it passed; only agents' talks count.
    fn book_stretch(&mut self, at: Timestamp, books: &mut impl Books) {
        let Some(Talk { whose: (queue, Some(agent)), since, held, .. }) = self.talk else { return };
        let subjects = self.subjects(queue, Some(agent));
        spread(since, at, |slot, span| {
            book(books, &subjects, slot, |tally| {
                let spent = &mut tally.spent;
                let sum = if held { &mut spent.hold } else { &mut spent.talk };
                *sum = *sum + span;
            });
        });
    }

    fn turn(&mut self, at: Timestamp, held: bool, books: &mut impl Books) {
        if self.talk.is_none_or(|talk| talk.held == held) {
            return;
        }
        self.book_stretch(at, books);
        if let Some(talk) = &mut self.talk {
            (talk.since, talk.held, talk.hold_ended) = (at.max(talk.since), held, (!held).then_some(at));
        }
    }
}

impl Ledger {
    pub(super) fn conversation(&mut self, stamped: &Stamped, books: &mut impl Books) -> Option<Key> {
        let (at, slot) = (stamped.at, slot::slot(stamped.at));
        if let Event::ConversationStarted { conversation, line, number, callback, .. } = &stamped.event {
            self.make_room();
            let known = Known { number: *number, line: Some(*line), callback: callback.is_some(), ..Known::default() };
            book(books, &known.subjects(None, None), slot, |tally| tally.interval.conversations += 1);
            self.conversations.insert(*conversation, known);
            return Some(Key::Conversation(*conversation));
        }
        let id = conversation_of(&stamped.event)?;
        let is_remembered = self.conversations.contains_key(&id);
        let mut unknown = Known::default();
        let known = self.conversations.get_mut(&id).unwrap_or(&mut unknown);
        match &stamped.event {
            Event::LegAdded { leg, role, direction, endpoint, .. } => {
                known.legs.insert(*leg, (*direction, Reach::of(endpoint, *role)));
            }
            Event::LegEnded { leg, role, line, connected_at, .. } => {
                let about = known.legs.remove(leg);
                let from = connected_at.unwrap_or(at);
                let record = |unit| Metered {
                    seq: stamped.seq,
                    unit,
                    quantity: at.since(from),
                    from: from.min(at),
                    to: at,
                    conversation: id,
                    queue: known.queue,
                    line: Some(*line),
                    leg: Some(*leg),
                    role: Some(*role),
                    direction: about.map(|(direction, _)| direction),
                    reach: about.map(|(_, reach)| reach),
                    recording: None,
                };
                books.meter(record(Unit::Connected));
                if *line == Line::Unified && connected_at.is_some() {
                    books.meter(record(Unit::Platform));
                }
            }
            Event::TalkStarted { queue, agent, .. } => {
                known.talk = Some(Talk { whose: (*queue, *agent), since: at, held: false, hold_ended: None });
                if agent.is_some() {
                    book(books, &known.subjects(*queue, *agent), slot, |tally| tally.interval.talks += 1);
                }
            }
            Event::HoldStarted { .. } => known.turn(at, true, books),
            Event::HoldEnded { .. } => known.turn(at, false, books),
            Event::SegmentClosed { next: Some(SegmentKind::Talk), .. } => known.talk.as_mut()?.hold_ended = None,
            Event::TalkEnded { queue, agent, talk, hold, .. } => {
                if known.talk.is_none() {
                    // Its beginning is missing: talk first and hold after it is as good as any order.
                    let begin = Timestamp(at.0.saturating_sub_unsigned(talk.0.saturating_add(hold.0)));
                    known.talk = Some(Talk { whose: (*queue, *agent), since: begin, held: false, hold_ended: None });
                    known.turn(begin + *talk, true, books);
                }
                known.book_stretch(at, books);
                let on_hold = known.talk.take().is_some_and(|talk| talk.held || talk.hold_ended == Some(at)) && hold.0 > 0;
                known.last = Some(((*queue, *agent), at, on_hold));
                if agent.is_some() {
                    book(books, &known.subjects(*queue, *agent), slot, |tally| {
                        let counters = &mut tally.interval;
                        counters.handled += 1;
                        counters.talk = counters.talk + *talk;
                        counters.hold = counters.hold + *hold;
                        counters.held += u64::from(hold.0 > 0);
                    });
                }
            }
            // Who waits in a queue and is moved elsewhere leaves it by flow-out; only talks are handed over.
            Event::TransferStarted { .. } => known.transfer = known.talk.map(|talk| talk.whose),
            Event::TransferEnded { failure, .. } => {
                if let Some(whose) = known.transfer.take() {
                    book(books, &known.of(whose), slot, |tally| match failure {
                        None => tally.interval.transfers += 1,
                        Some(_) => tally.interval.transfers_failed += 1,
                    });
                }
            }
            Event::ConsultStarted { .. } => {
                let whose = known.talk?.whose;
                book(books, &known.of(whose), slot, |tally| tally.interval.consults += 1);
            }
            Event::ConsultEnded { outcome: ConsultOutcome::Completed | ConsultOutcome::Joined, .. } => {
                let whose = known.talk?.whose;
                book(books, &known.of(whose), slot, |tally| tally.interval.transfers += 1);
            }
            Event::MemberJoined { .. } => {
                let whose = known.talk?.whose;
                book(books, &known.of(whose), slot, |tally| tally.interval.joined += 1);
            }
            Event::SupervisionAnswered { .. } => {
                let whose = known.talk?.whose;
                book(books, &known.of(whose), slot, |tally| tally.interval.supervisions += 1);
            }
            Event::SurveyOffered { queue, agent, .. } => {
                known.asked = true;
                book(books, &known.subjects(*queue, Some(*agent)), slot, |tally| tally.interval.surveys_offered += 1);
            }
            Event::SurveyAnswered { score, least, most, queue, agent, .. } => {
                let first = std::mem::take(&mut known.asked);
                let answer = Answer { score: *score, least: *least, most: *most };
                book(books, &known.subjects(*queue, *agent), slot, |tally| {
                    let counters = &mut tally.interval;
                    counters.surveys_answered += u64::from(first);
                    counters.survey_answers += 1;
                    counters.survey_top += u64::from(answer.is_top());
                    counters.survey_points += answer.points();
                });
            }
            Event::WrapUpStarted { agent, .. } => {
                known.wrapping.insert(*agent);
            }
            Event::WrapUpEnded { agent, queue, started_at, .. } => {
                known.wrapping.remove(agent);
                let (subjects, span) = (known.subjects(*queue, Some(*agent)), at.since(*started_at));
                book(books, &subjects, slot, |tally| tally.interval.wrap_up = tally.interval.wrap_up + span);
                spread(*started_at, at, |slot, span| {
                    book(books, &subjects, slot, |tally| tally.spent.wrap_up = tally.spent.wrap_up + span);
                });
            }
            Event::RecordingStarted { recording, .. } => {
                known.recordings.insert(*recording, at);
            }
            Event::RecordingFinished { recording, duration, gaps, .. } => {
                let begun = known.recordings.remove(recording);
                books.meter(recorded(stamped, id, known, *recording, begun, *duration, gaps));
            }
            Event::RecordingFailed { recording, .. } => {
                known.recordings.remove(recording);
            }
            Event::ConversationEnded { termination, .. } => {
                known.over = true;
                if let Some((whose @ (_, Some(_)), ended_at, true)) = known.last
                    && (ended_at, termination.result) == (at, TerminationResult::Caller)
                {
                    book(books, &known.of(whose), slot, |tally| tally.interval.hold_abandoned += 1);
                }
            }
            _ => return None,
        }
        if known.is_done() {
            self.conversations.remove(&id);
        }
        is_remembered.then_some(Key::Conversation(id))
    }
}

/// One score on its scale.
#[derive(Clone, Copy)]
struct Answer {
    score: u8,
    least: u8,
    most: u8,
}

impl Answer {
    /// In the top box: the best score, or one of the two best where there are five or more.
    fn is_top(self) -> bool {
        let boxes = if self.most.saturating_sub(self.least) >= 4 { 2 } else { 1 };
        self.score <= self.most && self.score + boxes > self.most
    }

    /// From 0 for the worst score to 1,000 for the best.
    fn points(self) -> u64 {
        let steps = u64::from(self.most.saturating_sub(self.least)).max(1);
        (u64::from(self.score.saturating_sub(self.least)) * 1_000 / steps).min(1_000)
    }
}

/// The record of a recording. Pauses are silence in it, and are not paid for.
fn recorded(
    stamped: &Stamped,
    conversation: ConversationId,
    known: &Known,
    recording: RecordingId,
    begun: Option<Timestamp>,
    duration: Millis,
    gaps: &[Gap],
) -> Metered {
    let left_out = gaps.iter().fold(Millis::default(), |sum, gap| sum + gap.to.since(gap.from));
    // The event comes when the file is closed, which takes its time.
    let from = begun.unwrap_or_else(|| Timestamp(stamped.at.0.saturating_sub_unsigned(duration.0)));
    Metered {
        seq: stamped.seq,
        unit: Unit::Recorded,
        quantity: duration - left_out,
        from,
        to: from + duration,
        conversation,
        queue: known.queue,
        line: known.line,
        leg: None,
        role: None,
        direction: None,
        reach: None,
        recording: Some(recording),
    }
}

/// The conversation of those events that are of interest here.
fn conversation_of(event: &Event) -> Option<ConversationId> {
    Some(*match event {
        Event::LegAdded { conversation, .. }
        | Event::LegEnded { conversation, .. }
        | Event::TalkStarted { conversation, .. }
        | Event::HoldStarted { conversation, .. }
        | Event::HoldEnded { conversation }
        | Event::SegmentClosed { conversation, .. }
        | Event::TalkEnded { conversation, .. }
        | Event::TransferStarted { conversation, .. }
        | Event::TransferEnded { conversation, .. }
        | Event::ConsultStarted { conversation, .. }
        | Event::ConsultEnded { conversation, .. }
        | Event::MemberJoined { conversation, .. }
        | Event::SupervisionAnswered { conversation, .. }
        | Event::SurveyOffered { conversation, .. }
        | Event::SurveyAnswered { conversation, .. }
        | Event::WrapUpStarted { conversation, .. }
        | Event::WrapUpEnded { conversation, .. }
        | Event::RecordingStarted { conversation, .. }
        | Event::RecordingFinished { conversation, .. }
        | Event::RecordingFailed { conversation, .. }
        | Event::ConversationEnded { conversation, .. } => conversation,
        _ => return None,
    })
}
