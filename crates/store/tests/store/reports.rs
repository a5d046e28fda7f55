//! Whether the figures are right.

use crate::{
    soon,
    story::{Call, Dice, OTHER, Story, TENANT},
};
use dreiklang_core::{
    Actor, Event,
    agent::{Availability, Duty, Occupation},
    ids::{ActionId, AgentId, ConversationId, FlowId, QueueId, TenantId},
    queue::{FlowOutReason, Outcome},
    routing::OfferOutcome,
    stats::{Clock, Counter as _, Daybook, Interval, Kind, Ledger, States, Subject, Tally, Width},
    time::{Millis, Timestamp},
};
use dreiklang_store::{
    Failure, Store,
    report::{
        conversations::{ConversationFilter, ConversationOutcome, Cursor},
        figures::{FigureRow, Wanted},
        recordings::RecordingStatus,
    },
};
use std::collections::BTreeMap;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

async fn told(stories: &[(TenantId, &Story)]) -> Store {
    let store = Store::in_memory().unwrap();
    for (tenant, story) in stories {
        let epoch = store.acquire(*tenant, "here").await.unwrap().epoch;
        let mut version = 0;
        for batch in story.events.chunks(50) {
            version = store.append(*tenant, epoch, version, batch).await.unwrap();
        }
        soon(store.wait_projected(*tenant, version)).await.unwrap();
        assert_eq!(store.projected(*tenant), version);
    }
    store
}

fn wanted(kind: Kind, from: i64, to: i64, width: Width) -> Wanted {
    Wanted { kind, subject: None, from: Timestamp(from), to: Timestamp(to), width, clock: Clock::named("UTC").unwrap() }
}

async fn figures(store: &Store, tenant: TenantId, wanted: Wanted, now: i64) -> Vec<FigureRow> {
    store.figures(tenant, wanted, Timestamp(now)).await.unwrap()
}

/// The first hour of a queue.
async fn first_hour(store: &Store, tenant: TenantId) -> Interval {
    figures(store, tenant, wanted(Kind::Queue, 0, HOUR, Width::Hour), HOUR).await[0].tally.interval.clone()
}

/// What the core books of a whole journal in one go.
fn recomputed(events: &[dreiklang_core::Stamped], until: i64) -> Daybook {
    let (mut ledger, mut books) = (Ledger::default(), Daybook::default());
    for stamped in events {
        ledger.observe(stamped, &mut books);
    }
    ledger.book_present(Timestamp(until), &mut books);
    books
}

#[tokio::test]
async fn a_conversation_is_shown_with_all_its_parts() {
    let mut story = Story::new();
    let call = Call { wait: 13_000, missed: 1, talk: 60_000, hold: 4_000, wrap_up: 9_000, recorded: true, ..Call::default() };
    let (id, _) = story.answered(call);
    let store = told(&[(TENANT, &story)]).await;
    let details = store.conversation(TENANT, id).await.unwrap().unwrap();
    let row = &details.conversation;
    assert_eq!((row.started_at, row.ended_at), (Timestamp(0), Some(Timestamp(77_000))));
    assert_eq!((row.wait, row.talk, row.hold), (Millis(13_000), Millis(60_000), Millis(4_000)));
    assert_eq!((row.queue, row.agent, row.outcome), (Some(QueueId(1)), Some(AgentId(1)), Some(ConversationOutcome::Answered)));
    assert_eq!((row.caller.number.as_deref(), row.dialed.as_str(), row.recordings), (Some("+49301234567"), "+4930111", 1));
    assert_eq!(details.legs.len(), 1);
    assert!(details.legs[0].termination.is_some());
    assert_eq!(details.visits[0].outcome, Some(Outcome::Answered));
    assert_eq!((details.visits[0].wait, details.visits[0].agent), (Some(Millis(13_000)), Some(AgentId(1))));
    let offers: Vec<_> = details.offers.iter().map(|offer| (offer.made_at.0, offer.outcome.unwrap())).collect();
    assert_eq!(offers, [(0, OfferOutcome::NoAnswer), (5_000, OfferOutcome::Accepted)]);
    assert!(details.segments.windows(2).all(|two| two[0].to == two[1].from), "no gap, no overlap");
    let talk = &details.talks[0];
    assert_eq!((talk.talk, talk.hold, talk.wrap_up), (Millis(60_000), Millis(4_000), Millis(9_000)));
    assert_eq!((talk.wrap_up_ended_at, talk.disposition.as_deref()), (Some(Timestamp(86_000)), Some("solved")));
    let recording = &details.recordings[0];
    assert_eq!((recording.status, recording.duration, recording.channels), (RecordingStatus::Finished, Some(Millis(60_000)), Some(2)));
    assert_eq!(store.recording(TENANT, recording.id).await.unwrap().as_ref(), Some(recording));
    assert_eq!(store.recording(OTHER, recording.id).await.unwrap(), None);
    assert_eq!(store.conversation(TENANT, ConversationId(404)).await.unwrap(), None);
}

#[tokio::test]
async fn what_customers_said_in_surveys_is_shown_with_their_conversation() {
    let mut story = Story::new();
    let (id, done) = story.answered(Call::default());
    let (other, _) = story.answered(Call { start: 1_000_000, ..Call::default() });
    let said = |question: &str, score: u8| Event::SurveyAnswered {
        conversation: id,
        flow: FlowId(4),
        question: question.to_owned(),
        score,
        least: 1,
        most: 5,
        queue: Some(QueueId(1)),
        agent: Some(AgentId(1)),
    };
    story.tell(done + 3, said("friendly", 5));
    story.tell(done + 9, said("solved", 2));
    let store = told(&[(TENANT, &story)]).await;
    let scores = store.conversation(TENANT, id).await.unwrap().unwrap().scores;
    let given: Vec<_> = scores.iter().map(|score| (score.at.0 - done, score.question.as_str(), score.score)).collect();
    assert_eq!(given, [(3, "friendly", 5), (9, "solved", 2)]);
    assert_eq!((scores[0].flow, scores[0].queue, scores[0].agent), (FlowId(4), Some(QueueId(1)), Some(AgentId(1))));
    assert_eq!(store.conversation(TENANT, other).await.unwrap().unwrap().scores, []);
}

#[tokio::test]
async fn talks_about_which_nobody_said_what_became_of_them_are_found() {
    let mut story = Story::new();
    let (said, done) = story.answered(Call { wrap_up: 1_000, ..Call::default() });
    let (silent, over) = story.answered(Call { start: done + 1_000, ..Call::default() });
    let (late, end) = story.answered(Call { start: over + 60_000, ..Call::default() });
    let (agent, queue, by) = (AgentId(1), Some(QueueId(1)), Actor::System);
    for (conversation, at) in [(silent, over), (late, end)] {
        let started_at = Timestamp(at);
        let ended = Event::WrapUpEnded { agent, conversation, queue, started_at, disposition: None, missing: true, by: by.clone() };
        story.tell(at + 5_000, ended);
    }
    let disposition = Some("sold".to_owned());
    story.tell(end + 6_000, Event::DispositionSet { agent, conversation: late, queue, disposition, follow_up: false, by });
    let store = told(&[(TENANT, &story)]).await;
    let all = ConversationFilter::default;
    for (filter, expected) in [
        (ConversationFilter { disposition_missing: Some(true), ..all() }, vec![silent]),
        (ConversationFilter { disposition_missing: Some(false), ..all() }, vec![late, said]),
        (ConversationFilter { disposition: Some("solved".to_owned()), ..all() }, vec![said]),
        (ConversationFilter { disposition: Some("sold".to_owned()), ..all() }, vec![late]),
        (ConversationFilter { disposition: Some("lost".to_owned()), ..all() }, vec![]),
    ] {
        let page = store.conversations(TENANT, filter.clone(), None, 10).await.unwrap();
        assert_eq!(page.rows.iter().map(|row| row.id).collect::<Vec<_>>(), expected, "{filter:?}");
    }
    let missing = store.conversation(TENANT, silent).await.unwrap().unwrap().talks[0].disposition_missing;
    assert!(missing);
}

#[tokio::test]
async fn the_trace_has_every_fact_of_the_conversation_in_pages() {
    let mut story = Story::new();
    let (conversation, leg) = story.arrives(0, "+491");
    let action = ActionId(77);
    let wish = serde_json::json!({ "type": "answer", "conversation": conversation, "leg": leg, "line": "connected" });
    story.tell_json(1, serde_json::json!({ "type": "action_requested", "action": action, "wish": wish }));
    story.duty(2, AgentId(1), Duty::OnDuty);
    story.tell(3, Event::ActionSettled { action, failure: None });
    story.tell(4, Event::ActionSettled { action: ActionId(78), failure: None });
    story.ends(5, conversation, leg, 0, "hung_up");
    let store = told(&[(TENANT, &story)]).await;
    let trace = store.trace(TENANT, conversation, 0, 100).await.unwrap();
    assert!(!trace.more);
    assert_eq!(trace.events.iter().map(|stamped| stamped.seq).collect::<Vec<_>>(), [1, 2, 3, 5, 7, 8], "the settled wish is found, too");
    assert_eq!(trace.events[2], story.events[2]);
    let page = store.trace(TENANT, conversation, 2, 2).await.unwrap();
    assert_eq!(page.events.iter().map(|stamped| stamped.seq).collect::<Vec<_>>(), [3, 5]);
    assert!(page.more);
}

#[tokio::test]
async fn conversations_are_listed_newest_first_in_pages_without_loss_or_repetition() {
    let mut story = Story::new();
    for number in 0..57 {
        // Several begin in the same millisecond.
        story.abandoned(QueueId(1), number / 5 * 1_000, 100, true);
    }
    let store = told(&[(TENANT, &story)]).await;
    let mut rows = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = store.conversations(TENANT, ConversationFilter::default(), after, 10).await.unwrap();
        rows.extend(page.rows);
        let Some(next) = page.next else {
            break;
        };
        after = Some(next.to_string().parse().unwrap());
    }
    assert_eq!(rows.len(), 57);
    assert!(rows.windows(2).all(|two| (two[0].started_at, two[0].id) > (two[1].started_at, two[1].id)));
    assert!("7.nonsense".parse::<Cursor>().is_err());
}

#[tokio::test]
async fn conversations_are_filtered_by_all_conditions_at_once() {
    let mut story = Story::new();
    let (first, _) = story.answered(Call { start: 0, queue: QueueId(1), agent: AgentId(1), recorded: true, ..Call::default() });
    let (second, _) = story.answered(Call { start: HOUR, queue: QueueId(2), agent: AgentId(2), ..Call::default() });
    let third = story.abandoned(QueueId(2), 2 * HOUR, 9_000, false);
    let fourth = story.flows_out(QueueId(1), 3 * HOUR, 9_000);
    let (fifth, leg) = story.arrives(4 * HOUR, "+4944444");
    story.ends(4 * HOUR, fifth, leg, 4 * HOUR, "unknown_number");
    let (sixth, _) = story.arrives(5 * HOUR, "+4955555");
    let store = told(&[(TENANT, &story)]).await;
    let all = ConversationFilter::default;
    let cases = [
        (all(), vec![sixth, fifth, fourth, third, second, first]),
        (ConversationFilter { from: Some(Timestamp(HOUR)), to: Some(Timestamp(3 * HOUR)), ..all() }, vec![third, second]),
        (ConversationFilter { queue: Some(QueueId(2)), ..all() }, vec![third, second]),
        (ConversationFilter { agent: Some(AgentId(1)), ..all() }, vec![first]),
        (ConversationFilter { queue: Some(QueueId(2)), agent: Some(AgentId(1)), ..all() }, vec![]),
        (ConversationFilter { outcome: Some(ConversationOutcome::Answered), ..all() }, vec![second, first]),
        (ConversationFilter { outcome: Some(ConversationOutcome::Abandoned), ..all() }, vec![third]),
        (ConversationFilter { outcome: Some(ConversationOutcome::FlowOut), ..all() }, vec![fourth]),
        (ConversationFilter { outcome: Some(ConversationOutcome::Unserved), ..all() }, vec![fifth]),
        (ConversationFilter { number: Some("9999".to_owned()), ..all() }, vec![third]),
        (ConversationFilter { number: Some("30111".to_owned()), queue: Some(QueueId(1)), ..all() }, vec![fourth, first]),
        (ConversationFilter { open: Some(true), ..all() }, vec![sixth]),
        (ConversationFilter { recorded: Some(true), ..all() }, vec![first]),
        (ConversationFilter { recorded: Some(false), queue: Some(QueueId(1)), ..all() }, vec![fourth]),
        (ConversationFilter { open: Some(false), from: Some(Timestamp(4 * HOUR)), ..all() }, vec![fifth]),
        (ConversationFilter { line: Some(dreiklang_core::endpoint::Line::Unified), ..all() }, vec![]),
    ];
    for (filter, expected) in cases {
        let page = store.conversations(TENANT, filter.clone(), None, 100).await.unwrap();
        assert_eq!(page.rows.iter().map(|row| row.id).collect::<Vec<_>>(), expected, "{filter:?}");
    }
}

/// A day told at random; the roll-up must say of it what the core counts from the events themselves.
#[tokio::test]
async fn the_roll_up_counts_what_the_events_say_and_balances_in_every_interval() {
    let mut dice = Dice(3);
    let mut story = Story::new();
    let within = Millis(20_000);
    for queue in 1..=3 {
        story.queue(0, QueueId(queue), &format!("queue {queue}"), within);
    }
    for _ in 0..400 {
        let queue = QueueId(1 + u128::from(dice.roll(3)));
        let start = i64::try_from(dice.roll(8 * 3_600_000)).unwrap();
        let wait = dice.roll(60_000);
        match dice.roll(4) {
            0 => drop(story.abandoned(queue, start, i64::try_from(wait).unwrap(), wait < 5_000)),
            1 => drop(story.flows_out(queue, start, i64::try_from(wait).unwrap())),
            _ => {
                let (talk, hold, wrap_up) = (dice.roll(600_000), dice.roll(2) * dice.roll(60_000), dice.roll(2) * dice.roll(60_000));
                let agent = AgentId(1 + u128::from(dice.roll(5)));
                let missed = dice.roll(wait / 5_000 + 1);
                story.answered(Call { queue, agent, start, wait, missed, talk, hold, wrap_up, ..Call::default() });
            }
        }
    }
    let store = told(&[(TENANT, &story)]).await;
    let books = recomputed(&story.events, 12 * HOUR);
    for kind in [Kind::Queue, Kind::Agent, Kind::Number, Kind::Line] {
        for (width, span) in
            [(Width::QuarterHour, 15 * MINUTE), (Width::HalfHour, 30 * MINUTE), (Width::Hour, HOUR), (Width::Day, 24 * HOUR)]
        {
            let mut expected: BTreeMap<(i64, String), Tally> = BTreeMap::new();
            for ((subject, slot), tally) in books.tallies.iter().filter(|((subject, _), _)| subject.kind() == kind) {
                expected.entry((slot.0 / span * span, subject.to_string())).or_default().absorb(tally);
            }
            let rows = figures(&store, TENANT, wanted(kind, 0, 12 * HOUR, width), 12 * HOUR).await;
            let mut sum = Tally::default();
            for row in &rows {
                assert_eq!(row.tally.interval.balance(), Ok(()));
                assert_eq!(row.tally.states.residual(), 0);
                sum.absorb(&row.tally);
            }
            let found: BTreeMap<_, _> = rows.into_iter().map(|row| ((row.start.0, row.subject), row.tally)).collect();
            assert_eq!(found, expected, "{kind:?} {width:?}");
            if kind == Kind::Queue {
                assert_eq!((sum.interval.offered, sum.interval.entered, sum.interval.handled), (400, 400, sum.interval.answered));
                // The story tells no holds of their own, only how long they were together.
                assert_eq!(sum.spent.talk + sum.spent.hold, sum.interval.talk + sum.interval.hold);
                assert_eq!(sum.spent.wait_all, sum.interval.wait_all);
            }
        }
    }
    let one = Wanted { subject: Some(QueueId(2).to_string()), ..wanted(Kind::Queue, 0, 12 * HOUR, Width::Total) };
    let found = figures(&store, TENANT, one, 12 * HOUR).await;
    assert_eq!(found, [FigureRow { subject: QueueId(2).to_string(), start: Timestamp(0), tally: books.total(Subject::Queue(QueueId(2))) }]);
    assert_eq!(figures(&store, OTHER, wanted(Kind::Queue, 0, 12 * HOUR, Width::Hour), 12 * HOUR).await, []);
    let metered = store.metered(TENANT, (Timestamp(0), Timestamp(24 * HOUR)), None, 1_000).await.unwrap();
    let mut expected = books.metered.clone();
    expected.sort_by_key(|record| (record.to, record.seq, record.unit));
    assert_eq!(metered, expected);
}

/// As in a store that was written before there were figures: its journal is still there, the figures are not.
#[tokio::test]
async fn an_older_store_catches_up_and_never_counts_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut story = Story::new();
    story.queue(0, QueueId(1), "Sales", Millis(10_000));
    story.duty(0, AgentId(1), Duty::OnDuty);
    for number in 0..40 {
        story.answered(Call { start: number * 7 * MINUTE, talk: 500_000, wrap_up: 30_000, recorded: true, ..Call::default() });
    }
    let (first, rest) = story.events.split_at(story.events.len() / 2);
    let store = Store::open(&path).unwrap();
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    let version = store.append(TENANT, epoch, 0, first).await.unwrap();
    soon(store.wait_projected(TENANT, version)).await.unwrap();
    store.close();
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("DELETE FROM figure; DELETE FROM figure_memory; DELETE FROM metered; UPDATE journal_head SET booked = 0;").unwrap();
    drop(db);
    for events in [&rest[..rest.len() / 2], &rest[rest.len() / 2..]] {
        // Opened anew each time: what is remembered is read back.
        let store = Store::open(&path).unwrap();
        let acquired = store.acquire(TENANT, "here").await.unwrap();
        let version = store.append(TENANT, acquired.epoch, acquired.version, events).await.unwrap();
        soon(store.wait_projected(TENANT, version)).await.unwrap();
        store.close();
    }
    let store = Store::open(&path).unwrap();
    let books = recomputed(&story.events, 24 * HOUR);
    for (kind, subject) in [(Kind::Queue, Subject::Queue(QueueId(1))), (Kind::Agent, Subject::Agent(AgentId(1)))] {
        let found = figures(&store, TENANT, wanted(kind, 0, 24 * HOUR, Width::Total), 24 * HOUR).await;
        assert_eq!(found.iter().map(|row| &row.tally).collect::<Vec<_>>(), [&books.total(subject)]);
    }
    let metered = store.metered(TENANT, (Timestamp(0), Timestamp(24 * HOUR)), None, 1_000).await.unwrap();
    assert_eq!(metered.len(), books.metered.len());
    assert_eq!(store.conversations(TENANT, ConversationFilter::default(), None, 100).await.unwrap().rows.len(), 40);
}

#[tokio::test]
async fn who_calls_again_within_the_days_was_not_served_the_first_time() {
    let mut story = Story::new();
    let day = 24 * HOUR;
    // The same caller every two days; the last one may still call again.
    for number in 0..4 {
        story.answered(Call { start: number * 2 * day, ..Call::default() });
    }
    let store = told(&[(TENANT, &story)]).await;
    let asked = async |days, now| {
        let found = store.repeated_callers(TENANT, (Timestamp(0), Timestamp(10 * day)), days, Timestamp(now)).await.unwrap();
        found.get(&QueueId(1)).copied()
    };
    assert_eq!(asked(1, 20 * day).await, Some((4, 0)));
    assert_eq!(asked(3, 20 * day).await, Some((4, 3)));
    assert_eq!(asked(3, 7 * day).await, Some((2, 2)), "of the others it is too early to say");
    assert_eq!(asked(3, day).await, None);
}

#[tokio::test]
async fn the_promise_that_counts_is_the_one_in_force_when_the_visit_ended() {
    let mut story = Story::new();
    let queue = QueueId(1);
    story.queue(0, queue, "Sales", Millis(10_000));
    story.answered(Call { start: 0, wait: 15_000, ..Call::default() });
    story.queue(5 * MINUTE, queue, "Sales", Millis(20_000));
    story.answered(Call { start: 5 * MINUTE, wait: 15_000, ..Call::default() });
    story.answered(Call { start: 20 * MINUTE, wait: 20_000, ..Call::default() });
    story.answered(Call { start: 25 * MINUTE, wait: 20_001, ..Call::default() });
    let store = told(&[(TENANT, &story)]).await;
    let rows = figures(&store, TENANT, wanted(Kind::Queue, 0, HOUR, Width::QuarterHour), HOUR).await;
    let found: Vec<_> = rows.iter().map(|row| (row.tally.interval.answered, row.tally.interval.answered_in_time)).collect();
    assert_eq!(found, [(2, 1), (2, 1)]);
    assert_eq!(store.names(TENANT).await.unwrap().queues, BTreeMap::from([(queue, "Sales".to_owned())]));
}

#[tokio::test]
async fn agents_time_is_booked_where_it_passed_and_adds_up() {
    let mut story = Story::new();
    let agent = AgentId(1);
    story.agent(0, agent, "Ada");
    story.duty(0, agent, Duty::OffDuty);
    story.duty(10 * MINUTE, agent, Duty::OnDuty);
    story.availability(12 * MINUTE, agent, Availability::NotReady { reason: "lunch".to_owned() });
    story.availability(20 * MINUTE, agent, Availability::Ready);
    // Rings from 25:00 to 25:10, talks until 35:10, wraps up until 36:00, is ready until the end.
    let call = Call { start: 25 * MINUTE, wait: 10_000, talk: 10 * 60_000, wrap_up: 50_000, ..Call::default() };
    let (_, done) = story.answered(call);
    assert_eq!(done, 36 * MINUTE);
    let store = told(&[(TENANT, &story)]).await;
    let now = Timestamp(50 * MINUTE);
    let rows = figures(&store, TENANT, wanted(Kind::Agent, 0, HOUR, Width::HalfHour), now.0).await;
    let minutes = |count: u64| Millis::from_secs(count * 60);
    let first = States {
        signed_in: minutes(30),
        off_duty: minutes(10),
        idle: minutes(5),
        offered: Millis(10_000),
        talking: Millis(290_000),
        not_ready: BTreeMap::from([("signed_in".to_owned(), minutes(2)), ("lunch".to_owned(), minutes(8))]),
        ..States::default()
    };
    let second =
        States { signed_in: minutes(20), idle: minutes(14), talking: Millis(310_000), wrap_up: Millis(50_000), ..States::default() };
    assert_eq!(rows.iter().map(|row| row.start.0).collect::<Vec<_>>(), [0, 30 * MINUTE]);
    assert_eq!((&rows[0].tally.states, &rows[1].tally.states), (&first, &second));
    assert_eq!((first.residual(), second.residual()), (0, 0));
    assert_eq!((rows[0].tally.interval.offers_accepted, rows[1].tally.interval.talk), (1, minutes(10)));
    assert_eq!((rows[0].tally.spent.talk, rows[1].tally.spent.talk), (Millis(290_000), Millis(310_000)));
    let timeline = store.agent_timeline(TENANT, (Timestamp(0), Timestamp(HOUR)), agent, now).await.unwrap();
    assert!(timeline.windows(2).all(|two| two[0].to == two[1].from));
    assert_eq!((timeline.first().unwrap().from, timeline.last().unwrap().to), (Timestamp(0), now));
    assert_eq!(store.names(TENANT).await.unwrap().agents, BTreeMap::from([(agent, "Ada".to_owned())]));
}

#[tokio::test]
async fn missed_declined_and_failed_offers_are_counted_apart() {
    let mut story = Story::new();
    let (conversation, _) = story.arrives(0, "+491");
    let place = (story.enters(0, conversation, QueueId(1)), conversation, QueueId(1));
    let outcomes = [
        OfferOutcome::NoAnswer,
        OfferOutcome::NoAnswer,
        OfferOutcome::Declined,
        OfferOutcome::Busy,
        OfferOutcome::Unreachable,
        OfferOutcome::Withdrawn,
        OfferOutcome::Accepted,
    ];
    for (outcome, at) in outcomes.into_iter().zip((0..).step_by(1_000)) {
        story.offers(at, at + 900, place, AgentId(1), outcome);
    }
    let store = told(&[(TENANT, &story)]).await;
    let one = |agent: u128| Wanted { subject: Some(AgentId(agent).to_string()), ..wanted(Kind::Agent, 0, HOUR, Width::Hour) };
    let tally = figures(&store, TENANT, one(1), 6_900).await.remove(0).tally;
    let counted = &tally.interval;
    assert_eq!((counted.offers, counted.offers_accepted, counted.offers_no_answer), (7, 1, 2));
    assert_eq!((counted.offers_declined, counted.offers_unreachable, counted.offers_withdrawn), (1, 2, 1));
    assert_eq!(tally.states.offered, Millis(7 * 900));
    assert_eq!(figures(&store, TENANT, one(2), HOUR).await, []);
}

#[tokio::test]
async fn a_stretch_of_many_days_is_found_from_any_range_within() {
    let mut story = Story::new();
    let day = 24 * HOUR;
    story.duty(0, AgentId(1), Duty::OnDuty);
    story.availability(0, AgentId(1), Availability::Ready);
    story.duty(5 * day + 7, AgentId(1), Duty::SignedOut);
    let store = told(&[(TENANT, &story)]).await;
    let now = Timestamp(30 * day);
    for start in [0, day, 2 * day, 4 * day] {
        let hour = figures(&store, TENANT, wanted(Kind::Agent, start, start + HOUR, Width::Hour), now.0).await;
        assert_eq!(hour.iter().map(|row| row.tally.states.idle).collect::<Vec<_>>(), [Millis(3_600_000)], "at {start}");
    }
    let last = figures(&store, TENANT, wanted(Kind::Agent, 5 * day, 6 * day, Width::Hour), now.0).await;
    assert_eq!(last.iter().map(|row| row.tally.states.signed_in).collect::<Vec<_>>(), [Millis(7)]);
}

#[tokio::test]
async fn a_clock_that_jumps_back_makes_no_stretches_overlap() {
    let mut story = Story::new();
    story.duty(10_000, AgentId(1), Duty::OnDuty);
    story.availability(20_000, AgentId(1), Availability::Ready);
    story.occupation(15_000, AgentId(1), Occupation::Talking { conversation: ConversationId(1) });
    story.occupation(30_000, AgentId(1), Occupation::Idle);
    let store = told(&[(TENANT, &story)]).await;
    let timeline = store.agent_timeline(TENANT, (Timestamp(0), Timestamp(HOUR)), AgentId(1), Timestamp(40_000)).await.unwrap();
    assert!(timeline.windows(2).all(|two| two[0].to == two[1].from), "{timeline:?}");
    assert_eq!(timeline.iter().map(|stretch| stretch.to.since(stretch.from).0).sum::<u64>(), 30_000);
}

#[tokio::test]
async fn the_same_ids_in_two_tenants_never_mix() {
    let (mut ours, mut theirs) = (Story::new(), Story::new());
    ours.queue(0, QueueId(1), "ours", Millis(20_000));
    theirs.queue(0, QueueId(1), "theirs", Millis(1_000));
    let (id, _) = ours.answered(Call { wait: 8_000, talk: 10_000, recorded: true, ..Call::default() });
    let (same, _) = theirs.answered(Call { wait: 9_000, talk: 70_000, wrap_up: 3_000, ..Call::default() });
    assert_eq!(id, same);
    let store = told(&[(TENANT, &ours), (OTHER, &theirs)]).await;
    for (tenant, story, talk, in_sl, name) in [(TENANT, &ours, 10_000, 1, "ours"), (OTHER, &theirs, 70_000, 0, "theirs")] {
        let details = store.conversation(tenant, id).await.unwrap().unwrap();
        assert_eq!((details.conversation.talk, details.talks.len(), details.legs.len()), (Millis(talk), 1, 1));
        let counted = first_hour(&store, tenant).await;
        assert_eq!((counted.offered, counted.answered_in_time, counted.talk), (1, in_sl, Millis(talk)));
        let agents = figures(&store, tenant, wanted(Kind::Agent, 0, HOUR, Width::Hour), HOUR).await;
        assert_eq!((agents.len(), agents[0].tally.interval.talk), (1, Millis(talk)));
        assert_eq!(store.names(tenant).await.unwrap().queues[&QueueId(1)], name);
        let trace = store.trace(tenant, id, 0, 1_000).await.unwrap();
        assert!(trace.events.iter().all(|stamped| story.events.contains(stamped)));
        assert_eq!(store.conversations(tenant, ConversationFilter::default(), None, 10).await.unwrap().rows.len(), 1);
    }
}

#[tokio::test]
async fn an_event_without_the_one_before_it_still_leaves_a_row() {
    let mut story = Story::new();
    let call = Call { wrap_up: 1_000, recorded: true, ..Call::default() };
    let (id, _) = story.answered(call);
    // Only the ends are known.
    story.events.retain(|stamped| {
        !matches!(
            stamped.event,
            Event::VisitStarted { .. }
                | Event::OfferMade { .. }
                | Event::TalkStarted { .. }
                | Event::LegAdded { .. }
                | Event::RecordingStarted { .. }
        )
    });
    for (stamped, seq) in story.events.iter_mut().zip(1..) {
        stamped.seq = seq;
    }
    let store = told(&[(TENANT, &story)]).await;
    let details = store.conversation(TENANT, id).await.unwrap().unwrap();
    assert_eq!((details.legs.len(), details.visits.len(), details.offers.len(), details.talks.len()), (1, 1, 1, 1));
    assert_eq!(details.recordings.len(), 1);
    assert_eq!(details.talks[0].started_at, Timestamp(8_000));
    let figures = first_hour(&store, TENANT).await;
    assert_eq!((figures.offered, figures.handled, figures.wrap_up), (1, 1, Millis(1_000)));
}

#[tokio::test]
async fn an_answered_conversation_stays_answered_when_a_later_queue_fails_it() {
    let mut story = Story::new();
    let (id, _) = story.answered(Call::default());
    let visit = story.enters(100_000, id, QueueId(2));
    let outcome = Outcome::FlowOut { reason: FlowOutReason::MaxWait };
    story.leaves(130_000, (visit, id, QueueId(2)), 100_000, outcome, None);
    let store = told(&[(TENANT, &story)]).await;
    let row = store.conversation(TENANT, id).await.unwrap().unwrap().conversation;
    assert_eq!((row.outcome, row.queue, row.wait), (Some(ConversationOutcome::Answered), Some(QueueId(2)), Millis(38_000)));
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_left_out_and_the_reports_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut story = Story::new();
    let ids: Vec<_> = (0..3).map(|number| story.answered(Call { start: number * HOUR, ..Call::default() }).0).collect();
    let store = Store::open(&path).unwrap();
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    store.append(TENANT, epoch, 0, &story.events).await.unwrap();
    store.close();
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("UPDATE journal_head SET projected = 0", []).unwrap();
    for table in ["conversation", "leg", "visit", "offer", "segment", "talk", "event", "agent_state", "agent_time"] {
        db.execute(&format!("DELETE FROM {table}"), []).unwrap();
    }
    // As if a newer program had written an event this one does not know.
    db.execute("UPDATE journal SET body = replace(body, '\"type\":\"visit_started\"', '\"type\":\"visit_imagined\"')", []).unwrap();
    drop(db);
    let store = Store::open(&path).unwrap();
    soon(store.wait_projected(TENANT, story.seq)).await.unwrap();
    for id in ids {
        assert_eq!(store.conversation(TENANT, id).await.unwrap().unwrap().visits[0].outcome, Some(Outcome::Answered));
    }
    assert_eq!(store.skipped(TENANT).await.unwrap(), 3);
    assert!(matches!(store.load(TENANT, 0).await, Err(dreiklang_store::LoadError::Failed(Failure::Damaged { .. }))));
}
