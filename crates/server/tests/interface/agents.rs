//! What agents say and do beyond being ready, and the rules queues have for it.

use super::server::Server;
use serde_json::json;

#[tokio::test]
async fn a_queues_rules_for_its_agents_are_written_read_back_and_decided_by() {
    let server = Server::start().await;
    let agents = json!({
        "missed": {
            "no_answer": { "kind": "not_ready_after", "misses": 3 },
            "declined": { "kind": "pass_over" },
            "busy": { "kind": "not_ready" },
            "unreachable": { "kind": "not_ready" },
            "ready_again_ms": 120_000,
            "ask_again_ms": null,
        },
        "wrap_up": {
            "longest_ms": 300_000,
            "dispositions": [{ "code": "solved", "label": "Solved", "follow_up": false }],
            "required": true,
        },
    });
    let queue = json!({ "name": "Support", "wrap_up": { "kind": "until_finished" }, "agents": agents });
    let id = server.make("/queues", queue).await;
    assert_eq!(server.get(&format!("/queues/{id}")).await.ok()["agents"], agents);
    let known = server.world(|world| world.queues().next().map(|queue| queue.settings.agents.clone())).await.unwrap();
    assert_eq!((known.missed.ready_again.map(|after| after.0), known.missed.ask_again), (Some(120_000), None));
    assert!(known.wrap_up.required);
}

#[tokio::test]
async fn rules_that_do_not_hold_together_are_refused_with_the_field() {
    let server = Server::start().await;
    let refused = server.post("/queues", json!({ "name": "Support", "agents": { "wrap_up": { "required": true } } })).await;
    assert_eq!(refused.problem(422, "CORE-003")["field"], "agents.wrap_up.required");
    let missed = json!({ "busy": { "kind": "not_ready_after", "misses": 1 } });
    let refused = server.post("/queues", json!({ "name": "Support", "agents": { "missed": missed } })).await;
    assert_eq!(refused.problem(422, "CORE-003")["field"], "agents.missed.busy.misses");
    server.post("/queues", json!({ "name": "Support", "agents": { "rona": true } })).await.problem(400, "API-001");
}

#[tokio::test]
async fn an_agent_signs_out_of_a_queue_and_into_it_again() {
    let server = Server::start().await;
    let (queue, agent, _) = server.office().await;
    let path = format!("/agents/{agent}/queues/{queue}");
    for (signed_in, listed) in [(false, json!([queue])), (true, json!([]))] {
        assert_eq!(server.put(&path, json!({ "signed_in": signed_in })).await.status, 204);
        assert_eq!(server.get(&format!("/agents/{agent}/state")).await.ok()["signed_out"], listed);
    }
    let other = server.make("/queues", json!({ "name": "Other" })).await;
    server.put(&format!("/agents/{agent}/queues/{other}"), json!({ "signed_in": true })).await.problem(409, "CORE-002");
}

#[tokio::test]
async fn without_a_conversation_there_is_nothing_to_say_or_to_lengthen() {
    let server = Server::start().await;
    let (_, agent, _) = server.office().await;
    let path = format!("/agents/{agent}");
    server.put(&format!("{path}/disposition"), json!({ "disposition": "solved" })).await.problem(409, "CORE-002");
    server.post(&format!("{path}/wrap-up/extend"), json!({})).await.problem(409, "CORE-002");
    let state = server.get(&format!("{path}/state")).await.ok();
    assert_eq!((&state["missed"], &state["disposition"], &state["wrap_up_extended"]), (&json!(0), &json!(null), &json!(false)));
}

#[tokio::test]
async fn an_agent_has_duty_profiles_a_queue_of_the_own_and_a_key_to_press() {
    let server = Server::start().await;
    let support = server.make("/queues", json!({ "name": "Support" })).await;
    server.make("/queues", json!({ "name": "Sales" })).await;
    let document = json!({
        "name": "Ada", "endpoint": { "kind": "number", "value": "+49170123" }, "queues": ["Support", "Sales"], "personal": "Sales",
        "confirm": { "kind": "text", "text": "Press 1.", "language": "en" },
        "profiles": [{ "name": "home", "queues": ["Sales"] }],
    });
    let agent = server.make("/agents", document.clone()).await;
    let path = format!("/agents/{agent}");
    let read = server.get(&path).await.ok();
    assert_eq!((&read["confirm"], &read["profiles"][0]["name"]), (&document["confirm"], &json!("home")));
    assert_eq!(read["personal"], read["profiles"][0]["queues"][0], "both are the same queue: {read:#}");
    assert_eq!(server.put(&format!("{path}/profile"), json!({ "profile": "home" })).await.status, 204);
    let state = server.get(&format!("{path}/state")).await.ok();
    assert_eq!((&state["profile"], &state["signed_out"]), (&json!("home"), &json!([support])));
    assert_eq!(server.put(&format!("{path}/profile"), json!({ "profile": null })).await.status, 204);
    assert_eq!(server.get(&format!("{path}/state")).await.ok()["signed_out"], json!([]));
    let refused = server.put(&format!("{path}/profile"), json!({ "profile": "beach" })).await;
    assert_eq!(refused.problem(422, "CORE-003")["field"], "profile");
    let mut wrong = document;
    (wrong["name"], wrong["endpoint"]["value"], wrong["queues"]) = (json!("Bert"), json!("+49170124"), json!(["Support"]));
    assert_eq!(server.post("/agents", wrong).await.problem(422, "CORE-003")["field"], "personal");
}
