//! What surrounds every request.

use super::server::Server;
use dreiklang_server::auth::Role;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn every_answer_carries_an_id_and_protection() {
    let server = Server::start().await;
    let answer = server.call(Method::GET, "/me", None, &[("x-request-id", "mine-1")]).await;
    assert_eq!(answer.header("x-request-id"), "mine-1");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("x-frame-options"), "DENY");
    assert!(answer.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let page = server.send(server.client.get(server.url("/"))).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    for path in ["/app.js", "/app.css", "/icon.svg"] {
        assert_eq!(server.send(server.client.get(server.url(path))).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let server = Server::start().await;
    server.get("/nothing").await.problem(404, "API-003");
    server.send(server.client.get(server.url("/nothing"))).await.problem(404, "API-003");
    server.call(Method::PATCH, "/queues", None, &[]).await.problem(405, "API-008");
    let text = server.client.post(server.url("/api/v1/queues")).bearer_auth(&server.token).body("name=x");
    server.send(text).await.problem(415, "API-010");
    let broken =
        server.client.post(server.url("/api/v1/queues")).bearer_auth(&server.token).header("content-type", "application/json").body("{");
    server.send(broken).await.problem(400, "API-001");
    let long = json!({ "name": "x".repeat(dreiklang_server::limits::BODY_BYTES) });
    server.post("/queues", long).await.problem(413, "API-007");
}

#[tokio::test]
async fn nothing_is_told_to_strangers() {
    let server = Server::start().await;
    server.send(server.client.get(server.url("/api/v1/queues"))).await.problem(401, "AUTH-001");
    server.send(server.client.get(server.url("/api/v1/queues")).bearer_auth("dkt_guess")).await.problem(401, "AUTH-001");
    server.send(server.client.get(server.url("/api/v1/live"))).await.problem(401, "AUTH-001");
}

#[tokio::test]
async fn machines_learn_whether_it_is_alive_and_ready() {
    let server = Server::start().await;
    assert_eq!(server.send(server.client.get(server.url("/livez"))).await.status, 200);
    let ready = server.send(server.client.get(server.url("/readyz"))).await;
    assert_eq!((ready.status, ready.json()["ready"].as_bool()), (200, Some(true)), "{}", ready.json());
    server.state.store().put_tenant(dreiklang_core::ids::TenantId(99), "Elsewhere").await.unwrap();
    let ready = server.send(server.client.get(server.url("/readyz"))).await;
    assert_eq!(ready.status, 503);
    assert!(ready.json()["problems"][0].as_str().unwrap().contains("Elsewhere"), "{}", ready.json());
}

#[tokio::test]
async fn figures_are_for_this_machine_and_those_who_may_see_reports() {
    let server = Server::start().await;
    let (queue, ..) = server.office().await;
    let _ = queue;
    let figures = server.send(server.client.get(server.url("/metrics"))).await;
    assert_eq!(figures.status, 200);
    let text = String::from_utf8(figures.body).unwrap();
    for wanted in [
        "dreiklang_queue_waiting{queue=\"Support\"} 0",
        "dreiklang_agents{occupation=\"idle\"} 1",
        "dreiklang_build_info{version=",
        "dreiklang_api_request_seconds_count{operation=\"POST /api/v1/queues\",status=\"201\"} 1",
        "dreiklang_journal_append_seconds_count",
        "# EOF",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    // As if it came through a proxy on this machine.
    let forwarded = || server.client.get(server.url("/metrics")).header("x-forwarded-for", "203.0.113.1");
    server.send(forwarded()).await.problem(401, "AUTH-001");
    let program = server.token_for(&[Role::Program]).await;
    assert_eq!(server.send(forwarded().bearer_auth(program)).await.status, 200);
}

/// Names are part of the interface: dashboards and alarms are made of them.
#[test]
fn the_figures_are_the_ones_written_down() {
    const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/metrics.txt");
    let text = dreiklang_server::metrics::Metrics::new().encode();
    let lines = text.lines().filter(|line| line.starts_with("# HELP") || line.starts_with("# TYPE") || line.starts_with("# UNIT"));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &text).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    assert!(golden == text, "figures changed; if that is wanted, run the tests with UPDATE_GOLDEN=1 and look at the difference");
}

#[tokio::test]
async fn a_second_tenant_sees_nothing_of_the_first() {
    let server = Server::start().await;
    let (queue, agent, _) = server.office().await;
    let other = dreiklang_core::ids::TenantId(7_000);
    server.state.store().put_tenant(other, "Other").await.unwrap();
    server.state.runtime().add_tenant(other).await.unwrap();
    dreiklang_server::setup::prepare(&server.state, other).await.unwrap();
    let roles = [Role::Administrator].into();
    let (_, token) = dreiklang_server::api::v1::users::make_token(server.state.store(), other, "theirs", &roles, None).await.unwrap();
    let ask = |method: Method, path: String| {
        server.client.request(method, server.url(&format!("/api/v1{path}"))).bearer_auth(&token).header("if-match", "*")
    };
    assert_eq!(server.send(ask(Method::GET, "/queues".into())).await.ok()["items"], json!([]));
    server.send(ask(Method::GET, format!("/queues/{queue}"))).await.problem(404, "API-003");
    server.send(ask(Method::DELETE, format!("/queues/{queue}"))).await.problem(404, "API-003");
    server.send(ask(Method::PUT, format!("/agents/{agent}/duty")).json(&json!({ "duty": "on_duty" }))).await.problem(404, "CORE-001");
    let snapshot = server.send(ask(Method::GET, "/live/snapshot".into())).await.ok();
    assert_eq!((&snapshot["queues"], &snapshot["agents"]), (&json!([]), &json!([])));
    assert_eq!(server.send(ask(Method::GET, "/audit".into())).await.ok()["items"], json!([]));
}
