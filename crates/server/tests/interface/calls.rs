//! Out of turn, conferences and supervision.

use super::{past::Past, server::Server};
use dreiklang_server::auth::Role;
use serde_json::json;

/// Ada is ready to be rung; somebody waits, and Ada is on a break. The server, Ada's id and the conversation's.
async fn waiting() -> (Server, String, String) {
    let server = Server::start().await;
    let (_, ada, _) = server.office().await;
    let agent = ada.clone();
    let server = server
        .restart(async |store, tenant| {
            let mut past = Past::after(store, tenant).await;
            past.ready(&agent);
            past.not_ready(&agent);
            past.arrive("+4930111", "+49302000");
            past.write(store, tenant).await;
        })
        .await;
    let list = server.get("/conversations?open=true").await.ok();
    let id = list["items"][0]["id"].as_str().unwrap().to_owned();
    (server, ada, id)
}

#[tokio::test]
async fn what_is_asked_reaches_the_owner_and_its_refusals_come_back() {
    let (server, ada, id) = waiting().await;
    let path = |what: &str| format!("/conversations/{id}/{what}");
    // Nobody talks there yet.
    server.post(&path("requeue"), json!({ "keep_wait": true })).await.problem(409, "CORE-002");
    server.post(&path("consult/merge"), json!({})).await.problem(409, "CORE-002");
    server.post(&path("supervise"), json!({ "agent": ada, "mode": "barge" })).await.problem(409, "CORE-002");
    for what in ["supervise/change", "supervise/end", "supervise/take-over"] {
        server.post(&path(what), json!({ "agent": ada })).await.problem(409, "CORE-002");
    }
    server.post(&path("drop-party"), json!({ "leg": "leg_00000000000000000000000009" })).await.problem(404, "CORE-001");
    server.post(&path("drop-party"), json!({ "leg": "mine" })).await.problem(404, "API-003");
    server.post(&path("pull"), json!({ "agent": "agt_00000000000000000000000009" })).await.problem(404, "CORE-001");
}

#[tokio::test]
async fn who_is_no_agent_names_one_and_an_agent_acts_for_nobody_else() {
    let (server, ada, id) = waiting().await;
    let path = format!("/conversations/{id}/pull");
    let refused = server.post(&path, json!({})).await.problem(422, "API-002");
    assert_eq!(refused["field"], "agent");
    let token = server.token_for(&[Role::Agent]).await;
    let request = server.client.post(server.url(&format!("/api/v1{path}"))).bearer_auth(token).json(&json!({ "agent": ada }));
    server.send(request).await.problem(403, "AUTH-004");
}

#[tokio::test]
async fn rules_for_calls_and_the_right_to_supervise_are_written_with_their_documents() {
    let server = Server::start().await;
    let calls = json!({ "consult_drop": "queue", "record_consult": true, "take_back_ms": 20_000 });
    let queue = server.make("/queues", json!({ "name": "Support", "calls": calls })).await;
    assert_eq!(server.get(&format!("/queues/{queue}")).await.ok()["calls"], calls);
    let endpoint = json!({ "kind": "number", "value": "+49301001" });
    server.make("/agents", json!({ "name": "Ada", "endpoint": endpoint, "supervises": true })).await;
    let known = server.world(|world| {
        let calls = world.queues().next().map(|queue| queue.settings.calls.clone());
        (calls.and_then(|calls| calls.take_back), world.agents().next().map(|agent| agent.settings.supervises))
    });
    assert_eq!(known.await, (Some(dreiklang_core::time::Millis(20_000)), Some(true)));
    let never = json!({ "name": "Sales", "calls": { "take_back_ms": 0 } });
    let refused = server.post("/queues", never).await.problem(422, "CORE-003");
    assert!(refused["field"].as_str().unwrap().contains("take_back"), "{refused}");
}

#[tokio::test]
async fn an_agent_plans_to_end_work_after_the_conversation_and_stays_after_all() {
    let server = Server::start().await;
    let (_, ada, _) = server.office().await;
    let agent = ada.clone();
    // Ada has talked and hung up, and writes notes.
    let server = server
        .restart(async |store, tenant| {
            let mut past = Past::after(store, tenant).await;
            past.ready(&agent);
            past.arrive("+4930111", "+49302000");
            let rings = past.dialed();
            past.answer(rings);
            past.hang_up(rings);
            past.write(store, tenant).await;
        })
        .await;
    let duty = format!("/agents/{ada}/duty");
    let state = format!("/agents/{ada}/state");
    assert_eq!(server.get(&state).await.ok()["occupation"]["state"], "wrap_up");
    let plan = |duty: &str| json!({ "duty": duty, "after_conversation": true });
    assert_eq!(server.put(&duty, plan("signed_out")).await.status, 204);
    let planned = server.get(&state).await.ok();
    assert_eq!((&planned["duty"], &planned["planned_duty"]), (&json!("on_duty"), &json!("signed_out")));
    assert_eq!(server.put(&duty, plan("on_duty")).await.status, 204);
    assert_eq!(server.get(&state).await.ok()["planned_duty"], json!(null));
    assert_eq!(server.put(&duty, plan("off_duty")).await.status, 204);
    server.post(&format!("/agents/{ada}/wrap-up/finish"), json!({})).await;
    let done = server.get(&state).await.ok();
    assert_eq!((&done["duty"], &done["planned_duty"]), (&json!("off_duty"), &json!(null)));
}
