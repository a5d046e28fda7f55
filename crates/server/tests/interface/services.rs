//! Services that call flows ask: written without ever showing their secrets, named by flows, tried on paper.

use super::server::Server;
use reqwest::Method;
use serde_json::{Value, json};

fn crm() -> Value {
    json!({ "name": "CRM", "address": "https://crm.example.com/api", "headers": { "Authorization": "Bearer secret" } })
}

fn flow() -> Value {
    json!({
        "name": "Hotline",
        "nodes": {
            "start": { "kind": "ask_service", "service": "CRM", "method": "post", "path": "/customers/{caller}",
                "send": { "dialed": "dialed" }, "take": { "name": "/name" }, "next": "hello", "failed": "bye", "timeout": "sorry" },
            "hello": { "kind": "say", "says": { "prompt": { "kind": "text", "text": "Hello {name}.", "language": "en" } }, "next": "bye" },
            "sorry": { "kind": "hang_up" },
            "bye": { "kind": "hang_up" },
        },
        "variables": { "name": { "kind": "string" } },
        "fallback": { "kind": "hang_up" },
    })
}

#[tokio::test]
async fn a_secret_is_never_shown_and_stays_with_its_place() {
    let server = Server::start().await;
    let made = server.post("/services", crm()).await.ok();
    assert_eq!(made["headers"], json!({ "Authorization": "" }));
    let path = format!("/services/{}", made["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.ok()["headers"], json!({ "Authorization": "" }));
    let kept = json!({ "name": "Shop", "address": "https://crm.example.com/v2", "headers": { "Authorization": "" } });
    server.put(&path, kept).await.ok();
    let name = server.world(|world| world.services().next().map(|service| service.name.clone())).await;
    assert_eq!(name.as_deref(), Some("Shop"));
    let moved = json!({ "name": "Shop", "address": "https://elsewhere.example.com/v2", "headers": { "Authorization": "" } });
    let problem = server.put(&path, moved).await.problem(422, "API-002");
    assert_eq!(problem["field"], "headers.Authorization");
    for address in ["http://crm.example.com", "https://10.0.0.1/", "https://127.0.0.1/", "https://crm.example.com/?a=b"] {
        let problem = server.post("/services", json!({ "name": "Other", "address": address })).await.problem(422, "API-002");
        assert_eq!(problem["field"], "address", "{address}");
    }
    assert!(!server.get("/configuration").await.ok().to_string().contains("secret"));
}

#[tokio::test]
async fn a_flow_names_a_service_which_stays_as_long_as_it_does() {
    let server = Server::start().await;
    server.post("/flows", flow()).await.problem(422, "API-002");
    let id = server.make("/services", crm()).await;
    let made = server.post("/flows", flow()).await.ok();
    assert_eq!(made["nodes"]["start"]["service"], json!(id));
    let used = server.delete(&format!("/services/{id}")).await.problem(422, "CORE-003");
    assert!(used["detail"].as_str().unwrap().contains("Hotline"), "{used}");
    assert_eq!(server.delete(&format!("/flows/{}", made["id"].as_str().unwrap())).await.status, 204);
    assert_eq!(server.delete(&format!("/services/{id}")).await.status, 204);
}

#[tokio::test]
async fn a_dry_run_shows_what_would_be_asked_and_goes_on_by_the_given_answer() {
    let server = Server::start().await;
    server.make("/services", crm()).await;
    let play =
        |answers: Value| server.post("/flows/dry-run", json!({ "flow": flow(), "caller": "+49 1", "dialed": "+4930", "answers": answers }));
    let good = play(json!([{ "service": { "body": { "name": "Carla" } } }])).await.ok();
    assert_eq!(good["steps"][0]["asked"], json!({ "method": "post", "path": "/customers/+49 1", "send": { "dialed": "+4930" } }));
    assert_eq!(good["steps"][1]["said"][0]["text"], "Hello Carla.");
    let bad = play(json!([{ "service": { "status": 503 } }])).await.ok();
    assert_eq!((&bad["steps"][0]["exit"], &bad["steps"][0]["problem"]), (&json!("failed"), &json!("the service answered 503")));
    let late = play(json!(["nothing"])).await.ok();
    assert_eq!(late["steps"][0]["exit"], "timeout");
}

#[tokio::test]
async fn services_are_exported_and_applied_before_the_flows_that_ask_them() {
    let server = Server::start().await;
    server.make("/services", crm()).await;
    server.make("/flows", flow()).await;
    let exported = server.get("/configuration").await.ok();
    assert_eq!(
        exported["services"],
        json!([{ "name": "CRM", "address": "https://crm.example.com/api", "headers": { "Authorization": "" } }])
    );
    assert_eq!(exported["flows"][0]["nodes"]["start"]["service"], "CRM");
    let again = server.post("/configuration", exported.clone()).await.ok();
    assert_eq!(again["changes"], json!([]), "applying what was exported changes nothing");
    let other = Server::start().await;
    let problem = other.post("/configuration", exported.clone()).await.problem(422, "API-002");
    assert!(problem.to_string().contains("headers.Authorization"), "{problem}");
    let mut filled = exported;
    filled["services"][0]["headers"]["Authorization"] = json!("Bearer another");
    other.post("/configuration", filled).await.ok();
    let pruned = other.call(Method::POST, "/configuration?prune=true", Some(json!({ "version": 1 })), &[]).await.ok();
    assert_eq!(pruned["changes"].as_array().map(Vec::len), Some(2), "{pruned}");
    let left = other.world(|world| (world.services().count(), world.flows().count())).await;
    assert_eq!(left, (0, 0));
}
