//! Lists of callers, and what number documents say of who calls.

use super::server::Server;
use dreiklang_core::callers::Treatment;
use serde_json::json;

#[tokio::test]
async fn callers_are_listed_by_number_and_told_apart() {
    let server = Server::start().await;
    let (_, agent, _) = server.office().await;
    let preferred = json!({ "agent": agent, "wait_ms": 15_000 });
    let favor = json!({ "kind": "favor", "priority": 90, "preferred": preferred });
    let callers = json!([{ "number": "+4989*", "note": "Munich" }, { "number": "+4930111" }]);
    let id = server.make("/caller-lists", json!({ "name": "Best customers", "callers": callers, "treatment": favor })).await;
    let read = server.get(&format!("/caller-lists/{id}")).await.ok();
    assert_eq!((&read["callers"], &read["withheld"]), (&callers, &json!(false)));
    let block = json!({ "kind": "block", "message": { "kind": "text", "text": "No.", "language": "en" } });
    server.make("/caller-lists", json!({ "name": "Nuisance", "withheld": true, "treatment": block })).await;
    let decided = server.world(|world| {
        let kind = |caller: Option<&str>| world.list_of(caller).map(|list| matches!(list.treatment, Treatment::Block { .. }));
        [kind(Some("+4989123")), kind(Some("+4930222")), kind(None)]
    });
    assert_eq!(decided.await, [Some(false), None, Some(true)]);
    let used = server.delete(&format!("/agents/{agent}")).await;
    assert_eq!(used.status, 422, "the list prefers the agent");
    assert_eq!(server.delete(&format!("/caller-lists/{id}")).await.status, 204);
}

#[tokio::test]
async fn a_list_that_cannot_be_is_refused_with_the_field() {
    let server = Server::start().await;
    let list = |callers: serde_json::Value| json!({ "name": "L", "callers": callers, "treatment": { "kind": "block" } });
    let all = server.post("/caller-lists", list(json!([{ "number": "*" }]))).await.problem(422, "CORE-003");
    assert_eq!(all["field"], "callers");
    let twice = list(json!([{ "number": "+491" }, { "number": "+491" }]));
    server.post("/caller-lists", twice).await.problem(422, "API-002");
    let unknown = json!({ "kind": "block", "message": { "kind": "file", "name": "none.wav" } });
    server.post("/caller-lists", json!({ "name": "L", "treatment": unknown })).await.problem(422, "API-002");
}

#[tokio::test]
async fn agents_speak_languages_and_numbers_ask_for_them() {
    let server = Server::start().await;
    let (queue, agent, _) = server.office().await;
    let read = server.get(&format!("/agents/{agent}")).await.ok();
    let mut body = read.clone();
    for field in ["id", "version", "updated_at"] {
        body.as_object_mut().unwrap().remove(field);
    }
    body["languages"] = json!([{ "language": "fr", "level": 7 }]);
    server.put(&format!("/agents/{agent}"), body.clone()).await.ok();
    body["languages"] = json!([{ "language": "fr", "level": 7 }, { "language": "FR", "level": 1 }]);
    server.put(&format!("/agents/{agent}"), body).await.problem(422, "API-002");
    let number = |wait_ms: u64| {
        let target = json!({ "kind": "queue", "id": queue });
        json!({ "number": "+33123456", "target": target, "language": "fr", "preferred": { "agent": agent, "wait_ms": wait_ms } })
    };
    let short = server.post("/numbers", number(0)).await.problem(422, "CORE-003");
    assert_eq!(short["field"], "preferred.wait_ms");
    server.make("/numbers", number(20_000)).await;
    let known = server.world(|world| {
        let spoken = world.agents().any(|agent| agent.settings.languages.get("fr") == Some(&7));
        let asked = world.numbers().any(|number| number.language.as_deref() == Some("fr") && number.preferred.is_some());
        (spoken, asked)
    });
    assert_eq!(known.await, (true, true));
}
