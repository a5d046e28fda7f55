//! Queues' rules, and what supervisors do with whole queues.

use super::{past::Past, server::Server};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn rules_are_written_with_names_and_the_owner_decides_by_them() {
    let server = Server::start().await;
    server.make("/queues", json!({ "name": "Sales" })).await;
    let message = json!({ "kind": "message", "to": { "kind": "text", "text": "We are closed.", "language": "en" } });
    let waiting = json!({
        "overflow": [
            { "when": { "kind": "waited", "after_ms": 60_000 }, "to": { "kind": "queue", "to": "Sales" } },
            { "when": { "kind": "closed" }, "to": message },
        ],
        "announcements": { "every_ms": 30_000, "position": true, "estimate": true },
        "keys": { "1": { "kind": "hang_up" } },
    });
    let routing = json!({ "strategy": "ring_all", "rings": [{ "after_ms": 20_000, "queues": ["Sales"] }] });
    let id = server.make("/queues", json!({ "name": "Support", "waiting": waiting, "routing": routing })).await;
    let read = server.get(&format!("/queues/{id}")).await.ok();
    assert_eq!(read["waiting"]["overflow"][1]["to"], message);
    assert_eq!(read["routing"]["strategy"], "ring_all");
    let rules = server.world(|world| {
        let support = world.queues().find(|queue| queue.settings.name == "Support");
        support.map(|queue| (queue.settings.waiting.overflow.len(), queue.settings.routing.rings.len()))
    });
    assert_eq!(rules.await, Some((2, 1)));
}

#[tokio::test]
async fn a_rule_that_leads_nowhere_is_refused_with_its_field() {
    let server = Server::start().await;
    let rule =
        |to: serde_json::Value| json!({ "name": "Support", "waiting": { "overflow": [{ "when": { "kind": "closed" }, "to": to }] } });
    server.post("/queues", rule(json!({ "kind": "queue", "to": "Nowhere" }))).await.problem(422, "API-002");
    let refused = server.post("/queues", rule(json!({ "kind": "number", "to": "me" }))).await.problem(422, "CORE-003");
    assert!(refused["field"].as_str().unwrap().contains("overflow[0].to"), "{refused}");
    let endless = server.post("/queues", rule(json!({ "kind": "message", "to": { "kind": "music" } }))).await.problem(422, "CORE-003");
    assert!(endless["detail"].as_str().unwrap().contains("never ends"), "{endless}");
    let unknown = json!({ "kind": "file", "name": "nothing.wav" });
    server.post("/queues", rule(json!({ "kind": "message", "to": unknown }))).await.problem(422, "API-002");
}

#[tokio::test]
async fn a_supervisor_closes_opens_and_tells_everybody_something() {
    let server = Server::start().await;
    let id = server.make("/queues", json!({ "name": "Support" })).await;
    let path = |what: &str| format!("/queues/{id}/{what}");
    server.post(&path("close"), json!({ "reason": "" })).await.problem(422, "CORE-003");
    assert_eq!(server.post(&path("close"), json!({ "reason": "fire drill" })).await.status, 204);
    let closed =
        || server.world(|world| world.queues().map(|queue| queue.closed.as_ref().map(|closed| closed.reason.clone())).collect::<Vec<_>>());
    assert_eq!(closed().await, [Some("fire drill".to_owned())]);
    assert_eq!(server.call(Method::POST, &path("open"), None, &[]).await.status, 204);
    assert_eq!(closed().await, [None]);
    server.call(Method::POST, &path("open"), None, &[]).await.problem(409, "CORE-002");
    let notice = json!({ "prompt": { "kind": "text", "text": "We know of the outage.", "language": "en" } });
    assert_eq!(server.call(Method::PUT, &path("notice"), Some(notice), &[]).await.status, 204);
    assert!(server.world(|world| world.queues().all(|queue| queue.notice.is_some())).await);
    server.post("/queues/que_00000000000000000000000009/close", json!({ "reason": "x" })).await.problem(404, "CORE-001");
}

#[tokio::test]
async fn why_an_agent_was_asked_is_told_with_the_candidates() {
    let server = Server::start().await;
    let (_, agent, _) = server.office().await;
    let chosen = agent.clone();
    let server = server
        .restart(async |store, tenant| {
            let mut past = Past::after(store, tenant).await;
            past.ready(&chosen);
            let caller = past.arrive("+4930111", "+49302000");
            past.pass(1);
            past.hang_up(caller);
            past.write(store, tenant).await;
        })
        .await;
    let list = server.get("/conversations").await.ok();
    let id = list["items"][0]["id"].as_str().unwrap();
    let why = server.get(&format!("/conversations/{id}/why")).await.ok();
    let decisions = why["events"].as_array().unwrap();
    assert!(!decisions.is_empty() && decisions.iter().all(|event| event["type"] == "decided"), "{why}");
    let decision = &decisions[0]["decision"];
    assert_eq!(decision["chosen"][0].as_str(), Some(agent.as_str()), "{why}");
    assert!(decision["candidates"].as_array().unwrap().iter().any(|candidate| candidate["agent"] == agent.as_str()), "{why}");
}

#[tokio::test]
async fn nobody_is_told_why_about_a_conversation_that_is_not_there() {
    let server = Server::start().await;
    server.get("/conversations/cnv_00000000000000000000000009/why").await.problem(404, "API-003");
}
