//! Copies made while the store works.

use crate::{
    soon,
    story::{Call, Story, TENANT},
};
use dreiklang_store::{BackupError, NewDocument, Store, restore_backup, verify_backup};
use std::{
    fs,
    sync::{Arc, Mutex},
};

fn calls(after: u64, count: i64) -> Story {
    let mut story = Story::after(after);
    for number in 0..count {
        story.answered(Call { start: number * 100_000, ..Call::default() });
    }
    story
}

#[tokio::test]
async fn a_backup_made_during_appends_is_whole_and_opens_as_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("store.db")).unwrap();
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    let mut version = 0;
    version = store.append(TENANT, epoch, version, &calls(version, 50).events).await.unwrap();
    // Large enough for several steps.
    for number in 0..12 {
        let body = serde_json::Value::String("x".repeat(1_000_000));
        let document = NewDocument { kind: "prompt".to_owned(), id: number.to_string(), name: None, expected_version: None, body };
        store.put(TENANT, document).await.unwrap();
    }
    let before = version;
    soon(store.wait_projected(TENANT, version)).await.unwrap();
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            for _ in 0..100 {
                version = store.append(TENANT, epoch, version, &calls(version, 1).events).await.unwrap();
            }
        })
    };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let target = folder.path().join("backup.db");
    let summary = soon(store.backup(&target, move |progress| noted.lock().unwrap().push(progress))).await.unwrap();
    writer.await.unwrap();
    assert!(summary.events >= before);
    assert_eq!((summary.tenants, summary.bytes), (1, fs::metadata(&target).unwrap().len()));
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert!(seen.len() > 1, "{} pages in one step", seen[0].pages_total);
    assert!(seen.windows(2).all(|two| two[0].pages_done < two[1].pages_done));
    assert_eq!(seen.last().map(|last| last.pages_done), seen.last().map(|last| last.pages_total));
    assert_eq!(verify_backup(&target).unwrap(), summary);
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("partial")), "{names:?}");
    let copy = Store::open(&target).unwrap();
    assert_eq!(copy.version(TENANT).await.unwrap(), summary.events);
    soon(copy.wait_projected(TENANT, summary.events)).await.unwrap();
    assert_eq!(copy.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_exists_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("store.db")).unwrap();
    let target = folder.path().join("backup.db");
    fs::write(&target, "precious").unwrap();
    assert_eq!(store.backup(&target, |_| ()).await, Err(BackupError::Exists { path: target.clone() }));
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
}

#[tokio::test]
async fn a_store_in_memory_can_be_backed_up() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::in_memory().unwrap();
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    let version = store.append(TENANT, epoch, 0, &calls(0, 2).events).await.unwrap();
    let summary = store.backup(folder.path().join("backup.db"), |_| ()).await.unwrap();
    assert_eq!(summary.events, version);
}

#[tokio::test]
async fn what_is_no_good_backup_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup.db");
    assert_eq!(verify_backup(&path), Err(BackupError::Missing { path: path.clone() }));
    fs::write(&path, "something else, and quite a bit of it, so that it could be a database").unwrap();
    assert_eq!(verify_backup(&path), Err(BackupError::NotABackup { path: path.clone() }));
    fs::remove_file(&path).unwrap();
    let store = Store::in_memory().unwrap();
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    store.append(TENANT, epoch, 0, &calls(0, 200).events).await.unwrap();
    store.backup(&path, |_| ()).await.unwrap();
    let good = fs::read(&path).unwrap();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle..middle + 4_096].fill(0xee);
    fs::write(&path, &bad).unwrap();
    assert!(matches!(verify_backup(&path), Err(BackupError::Damaged { .. })));
    fs::write(&path, &good[..good.len() / 2]).unwrap();
    assert!(matches!(verify_backup(&path), Err(BackupError::Damaged { .. })));
    fs::write(&path, &good).unwrap();
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("UPDATE journal_head SET version = version + 1", []).unwrap();
    drop(db);
    assert!(matches!(verify_backup(&path), Err(BackupError::Damaged { .. })), "a journal that ends too early is noticed");
}

#[tokio::test]
async fn a_restored_store_goes_on_where_the_backup_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let (backup, restored) = (folder.path().join("backup.db"), folder.path().join("restored.db"));
    let store = Store::in_memory().unwrap();
    let epoch = store.acquire(TENANT, "here").await.unwrap().epoch;
    let version = store.append(TENANT, epoch, 0, &calls(0, 2).events).await.unwrap();
    let summary = store.backup(&backup, |_| ()).await.unwrap();
    assert_eq!(restore_backup(&backup, &backup), Err(BackupError::Exists { path: backup.clone() }));
    assert_eq!(restore_backup(&backup, &restored), Ok(summary));
    let store = Store::open(&restored).unwrap();
    assert!(matches!(store.append(TENANT, epoch, 0, &calls(0, 1).events).await, Err(dreiklang_store::AppendError::Fenced { .. })));
    let epoch = store.acquire(TENANT, "there").await.unwrap().epoch;
    assert!(store.append(TENANT, epoch, version, &calls(version, 1).events).await.is_ok());
    fs::write(&backup, "no longer good").unwrap();
    assert!(restore_backup(&backup, folder.path().join("third.db")).is_err());
    assert!(!folder.path().join("third.db").exists());
}
