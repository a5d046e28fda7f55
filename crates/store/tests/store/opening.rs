//! What can stand in the way of opening, and whether the message says what to do.

use dreiklang_store::{OpenError, Store};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

fn refusal(path: &Path) -> OpenError {
    match Store::open(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = refusal(&folder.path().join("missing/store.db"));
    assert!(matches!(error, OpenError::DirectoryMissing { .. }), "{error}");
    assert!(error.to_string().contains("missing does not exist: create it"), "{error}");
}

#[test]
fn a_folder_in_place_of_the_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = refusal(folder.path());
    assert!(matches!(error, OpenError::IsDirectory { .. }), "{error}");
}

#[test]
fn a_second_server_is_kept_out_and_told_who_is_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = Store::open(&path).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, OpenError::InUse { pid: Some(pid), .. } if pid == std::process::id()), "{error}");
    drop(store);
    Store::open(&path).unwrap();
}

#[test]
fn a_file_of_another_kind_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for contents in ["hello", "a text that is longer than the head of a database file"] {
        let path = folder.path().join("store.db");
        fs::write(&path, contents).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, OpenError::NotADatabase { .. }), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), contents);
    }
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(refusal(&path), OpenError::Foreign { .. }));
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(Store::open(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 999).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, OpenError::NewerVersion { found: 999, .. }), "{error}");
    assert!(error.to_string().contains("install that version"), "{error}");
}

#[test]
fn an_edited_migration_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(Store::open(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().execute("UPDATE migration SET checksum = 'x' WHERE number = 1", []).unwrap();
    assert!(matches!(refusal(&path), OpenError::MigrationDiffers { number: 1, .. }));
}

#[test]
fn a_file_that_may_not_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let locked = folder.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o500)).unwrap();
    // The administrator may write everywhere, so that the question does not arise.
    if fs::write(locked.join("probe"), "").is_ok() {
        eprintln!("not checked: this user may write everywhere");
        return;
    }
    let error = refusal(&locked.join("store.db"));
    assert!(matches!(error, OpenError::NotWritable { .. }), "{error}");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn nobody_else_may_read_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("store.db")).unwrap();
    store.acquire(dreiklang_core::ids::TenantId(1), "here").await.unwrap();
    store.backup(folder.path().join("backup.db"), |_| ()).await.unwrap();
    let mut count = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.file_name());
        count += 1;
    }
    assert!(count >= 4, "store, log, index, lock, backup");
}

#[test]
fn every_error_has_a_code_of_its_own() {
    let path = || std::path::PathBuf::from("x");
    let codes = [
        OpenError::DirectoryMissing { path: path() }.code(),
        OpenError::IsDirectory { path: path() }.code(),
        OpenError::NotWritable { path: path() }.code(),
        OpenError::DiskFull { path: path() }.code(),
        OpenError::NotADatabase { path: path() }.code(),
        OpenError::Foreign { path: path() }.code(),
        OpenError::NewerVersion { path: path(), found: 2, known: 1 }.code(),
        OpenError::MigrationDiffers { path: path(), number: 1 }.code(),
        OpenError::InUse { path: path(), pid: None }.code(),
    ];
    let mut unique = codes.to_vec();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), codes.len());
}
