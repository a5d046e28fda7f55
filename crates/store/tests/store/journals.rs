//! Appending, fencing, loading, snapshots, pruning.

use crate::{
    soon,
    story::{Call, OTHER, Story, TENANT},
};
use dreiklang_core::{ids::TenantId, time::Timestamp};
use dreiklang_store::{AppendError, Epoch, Failure, LoadError, Store, limits};

fn calls(count: i64) -> Story {
    let mut story = Story::new();
    for number in 0..count {
        story.answered(Call { start: number * 100_000, ..Call::default() });
    }
    story
}

#[tokio::test]
async fn what_was_appended_is_loaded_in_order() {
    let store = Store::in_memory().unwrap();
    let story = calls(20);
    let acquired = store.acquire(TENANT, "here").await.unwrap();
    assert_eq!(acquired.version, 0);
    let mut version = 0;
    for batch in story.events.chunks(7) {
        version = store.append(TENANT, acquired.epoch, version, batch).await.unwrap();
        assert_eq!(version, batch.last().unwrap().seq);
    }
    for after in [0, 1, 6, 7, 8, 100, version - 1, version] {
        let mut found = Vec::new();
        let last = store.replay(TENANT, after, |stamped| found.push(stamped)).await.unwrap();
        assert_eq!(last, version);
        assert_eq!(found, story.events[usize::try_from(after).unwrap()..], "after {after}");
    }
    assert_eq!(store.version(TENANT).await.unwrap(), version);
    assert_eq!(store.version(OTHER).await.unwrap(), 0);
}

#[tokio::test]
async fn one_load_is_bounded_and_says_whether_there_is_more() {
    let store = Store::in_memory().unwrap();
    let story = calls(1_000);
    assert!(story.events.len() > limits::EVENTS_PER_LOAD);
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    let mut version = 0;
    for batch in story.events.chunks(500) {
        version = store.append(TENANT, epoch, version, batch).await.unwrap();
    }
    let first = store.load(TENANT, 0).await.unwrap();
    assert!(first.more);
    assert!(first.events.len() < limits::EVENTS_PER_LOAD + 500);
    let mut count = 0;
    store.replay(TENANT, 0, |_| count += 1).await.unwrap();
    assert_eq!(count, story.events.len());
}

#[tokio::test]
async fn an_owner_that_was_replaced_is_fenced() {
    let store = Store::in_memory().unwrap();
    let story = calls(1);
    let old = store.acquire(TENANT, "old").await.unwrap();
    let version = store.append(TENANT, old.epoch, 0, &story.events[..3]).await.unwrap();
    let new = store.acquire(TENANT, "new").await.unwrap();
    assert!(new.epoch > old.epoch);
    assert_eq!(new.version, version);
    let refused = store.append(TENANT, old.epoch, version, &story.events[3..4]).await;
    assert_eq!(refused, Err(AppendError::Fenced { actual: 3, epoch: new.epoch }));
    assert_eq!(store.append(TENANT, new.epoch, version, &story.events[3..4]).await, Ok(4));
}

#[tokio::test]
async fn an_append_on_an_old_version_is_fenced_and_leaves_no_trace() {
    let store = Store::in_memory().unwrap();
    let story = calls(1);
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    store.append(TENANT, epoch, 0, &story.events[..3]).await.unwrap();
    assert_eq!(store.append(TENANT, epoch, 0, &story.events[..3]).await, Err(AppendError::Fenced { actual: 3, epoch }));
    assert_eq!(store.append(TENANT, epoch, 4, &story.events[4..5]).await, Err(AppendError::Fenced { actual: 3, epoch }));
    assert_eq!(store.load(TENANT, 0).await.unwrap().events, story.events[..3]);
}

#[tokio::test]
async fn nobody_appends_without_having_acquired() {
    let store = Store::in_memory().unwrap();
    let story = calls(1);
    for epoch in [Epoch(0), Epoch(1)] {
        let refused = store.append(TENANT, epoch, 0, &story.events[..1]).await;
        assert_eq!(refused, Err(AppendError::Fenced { actual: 0, epoch: Epoch(0) }));
    }
    assert_eq!(store.version(TENANT).await.unwrap(), 0);
}

#[tokio::test]
async fn events_with_a_gap_are_refused() {
    let store = Store::in_memory().unwrap();
    let story = calls(1);
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    let refused = store.append(TENANT, epoch, 0, &story.events[1..3]).await;
    assert!(matches!(refused, Err(AppendError::Malformed { .. })));
    let mut twice = story.events[..2].to_vec();
    twice[1].seq = 1;
    assert!(matches!(store.append(TENANT, epoch, 0, &twice).await, Err(AppendError::Malformed { .. })));
}

#[tokio::test]
async fn an_append_of_nothing_tells_the_version_or_the_fence() {
    let store = Store::in_memory().unwrap();
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    assert_eq!(store.append(TENANT, epoch, 0, &[]).await, Ok(0));
    store.acquire(TENANT, "there").await.unwrap();
    assert!(matches!(store.append(TENANT, epoch, 0, &[]).await, Err(AppendError::Fenced { .. })));
}

#[tokio::test]
async fn appends_of_many_tenants_at_once_all_arrive_in_their_own_journal() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("store.db")).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 10..26 {
        let store = store.clone();
        tasks.spawn(async move {
            let tenant = TenantId(number);
            let story = calls(10);
            let epoch = store.acquire(tenant, "here").await.unwrap().epoch;
            let mut version = 0;
            for batch in story.events.chunks(3) {
                version = store.append(tenant, epoch, version, batch).await.unwrap();
            }
            (tenant, story.events)
        });
    }
    for (tenant, events) in soon(tasks.join_all()).await {
        let mut found = Vec::new();
        store.replay(tenant, 0, |stamped| found.push(stamped)).await.unwrap();
        assert_eq!(found, events);
        soon(store.wait_projected(tenant, events.len() as u64)).await.unwrap();
    }
    let counters = store.counters();
    assert!(counters.commits < counters.writes, "{counters:?}");
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn the_newest_two_snapshots_are_kept() {
    let store = Store::in_memory().unwrap();
    assert_eq!(store.latest_snapshot(TENANT).await.unwrap(), None);
    for seq in [5, 9, 12] {
        store.save_snapshot(TENANT, seq, vec![seq as u8; 10_000]).await.unwrap();
    }
    let latest = store.latest_snapshot(TENANT).await.unwrap().unwrap();
    assert_eq!((latest.seq, latest.bytes), (12, vec![12; 10_000]));
    assert_eq!(store.latest_snapshot(OTHER).await.unwrap(), None);
}

#[tokio::test]
async fn a_damaged_snapshot_is_passed_over_for_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = Store::open(&path).unwrap();
    store.save_snapshot(TENANT, 5, vec![5; 100]).await.unwrap();
    store.save_snapshot(TENANT, 9, vec![9; 100]).await.unwrap();
    store.close();
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("UPDATE snapshot SET body = x'0102' WHERE seq = 9", []).unwrap();
    drop(db);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.latest_snapshot(TENANT).await.unwrap().unwrap().seq, 5);
}

#[tokio::test]
async fn pruning_keeps_what_snapshots_and_reports_need() {
    let store = Store::in_memory().unwrap();
    let story = calls(10);
    let total = story.seq;
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    let mut version = 0;
    for batch in story.events.chunks(10) {
        version = store.append(TENANT, epoch, version, batch).await.unwrap();
    }
    soon(store.wait_projected(TENANT, version)).await.unwrap();
    assert_eq!(store.prune(TENANT, total).await.unwrap(), 0, "without a snapshot the whole journal is needed");
    store.save_snapshot(TENANT, 25, vec![1]).await.unwrap();
    store.save_snapshot(TENANT, 57, vec![2]).await.unwrap();
    assert_eq!(store.prune(TENANT, 15).await.unwrap(), 10, "rows go as a whole, and only what was asked for");
    assert_eq!(store.prune(TENANT, total).await.unwrap(), 10, "the older snapshot needs what comes after 25");
    assert_eq!(store.load(TENANT, 3).await, Err(LoadError::Pruned { oldest: 21 }));
    assert_eq!(store.load(TENANT, 25).await.unwrap().events.first().unwrap().seq, 26);
    store.save_snapshot(TENANT, total - 1, vec![3]).await.unwrap();
    store.save_snapshot(TENANT, total, vec![4]).await.unwrap();
    store.prune(TENANT, u64::MAX).await.unwrap();
    assert!(store.load(TENANT, total).await.unwrap().events.is_empty());
    assert_eq!(store.version(TENANT).await.unwrap(), total);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_time_is_turned_into_a_place_in_the_journal() {
    let store = Store::in_memory().unwrap();
    let mut story = Story::new();
    for number in 0..10 {
        story.duty(number * 1_000, dreiklang_core::ids::AgentId(1), dreiklang_core::agent::Duty::OnDuty);
    }
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    let mut version = 0;
    for batch in story.events.chunks(2) {
        version = store.append(TENANT, epoch, version, batch).await.unwrap();
    }
    assert_eq!(store.seq_before(TENANT, Timestamp(0)).await.unwrap(), 0);
    assert_eq!(store.seq_before(TENANT, Timestamp(4_000)).await.unwrap(), 4);
    assert_eq!(store.seq_before(TENANT, Timestamp(4_001)).await.unwrap(), 6);
    assert_eq!(store.seq_before(TENANT, Timestamp(99_000)).await.unwrap(), 10);
    assert_eq!(store.seq_before(OTHER, Timestamp(4_001)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let store = Store::in_memory().unwrap();
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    store.close();
    assert_eq!(store.append(TENANT, epoch, 0, &calls(1).events).await, Err(AppendError::Failed(Failure::Closed)));
}
