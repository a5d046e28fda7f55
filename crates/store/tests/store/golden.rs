//! The core's golden journal, which has every kind of event a real engine writes, through the store.

use crate::{soon, story::TENANT};
use dreiklang_core::{
    Event, Stamped,
    ids::{AgentId, ConversationId},
    stats::{Clock, Counter as _, Daybook, Kind, Ledger, Tally, Width},
    time::Timestamp,
};
use dreiklang_store::{
    Store,
    report::{conversations::ConversationFilter, figures::Wanted},
};
use std::collections::{BTreeMap, BTreeSet};

fn golden() -> Vec<Stamped> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/tests/data/journal-v1.jsonl");
    let text = std::fs::read_to_string(path).expect("the core keeps its golden journal there");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn told(events: &[Stamped]) -> Store {
    let store = Store::in_memory().unwrap();
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    let version = store.append(TENANT, epoch, 0, events).await.unwrap();
    soon(store.wait_projected(TENANT, version)).await.unwrap();
    assert_eq!(store.skipped(TENANT).await.unwrap(), 0);
    store
}

/// Every hour the journal touches.
fn whole(events: &[Stamped]) -> (Timestamp, Timestamp) {
    let hour = 3_600_000;
    let (first, last) = (events.first().unwrap().at.0, events.last().unwrap().at.0);
    (Timestamp(first / hour * hour), Timestamp((last / hour + 1) * hour))
}

#[tokio::test]
async fn a_real_journal_reads_back_as_it_was() {
    let events = golden();
    let store = told(&events).await;
    let mut found = Vec::new();
    store.replay(TENANT, 0, |stamped| found.push(stamped)).await.unwrap();
    assert_eq!(found, events);
}

#[tokio::test]
async fn a_real_journals_figures_are_what_the_core_counts() {
    let events = golden();
    let store = told(&events).await;
    let (from, to) = whole(&events);
    let (mut ledger, mut books) = (Ledger::default(), Daybook::default());
    for stamped in &events {
        ledger.observe(stamped, &mut books);
    }
    ledger.book_present(to, &mut books);
    for kind in [Kind::Queue, Kind::Agent, Kind::Number, Kind::Line] {
        let mut expected: BTreeMap<(i64, String), Tally> = BTreeMap::new();
        for ((subject, slot), tally) in books.tallies.iter().filter(|((subject, _), _)| subject.kind() == kind) {
            expected.entry((slot.0 / 3_600_000 * 3_600_000, subject.to_string())).or_default().absorb(tally);
        }
        let wanted = Wanted { kind, subject: None, from, to, width: Width::Hour, clock: Clock::named("UTC").unwrap() };
        let rows = store.figures(TENANT, wanted, to).await.unwrap();
        let found: BTreeMap<_, _> = rows.into_iter().map(|row| ((row.start.0, row.subject), row.tally)).collect();
        assert!(!expected.is_empty());
        assert_eq!(found, expected, "{kind:?}");
    }
}

#[tokio::test]
async fn every_conversation_of_a_real_journal_is_told_without_gap_from_beginning_to_end() {
    let events = golden();
    let store = told(&events).await;
    let mut traced = BTreeMap::<ConversationId, usize>::new();
    let mut wishes = BTreeMap::new();
    let mut legs = BTreeMap::<ConversationId, BTreeSet<_>>::new();
    for stamped in &events {
        let conversation = match &stamped.event {
            Event::ActionRequested { action, wish } => {
                wishes.insert(*action, wish.conversation());
                wish.conversation()
            }
            Event::ActionSettled { action, .. } => wishes[action],
            other => serde_json::to_value(other).unwrap()["conversation"].as_str().map(|id| id.parse().unwrap()),
        };
        if let Some(conversation) = conversation {
            *traced.entry(conversation).or_default() += 1;
        }
        if let Event::LegAdded { conversation, leg, .. } = &stamped.event {
            legs.entry(*conversation).or_default().insert(*leg);
        }
    }
    let rows = store.conversations(TENANT, ConversationFilter::default(), None, 100).await.unwrap().rows;
    assert_eq!(rows.len(), legs.len());
    for row in rows {
        let details = store.conversation(TENANT, row.id).await.unwrap().unwrap();
        let (first, last) = (details.segments.first().unwrap(), details.segments.last().unwrap());
        assert_eq!((first.from, Some(last.to)), (row.started_at, row.ended_at));
        assert!(details.segments.windows(2).all(|two| two[0].to == two[1].from), "no gap, no overlap");
        assert_eq!(details.legs.iter().map(|leg| leg.id).collect::<BTreeSet<_>>(), legs[&row.id]);
        assert!(details.legs.iter().all(|leg| leg.ended_at.is_some() && leg.termination.is_some()));
        assert!(details.visits.iter().all(|visit| visit.outcome.is_some()));
        assert!(details.offers.iter().all(|offer| offer.outcome.is_some()));
        assert!(details.talks.iter().all(|talk| talk.ended_at.is_some()));
        assert_eq!(store.trace(TENANT, row.id, 0, 1_000).await.unwrap().events.len(), traced[&row.id]);
    }
}

#[tokio::test]
async fn the_agents_of_a_real_journal_have_time_without_gap_or_overlap() {
    let events = golden();
    let store = told(&events).await;
    let range = whole(&events);
    let agents: BTreeSet<AgentId> = events
        .iter()
        .filter_map(|stamped| match &stamped.event {
            Event::DutyChanged { agent, .. } => Some(*agent),
            _ => None,
        })
        .collect();
    assert!(!agents.is_empty());
    for agent in agents {
        let timeline = store.agent_timeline(TENANT, range, agent, range.1).await.unwrap();
        assert!(!timeline.is_empty());
        assert!(timeline.windows(2).all(|two| two[0].to == two[1].from), "{timeline:?}");
    }
}
