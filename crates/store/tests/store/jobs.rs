//! Jobs: once, later, again, and never lost.

use crate::story::{OTHER, TENANT};
use dreiklang_core::time::{Millis, Timestamp};
use dreiklang_store::{Job, NewJob, Retry, Store, job::State, limits};
use serde_json::json;

const HOLD: Millis = Millis(30_000);

fn delivery(run_at: i64) -> NewJob {
    NewJob { kind: "webhook".to_owned(), run_at: Timestamp(run_at), payload: json!({ "url": "https://example.org" }) }
}

async fn claim(store: &Store, now: i64) -> Vec<Job> {
    store.claim_jobs(&["webhook"], Timestamp(now), HOLD, 10).await.unwrap()
}

#[tokio::test]
async fn a_job_is_handed_out_once_when_it_is_due() {
    let store = Store::in_memory().unwrap();
    let id = store.add_job(TENANT, delivery(1_000)).await.unwrap();
    store.add_job(TENANT, NewJob { kind: "export".to_owned(), ..delivery(0) }).await.unwrap();
    assert_eq!(store.next_job_at(&["webhook"]).await.unwrap(), Some(Timestamp(1_000)));
    assert_eq!(store.next_job_at(&["webhook", "export"]).await.unwrap(), Some(Timestamp(0)));
    assert_eq!(claim(&store, 999).await, []);
    let jobs = claim(&store, 1_000).await;
    assert_eq!(jobs.iter().map(|job| (job.id, job.attempts, job.state)).collect::<Vec<_>>(), [(id, 1, State::Running)]);
    assert_eq!(jobs[0].payload, delivery(0).payload);
    assert_eq!(claim(&store, 1_000).await, []);
    assert!(store.complete_job(&jobs[0]).await.unwrap());
    assert_eq!(claim(&store, i64::MAX / 2).await, []);
    assert_eq!(store.jobs(TENANT, None, 10).await.unwrap().len(), 1, "the export is still there");
}

#[tokio::test]
async fn a_job_whose_worker_vanished_comes_back() {
    let store = Store::in_memory().unwrap();
    store.add_job(TENANT, delivery(0)).await.unwrap();
    let first = claim(&store, 0).await.remove(0);
    assert_eq!(claim(&store, 29_999).await, []);
    let second = claim(&store, 30_000).await.remove(0);
    assert_eq!((second.id, second.attempts), (first.id, 2));
    assert!(!store.complete_job(&first).await.unwrap(), "the first worker comes too late");
    assert_eq!(store.fail_job(&first, "late", Timestamp(30_000), None).await.unwrap(), Retry::Lost);
    assert!(store.complete_job(&second).await.unwrap());
}

#[tokio::test]
async fn a_failed_job_waits_longer_each_time_and_is_given_up_in_the_end() {
    let store = Store::in_memory().unwrap();
    let id = store.add_job(TENANT, delivery(0)).await.unwrap();
    let mut now = Timestamp(0);
    let mut pauses = Vec::new();
    loop {
        let job = store.claim_jobs(&["webhook"], now, HOLD, 1).await.unwrap().remove(0);
        match store.fail_job(&job, "503", now, None).await.unwrap() {
            Retry::At(at) => {
                pauses.push(at.since(now).0);
                now = at;
            }
            Retry::GivenUp => break,
            Retry::Lost => panic!("nobody else works here"),
        }
    }
    assert_eq!(pauses.len(), limits::JOB_ATTEMPTS as usize - 1);
    assert!(pauses.windows(2).all(|two| two[0] <= two[1]));
    assert_eq!((pauses[0], pauses[28]), (2_000, 3_600_000));
    let given_up = store.jobs(TENANT, None, 10).await.unwrap().remove(0);
    assert_eq!((given_up.state, given_up.last_error.as_deref()), (State::GivenUp, Some("503")));
    assert_eq!(store.next_job_at(&["webhook"]).await.unwrap(), None);
    assert!(!store.retry_job(OTHER, id, now).await.unwrap());
    assert!(store.retry_job(TENANT, id, now).await.unwrap());
    assert_eq!(claim(&store, now.0).await.len(), 1);
}

#[tokio::test]
async fn a_peer_may_ask_for_a_longer_pause() {
    let store = Store::in_memory().unwrap();
    store.add_job(TENANT, delivery(0)).await.unwrap();
    let job = claim(&store, 0).await.remove(0);
    let retry = store.fail_job(&job, "429", Timestamp(0), Some(Timestamp(77_000))).await.unwrap();
    assert_eq!(retry, Retry::At(Timestamp(77_000)));
}

#[tokio::test]
async fn two_workers_never_hold_the_same_job() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("store.db")).unwrap();
    for _ in 0..100 {
        store.add_job(TENANT, delivery(0)).await.unwrap();
    }
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let store = store.clone();
        workers.spawn(async move { claim(&store, 5).await });
    }
    let mut held: Vec<_> = workers.join_all().await.into_iter().flatten().map(|job| job.id).collect();
    held.sort();
    held.dedup();
    assert_eq!(held.len(), 100);
}

#[tokio::test]
async fn jobs_are_listed_and_removed_by_their_tenant_only() {
    let store = Store::in_memory().unwrap();
    let first = store.add_job(TENANT, delivery(0)).await.unwrap();
    let second = store.add_job(TENANT, delivery(0)).await.unwrap();
    store.add_job(OTHER, delivery(0)).await.unwrap();
    assert_eq!(store.jobs(TENANT, Some(first), 10).await.unwrap().iter().map(|job| job.id).collect::<Vec<_>>(), [second]);
    // The count behind the limit follows additions and removals of every kind.
    assert_eq!(store.job_count(TENANT).await.unwrap(), 2);
    assert!(!store.delete_job(OTHER, first).await.unwrap());
    assert!(store.delete_job(TENANT, first).await.unwrap());
    assert_eq!(store.jobs(TENANT, None, 10).await.unwrap().len(), 1);
    let held = claim(&store, 0).await;
    assert_eq!(held.len(), 2);
    for job in &held {
        assert!(store.complete_job(job).await.unwrap());
    }
    assert_eq!((store.job_count(TENANT).await.unwrap(), store.job_count(OTHER).await.unwrap()), (0, 0));
}
