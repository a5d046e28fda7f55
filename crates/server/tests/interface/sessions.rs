//! Signing in and out, people, tokens.

use super::server::{PASSWORD, Server};
use dreiklang_server::auth::Role;
use reqwest::{Method, header};
use serde_json::{Value, json};

pub struct Page<'a> {
    server: &'a Server,
    cookie: String,
    pub csrf: String,
}

impl Page<'_> {
    pub async fn sign_in<'a>(server: &'a Server, user: &str, password: &str) -> Page<'a> {
        let answer = sign_in(server, user, password).await;
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        let csrf = answer.ok()["csrf_token"].as_str().unwrap().to_owned();
        Page { server, cookie, csrf }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.server.client.request(method, self.server.url(&format!("/api/v1{path}"))).header(header::COOKIE, &self.cookie)
    }
}

async fn sign_in(server: &Server, user: &str, password: &str) -> super::server::Answer {
    server.send(server.client.post(server.url("/api/v1/session")).json(&json!({ "user": user, "password": password }))).await
}

#[tokio::test]
async fn a_page_signs_in_acts_and_signs_out() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let page = Page::sign_in(&server, admin, PASSWORD).await;
    let me = server.send(page.request(Method::GET, "/me")).await.ok();
    assert_eq!((me["name"].as_str(), me["tenant_name"].as_str(), &me["roles"]), (Some(admin), Some("Test"), &json!(["administrator"])));
    assert_eq!(me["csrf_token"], page.csrf.as_str());
    let make = |name: &str| page.request(Method::POST, "/skills").json(&json!({ "name": name }));
    server.send(make("a")).await.problem(403, "AUTH-005");
    server.send(make("b").header("x-csrf-token", "guess")).await.problem(403, "AUTH-005");
    server.send(make("c").header("x-csrf-token", &page.csrf).header(header::ORIGIN, "https://evil.example")).await.problem(403, "AUTH-005");
    assert_eq!(server.send(make("d").header("x-csrf-token", &page.csrf)).await.status, 201);
    assert_eq!(server.send(page.request(Method::DELETE, "/session").header("x-csrf-token", &page.csrf)).await.status, 204);
    server.send(page.request(Method::GET, "/me")).await.problem(401, "AUTH-001");
    let audit = server.get("/audit").await.ok();
    let actions: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["action"].as_str().unwrap(), entry["actor"].as_str().unwrap()))
        .collect();
    assert_eq!(actions, [("skill.created", "user:admin"), ("sign_in", "user:admin")]);
}

#[tokio::test]
async fn guessing_is_stopped() {
    let server = Server::start_with(|config| config.http.trusted_proxies = vec![[127, 0, 0, 1].into()]).await;
    let admin = server.administrator().await;
    let guess = async |from: &str, user: &str, password: &str| {
        let body = json!({ "user": user, "password": password });
        server.send(server.client.post(server.url("/api/v1/session")).header("x-forwarded-for", from).json(&body)).await
    };
    let wrong = guess("192.0.2.1", admin, "wrong words of mine").await.problem(401, "AUTH-002");
    let nobody = guess("192.0.2.1", "nobody", "wrong words of mine").await.problem(401, "AUTH-002");
    assert_eq!(wrong["detail"], nobody["detail"], "nobody learns which users exist");
    for _ in 1..dreiklang_server::limits::ATTEMPTS_PER_USER {
        guess("192.0.2.2", admin, "wrong words of mine").await.problem(401, "AUTH-002");
    }
    let stopped = guess("192.0.2.3", admin, PASSWORD).await;
    assert!(stopped.header("retry-after").parse::<u64>().unwrap() > 0);
    stopped.problem(429, "AUTH-003");
    let audit = server.get("/audit?limit=500").await.ok();
    let failed = audit["items"].as_array().unwrap().iter().filter(|entry| entry["action"] == "sign_in.failed").count();
    assert_eq!(failed, dreiklang_server::limits::ATTEMPTS_PER_USER as usize, "the operator sees it");
}

#[tokio::test]
async fn people_are_made_changed_and_removed() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let (_, agent, _) = server.office().await;
    let made = server.post("/users", json!({ "name": "ada", "roles": ["agent"], "agent": agent })).await.ok();
    let password = made["password"].as_str().expect("made up and shown once").to_owned();
    assert_eq!(server.get("/users/ada").await.ok().get("password"), None);
    server.post("/users", json!({ "name": "ada", "roles": ["agent"], "agent": agent })).await.problem(409, "API-006");
    server.post("/users", json!({ "name": "bob", "roles": ["agent"] })).await.problem(422, "API-002");
    server.post("/users", json!({ "name": "bob", "roles": ["king"] })).await.problem(400, "API-001");
    server.post("/users", json!({ "name": "bob", "roles": ["supervisor"], "password": "short" })).await.problem(422, "AUTH-006");

    let page = Page::sign_in(&server, "ada", &password).await;
    let duty =
        page.request(Method::PUT, &format!("/agents/{agent}/duty")).header("x-csrf-token", &page.csrf).json(&json!({ "duty": "on_duty" }));
    assert_eq!(server.send(duty).await.status, 204, "her own state");
    let other = server.make("/agents", json!({ "name": "Bob", "endpoint": { "kind": "desk", "value": "bob" } })).await;
    let duty =
        page.request(Method::PUT, &format!("/agents/{other}/duty")).header("x-csrf-token", &page.csrf).json(&json!({ "duty": "on_duty" }));
    server.send(duty).await.problem(403, "AUTH-004");

    server.put("/users/ada", json!({ "display_name": "Ada", "roles": ["agent"], "agent": agent, "disabled": true })).await.ok();
    server.send(page.request(Method::GET, "/me")).await.problem(401, "AUTH-001");
    sign_in(&server, "ada", &password).await.problem(401, "AUTH-002");
    assert_eq!(server.delete("/users/ada").await.status, 204);
    server.delete(&format!("/users/{admin}")).await.problem(409, "AUTH-007");
    server.put(&format!("/users/{admin}"), json!({ "display_name": "x", "roles": ["auditor"] })).await.problem(409, "AUTH-007");
}

#[tokio::test]
async fn a_changed_password_ends_all_sessions() {
    let server = Server::start().await;
    let admin = server.administrator().await;
    let page = Page::sign_in(&server, admin, PASSWORD).await;
    let change = |present: &str| {
        page.request(Method::PUT, "/me/password")
            .header("x-csrf-token", &page.csrf)
            .json(&json!({ "present": present, "new": "other words of mine" }))
    };
    server.send(change("wrong words of mine")).await.problem(401, "AUTH-002");
    assert_eq!(server.send(change(PASSWORD)).await.status, 204);
    server.send(page.request(Method::GET, "/me")).await.problem(401, "AUTH-001");
    assert_eq!(sign_in(&server, admin, "other words of mine").await.status, 200);
}

#[tokio::test]
async fn a_token_is_shown_once_and_ends_when_removed() {
    let server = Server::start().await;
    let made = server.post("/tokens", json!({ "name": "crm", "roles": ["program"] })).await.ok();
    let secret = made["secret"].as_str().unwrap().to_owned();
    let ask = || server.client.get(server.url("/api/v1/me")).bearer_auth(&secret);
    assert_eq!(server.send(ask()).await.ok()["roles"], json!(["program"]));
    let list = server.get("/tokens").await.ok();
    assert!(list["items"].as_array().unwrap().iter().all(|token: &Value| token.get("secret").is_none()));
    assert!(list["items"].as_array().unwrap().iter().any(|token| token["name"] == "crm" && token["last_used_at"].is_i64()));
    server.post("/tokens", json!({ "name": "crm", "roles": ["program"] })).await.problem(409, "API-006");
    server.post("/tokens", json!({ "name": "old", "roles": ["program"], "expires_at": 1 })).await.problem(422, "API-002");
    assert_eq!(server.delete("/tokens/crm").await.status, 204);
    server.send(ask()).await.problem(401, "AUTH-001");
    assert!(server.token_for(&[Role::Auditor]).await.starts_with("dkt_"));
}
