//! Conversations in writing by the interface.

use super::{
    server::{Answer, Server, eventually},
    sessions::Page,
};
use reqwest::Method;
use serde_json::{Value, json};

struct Desk {
    server: Server,
    queue: String,
    agent: String,
    password: String,
}

/// A queue whose agent answers two chats at a time, and is at work.
async fn desk() -> Desk {
    let server = Server::start().await;
    let queue = server.make("/queues", json!({ "name": "Support", "wrap_up": { "kind": "timed", "duration_ms": 60_000 } })).await;
    let agent = json!({
        "name": "Ada", "endpoint": { "kind": "number", "value": "+49301001" }, "queues": ["Support"],
        "channels": [{ "channel": "chat", "at_once": 2 }, { "channel": "email", "at_once": 1, "calls_interrupt": false }],
    });
    let agent = server.make("/agents", agent).await;
    let made = server.post("/users", json!({ "name": "ada", "roles": ["agent"], "agent": agent })).await.ok();
    let password = made["password"].as_str().unwrap().to_owned();
    assert_eq!(server.put(&format!("/agents/{agent}/duty"), json!({ "duty": "on_duty" })).await.status, 204);
    assert_eq!(server.put(&format!("/agents/{agent}/availability"), json!({ "state": "ready" })).await.status, 204);
    Desk { server, queue, agent, password }
}

impl Desk {
    async fn page(&self) -> Page<'_> {
        Page::sign_in(&self.server, "ada", &self.password).await
    }

    async fn ask(&self, page: &Page<'_>, path: &str, body: Value) -> Answer {
        let request = page.request(Method::POST, path).header("x-csrf-token", &page.csrf);
        self.server.send(request.json(&body)).await
    }

    async fn chat(&self) -> String {
        let chat = json!({ "channel": "chat", "queue": self.queue, "customer_name": "Carla", "link": "https://chat.example.com/1" });
        self.server.post("/written", chat).await.ok()["id"].as_str().unwrap().to_owned()
    }

    async fn state(&self) -> Value {
        let agents = self.server.get("/live/snapshot").await.ok()["agents"].clone();
        agents.as_array().unwrap().iter().find(|agent| agent["id"] == self.agent.as_str()).unwrap()["written"].clone()
    }
}

#[tokio::test]
async fn a_chat_is_opened_taken_closed_and_stays_in_the_list_with_its_times() {
    let desk = desk().await;
    let page = desk.page().await;
    let chat = desk.chat().await;
    assert_eq!((&desk.state().await[0]["conversation"], &desk.state().await[0]["state"]), (&json!(chat), &json!("offered")));
    assert_eq!(desk.ask(&page, &format!("/written/{chat}/take"), json!({})).await.status, 204);
    assert_eq!(desk.state().await[0]["state"], "open");
    let close = desk.ask(&page, &format!("/written/{chat}/close"), json!({ "disposition": "solved" })).await;
    assert_eq!(close.status, 204, "{}", close.json());
    assert_eq!(desk.state().await[0]["state"], "wrap_up");
    assert_eq!(desk.ask(&page, &format!("/written/{chat}/finish"), json!({})).await.status, 204);
    assert_eq!(desk.state().await, json!([]));
    let path = format!("/written/{chat}");
    let closed = eventually("the chat is closed in the list", async || {
        let found = desk.server.get(&path).await;
        (found.status == 200).then(|| found.json()).filter(|found| found["wrap_up_ms"].is_u64() && found["ended_at"].is_i64())
    })
    .await;
    assert_eq!(
        (&closed["channel"], &closed["customer_name"], &closed["agent"], &closed["disposition"], &closed["reason"]),
        (&json!("chat"), &json!("Carla"), &json!(desk.agent), &json!("solved"), &json!("finished")),
        "{closed}"
    );
    let query = format!("/written?channel=chat&queue={}&agent={}&open=false", desk.queue, desk.agent);
    for (query, count) in [(query.as_str(), 1), ("/written?channel=email", 0), ("/written?open=true", 0)] {
        assert_eq!(desk.server.get(query).await.ok()["items"].as_array().unwrap().len(), count, "{query}");
    }
    let why = desk.server.get(&format!("/conversations/{chat}/why")).await.ok();
    assert_eq!(why["events"].as_array().unwrap().len(), 1, "{why}");
}

#[tokio::test]
async fn what_is_opened_twice_is_one_and_a_third_chat_waits() {
    let desk = desk().await;
    let page = desk.page().await;
    let first = desk.chat().await;
    let again = json!({ "id": first, "channel": "chat", "queue": desk.queue });
    assert_eq!(desk.server.post("/written", again).await.ok()["id"], json!(first));
    desk.chat().await;
    let third = desk.chat().await;
    assert_eq!(desk.state().await.as_array().unwrap().len(), 2);
    let queues = desk.server.get("/live/snapshot").await.ok()["queues"].clone();
    assert_eq!((&queues[0]["writing"], &queues[0]["waiting"]), (&json!(3), &json!(0)), "{queues}");
    assert_eq!(desk.server.put(&format!("/written/{third}/priority"), json!({ "priority": 90 })).await.status, 204);
    desk.server.put(&format!("/written/{third}/priority"), json!({ "priority": 101 })).await.problem(422, "CORE-003");
    let refused = desk.ask(&page, &format!("/written/{third}/take"), json!({})).await.problem(409, "CORE-002");
    assert!(refused["detail"].as_str().unwrap().contains("2 of channel chat at once"), "{refused}");
}

#[tokio::test]
async fn agents_act_for_themselves_and_see_what_is_theirs() {
    let desk = desk().await;
    let page = desk.page().await;
    let chat = desk.chat().await;
    desk.server.post("/agents", json!({ "name": "Bert", "endpoint": { "kind": "number", "value": "+49301002" } })).await.ok();
    let path = format!("/written/{chat}");
    eventually("it is listed", async || (desk.server.get(&path).await.status == 200).then_some(())).await;
    assert_eq!(desk.server.send(page.request(Method::GET, &path)).await.status, 200, "it is offered to Ada");
    let made = desk.server.get("/agents").await.ok();
    let bert = made["items"].as_array().unwrap().iter().find(|agent| agent["name"] == "Bert").unwrap()["id"].clone();
    let user = desk.server.post("/users", json!({ "name": "bert", "roles": ["agent"], "agent": bert })).await.ok();
    let other = Page::sign_in(&desk.server, "bert", user["password"].as_str().unwrap()).await;
    desk.server.send(other.request(Method::GET, &path)).await.problem(404, "API-003");
    let open = other.request(Method::POST, "/written").header("x-csrf-token", &other.csrf);
    desk.server.send(open.json(&json!({ "channel": "chat", "queue": desk.queue }))).await.problem(403, "AUTH-004");
    let close = other.request(Method::POST, &format!("/written/{chat}/close")).header("x-csrf-token", &other.csrf);
    desk.server.send(close.json(&json!({}))).await.problem(403, "AUTH-004");
    assert_eq!(desk.server.post(&format!("/written/{chat}/move"), json!({})).await.status, 204, "a supervisor moves it");
    let decline = desk.ask(&page, &format!("/written/{chat}/decline"), json!({})).await;
    assert_eq!(decline.status, 204, "it is offered to Ada again: {}", decline.json());
}

#[tokio::test]
async fn what_does_not_hold_together_is_refused_with_its_field() {
    let desk = desk().await;
    let link = json!({ "channel": "chat", "queue": desk.queue, "link": "javascript:alert(1)" });
    let link = desk.server.post("/written", link).await.json();
    assert_eq!(link["field"], "link", "{link}");
    let priority = json!({ "channel": "chat", "queue": desk.queue, "priority": 101 });
    let priority = desk.server.post("/written", priority).await.problem(422, "CORE-003");
    assert_eq!(priority["field"], "priority", "{priority}");
    let share =
        json!({ "name": "Eve", "endpoint": { "kind": "number", "value": "+49301009" }, "channels": [{ "channel": "chat", "at_once": 0 }] });
    let share = desk.server.post("/agents", share).await.problem(422, "CORE-003");
    assert_eq!(share["field"], "channels.chat.at_once", "{share}");
    let rules = desk.server.post("/queues", json!({ "name": "Sales", "written": { "ring_ms": 1 } })).await.problem(422, "CORE-003");
    assert!(rules["field"].as_str().unwrap().starts_with("written.ring"), "{rules}");
    desk.server.post("/written/cnv_00000000000000000000000001/close", json!({})).await.problem(404, "API-003");
}
