//! Everything as one document.

use super::server::Server;
use reqwest::Method;
use serde_json::{Value, json};

const DOCUMENT: &str = r#"
version = 1

[[skills]]
name = "german"

[[queues]]
name = "Support"
ring_ms = 15000
skills = [{ skill = "german", level = 3 }]

[[agents]]
name = "Ada"
endpoint = { kind = "desk", value = "ada" }
queues = ["Support"]
skills = [{ skill = "german", level = 8 }]

[[numbers]]
number = "+49301234500"
target = { kind = "queue", id = "Support" }

[[trunks]]
name = "Carrier"
sources = ["192.0.2.0/24"]

[[phones]]
user = "ada"
agent = "Ada"
password = "a long password"

[[webhooks]]
name = "CRM"
url = "https://crm.example.com/hooks"
"#;

async fn apply(server: &Server, query: &str, document: &str) -> super::server::Answer {
    let request = server.client.post(server.url(&format!("/api/v1/configuration{query}"))).bearer_auth(&server.token);
    server.send(request.header("content-type", "application/toml").body(document.to_owned())).await
}

fn actions(applied: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    applied["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| format!("{} {} {}", text(&change["action"]), text(&change["kind"]), text(&change["name"])))
        .collect()
}

#[tokio::test]
async fn applying_twice_changes_nothing_the_second_time() {
    let server = Server::start().await;
    let would = apply(&server, "?dry_run=true", DOCUMENT).await.ok();
    assert_eq!(would["dry_run"], true);
    assert_eq!(server.get("/queues").await.ok()["items"], json!([]), "a dry run changes nothing");
    let applied = apply(&server, "", DOCUMENT).await.ok();
    assert_eq!(actions(&applied), actions(&would));
    assert_eq!(
        actions(&applied),
        [
            "create skill german",
            "create agent Ada",
            "create queue Support",
            "create number +49301234500",
            "create trunk Carrier",
            "create phone ada",
            "create webhook CRM"
        ]
    );
    let again = apply(&server, "", DOCUMENT).await.ok();
    assert_eq!((actions(&again), again["unchanged"].as_u64()), (Vec::new(), Some(7)));
    let world = server.world(|world| (world.queues().count(), world.agents().count(), world.numbers().count()));
    assert_eq!(world.await, (1, 1, 1));
}

#[tokio::test]
async fn what_is_exported_can_be_applied_elsewhere_and_holds_no_secret() {
    let server = Server::start().await;
    apply(&server, "", DOCUMENT).await.ok();
    let exported = server.get("/configuration?format=toml").await;
    assert_eq!(exported.header("content-type"), "application/toml");
    let text = String::from_utf8(exported.body).unwrap();
    assert!(!text.contains("a long password") && !text.contains("whsec_"), "{text}");
    assert!(text.contains("\"Support\"") && !text.contains("que_"), "names, not ids:\n{text}");
    let again = apply(&server, "", &text).await.ok();
    assert_eq!(actions(&again), Vec::<String>::new(), "what is exported is what is there");
    let elsewhere = Server::start().await;
    let refused = apply(&elsewhere, "", &text).await.problem(422, "API-002");
    assert!(refused["field"].as_str().unwrap().contains("phone \"ada\""), "the password is missing there: {refused}");
    let json = server.get("/configuration").await.ok();
    assert_eq!(json["agents"][0]["queues"], json!(["Support"]));
}

#[tokio::test]
async fn a_difference_is_shown_field_by_field() {
    let server = Server::start().await;
    apply(&server, "", DOCUMENT).await.ok();
    let applied = apply(&server, "?dry_run=true", &DOCUMENT.replace("15000", "16000").replace("level = 8", "level = 9")).await.ok();
    assert_eq!(actions(&applied), ["change agent Ada", "change queue Support"]);
    assert_eq!(applied["changes"][0]["fields"]["skills"][1][0], json!({ "skill": "german", "level": 9 }));
    assert_eq!(applied["changes"][1]["fields"], json!({ "ring_ms": [15_000, 16_000] }));
    let secret = apply(&server, "?dry_run=true", &DOCUMENT.replace("a long password", "another password")).await.ok();
    assert_eq!(actions(&secret), ["change phone ada"]);
    assert!(!secret.to_string().contains("another password"), "{secret}");
}

#[tokio::test]
async fn a_document_is_applied_whole_or_not_at_all() {
    let server = Server::start().await;
    let wrong = DOCUMENT.replace("ring_ms = 15000", "ring_ms = 15000\npriority = 101");
    for query in ["?dry_run=true", ""] {
        let refused = apply(&server, query, &wrong).await.problem(422, "CORE-003");
        assert_eq!(refused["field"], "queue \"Support\": priority", "{refused}");
    }
    assert_eq!(server.get("/skills").await.ok()["items"], json!([]));
    let missing = apply(&server, "", &DOCUMENT.replace("queues = [\"Support\"]", "queues = [\"Sales\"]")).await.problem(422, "API-002");
    assert!(missing["field"].as_str().unwrap().starts_with("agent \"Ada\""), "{missing}");
    apply(&server, "", "[[queues]]\nnom = \"x\"").await.problem(400, "API-001");
    apply(&server, "", "version = 2").await.problem(422, "API-002");
    let twice = "[[skills]]\nname = \"a\"\n[[skills]]\nname = \"a\"";
    apply(&server, "", twice).await.problem(422, "API-002");
    let text = server
        .client
        .post(server.url("/api/v1/configuration"))
        .bearer_auth(&server.token)
        .header("content-type", "text/plain")
        .body(DOCUMENT);
    server.send(text).await.problem(415, "API-010");
}

#[tokio::test]
async fn pruning_removes_what_is_not_named() {
    let server = Server::start().await;
    apply(&server, "", DOCUMENT).await.ok();
    let less = "[[skills]]\nname = \"german\"\n";
    assert_eq!(actions(&apply(&server, "", less).await.ok()), Vec::<String>::new(), "without pruning everything else stays");
    let applied = apply(&server, "?prune=true", less).await.ok();
    assert_eq!(
        actions(&applied),
        [
            "remove webhook CRM",
            "remove phone ada",
            "remove trunk Carrier",
            "remove number +49301234500",
            "remove agent Ada",
            "remove queue Support"
        ]
    );
    let world = server.world(|world| (world.skills().count(), world.queues().count(), world.agents().count(), world.numbers().count()));
    assert_eq!(world.await, (1, 0, 0, 0));
    let audit = server.call(Method::GET, "/audit?limit=1", None, &[]).await.ok();
    assert_eq!(
        (audit["items"][0]["action"].as_str(), audit["items"][0]["detail"]["changes"].as_u64()),
        (Some("configuration.applied"), Some(6))
    );
}

#[tokio::test]
async fn a_large_configuration_is_applied_in_one_go() {
    let server = Server::start().await;
    let agents: Vec<_> = (0..1_500)
        .map(|index| json!({ "name": format!("Agent {index}"), "endpoint": { "kind": "desk", "value": format!("a{index}") } }))
        .collect();
    let applied = server.post("/configuration", json!({ "agents": agents })).await.ok();
    assert_eq!(applied["changes"].as_array().unwrap().len(), 1_500);
    assert_eq!(server.world(|world| world.agents().count()).await, 1_500);
    let server = server.restart(async |_, _| {}).await;
    assert_eq!(server.world(|world| world.agents().count()).await, 1_500);
}

const IN_A_CIRCLE: &str = r#"
version = 1

[[holidays]]
name = "Berlin"
days = [{ date = "2026-12-25", name = "Christmas" }]

[[hours]]
name = "Shop"
time_zone = "Europe/Berlin"
holidays = ["Berlin"]

[[queues]]
name = "Support"
routing = { rings = [{ after_ms = 20000, queues = ["Reserve"], agents = ["Ada"] }] }
waiting = { hours = "Shop", overflow = [{ when = { kind = "closed" }, to = { kind = "queue", to = "Reserve" } }] }

[[queues]]
name = "Reserve"
waiting = { keys = { 1 = { kind = "agent", to = "Ada" }, 2 = { kind = "queue", to = "Support" }, 3 = { kind = "flow", to = "Reception" } } }

[[flows]]
name = "Reception"
fallback = { kind = "hang_up" }
nodes = { start = { kind = "queue", queue = "Reserve", otherwise = "later" }, later = { kind = "callback", queue = "Support" } }

[[agents]]
name = "Ada"
endpoint = { kind = "desk", value = "ada" }
queues = ["Support", "Reserve"]
languages = [{ language = "de", level = 9 }]

[[caller_lists]]
name = "Best customers"
callers = [{ number = "+4989*" }]
treatment = { kind = "favor", priority = 90, preferred = { agent = "Ada", wait_ms = 10000 } }
"#;

#[tokio::test]
async fn documents_that_name_each_other_come_and_go_together() {
    let server = Server::start().await;
    let applied = apply(&server, "", IN_A_CIRCLE).await.ok();
    assert_eq!(applied["changes"].as_array().unwrap().len(), 7, "{applied}");
    assert_eq!(apply(&server, "", IN_A_CIRCLE).await.ok()["unchanged"], 7);
    let leads = server.world(|world| world.queues().map(|queue| queue.settings.waiting.keys.len()).sum::<usize>());
    assert_eq!(leads.await, 3);
    let request = server.client.get(server.url("/api/v1/configuration?format=toml")).bearer_auth(&server.token);
    let exported = String::from_utf8(server.send(request).await.body.to_vec()).unwrap();
    assert_eq!(apply(&server, "", &exported).await.ok()["changes"], json!([]), "what was exported is what there is: {exported}");
    let gone = apply(&server, "?prune=true", "version = 1").await.ok();
    assert_eq!(gone["changes"].as_array().unwrap().len(), 7, "{gone}");
    let left = server.world(|world| (world.queues().count(), world.agents().count(), world.hours().count(), world.flows().count()));
    assert_eq!(left.await, (0, 0, 0, 0));
}

const FLOWS_IN_A_CIRCLE: &str = r#"
[[flows]]
name = "Accounts"
fallback = { kind = "hang_up" }
nodes = { start = { kind = "transfer", to = { kind = "flow", to = "Reception" } } }

[[flows]]
name = "Reception"
fallback = { kind = "queue", to = "Support" }
nodes = { start = { kind = "transfer", to = { kind = "flow", to = "Accounts" }, otherwise = "late" }, late = { kind = "transfer", to = { kind = "flow", to = "Zero" } } }

[[flows]]
name = "Zero"
fallback = { kind = "hang_up" }
nodes = { start = { kind = "queue", queue = "Support" } }

[[queues]]
name = "Support"
waiting = { keys = { 1 = { kind = "flow", to = "Zero" } } }

[[numbers]]
number = "+49301234500"
target = { kind = "flow", id = "Accounts" }
"#;

/// The tables of a document, each as it stands there.
fn tables(document: &str) -> Vec<&str> {
    let starts: Vec<usize> = document.match_indices("[[").map(|(at, _)| at).filter(|at| document[..*at].ends_with('\n')).collect();
    let ends = starts.iter().skip(1).copied().chain([document.len()]);
    starts.iter().zip(ends).map(|(start, end)| &document[*start..end]).collect()
}

#[tokio::test]
async fn flows_that_lead_to_each_other_come_and_go_together_in_whatever_order() {
    let mut tables = tables(FLOWS_IN_A_CIRCLE);
    assert_eq!(tables.len(), 5);
    for _ in 0..tables.len() {
        tables.rotate_left(1);
        let document = tables.concat();
        let server = Server::start().await;
        let would = apply(&server, "?dry_run=true", &document).await.ok();
        assert_eq!(would["changes"].as_array().unwrap().len(), 5, "{would}");
        assert_eq!(server.world(|world| world.flows().count()).await, 0, "a dry run changes nothing");
        apply(&server, "", &document).await.ok();
        let again = apply(&server, "", &document).await.ok();
        assert_eq!((actions(&again), again["unchanged"].as_u64()), (Vec::new(), Some(5)));
        let drawn = server.world(|world| world.flows().map(|(_, version, flow)| (version, flow.start.clone())).collect::<Vec<_>>());
        assert_eq!(drawn.await, vec![(1, "start".to_owned()); 3], "each is drawn, as its first version");
        for flow in server.get("/flows").await.ok()["items"].as_array().unwrap() {
            assert_eq!(flow["version"], 1, "{flow}");
        }
        let gone = apply(&server, "?prune=true", "version = 1").await.ok();
        assert_eq!(gone["changes"].as_array().unwrap().len(), 5, "{gone}");
        assert_eq!(server.world(|world| (world.flows().count(), world.queues().count())).await, (0, 0));
    }
}

#[tokio::test]
async fn a_mistake_in_one_of_flows_that_lead_to_each_other_is_named_and_changes_nothing() {
    let server = Server::start().await;
    let lost = FLOWS_IN_A_CIRCLE.replace("otherwise = \"late\"", "otherwise = \"nowhere\"");
    for query in ["?dry_run=true", ""] {
        let refused = apply(&server, query, &lost).await.problem(422, "CORE-003");
        assert_eq!(refused["field"], "flow \"Reception\": nodes.start.otherwise", "{refused}");
        assert!(refused["detail"].as_str().unwrap().contains("name one or draw it"), "{refused}");
    }
    let unknown = FLOWS_IN_A_CIRCLE.replace("to = \"Accounts\" }, o", "to = \"Bookkeeping\" }, o");
    let refused = apply(&server, "", &unknown).await.problem(422, "API-002");
    assert!(refused["field"].as_str().unwrap().starts_with("flow \"Reception\": "), "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("\"Bookkeeping\""), "{refused}");
    for path in ["/flows", "/queues", "/numbers"] {
        assert_eq!(server.get(path).await.ok()["items"], json!([]), "{path}");
    }
    assert_eq!(server.world(|world| (world.flows().count(), world.queues().count())).await, (0, 0));
    apply(&server, "", FLOWS_IN_A_CIRCLE).await.ok();
}
