//! Documents and tenants.

use crate::story::{OTHER, TENANT};
use dreiklang_store::{Failure, NewDocument, PutError, Store, limits};
use serde_json::{Value, json};

fn queue(id: &str, name: Option<&str>, expected_version: Option<u64>, body: Value) -> NewDocument {
    NewDocument { kind: "queue".to_owned(), id: id.to_owned(), name: name.map(str::to_owned), expected_version, body }
}

#[tokio::test]
async fn a_document_is_read_as_it_was_written_and_counts_its_versions() {
    let store = Store::in_memory().unwrap();
    let body = json!({ "ring": 20_000, "text": "Grüße „dort“" });
    assert_eq!(store.put(TENANT, queue("a", Some("Sales"), Some(0), body.clone())).await, Ok(1));
    assert_eq!(store.put(TENANT, queue("a", Some("Sales"), Some(1), body.clone())).await, Ok(2));
    assert_eq!(store.put(TENANT, queue("a", Some("Sales"), None, body.clone())).await, Ok(3));
    let found = store.get(TENANT, "queue", "a").await.unwrap().unwrap();
    assert_eq!((found.version, found.name.as_deref(), &found.body), (3, Some("Sales"), &body));
    assert_eq!(store.get_by_name(TENANT, "queue", "Sales").await.unwrap().unwrap(), found);
    assert_eq!(store.get(TENANT, "agent", "a").await.unwrap(), None);
}

#[tokio::test]
async fn a_change_made_from_an_old_version_conflicts() {
    let store = Store::in_memory().unwrap();
    assert_eq!(store.put(TENANT, queue("a", None, Some(1), json!(1))).await, Err(PutError::Conflict { actual: 0 }));
    store.put(TENANT, queue("a", None, Some(0), json!(1))).await.unwrap();
    store.put(TENANT, queue("a", None, Some(1), json!(2))).await.unwrap();
    assert_eq!(store.put(TENANT, queue("a", None, Some(1), json!(3))).await, Err(PutError::Conflict { actual: 2 }));
    assert_eq!(store.put(TENANT, queue("a", None, Some(0), json!(3))).await, Err(PutError::Conflict { actual: 2 }));
    assert_eq!(store.delete(TENANT, "queue", "a", Some(1)).await, Err(PutError::Conflict { actual: 2 }));
    assert_eq!(store.get(TENANT, "queue", "a").await.unwrap().unwrap().body, json!(2));
    assert_eq!(store.delete(TENANT, "queue", "a", Some(2)).await, Ok(true));
    assert_eq!(store.delete(TENANT, "queue", "a", None).await, Ok(false));
}

#[tokio::test]
async fn of_many_writers_from_one_version_exactly_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("store.db")).unwrap();
    store.put(TENANT, queue("a", None, Some(0), json!(0))).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 1..=50 {
        let store = store.clone();
        tasks.spawn(async move { store.put(TENANT, queue("a", None, Some(1), json!(number))).await });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| **result == Ok(2)).count(), 1);
    assert_eq!(results.iter().filter(|result| **result == Err(PutError::Conflict { actual: 2 })).count(), 49);
}

#[tokio::test]
async fn a_name_is_unique_within_tenant_and_kind() {
    let store = Store::in_memory().unwrap();
    store.put(TENANT, queue("a", Some("Sales"), None, json!(1))).await.unwrap();
    let taken = Err(PutError::NameTaken { name: "Sales".to_owned() });
    assert_eq!(store.put(TENANT, queue("b", Some("Sales"), None, json!(1))).await, taken);
    assert_eq!(store.put(OTHER, queue("b", Some("Sales"), None, json!(1))).await, Ok(1));
    let agent = NewDocument { kind: "agent".to_owned(), ..queue("b", Some("Sales"), None, json!(1)) };
    assert_eq!(store.put(TENANT, agent).await, Ok(1));
    assert_eq!(store.put(TENANT, queue("b", None, None, json!(1))).await, Ok(1));
    assert_eq!(store.put(TENANT, queue("c", None, None, json!(1))).await, Ok(1), "several may have no name");
    store.put(TENANT, queue("a", Some("Service"), None, json!(1))).await.unwrap();
    assert_eq!(store.put(TENANT, queue("b", Some("Sales"), None, json!(1))).await, Ok(2), "a name that was given up is free");
}

#[tokio::test]
async fn several_documents_are_written_all_or_none() {
    let store = Store::in_memory().unwrap();
    let batch = vec![queue("a", Some("A"), Some(0), json!(1)), queue("b", Some("A"), Some(0), json!(1))];
    assert!(matches!(store.put_all(TENANT, batch).await, Err(PutError::NameTaken { .. })));
    assert_eq!(store.get(TENANT, "queue", "a").await.unwrap(), None);
    let batch = vec![queue("a", Some("A"), Some(0), json!(1)), queue("b", Some("B"), Some(0), json!(1))];
    assert_eq!(store.put_all(TENANT, batch).await, Ok(vec![1, 1]));
}

#[tokio::test]
async fn lists_are_paged_and_keep_to_their_tenant_and_kind() {
    let store = Store::in_memory().unwrap();
    for number in 0..25 {
        store.put(TENANT, queue(&format!("{number:02}"), None, None, json!(number))).await.unwrap();
        store.put(OTHER, queue(&format!("{number:02}"), None, None, json!("other"))).await.unwrap();
    }
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.list(TENANT, "queue", after.as_deref(), 10).await.unwrap();
        assert!(page.len() <= 10);
        let Some(last) = page.last() else {
            break;
        };
        after = Some(last.id.clone());
        found.extend(page.into_iter().map(|document| document.body));
    }
    assert_eq!(found, (0..25).map(|number| json!(number)).collect::<Vec<_>>());
    assert!(store.list(TENANT, "agent", None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_document_beyond_the_limit_is_refused() {
    let store = Store::in_memory().unwrap();
    let refused = store.put(TENANT, queue("a", None, None, json!("x".repeat(limits::DOCUMENT_BYTES)))).await;
    assert!(matches!(refused, Err(PutError::Failed(Failure::TooLarge { .. }))));
}

#[tokio::test]
async fn tenants_are_known_by_unique_names() {
    let store = Store::in_memory().unwrap();
    store.put_tenant(TENANT, "bakery").await.unwrap();
    assert!(matches!(store.put_tenant(OTHER, "bakery").await, Err(PutError::NameTaken { .. })));
    store.put_tenant(OTHER, "airline").await.unwrap();
    store.put_tenant(TENANT, "bakery and sons").await.unwrap();
    let names: Vec<String> = store.tenants(None).await.unwrap().into_iter().map(|tenant| tenant.name).collect();
    assert_eq!(names, ["airline", "bakery and sons"]);
    assert_eq!(store.tenants(Some("airline")).await.unwrap().len(), 1);
}
