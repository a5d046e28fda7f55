//! Drafts of flows: kept in whatever state they are, and published when they hold together.

use super::server::{Answer, Server};
use reqwest::Method;
use serde_json::{Value, json};

const NONE_YET: [(&str, &str); 1] = [("if-match", "\"0\"")];
const ANY: [(&str, &str); 1] = [("if-match", "*")];

fn says(text: &str) -> Value {
    json!({ "prompt": { "kind": "text", "text": text, "language": "en" } })
}

fn hotline(words: &str) -> Value {
    let start = json!({ "kind": "say", "says": says(words), "next": "support" });
    json!({
        "name": "Hotline",
        "nodes": { "start": start, "support": { "kind": "queue", "queue": "Support" } },
        "fallback": { "kind": "hang_up" },
    })
}

async fn office() -> (Server, String) {
    let server = Server::start().await;
    server.make("/queues", json!({ "name": "Support" })).await;
    let id = server.make("/flows", hotline("Welcome.")).await;
    (server, id)
}

async fn save(server: &Server, id: &str, flow: Value, headers: &[(&'static str, &str)]) -> Answer {
    server.call(Method::PUT, &format!("/flows/{id}/draft"), Some(json!({ "flow": flow })), headers).await
}

async fn publish(server: &Server, id: &str, headers: &[(&'static str, &str)]) -> Answer {
    server.call(Method::POST, &format!("/flows/{id}/draft/publish"), None, headers).await
}

async fn published(server: &Server) -> Vec<(u32, usize)> {
    server.world(|world| world.flows().map(|(_, version, flow)| (version, flow.nodes.len())).collect()).await
}

fn details(draft: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    draft["problems"].as_array().unwrap().iter().map(|problem| (text(&problem["field"]), text(&problem["detail"]))).collect()
}

#[tokio::test]
async fn a_draft_is_kept_over_a_restart_and_changes_nothing_until_it_is_published() {
    let (server, id) = office().await;
    server.get(&format!("/flows/{id}/draft")).await.problem(404, "API-003");
    let saved = save(&server, &id, hotline("Hello."), &NONE_YET).await;
    assert_eq!(saved.header("etag"), "\"1\"");
    let saved = saved.ok();
    assert_eq!((&saved["based_on"], &saved["problems"]), (&json!(1), &json!([])));
    let server = server.restart(async |_, _| {}).await;
    let read = server.get(&format!("/flows/{id}/draft")).await;
    assert_eq!(read.header("etag"), "\"1\"");
    assert_eq!(read.ok()["flow"]["nodes"]["start"]["says"], says("Hello."));
    assert_eq!(server.get(&format!("/flows/{id}")).await.ok()["nodes"]["start"]["says"], says("Welcome."));
    assert_eq!(server.get("/configuration").await.ok()["flows"][0]["nodes"]["start"]["says"], says("Welcome."), "exported is what holds");
    let before = published(&server).await;
    let done = publish(&server, &id, &[("if-match", "\"1\"")]).await;
    assert_eq!(done.header("etag"), "\"2\"");
    assert_eq!(done.ok()["nodes"]["start"]["says"], says("Hello."));
    assert_eq!((before, published(&server).await), (vec![(1, 2)], vec![(2, 2)]));
    server.get(&format!("/flows/{id}/draft")).await.problem(404, "API-003");
    assert_eq!(server.get(&format!("/flows/{id}/versions")).await.ok()["items"].as_array().map(Vec::len), Some(2));
    let audit = server.get("/audit?limit=500").await.ok();
    let actions: Vec<&str> = audit["items"].as_array().unwrap().iter().filter_map(|entry| entry["action"].as_str()).collect();
    for action in ["flow_draft.saved", "flow_draft.published", "flow.changed"] {
        assert!(actions.contains(&action), "{action} in {actions:?}");
    }
}

#[tokio::test]
async fn a_draft_may_be_wrong_and_says_all_that_is() {
    let (server, id) = office().await;
    let unread = save(&server, &id, json!({ "name": "Hotline", "nodes": { "start": { "kind": "sing" } } }), &NONE_YET).await.ok();
    assert!(details(&unread)[0].1.contains("sing"), "{unread}");
    publish(&server, &id, &ANY).await.problem(422, "API-002");
    let mut flow = hotline("You are {number}.");
    flow["nodes"]["start"]["next"] = json!("nowhere");
    flow["nodes"]["count"] = json!({ "kind": "set", "values": { "n": "1" }, "next": "support" });
    flow["fallback"] = json!({ "kind": "number", "to": "x" });
    let wrong = save(&server, &id, flow.clone(), &ANY).await.ok();
    let fields: Vec<String> = details(&wrong).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["nodes.count.values.n", "nodes.start.next", "nodes.start.says", "nodes.count", "fallback"], "{wrong}");
    let refused = publish(&server, &id, &ANY).await.problem(422, "CORE-003");
    assert_eq!(refused["field"], "nodes.count.values.n");
    let tried = server.post(&format!("/flows/{id}/draft/dry-run"), json!({})).await.problem(422, "CORE-003");
    assert_eq!(tried["field"], "nodes.count.values.n");
    flow["nodes"]["support"]["queue"] = json!("Sales");
    flow["nodes"]["more"] = json!({ "kind": "transfer", "to": { "kind": "agent", "to": "Nobody" } });
    let unknown = details(&save(&server, &id, flow, &ANY).await.ok());
    assert_eq!(unknown.len(), 2, "{unknown:?}");
    let unread = json!({ "name": "Hotline", "nodes": { "start": { "kind": "language", "language": "'de", "next": "start" } },
        "variables": { "n": { "kind": "int", "default": "1 +" } }, "fallback": { "kind": "hang_up" } });
    let unread = details(&save(&server, &id, unread, &ANY).await.ok());
    let fields: Vec<&str> = unread.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["nodes.start.language", "variables.n.default"]);
    assert_eq!(published(&server).await, [(1, 2)]);
    server.make("/queues", json!({ "name": "Sales" })).await;
    let mut waits = hotline("Hello.");
    waits["nodes"]["support"]["queue"] = json!("Sales");
    assert_eq!(save(&server, &id, waits, &ANY).await.ok()["problems"], json!([]), "what was missing is there now");
}

#[tokio::test]
async fn nobody_overwrites_what_somebody_else_has_drawn_or_published() {
    let (server, id) = office().await;
    server.call(Method::PUT, &format!("/flows/{id}/draft"), Some(json!({ "flow": {} })), &[]).await.problem(428, "API-005");
    save(&server, &id, hotline("One."), &NONE_YET).await.ok();
    save(&server, &id, hotline("Two."), &NONE_YET).await.problem(412, "API-004");
    save(&server, &id, hotline("Two."), &[("if-match", "\"1\"")]).await.ok();
    save(&server, &id, hotline("Three."), &[("if-match", "\"1\"")]).await.problem(412, "API-004");
    publish(&server, &id, &[("if-match", "\"1\"")]).await.problem(412, "API-004");
    let path = format!("/flows/{id}/draft");
    server.call(Method::DELETE, &path, None, &[("if-match", "\"1\"")]).await.problem(412, "API-004");
    // Meanwhile another version is published.
    server.put(&format!("/flows/{id}"), hotline("Directly.")).await.ok();
    let stale = publish(&server, &id, &[("if-match", "\"2\"")]).await.problem(412, "API-004");
    assert_eq!(stale["field"], "based_on");
    let same = save(&server, &id, hotline("Two."), &[("if-match", "\"2\"")]).await.ok();
    assert_eq!(same["based_on"], 1, "saving is no looking");
    let looked = json!({ "flow": hotline("Two."), "based_on": 2 });
    server.call(Method::PUT, &path, Some(looked), &[("if-match", "\"3\"")]).await.ok();
    assert_eq!(publish(&server, &id, &[("if-match", "\"4\"")]).await.ok()["version"], 3);
    save(&server, &id, hotline("Four."), &NONE_YET).await.ok();
    assert_eq!(server.call(Method::DELETE, &path, None, &ANY).await.status, 204);
    server.call(Method::DELETE, &path, None, &ANY).await.problem(404, "API-003");
    assert_eq!(server.get(&format!("/flows/{id}")).await.ok()["nodes"]["start"]["says"], says("Two."));
}

#[tokio::test]
async fn a_new_flow_begins_as_a_draft_with_the_id_it_will_have() {
    let server = Server::start().await;
    server.make("/queues", json!({ "name": "Support" })).await;
    let made = server.post("/flows/drafts", json!({ "flow": { "name": "Hotline" } })).await;
    let place = made.header("location").to_owned();
    let made = made.ok();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!((place, &made["based_on"]), (format!("/api/v1/flows/{id}/draft"), &json!(0)));
    assert_eq!(details(&made).len(), 1);
    server.get(&format!("/flows/{id}")).await.problem(404, "API-003");
    let other = server.post("/flows/drafts", json!({ "flow": hotline("Another.") })).await.ok();
    let listed = server.get("/flows/drafts?limit=1").await.ok();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    let rest = server.get(&format!("/flows/drafts?cursor={}", listed["next"].as_str().unwrap())).await.ok();
    assert_eq!(rest["items"][0]["id"], other["id"]);
    save(&server, &id, hotline("Welcome."), &[("if-match", "\"1\"")]).await.ok();
    let tried = server.post(&format!("/flows/{id}/draft/dry-run"), json!({ "caller": "+49170" })).await.ok();
    assert_eq!((&tried["end"], &tried["steps"][0]["said"][0]["text"]), (&json!("led"), &json!("Welcome.")));
    let done = publish(&server, &id, &ANY).await.ok();
    assert_eq!((done["id"].as_str(), &done["version"]), (Some(id.as_str()), &json!(1)));
    let taken = publish(&server, other["id"].as_str().unwrap(), &ANY).await;
    assert_eq!(taken.status, 422, "two flows of one name: {}", taken.code());
    let nobody = "flw_01ARZ3NDEKTSV4RRFFQ69G5FAV";
    save(&server, nobody, hotline("x"), &ANY).await.problem(404, "API-003");
    publish(&server, nobody, &ANY).await.problem(404, "API-003");
}

#[tokio::test]
async fn a_draft_goes_with_its_flow() {
    let (server, id) = office().await;
    save(&server, &id, hotline("Hello."), &NONE_YET).await.ok();
    assert_eq!(server.delete(&format!("/flows/{id}")).await.status, 204);
    server.get(&format!("/flows/{id}/draft")).await.problem(404, "API-003");
    assert_eq!(server.get("/flows/drafts").await.ok()["items"], json!([]));
}
