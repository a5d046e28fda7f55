//! Whether the figures are right.

use crate::{
    soon,
    story::{Call, Dice, OTHER, Story, TENANT},
};
use dreiklang_core::{
    Event,
    agent::{Availability, Duty, Occupation},
    ids::{ActionId, AgentId, ConversationId, QueueId, TenantId},
    queue::{FlowOutReason, Outcome},
    routing::OfferOutcome,
    stats::Interval,
    time::{Millis, Timestamp},
};
use dreiklang_store::{
    Failure, Store,
    report::{
        Range, Step,
        agents::AgentFigures,
        conversations::{ConversationFilter, ConversationOutcome, Cursor},
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

fn range(from: i64, to: i64, step: Step) -> Range {
    Range { from: Timestamp(from), to: Timestamp(to), step }
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
    for step in [Step::QuarterHour, Step::HalfHour, Step::Hour] {
        let width = i64::try_from(step.millis().0).unwrap();
        let mut expected: BTreeMap<(i64, QueueId), Interval> = BTreeMap::new();
        for stamped in &story.events {
            if let Some(queue) = Interval::queue_of(&stamped.event) {
                expected.entry((stamped.at.0 / width * width, queue)).or_default().observe(&stamped.event, within, stamped.at);
            }
        }
        let day = range(0, 12 * HOUR, step);
        let intervals = store.queue_intervals(TENANT, day, None).await.unwrap();
        let found: BTreeMap<_, _> = intervals.iter().map(|interval| ((interval.start.0, interval.queue), interval.counters)).collect();
        assert_eq!(found, expected);
        let mut sum = Interval::default();
        for interval in &intervals {
            assert_eq!(interval.counters.balance(), Ok(()));
            sum.merge(&interval.counters);
        }
        assert_eq!((sum.offered, sum.entered, sum.handled), (400, 400, sum.answered));
        let one = store.queue_intervals(TENANT, day, Some(QueueId(2))).await.unwrap();
        assert_eq!(one, intervals.iter().filter(|interval| interval.queue == QueueId(2)).copied().collect::<Vec<_>>());
        assert_eq!(store.queue_intervals(OTHER, day, None).await.unwrap(), []);
    }
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
    let intervals = store.queue_intervals(TENANT, range(0, HOUR, Step::QuarterHour), None).await.unwrap();
    let found: Vec<_> = intervals.iter().map(|interval| (interval.counters.answered, interval.counters.answered_in_time)).collect();
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
    let intervals = store.agent_intervals(TENANT, range(0, HOUR, Step::HalfHour), None, now).await.unwrap();
    let minutes = |count: u64| Millis::from_secs(count * 60);
    let first = AgentFigures {
        offers: 1,
        accepted: 1,
        signed_in: minutes(30),
        on_duty: minutes(20),
        idle: minutes(5),
        offered: Millis(10_000),
        talking: Millis(290_000),
        not_ready: BTreeMap::from([("signed_in".to_owned(), minutes(2)), ("lunch".to_owned(), minutes(8))]),
        ..AgentFigures::default()
    };
    let second = AgentFigures {
        handled: 1,
        talk: minutes(10),
        wrap_up: Millis(50_000),
        signed_in: minutes(20),
        on_duty: minutes(20),
        idle: minutes(14),
        talking: Millis(310_000),
        wrapping_up: Millis(50_000),
        ..AgentFigures::default()
    };
    assert_eq!(intervals.iter().map(|interval| interval.start.0).collect::<Vec<_>>(), [0, 30 * MINUTE]);
    assert_eq!(intervals[0].figures, first);
    assert_eq!(intervals[1].figures, second);
    for interval in &intervals {
        let figures = &interval.figures;
        let not_ready = figures.not_ready.values().fold(Millis(0), |sum, time| sum + *time);
        assert_eq!(figures.on_duty, figures.idle + figures.offered + figures.talking + figures.wrapping_up + not_ready);
    }
    assert_eq!(second.occupancy(), Some(360.0 / 1_200.0));
    assert_eq!(AgentFigures::default().occupancy(), None);
    let timeline = store.agent_timeline(TENANT, range(0, HOUR, Step::Hour), agent, now).await.unwrap();
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
    let intervals = store.agent_intervals(TENANT, range(0, HOUR, Step::Hour), Some(AgentId(1)), Timestamp(6_900)).await.unwrap();
    let figures = &intervals[0].figures;
    assert_eq!((figures.offers, figures.accepted, figures.missed, figures.declined, figures.failed, figures.withdrawn), (7, 1, 2, 1, 2, 1));
    assert_eq!(figures.offered, Millis(7 * 900));
    assert_eq!(store.agent_intervals(TENANT, range(0, HOUR, Step::Hour), Some(AgentId(2)), Timestamp(HOUR)).await.unwrap(), []);
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
    for start in [0, day, 2 * day + 5, 4 * day] {
        let hour = store.agent_intervals(TENANT, range(start, start + HOUR, Step::Hour), None, now).await.unwrap();
        assert_eq!(hour.iter().map(|interval| interval.figures.idle).collect::<Vec<_>>(), [Millis(3_600_000)], "at {start}");
    }
    let last = store.agent_intervals(TENANT, range(5 * day, 6 * day, Step::Hour), None, now).await.unwrap();
    assert_eq!(last.iter().map(|interval| interval.figures.signed_in).collect::<Vec<_>>(), [Millis(7)]);
}

#[tokio::test]
async fn a_clock_that_jumps_back_makes_no_stretches_overlap() {
    let mut story = Story::new();
    story.duty(10_000, AgentId(1), Duty::OnDuty);
    story.availability(20_000, AgentId(1), Availability::Ready);
    story.occupation(15_000, AgentId(1), Occupation::Talking { conversation: ConversationId(1) });
    story.occupation(30_000, AgentId(1), Occupation::Idle);
    let store = told(&[(TENANT, &story)]).await;
    let timeline = store.agent_timeline(TENANT, range(0, HOUR, Step::Hour), AgentId(1), Timestamp(40_000)).await.unwrap();
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
        let figures = store.queue_intervals(tenant, range(0, HOUR, Step::Hour), None).await.unwrap()[0].counters;
        assert_eq!((figures.offered, figures.answered_in_time, figures.talk), (1, in_sl, Millis(talk)));
        let agents = store.agent_intervals(tenant, range(0, HOUR, Step::Hour), None, Timestamp(HOUR)).await.unwrap();
        assert_eq!((agents.len(), agents[0].figures.talk), (1, Millis(talk)));
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
    let figures = store.queue_intervals(TENANT, range(0, HOUR, Step::Hour), None).await.unwrap()[0].counters;
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
async fn a_range_of_too_many_intervals_is_refused() {
    let store = Store::in_memory().unwrap();
    let ages = range(0, i64::MAX, Step::QuarterHour);
    assert!(matches!(store.queue_intervals(TENANT, ages, None).await, Err(Failure::TooLarge { .. })));
    assert!(matches!(store.agent_intervals(TENANT, ages, None, Timestamp(0)).await, Err(Failure::TooLarge { .. })));
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
