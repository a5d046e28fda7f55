//! Documents: made, read, changed, removed.

use super::server::Server;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_queue_is_made_read_changed_and_removed() {
    let server = Server::start().await;
    let made = server.post("/queues", json!({ "name": "Support" })).await;
    assert_eq!((made.status, made.header("etag")), (201, "\"1\""));
    let place = made.header("location").to_owned();
    let queue = made.ok();
    let path = place.strip_prefix("/api/v1").unwrap();
    assert_eq!(path, format!("/queues/{}", queue["id"].as_str().unwrap()));
    assert_eq!(queue["ring_ms"], 20_000, "what is left out is filled in");

    let read = server.get(path).await;
    assert_eq!(read.header("etag"), "\"1\"");
    assert_eq!(read.ok(), queue);
    let unchanged = server.call(Method::GET, path, None, &[("if-none-match", "\"1\"")]).await;
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));

    let changed = server.call(Method::PUT, path, Some(json!({ "name": "Support", "ring_ms": 15_000 })), &[("if-match", "\"1\"")]).await;
    assert_eq!(changed.header("etag"), "\"2\"");
    assert_eq!(changed.ok()["ring_ms"], 15_000);
    let in_effect = server.world(|world| world.queues().map(|queue| queue.settings.ring.0).collect::<Vec<_>>());
    assert_eq!(in_effect.await, [15_000], "the owner decides by it");

    let removed = server.call(Method::DELETE, path, None, &[("if-match", "\"2\"")]).await;
    assert_eq!(removed.status, 204);
    server.get(path).await.problem(404, "API-003");
    let gone = server.world(|world| world.queues().count());
    assert_eq!(gone.await, 0);
}

#[tokio::test]
async fn nobodys_change_is_lost() {
    let server = Server::start().await;
    let id = server.make("/skills", json!({ "name": "german" })).await;
    let path = format!("/skills/{id}");
    server.call(Method::PUT, &path, Some(json!({ "name": "x" })), &[]).await.problem(428, "API-005");
    server.call(Method::DELETE, &path, None, &[]).await.problem(428, "API-005");
    server.call(Method::PUT, &path, Some(json!({ "name": "German" })), &[("if-match", "\"1\"")]).await.ok();
    let late = server.call(Method::PUT, &path, Some(json!({ "name": "Deutsch" })), &[("if-match", "\"1\"")]).await;
    assert_eq!(late.header("etag"), "\"2\"", "says which version is there");
    late.problem(412, "API-004");
    server.call(Method::DELETE, &path, None, &[("if-match", "\"1\"")]).await.problem(412, "API-004");
    assert_eq!(server.get(&path).await.ok()["name"], "German");
}

#[tokio::test]
async fn what_is_not_acceptable_names_field_and_remedy_and_leaves_nothing_behind() {
    let server = Server::start().await;
    server.make("/queues", json!({ "name": "Support" })).await;
    let too_short = server.post("/queues", json!({ "name": "Sales", "ring_ms": 1 })).await.problem(422, "CORE-003");
    assert_eq!(too_short["field"], "ring_ms");
    assert!(too_short["detail"].as_str().unwrap().contains("3000"), "{too_short}");
    let unknown = server.post("/queues", json!({ "name": "Sales", "rimg_ms": 1 })).await.problem(400, "API-001");
    assert!(unknown["detail"].as_str().unwrap().contains("rimg_ms"), "{unknown}");
    let wrong_kind = server.post("/queues", json!({ "name": 7 })).await.problem(400, "API-001");
    assert!(wrong_kind["detail"].as_str().unwrap().contains("string"), "{wrong_kind}");
    server.post("/queues", json!({ "name": "support" })).await.problem(422, "CORE-003");
    server.post("/queues", json!({ "name": "Sales", "skills": [{ "skill": "klingon" }] })).await.problem(422, "API-002");
    server.post("/queues", json!({ "name": "Sales", "hold_music": { "kind": "file", "name": "nothing" } })).await.problem(422, "API-002");
    let list = server.get("/queues").await.ok();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
}

#[tokio::test]
async fn references_are_ids_or_names_and_what_is_used_stays() {
    let server = Server::start().await;
    let skill = server.make("/skills", json!({ "name": "german" })).await;
    let queue = server.make("/queues", json!({ "name": "Support", "skills": [{ "skill": "german", "level": 3 }] })).await;
    assert_eq!(server.get(&format!("/queues/{queue}")).await.ok()["skills"][0]["skill"], skill.as_str(), "stored as id");
    let agent = server
        .make("/agents", json!({ "name": "Ada", "endpoint": { "kind": "desk", "value": "ada" }, "queues": [queue], "skills": [{ "skill": "german", "level": 5 }] }))
        .await;
    let number = server.make("/numbers", json!({ "number": "+4930100", "target": { "kind": "queue", "id": "Support" } })).await;
    let used = server.delete(&format!("/queues/{queue}")).await.problem(422, "CORE-003");
    assert!(used["detail"].as_str().unwrap().contains("+4930100"), "{used}");
    let phone = server.make("/phones", json!({ "user": "ada", "agent": "Ada", "password": "long enough" })).await;
    server.delete(&format!("/agents/{agent}")).await.problem(409, "API-013");
    for path in [
        format!("/phones/{phone}"),
        format!("/numbers/{number}"),
        format!("/agents/{agent}"),
        format!("/queues/{queue}"),
        format!("/skills/{skill}"),
    ] {
        assert_eq!(server.delete(&path).await.status, 204, "{path}");
    }
}

#[tokio::test]
async fn passwords_are_kept_and_never_shown() {
    let server = Server::start().await;
    server.office().await;
    let made = server.post("/phones", json!({ "user": "ada", "agent": "Ada", "password": "long enough" })).await.ok();
    assert_eq!(made.get("password"), None);
    let path = format!("/phones/{}", made["id"].as_str().unwrap());
    let changed = server.put(&path, json!({ "user": "ada2", "agent": "Ada" })).await.ok();
    assert_eq!((changed.get("password"), changed["user"].as_str()), (None, Some("ada2")));
    let entries = dreiklang_server::setup::entries(server.state.store(), server.tenant).await.unwrap();
    assert_eq!(entries.phones[0].password, "long enough", "left out, it stays");
    server.post("/phones", json!({ "user": "bob", "agent": "Ada", "password": "short" })).await.problem(422, "API-002");
    server.post("/phones", json!({ "user": "bob", "agent": "Nobody", "password": "long enough" })).await.problem(422, "API-002");
    server.post("/phones", json!({ "user": "ada2", "agent": "Ada", "password": "long enough" })).await.problem(409, "API-006");

    let trunk =
        json!({ "name": "Carrier", "peers": [{ "address": "sip.example.com" }], "registration": { "username": "u", "password": "p" } });
    let made = server.post("/trunks", trunk).await.ok();
    assert_eq!(made["registration"].get("password"), None);
    server.post("/trunks", json!({ "name": "Nothing" })).await.problem(422, "API-002");
    server.post("/trunks", json!({ "name": "Bad", "sources": ["everywhere"] })).await.problem(422, "API-002");
}

#[tokio::test]
async fn a_trunk_to_teams_has_what_teams_asks_for() {
    let server = Server::start().await;
    let teams = |change: Value| {
        let mut trunk = json!({ "name": "Teams", "dialect": "teams", "fqdn": "sbc.contoso.com", "prefixes": ["+493070"] });
        for (key, value) in change.as_object().into_iter().flatten() {
            trunk[key] = value.clone();
        }
        trunk
    };
    for (field, change) in [
        ("fqdn", json!({ "fqdn": null })),
        ("fqdn", json!({ "fqdn": "192.0.2.1" })),
        ("fqdn", json!({ "fqdn": "sbc" })),
        ("fqdn", json!({ "fqdn": format!("{}.example.com", "a".repeat(60)) })),
        ("fqdn", json!({ "dialect": "standard", "peers": [{ "address": "sip.example.com" }] })),
        ("peers.transport", json!({ "peers": [{ "address": "sip.pstnhub.microsoft.com" }] })),
        ("media_encryption", json!({ "media_encryption": "never" })),
        ("registration", json!({ "registration": { "username": "u", "password": "p" } })),
        ("prefixes", json!({ "prefixes": ["ada"] })),
    ] {
        let problem = server.post("/trunks", teams(change.clone())).await.problem(422, "API-002");
        assert!(problem.to_string().contains(field), "{change}: {problem}");
    }
    let made = server.post("/trunks", teams(json!({}))).await.ok();
    assert_eq!((&made["dialect"], &made["fqdn"], &made["prefixes"]), (&json!("teams"), &json!("sbc.contoso.com"), &json!(["+493070"])));
}

#[tokio::test]
async fn a_trunk_known_by_its_certificate_has_peers_that_show_one() {
    let server = Server::start().await;
    let trunk = |peers: Value| json!({ "name": "SBC", "identified_by": "certificate", "peers": peers, "sources": ["192.0.2.0/24"] });
    for peers in [json!([]), json!([{ "address": "sbc.example.com", "transport": "tcp" }])] {
        let problem = server.post("/trunks", trunk(peers.clone())).await.problem(422, "API-002");
        assert!(problem.to_string().contains("peers.transport"), "{peers}: {problem}");
    }
    let made = server.post("/trunks", trunk(json!([{ "address": "sbc.example.com", "transport": "tls" }]))).await.ok();
    assert_eq!(made["identified_by"], json!("certificate"));
}

#[tokio::test]
async fn a_list_comes_in_pages() {
    let server = Server::start().await;
    for name in ["a", "b", "c", "d", "e"] {
        server.make("/skills", json!({ "name": name })).await;
    }
    let mut names = Vec::new();
    let mut path = "/skills?limit=2".to_owned();
    loop {
        let page = server.get(&path).await.ok();
        names.extend(page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/skills?limit=2&cursor={next}");
    }
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    let one = server.get("/skills?name=c").await.ok();
    assert_eq!(one["items"].as_array().unwrap().len(), 1);
    server.get("/skills?limit=0").await.problem(422, "API-002");
    server.get("/skills?limit=many").await.problem(400, "API-001");
}

#[tokio::test]
async fn prompts_are_uploaded_played_and_removed() {
    let server = Server::start().await;
    let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x80\x3e\0\0".to_vec();
    wav.resize(wav.len() + 16_000, 1);
    let upload = |name: &'static str, bytes: Vec<u8>| {
        server
            .client
            .put(server.url(&format!("/api/v1/prompts/{name}")))
            .bearer_auth(&server.token)
            .header("content-type", "audio/wav")
            .body(bytes)
    };
    let made = server.send(upload("welcome", wav.clone())).await.ok();
    assert_eq!((made["duration_ms"].as_u64(), made["rate"].as_u64()), (Some(1_000), Some(8_000)));
    server.send(upload("bad", b"ID3 something".to_vec())).await.problem(422, "API-002");
    server.send(upload("..%2Fescape", wav.clone())).await.problem(422, "API-002");
    assert_eq!(server.get("/prompts").await.ok()["items"].as_array().unwrap().len(), 1);

    let whole = server.get("/prompts/welcome").await;
    assert_eq!((whole.status, whole.header("content-type"), &whole.body), (200, "audio/wav", &wav));
    let part = server.call(Method::GET, "/prompts/welcome", None, &[("range", "bytes=0-3")]).await;
    assert_eq!((part.status, part.body.as_slice()), (206, &b"RIFF"[..]));
    server.call(Method::GET, "/prompts/welcome", None, &[("range", "bytes=99999999-")]).await.problem(416, "API-011");

    let queue = server.make("/queues", json!({ "name": "Support", "hold_music": { "kind": "file", "name": "welcome" } })).await;
    server.delete("/prompts/welcome").await.problem(409, "API-013");
    server.delete(&format!("/queues/{queue}")).await.ok();
    assert_eq!(server.delete("/prompts/welcome").await.status, 204);
    server.get("/prompts/welcome").await.problem(404, "API-003");
}

#[tokio::test]
async fn documents_survive_a_restart_and_a_missed_one_is_taken_over() {
    let server = Server::start().await;
    let (queue, ..) = server.office().await;
    let server = server
        .restart(async |store, tenant| {
            // As if the process had died between storing a document and telling the owner.
            let document = dreiklang_store::NewDocument {
                kind: "skill".into(),
                id: "skl_00000000000000000000000007".into(),
                name: Some("german".into()),
                expected_version: Some(0),
                body: json!({ "name": "german" }),
            };
            store.put(tenant, document).await.unwrap();
        })
        .await;
    assert_eq!(server.get(&format!("/queues/{queue}")).await.ok()["name"], "Support");
    let world = server.world(|world| (world.queues().count(), world.skills().map(|skill| skill.name.clone()).collect::<Vec<_>>()));
    assert_eq!(world.await, (1, vec!["german".to_owned()]));
}

#[tokio::test]
async fn a_repeated_command_has_one_effect() {
    let server = Server::start().await;
    let body = || Some(json!({ "name": "german" }));
    let first = server.call(Method::POST, "/skills", body(), &[("idempotency-key", "one")]).await;
    let second = server.call(Method::POST, "/skills", body(), &[("idempotency-key", "one")]).await;
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(first.json(), second.json());
    server.call(Method::POST, "/skills", Some(json!({ "name": "other" })), &[("idempotency-key", "one")]).await.problem(422, "API-009");
    server.call(Method::POST, "/skills", body(), &[("idempotency-key", "two")]).await.problem(422, "CORE-003");
    assert_eq!(server.get("/skills").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn agents_states_are_changed_by_commands() {
    let server = Server::start().await;
    let (_, agent, _) = server.office().await;
    let path = format!("/agents/{agent}");
    assert_eq!(server.put(&format!("{path}/duty"), json!({ "duty": "on_duty" })).await.status, 204);
    assert_eq!(server.put(&format!("{path}/availability"), json!({ "state": "ready" })).await.status, 204);
    let state = server.get(&format!("{path}/state")).await.ok();
    assert_eq!(
        (state["duty"].as_str(), state["availability"]["state"].as_str(), state["routable"].as_bool()),
        (Some("on_duty"), Some("ready"), Some(true))
    );
    server.post(&format!("{path}/wrap-up/finish"), json!({})).await.problem(409, "CORE-002");
    server.put("/agents/agt_00000000000000000000000001/duty", json!({ "duty": "on_duty" })).await.problem(404, "CORE-001");
    server.put(&format!("{path}/duty"), json!({ "duty": "asleep" })).await.problem(400, "API-001");
    let snapshot = server.get("/live/snapshot").await.ok();
    assert_eq!(snapshot["queues"][0]["agents_ready"], 1);
}
