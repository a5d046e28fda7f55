//! Who calls, and what is recorded of it: listed callers, and pauses by the interface, over real telephones.

use anyhow::{Context as _, Result, ensure};
use dreiklang_tests::{
    baresip::{Baresip, Setup},
    contact_center::ContactCenter,
    tone_files::{AGENT_HZ, CALLER_HZ},
};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_blocked_caller_is_declined_and_another_gets_through() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ada"]).await?;
    let list = json!({ "name": "Nuisance", "callers": [{ "number": "+49171*" }], "treatment": { "kind": "block" } });
    center.request(Method::POST, "caller-lists", Some(list)).await?;
    let mut agent = center.telephone("ada", AGENT_HZ).await?;
    center.make_ready("ada").await?;
    let mut blocked = Baresip::start(Setup::new("+491715550", CALLER_HZ)).await?;
    blocked.dial(&center.uri()).await?;
    let closed = blocked.wait_for("CALL_CLOSED").await?;
    ensure!(closed.body.to_string().contains("603"), "{closed:?}");
    let conversation = center.ended_conversation().await?;
    ensure!(conversation["termination"]["reason"] == "blocked", "{conversation:#}");
    let mut other = Baresip::start(Setup::new("+491725550", CALLER_HZ)).await?;
    other.dial(&center.uri()).await?;
    agent.wait_for("CALL_ESTABLISHED").await?;
    other.wait_until_hears(&[AGENT_HZ]).await?;
    other.hang_up().await?;
    Ok(())
}

#[tokio::test]
async fn a_pause_by_the_interface_leaves_a_gap_in_the_recording() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ada"]).await?;
    let (mut caller, _agent) = center.talk("ada").await?;
    let conversation = center.wait_for_conversation("the talk", |conversation| conversation["talks"][0].is_object()).await?;
    let id = conversation["id"].as_str().context("it has an id")?;
    let path = |what: &str| format!("conversations/{id}/recording/{what}");
    center.request(Method::POST, &path("pause"), Some(json!({ "secure": true, "at_most_ms": 60_000 }))).await?;
    let trace = format!("conversations/{id}/trace?limit=500");
    let tells = |kind: &'static str| {
        move |trace: &serde_json::Value| trace["events"].as_array().is_some_and(|events| events.iter().any(|event| event["type"] == kind))
    };
    center.wait_for(&trace, "the pause", tells("recording_paused")).await?;
    center.request(Method::POST, &path("resume"), None).await?;
    center.wait_for(&trace, "the recording to go on", tells("recording_resumed")).await?;
    caller.hang_up().await?;
    center.ended_conversation().await?;
    let trace = center.wait_for(&trace, "the recording's end", tells("recording_finished")).await?;
    let finished = trace["events"].as_array().and_then(|events| events.iter().find(|event| event["type"] == "recording_finished"));
    let gaps = finished.and_then(|event| event["gaps"].as_array()).map_or(0, Vec::len);
    ensure!(gaps == 1, "{finished:?}");
    Ok(())
}
