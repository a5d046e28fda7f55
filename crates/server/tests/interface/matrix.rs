//! Who may do what: every operation asked by every role.

use super::server::Server;
use dreiklang_server::auth::Role;
use reqwest::Method;
use serde_json::Value;
use std::{fmt::Write as _, fs};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/authorization.txt");

/// Operations with the roles their description names.
fn operations() -> Vec<(String, Method, String, Vec<String>)> {
    let document = serde_json::to_value(dreiklang_server::api::openapi()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(roles) = operation["x-roles"].as_array() else { continue };
            let roles = roles.iter().map(|role| role.as_str().unwrap().to_owned()).collect();
            let name = operation["operationId"].as_str().unwrap().to_owned();
            all.push((name, method.to_uppercase().parse().unwrap(), path.clone(), roles));
        }
    }
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

#[test]
fn the_matrix_is_the_one_written_down() {
    let mut text = String::from("# Who may do what. Changed by changing auth/role.rs and running the tests with UPDATE_GOLDEN=1.\n");
    for (name, _, _, roles) in operations() {
        writeln!(text, "{name}: {}", roles.join(" ")).unwrap();
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(GOLDEN, &text).unwrap();
    }
    let golden = fs::read_to_string(GOLDEN).unwrap();
    assert!(
        golden == text,
        "somebody may do something else now; if that is wanted, run the tests with UPDATE_GOLDEN=1 and look at the difference"
    );
}

#[tokio::test]
async fn the_server_keeps_to_the_matrix() {
    let server = Server::start().await;
    let operations = operations();
    for role in Role::ALL {
        let token = server.token_for(&[role]).await;
        for (name, method, path, roles) in &operations {
            // Nothing of this exists, so that whoever is let through changes nothing.
            let place = path.replace("{id}", "none").replace("{name}", "none").replace("{job}", "0");
            let request =
                server.client.request(method.clone(), server.url(&format!("/api/v1{place}"))).bearer_auth(&token).header("if-match", "*");
            let request = if *method == Method::GET || *method == Method::DELETE {
                request
            } else {
                request.header("content-type", "application/json").body("{}")
            };
            let answer = server.send(request).await;
            let refused =
                answer.status == 403 && serde_json::from_slice::<Value>(&answer.body).is_ok_and(|problem| problem["code"] == "AUTH-004");
            let may = roles.iter().any(|allowed| allowed == role.as_str());
            // Own conversations and own state: a token is no agent, so the general permission is not enough there.
            let needs_agent = role == Role::Agent && ["listConversations", "listWritten"].contains(&name.as_str());
            assert_eq!(
                refused,
                !may || needs_agent,
                "{name} by {}: {} {}",
                role.as_str(),
                answer.status,
                String::from_utf8_lossy(&answer.body)
            );
            assert!(answer.status < 500, "{name}: {}", String::from_utf8_lossy(&answer.body));
        }
    }
}

#[tokio::test]
async fn without_signing_in_nothing_is_possible() {
    let server = Server::start().await;
    for (name, method, path, _) in operations() {
        let place = path.replace("{id}", "none").replace("{name}", "none").replace("{job}", "0");
        let answer = server.send(server.client.request(method, server.url(&format!("/api/v1{place}")))).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "AUTH-001"), "{name}");
    }
}
