//! Handing a customer on, by the telephone and by the interface: to an agent, a queue, a number outside; and what happens when
//! nobody is there.

use anyhow::{Context as _, Result, ensure};
use dreiklang_lab::pstn::phone::{self, Manner, Phone};
use dreiklang_tests::{
    baresip::{Baresip, Setup},
    contact_center::{ContactCenter, NUMBER},
    sipp::Scenario,
    tone_files::{AGENT_HZ, CALLER_HZ, SECOND_AGENT_HZ},
    wait::SOON,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// A caller who talks to Ada.
async fn talking(center: &ContactCenter) -> Result<(Baresip, Baresip, String)> {
    let (caller, agent) = center.talk("ada").await?;
    let conversation = center.wait_for_conversation("the talk", |conversation| conversation["talks"][0].is_object()).await?;
    let id = conversation["id"].as_str().unwrap_or_default().to_owned();
    Ok((caller, agent, id))
}

fn talks(conversation: &Value) -> usize {
    conversation["talks"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_telephone_hands_the_caller_to_another_agent() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ada", "ben"]).await?;
    let second = center.telephone("ben", SECOND_AGENT_HZ).await?;
    let (mut caller, mut first, _) = talking(&center).await?;
    center.make_ready("ben").await?;
    first.transfer(&format!("sip:ben@{}", center.server.sip)).await?;
    first.wait_for("CALL_CLOSED").await?;
    caller.wait_until_hears(&[SECOND_AGENT_HZ]).await?;
    second.wait_until_hears(&[CALLER_HZ]).await?;
    caller.hang_up().await?;
    let conversation = center.ended_conversation().await?;
    assert_eq!(talks(&conversation), 2, "{conversation:#}");
    Ok(())
}

#[tokio::test]
async fn a_telephone_hands_the_caller_back_to_the_queue() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ada", "ben"]).await?;
    let second = center.telephone("ben", SECOND_AGENT_HZ).await?;
    let (mut caller, mut first, _) = talking(&center).await?;
    first.transfer(&center.uri()).await?;
    first.wait_for("CALL_CLOSED").await?;
    // Ada is ready too and could get the caller again; so she is not.
    let id = center.agent("ada")?;
    center.request(Method::PUT, &format!("agents/{id}/availability"), Some(json!({ "state": "not_ready", "reason": "break" }))).await.ok();
    center.make_ready("ben").await?;
    let conversation = center.wait_for_conversation("the second visit", |conversation| conversation["visits"][1].is_object()).await?;
    assert_eq!(conversation["visits"][0]["outcome"], "answered", "{conversation:#}");
    let other = center.wait_for_conversation("the second talk", |conversation| talks(conversation) == 2).await?;
    let with_ben = other["talks"][1]["agent"] == center.agent("ben")?;
    let expected = if with_ben { SECOND_AGENT_HZ } else { AGENT_HZ };
    caller.wait_until_hears(&[expected]).await?;
    if with_ben {
        second.wait_until_hears(&[CALLER_HZ]).await?;
    }
    caller.hang_up().await?;
    center.ended_conversation().await?;
    Ok(())
}

/// Lets the tenant call outside by a trunk whose peer is this address.
async fn carrier(center: &ContactCenter, address: std::net::SocketAddr) -> Result<()> {
    let trunk = json!({ "name": "Way out", "peers": [{ "address": address.to_string() }], "health_interval_s": 0 });
    center.request(Method::POST, "trunks", Some(trunk)).await?;
    let tenant = json!({ "name": "Tests", "caller_number": NUMBER, "outbound_line": "connected", "not_ready_reasons": ["break"] });
    center.request(Method::POST, "configuration", Some(json!({ "tenant": tenant }))).await?;
    Ok(())
}

#[tokio::test]
async fn a_caller_is_handed_to_a_number_outside() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ada"]).await?;
    let outside = Baresip::start(Setup::new("+4940111", SECOND_AGENT_HZ)).await?;
    carrier(&center, outside.address).await?;
    let (mut caller, mut agent, id) = talking(&center).await?;
    center.request(Method::POST, &format!("conversations/{id}/transfer"), Some(json!({ "kind": "number", "id": "+4940111" }))).await?;
    agent.wait_for("CALL_CLOSED").await?;
    caller.wait_until_hears(&[SECOND_AGENT_HZ]).await?;
    outside.wait_until_hears(&[CALLER_HZ]).await?;
    caller.hang_up().await?;
    let conversation = center.ended_conversation().await?;
    assert_eq!(talks(&conversation), 2, "{conversation:#}");
    Ok(())
}

#[tokio::test]
async fn a_caller_whose_transfer_fails_is_served_again_first() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ada"]).await?;
    let busy = Scenario::new("phone_is_busy", center.server.sip)?;
    carrier(&center, busy.address()).await?;
    let busy = busy.start_listening().await?;
    let (mut caller, mut agent, id) = talking(&center).await?;
    center.request(Method::POST, &format!("conversations/{id}/transfer"), Some(json!({ "kind": "number", "id": "+4940222" }))).await?;
    agent.wait_for("CALL_CLOSED").await?;
    busy.finish().await?;
    // Nobody is lost: the caller waits again, before all others, and Ada is the one who is free.
    agent.wait_for("CALL_ESTABLISHED").await?;
    caller.wait_until_hears(&[AGENT_HZ]).await?;
    caller.hang_up().await?;
    let conversation = center.ended_conversation().await?;
    assert_eq!(conversation["visits"][1]["priority"], 100, "{conversation:#}");
    Ok(())
}

#[tokio::test]
async fn a_caller_hears_music_while_the_agents_telephone_holds() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ada"]).await?;
    let config = phone::Config {
        user: "ada".to_owned(),
        password: Some("ada-on-the-desk".to_owned()),
        server: center.server.sip,
        ip: center.server.sip.ip(),
        hz: AGENT_HZ,
        manner: Manner::Answer { after: Duration::ZERO },
    };
    let agent = Phone::start(config).await?;
    agent.wait_for(SOON, |state| state.signed_in).await.context("the telephone signs in")?;
    center.make_ready("ada").await?;
    let mut caller = Baresip::start(Setup::new("+4930555111", CALLER_HZ)).await?;
    caller.dial(&center.uri()).await?;
    caller.wait_until_hears(&[AGENT_HZ]).await?;
    agent.hold(true).await;
    caller.wait_until_hears(&[]).await?;
    agent.hold(false).await;
    caller.wait_until_hears(&[AGENT_HZ]).await?;
    ensure!(agent.audio().wait_to_hear(CALLER_HZ, SOON).await, "the agent hears the caller again");
    caller.hang_up().await?;
    let conversation = center.ended_conversation().await?;
    let segments: Vec<&str> =
        conversation["segments"].as_array().into_iter().flatten().filter_map(|segment| segment["kind"].as_str()).collect();
    assert!(segments.contains(&"hold"), "{conversation:#}");
    Ok(())
}
