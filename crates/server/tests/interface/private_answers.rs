//! What callers type privately stands neither in the store nor in anything the interface says.

use super::{past::Past, server::Server};
use serde_json::{Value, json};
use std::path::Path;

const PIN: &str = "86428642";

fn says(text: &str) -> Value {
    json!({ "prompt": { "kind": "text", "text": text, "language": "en" } })
}

fn bank() -> Value {
    let pin = json!({ "kind": "collect", "private": true, "says": says("Your secret number."), "into": "pin", "most": 8,
        "check": "pin != '00000000'", "next": "ask", "otherwise": "bye" });
    let ask = json!({ "kind": "ask_service", "service": "Bank", "method": "post", "path": "/pins",
        "send": { "pin": "pin", "caller": "caller" }, "next": "bye", "failed": "bye" });
    json!({
        "name": "Bank",
        "nodes": { "start": pin, "ask": ask, "bye": { "kind": "hang_up" } },
        "variables": { "pin": { "kind": "string" } },
        "fallback": { "kind": "hang_up" },
    })
}

async fn bank_server() -> Server {
    let server = Server::start().await;
    server.make("/services", json!({ "name": "Bank", "address": "https://bank.example.com/api" })).await;
    server.make("/flows", bank()).await;
    server.make("/numbers", json!({ "number": "+49301", "line": "connected", "target": { "kind": "flow", "id": "Bank" } })).await;
    server
}

/// Files below a directory that hold a text.
fn holding(directory: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if std::fs::read(&path).unwrap().windows(text.len()).any(|part| part == text.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[tokio::test]
async fn a_secret_number_is_in_no_file_of_the_store_and_in_no_answer() {
    let server = bank_server().await;
    let server = server
        .restart(async |store, tenant| {
            let mut past = Past::after(store, tenant).await;
            let leg = past.arrive("+4917098765", "+49301");
            for digit in PIN.chars() {
                past.press(leg, digit);
            }
            past.hang_up(leg);
            past.write(store, tenant).await;
        })
        .await;
    let listed = server.get("/conversations").await.ok();
    let id = listed["items"][0]["id"].as_str().unwrap();
    let trace = server.get(&format!("/conversations/{id}/trace")).await.ok().to_string();
    assert!(trace.contains("flow_keyed") && !trace.contains(PIN), "{trace}");
    let journal = {
        let mut facts = Vec::new();
        server.state.store().replay(server.tenant, 0, |stamped| facts.push(serde_json::to_string(&stamped).unwrap())).await.unwrap();
        facts.join("\n")
    };
    assert!(journal.contains("+4917098765") && journal.contains("ask_service") && journal.contains("•"), "{journal}");
    assert!(!journal.contains(PIN) && PIN.chars().all(|key| !journal.contains(&format!("\"key\":\"{key}\""))), "{journal}");
    let directory = server.stop().await;
    assert!(!holding(directory.path(), "+4917098765").is_empty(), "the call itself is there");
    assert_eq!(holding(directory.path(), PIN), Vec::<String>::new());
}

#[tokio::test]
async fn a_dry_run_shows_marks() {
    let server = bank_server().await;
    let script = json!({ "flow": bank(), "id": server.get("/flows").await.ok()["items"][0]["id"], "caller": "+49170",
        "answers": [{ "keys": PIN }, { "service": {} }] });
    let trace = server.post("/flows/dry-run", script).await.ok();
    assert_eq!((&trace["steps"][0]["keyed"], &trace["steps"][0]["set"]), (&json!("•••"), &json!({ "pin": "•••" })));
    assert_eq!(trace["steps"][1]["asked"]["send"], json!({ "pin": "•••", "caller": "+49170" }));
    assert!(!trace.to_string().contains(PIN), "{trace}");
}

#[tokio::test]
async fn other_uses_are_refused_and_the_mark_of_privacy_is_exported() {
    let server = bank_server().await;
    let mut spoken = bank();
    spoken["name"] = json!("Other");
    spoken["nodes"]["bye"]["says"] = says("You typed {pin}.");
    let refused = server.post("/flows", spoken).await.problem(422, "CORE-003");
    assert_eq!(refused["field"], "nodes.bye.says");
    let exported = server.get("/configuration").await.ok();
    assert_eq!(exported["flows"][0]["nodes"]["start"]["private"], true);
    assert_eq!(server.post("/configuration", exported).await.ok()["changes"], json!([]));
}
