//! Trunks: signing in at a carrier, noticing that a peer is down, and taking a call over a stream. Another Dreiklang plays the
//! carrier: it has a registrar and answers health checks.

use anyhow::Result;
use dreiklang_tests::contact_center::ContactCenter;
use reqwest::Method;
use serde_json::{Value, json};

/// What the status says of one peer of the trunk.
fn peer<'a>(status: &'a Value, peer: &str) -> Option<&'a Value> {
    let peers = status["peers"].as_array()?;
    peers.iter().find(|found| found["trunk"] == "To the carrier" && found["peer"] == peer)
}

#[tokio::test]
async fn a_trunk_signs_in_and_its_health_is_known() -> Result<()> {
    let carrier = ContactCenter::open(json!({}), &["ours"]).await?;
    let center = ContactCenter::open(json!({}), &[]).await?;
    let address = carrier.server.sip.to_string();
    let by_name = address.replace("127.0.0.1", "localhost");
    let trunk = json!({
        "name": "To the carrier",
        "peers": [{ "address": address }, { "address": by_name, "transport": "tcp" }],
        "registration": { "username": "ours", "password": "ours-on-the-desk", "expires_s": 120 },
        "health_interval_s": 5,
    });
    center.request(Method::POST, "trunks", Some(trunk)).await?;
    center
        .wait_for("status", "the trunk to be signed in and up", |status| {
            let up = |name: &str| peer(status, name).is_some_and(|found| found["up"] == true);
            up("registration") && up(&address) && up(&by_name)
        })
        .await?;
    carrier.wait_for_agent("ours", "reachable", |state| state["reachable"] == true).await?;

    let ContactCenter { server, .. } = carrier;
    server.stop().await?;
    // A refused connection is noticed sooner than datagrams that nobody answers.
    let down = |status: &Value| peer(status, &by_name).is_some_and(|found| found["up"] == false && found["detail"].is_string());
    center.wait_for("status", "the peer to be down", down).await?;

    remove_trunks(&center).await?;
    center.wait_for("status", "the trunk to be forgotten", |status| peer(status, &address).is_none()).await?;
    Ok(())
}

/// Applies everything as it is, without trunks.
async fn remove_trunks(center: &ContactCenter) -> Result<()> {
    let mut present = center.request(Method::GET, "configuration", None).await?;
    present["trunks"] = json!([]);
    center.request(Method::POST, "configuration?prune=true", Some(present)).await?;
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_at_the_carrier_is_said_in_words() -> Result<()> {
    let carrier = ContactCenter::open(json!({}), &["ours"]).await?;
    let center = ContactCenter::open(json!({}), &[]).await?;
    let trunk = json!({
        "name": "To the carrier",
        "peers": [{ "address": carrier.server.sip.to_string() }],
        "registration": { "username": "ours", "password": "a-wrong-guess" },
        "health_interval_s": 0,
    });
    center.request(Method::POST, "trunks", Some(trunk)).await?;
    let status = center.wait_for("status", "the refusal to be known", |status| peer(status, "registration").is_some()).await?;
    let detail = peer(&status, "registration").map(|found| found["detail"].to_string()).unwrap_or_default();
    assert!(detail.contains("refuses user name or password"), "{detail}");
    Ok(())
}

#[tokio::test]
async fn a_call_over_a_stream_is_taken_like_any_other() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ada"]).await?;
    let telephone = center.scripted_telephone("ada", "phone_answers").await?.word("ring_ms", "100").start_listening().await?;
    center.make_ready("ada").await?;
    center.caller("caller_hangs_up")?.over_tcp().word("talk_ms", "1500").run().await?;
    telephone.finish().await?;
    let conversation = center.ended_conversation().await?;
    assert_eq!(conversation["outcome"], "answered", "{conversation:#}");
    Ok(())
}
