//! Call flows: written with names, played through on paper, published, and returned to.

use super::server::Server;
use reqwest::Method;
use serde_json::{Value, json};

fn says(text: &str) -> Value {
    json!({ "prompt": { "kind": "text", "text": text, "language": "en" } })
}

fn hotline() -> Value {
    let menu = json!({ "kind": "menu", "says": says("Press 1."), "keys": { "1": "code" }, "otherwise": "support" });
    let code = json!({
        "kind": "collect", "says": says("Your number?"), "into": "code", "most": 3, "check": "code != '000'",
        "next": "rank", "otherwise": "support",
    });
    json!({
        "name": "Hotline",
        "nodes": {
            "start": menu,
            "code": code,
            "rank": { "kind": "set", "values": { "vip": "code.startsWith('1')" }, "next": "told" },
            "told": { "kind": "say", "says": says("You are {code}."), "next": "which" },
            "which": { "kind": "branch", "cases": [{ "when": "vip", "to": "anna" }], "otherwise": "support" },
            "anna": { "kind": "transfer", "to": { "kind": "agent", "to": "Anna" }, "otherwise": "support" },
            "support": { "kind": "queue", "queue": "Support", "priority": "vip ? 90 : 50" },
        },
        "variables": { "code": { "kind": "string" }, "vip": { "kind": "bool" } },
        "fallback": { "kind": "queue", "to": "Support" },
    })
}

async fn office() -> Server {
    let server = Server::start().await;
    server.make("/queues", json!({ "name": "Support" })).await;
    let anna = json!({ "name": "Anna", "line": "connected", "endpoint": { "kind": "desk", "value": "anna" }, "queues": ["Support"] });
    server.make("/agents", anna).await;
    server
}

#[tokio::test]
async fn a_flow_is_written_with_names_and_a_number_leads_to_it() {
    let server = office().await;
    let id = server.make("/flows", hotline()).await;
    server.make("/numbers", json!({ "number": "+49301", "line": "connected", "target": { "kind": "flow", "id": "Hotline" } })).await;
    let nodes = server.world(|world| world.flows().map(|(_, version, flow)| (version, flow.nodes.len())).collect::<Vec<_>>()).await;
    assert_eq!(nodes, [(1, 7)]);
    let read = server.get(&format!("/flows/{id}")).await.ok();
    assert!(read["nodes"]["support"]["queue"].as_str().unwrap().starts_with("que_"), "{read}");
    let used = server.call(Method::DELETE, &format!("/flows/{id}"), None, &[("if-match", "*")]).await.problem(422, "CORE-003");
    assert!(used["detail"].as_str().unwrap().contains("+49301"), "{used}");
}

#[tokio::test]
async fn a_flow_that_does_not_hold_together_is_refused_with_the_field() {
    let server = office().await;
    let refused = |change: fn(&mut Value)| {
        let mut flow = hotline();
        change(&mut flow);
        server.post("/flows", flow)
    };
    let field = |problem: Value| problem["field"].as_str().unwrap_or_default().to_owned();
    let nowhere = refused(|flow| flow["nodes"]["told"]["next"] = json!("nowhere")).await.problem(422, "CORE-003");
    assert_eq!(field(nowhere), "nodes.told.next");
    let unread = refused(|flow| flow["nodes"]["which"]["cases"][0]["when"] = json!("vip &&")).await.problem(422, "API-002");
    assert_eq!(field(unread), "nodes.which.cases[0].when");
    let unknown = refused(|flow| flow["nodes"]["code"]["check"] = json!("cod == '1'")).await.problem(422, "CORE-003");
    assert_eq!(field(unknown), "nodes.code.check");
    refused(|flow| flow["nodes"]["support"]["queue"] = json!("Sales")).await.problem(422, "API-002");
    refused(|flow| flow["nodes"]["told"]["says"] = json!({ "prompt": { "kind": "file", "name": "no.wav" } })).await.problem(422, "API-002");
    refused(|flow| flow["nodes"]["told"]["kind"] = json!("sing")).await.problem(400, "API-001");
}

#[tokio::test]
async fn a_draft_is_played_through_without_being_written() {
    let server = office().await;
    let play = |answers: Value| server.post("/flows/dry-run", json!({ "flow": hotline(), "caller": "+49170", "answers": answers }));
    let trace = play(json!([{ "keys": "1" }, { "keys": "123" }])).await.ok();
    let path: Vec<&str> = trace["steps"].as_array().unwrap().iter().filter_map(|step| step["node"].as_str()).collect();
    assert_eq!(path, ["start", "code", "rank", "told", "which", "anna"]);
    assert_eq!(trace["steps"][2]["set"], json!({ "vip": true }));
    assert_eq!(trace["steps"][3]["said"][0]["text"], "You are 123.");
    assert_eq!((&trace["end"], &trace["to"]["kind"]), (&json!("led"), &json!("agent")));
    let elsewhere = play(json!([{ "keys": "1" }, { "keys": "123" }, "unavailable", "unavailable"])).await.ok();
    assert_eq!(elsewhere["end"], "fallback");
    let mut broken = hotline();
    broken["start"] = json!("nowhere");
    let refused = server.post("/flows/dry-run", json!({ "flow": broken })).await.problem(422, "CORE-003");
    assert_eq!(refused["field"], "start");
    assert_eq!(server.get("/flows").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn an_earlier_version_is_looked_at_and_published_again() {
    let server = office().await;
    let id = server.make("/flows", hotline()).await;
    let path = format!("/flows/{id}");
    let mut second = hotline();
    second["nodes"]["told"]["says"] = says("Hello {code}.");
    let written = server.call(Method::PUT, &path, Some(second), &[("if-match", "*")]).await.ok();
    assert_eq!(written["version"], 2);
    let versions = server.get(&format!("{path}/versions")).await.ok();
    assert_eq!(versions["items"].as_array().unwrap().len(), 2);
    let first = server.get(&format!("{path}/versions/1")).await.ok();
    assert_eq!(first["flow"]["nodes"]["told"]["says"], says("You are {code}."));
    let again = server.call(Method::POST, &format!("{path}/versions/1/publish"), None, &[("if-match", "\"2\"")]).await.ok();
    assert_eq!((&again["version"], &again["nodes"]["told"]["says"]), (&json!(3), &says("You are {code}.")));
    let stale = [("if-match", "\"2\"")];
    server.call(Method::POST, &format!("{path}/versions/1/publish"), None, &stale).await.problem(412, "API-004");
    server.get(&format!("{path}/versions/9")).await.problem(404, "API-003");
    let current = server.world(|world| world.flows().map(|(_, version, _)| version).collect::<Vec<_>>()).await;
    assert_eq!(current, [3]);
    assert_eq!(server.call(Method::DELETE, &path, None, &[("if-match", "*")]).await.status, 204);
    server.get(&format!("{path}/versions")).await.problem(404, "API-003");
}

#[tokio::test]
async fn flows_are_exported_and_applied_with_names() {
    let server = office().await;
    server.make("/flows", hotline()).await;
    server.make("/numbers", json!({ "number": "+49301", "line": "connected", "target": { "kind": "flow", "id": "Hotline" } })).await;
    let exported = server.get("/configuration").await.ok();
    assert_eq!(exported["flows"][0]["nodes"]["support"]["queue"], "Support");
    assert_eq!(exported["numbers"][0]["target"], json!({ "kind": "flow", "id": "Hotline" }));
    let other = Server::start().await;
    let applied = other.post("/configuration", exported.clone()).await.ok();
    assert!(applied["changes"].as_array().unwrap().len() >= 4, "{applied}");
    let again = other.post("/configuration", exported).await.ok();
    assert_eq!(again["changes"], json!([]));
}

#[tokio::test]
async fn a_queue_names_the_flow_in_which_its_customers_say_how_it_was() {
    let server = Server::start().await;
    let asked = json!({ "kind": "survey", "question": "satisfaction", "says": says("From 1 to 5?"), "next": "bye", "otherwise": "bye" });
    let nodes = json!({ "start": asked, "bye": { "kind": "hang_up" } });
    let flow = json!({ "name": "Survey", "nodes": nodes, "fallback": { "kind": "hang_up" } });
    let id = server.make("/flows", flow).await;
    let queue = server.post("/queues", json!({ "name": "Support", "calls": { "after_talk": "Survey" } })).await.ok();
    assert_eq!(queue["calls"]["after_talk"], json!(id));
    let used = server.delete(&format!("/flows/{id}")).await.problem(422, "CORE-003");
    assert!(used["detail"].as_str().unwrap().contains("Support"), "{used}");
    let exported = server.get("/configuration").await.ok();
    assert_eq!(exported["queues"][0]["calls"]["after_talk"], "Survey");
    let other = Server::start().await;
    other.post("/configuration", exported).await.ok();
    let pruned = other.call(Method::POST, "/configuration?prune=true", Some(json!({ "version": 1 })), &[]).await.ok();
    assert_eq!(pruned["changes"].as_array().map(Vec::len), Some(2), "{pruned}");
}
