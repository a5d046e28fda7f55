//! Users, sessions, tokens, the audit log, registrations.

use crate::story::{OTHER, TENANT};
use dreiklang_core::{Actor, ids::AgentId, time::Timestamp};
use dreiklang_store::{AuditNote, Binding, PutError, Session, Store, Token, User};
use serde_json::json;

fn user(name: &str) -> User {
    User {
        tenant: TENANT,
        name: name.to_owned(),
        display_name: "Ada".to_owned(),
        password_hash: Some("$argon2id$x".to_owned()),
        role: "agent".to_owned(),
        agent: Some(AgentId(7)),
        disabled: false,
        created_at: Timestamp(5),
    }
}

fn session(number: u8, name: &str, created_at: i64, expires_at: i64) -> Session {
    Session {
        hash: [number; 32],
        tenant: TENANT,
        user: name.to_owned(),
        role: "agent".to_owned(),
        created_at: Timestamp(created_at),
        expires_at: Timestamp(expires_at),
    }
}

#[tokio::test]
async fn a_user_is_found_in_the_own_tenant_only() {
    let store = Store::in_memory().unwrap();
    store.put_user(user("ada")).await.unwrap();
    assert_eq!(store.user(TENANT, "ada").await.unwrap(), Some(user("ada")));
    assert_eq!(store.user(OTHER, "ada").await.unwrap(), None);
    store.put_user(User { tenant: OTHER, role: "admin".to_owned(), ..user("ada") }).await.unwrap();
    assert_eq!(store.user(TENANT, "ada").await.unwrap().unwrap().role, "agent");
    let everywhere = store.users_named("ada").await.unwrap();
    assert_eq!(everywhere.iter().map(|user| user.tenant).collect::<Vec<_>>(), [TENANT, OTHER]);
    let changed = User { disabled: true, created_at: Timestamp(99), ..user("ada") };
    store.put_user(changed).await.unwrap();
    let found = store.user(TENANT, "ada").await.unwrap().unwrap();
    assert!(found.disabled);
    assert_eq!(found.created_at, Timestamp(5));
}

#[tokio::test]
async fn sessions_end_at_their_time_and_with_their_user() {
    let store = Store::in_memory().unwrap();
    store.put_user(user("ada")).await.unwrap();
    store.put_session(session(1, "ada", 0, 100)).await.unwrap();
    store.put_session(session(2, "ada", 0, 500)).await.unwrap();
    assert!(store.session([1; 32], Timestamp(99)).await.unwrap().is_some());
    assert!(store.session([1; 32], Timestamp(100)).await.unwrap().is_none());
    assert!(store.session([3; 32], Timestamp(0)).await.unwrap().is_none());
    assert!(store.delete_user(TENANT, "ada").await.unwrap());
    assert!(store.session([2; 32], Timestamp(0)).await.unwrap().is_none());
    assert!(!store.delete_user(TENANT, "ada").await.unwrap());
}

#[tokio::test]
async fn a_sign_in_forgets_sessions_that_have_ended() {
    let store = Store::in_memory().unwrap();
    store.put_session(session(1, "ada", 0, 100)).await.unwrap();
    store.put_session(session(2, "bob", 200, 900)).await.unwrap();
    assert!(!store.delete_session([1; 32]).await.unwrap(), "it is gone already");
    store.put_session(session(3, "bob", 200, 900)).await.unwrap();
    assert_eq!(store.delete_sessions(OTHER, "bob").await.unwrap(), 0);
    assert_eq!(store.delete_sessions(TENANT, "bob").await.unwrap(), 2);
}

#[tokio::test]
async fn tokens_are_found_by_hash_until_they_end() {
    let store = Store::in_memory().unwrap();
    let token = Token {
        tenant: TENANT,
        name: "crm".to_owned(),
        hash: [9; 32],
        role: "reader".to_owned(),
        created_at: Timestamp(1),
        expires_at: Some(Timestamp(1_000)),
        last_used_at: None,
    };
    store.create_token(token.clone()).await.unwrap();
    let again = store.create_token(Token { hash: [8; 32], ..token.clone() }).await;
    assert_eq!(again, Err(PutError::NameTaken { name: "crm".to_owned() }));
    store.create_token(Token { tenant: OTHER, hash: [7; 32], expires_at: None, ..token.clone() }).await.unwrap();
    assert_eq!(store.token([9; 32], Timestamp(999)).await.unwrap(), Some(token));
    assert_eq!(store.token([9; 32], Timestamp(1_000)).await.unwrap(), None);
    assert!(store.token([7; 32], Timestamp(i64::MAX)).await.unwrap().is_some());
    store.touch_token([9; 32], Timestamp(50)).await.unwrap();
    store.touch_token([9; 32], Timestamp(40)).await.unwrap();
    let listed = store.tokens(TENANT, None).await.unwrap();
    assert_eq!(listed.iter().map(|token| token.last_used_at).collect::<Vec<_>>(), [Some(Timestamp(50))]);
    assert!(store.delete_token(TENANT, "crm").await.unwrap());
    assert_eq!(store.token([9; 32], Timestamp(0)).await.unwrap(), None);
    assert_eq!(store.tokens(OTHER, None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_audit_log_is_read_from_the_newest_row_on() {
    let store = Store::in_memory().unwrap();
    let note = |at: i64| AuditNote {
        at: Timestamp(at),
        actor: Actor::User("ada".to_owned()),
        action: "recording.play".to_owned(),
        subject: format!("rec {at}"),
        detail: json!({ "from": "10.0.0.1" }),
    };
    for at in 0..10 {
        store.audit(TENANT, note(at)).await.unwrap();
        store.audit(OTHER, note(at + 100)).await.unwrap();
    }
    let first = store.audit_log(TENANT, None, 4).await.unwrap();
    assert_eq!(first.iter().map(|entry| entry.note.at.0).collect::<Vec<_>>(), [9, 8, 7, 6]);
    assert_eq!(first[0].note, note(9));
    let second = store.audit_log(TENANT, Some(first[3].id), 100).await.unwrap();
    assert_eq!(second.iter().map(|entry| entry.note.at.0).collect::<Vec<_>>(), [5, 4, 3, 2, 1, 0]);
    assert_eq!(store.prune_audit(TENANT, Timestamp(8)).await.unwrap(), 8);
    assert_eq!(store.audit_log(TENANT, None, 100).await.unwrap().len(), 2);
    assert_eq!(store.audit_log(OTHER, None, 100).await.unwrap().len(), 10);
}

#[tokio::test]
async fn registrations_survive_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let binding =
        |aor: &str, body: &[u8], expires_at: i64| Binding { aor: aor.to_owned(), body: body.to_vec(), expires_at: Timestamp(expires_at) };
    let store = Store::open(&path).unwrap();
    store.save_bindings(vec![binding("a", b"1", 100), binding("b", b"2", 200), binding("c", b"3", 300)]).await.unwrap();
    store.save_bindings(vec![binding("b", b"22", 250), binding("c", b"", 0)]).await.unwrap();
    store.close();
    let store = Store::open(&path).unwrap();
    assert_eq!(store.load_bindings(Timestamp(100)).await.unwrap(), [binding("b", b"22", 250)]);
    assert_eq!(store.load_bindings(Timestamp(0)).await.unwrap().len(), 1, "what has ended is forgotten");
}
