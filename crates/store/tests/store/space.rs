//! No space left: nothing half-written, and everything works again when there is space.

use crate::{
    soon,
    story::{Call, OTHER, Story, TENANT},
};
use dreiklang_store::{AppendError, NewDocument, PutError, Store};

fn calls(after: u64, count: i64) -> Story {
    let mut story = Story::after(after);
    for number in 0..count {
        story.answered(Call { start: number * 100_000, wrap_up: 5_000, ..Call::default() });
    }
    story
}

#[tokio::test]
async fn a_full_store_refuses_whole_appends_and_goes_on_when_there_is_space() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = Store::open(&path).unwrap();
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    let mut version = store.append(TENANT, epoch, 0, &calls(0, 5).events).await.unwrap();
    soon(store.wait_projected(TENANT, version)).await.unwrap();
    let size = store.size().await.unwrap();
    store.limit_size(Some(size.database + 200 * 1024)).await.unwrap();
    // Until it is full.
    let refused = loop {
        let story = calls(version, 3);
        match store.append(TENANT, epoch, version, &story.events).await {
            Ok(next) => version = next,
            Err(error) => break (story, error),
        }
        assert!(version < 100_000, "the limit has no effect");
    };
    assert_eq!(refused.1, AppendError::Full);
    let document = NewDocument {
        kind: "queue".to_owned(),
        id: "a".to_owned(),
        name: None,
        expected_version: None,
        body: serde_json::Value::String("x".repeat(500_000)),
    };
    assert!(matches!(store.put(TENANT, document.clone()).await, Err(PutError::Failed(dreiklang_store::Failure::Full))));
    // Nothing of it is there, reading works, and what is there is whole.
    assert_eq!(store.version(TENANT).await.unwrap(), version);
    let mut last = 0;
    store.replay(TENANT, 0, |stamped| last = stamped.seq).await.unwrap();
    assert_eq!(last, version);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    assert!(store.projected(TENANT) <= version);
    // There is space again: the same append succeeds, and the reports catch up by themselves.
    store.limit_size(None).await.unwrap();
    version = store.append(TENANT, epoch, version, &refused.0.events).await.unwrap();
    store.put(TENANT, document).await.unwrap();
    soon(store.wait_projected(TENANT, version)).await.unwrap();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    drop(store);
    assert_eq!(Store::open(&path).unwrap().version(TENANT).await.unwrap(), version);
}

#[tokio::test]
async fn in_a_full_store_small_appends_succeed_beside_large_ones_that_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("store.db")).unwrap();
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    let other = store.acquire(OTHER, "here").await.unwrap().epoch;
    let size = store.size().await.unwrap();
    store.limit_size(Some(size.database + 64 * 1024)).await.unwrap();
    let (large, small) = (calls(0, 200), calls(0, 1));
    let (large, small) = tokio::join!(store.append(TENANT, epoch, 0, &large.events), store.append(OTHER, other, 0, &small.events[..3]));
    assert_eq!(large, Err(AppendError::Full));
    assert_eq!(small, Ok(3));
    assert_eq!(store.version(TENANT).await.unwrap(), 0);
}

#[tokio::test]
async fn the_write_ahead_log_does_not_grow_with_the_number_of_writes() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("store.db")).unwrap();
    let mut largest = 0;
    for number in 0..600 {
        let body = serde_json::Value::String("x".repeat(100_000));
        let document = NewDocument { kind: "prompt".to_owned(), id: (number % 10).to_string(), name: None, expected_version: None, body };
        store.put(TENANT, document).await.unwrap();
        largest = largest.max(store.size().await.unwrap().log);
    }
    assert!(largest < 30_000_000, "{largest} bytes for 60 MB written");
}
