//! Encrypted audio with telephones that know nothing of us: who hears whom, what is recorded, who is refused.

use anyhow::{Context, Result};
use dreiklang_lab::direct_routing::certificates::Authority;
use dreiklang_tests::{
    baresip::{Baresip, Setup, Tls},
    contact_center::ContactCenter,
    ports,
    server::Server,
    tone_files::{self, AGENT_HZ, CALLER_HZ},
};
use serde_json::{Value, json};
use tempfile::TempDir;

fn plain_caller() -> Setup {
    Setup::new("+4930555111", CALLER_HZ)
}

/// What the leg of a role (`customer`, `agent`) says about encryption.
fn encryption<'a>(conversation: &'a Value, role: &str) -> Option<&'a Value> {
    conversation["legs"].as_array()?.iter().find(|leg| leg["role"] == role).map(|leg| &leg["quality"])
}

#[tokio::test]
async fn encrypted_caller_and_encrypted_agent_hear_each_other_and_are_recorded() -> Result<()> {
    let center = ContactCenter::open_with_encryption(json!({}), &["ada"], "required").await?;
    let mut agent = center.encrypting_telephone("ada", AGENT_HZ).await?;
    center.make_ready("ada").await?;
    let mut caller = Baresip::start(plain_caller().encrypting()).await?;
    caller.dial(&center.uri()).await?;
    agent.wait_for("CALL_ESTABLISHED").await?;
    caller.wait_until_hears(&[AGENT_HZ]).await?;
    agent.wait_until_hears(&[CALLER_HZ]).await?;
    // A change of the session keeps the keys: who begins to count anew is not heard any more.
    caller.hold().await?;
    caller.wait_until_silent().await?;
    caller.resume().await?;
    caller.wait_until_hears(&[AGENT_HZ]).await?;
    agent.wait_until_hears(&[CALLER_HZ]).await?;
    caller.hang_up().await?;
    agent.wait_for("CALL_CLOSED").await?;
    let conversation =
        center.wait_for_conversation("the recording to be there", |conversation| conversation["recordings"].as_u64() == Some(1)).await?;
    let heard: Vec<Vec<u32>> = center.recording(&conversation).await?.iter().map(|channel| tone_files::parties_heard(channel)).collect();
    assert_eq!(heard, [[CALLER_HZ], [AGENT_HZ]]);
    Ok(())
}

#[tokio::test]
async fn encryption_of_one_side_is_none_of_the_others_business() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ada"]).await?;
    let mut agent = center.telephone("ada", AGENT_HZ).await?;
    center.make_ready("ada").await?;
    let mut caller = Baresip::start(plain_caller().encrypting()).await?;
    caller.dial(&center.uri()).await?;
    agent.wait_for("CALL_ESTABLISHED").await?;
    caller.wait_until_hears(&[AGENT_HZ]).await?;
    agent.wait_until_hears(&[CALLER_HZ]).await?;
    caller.hang_up().await?;
    agent.wait_for("CALL_CLOSED").await?;
    let told = |role: &str, encrypted: bool| {
        let role = role.to_owned();
        move |conversation: &Value| encryption(conversation, &role).is_some_and(|quality| quality["encrypted"] == json!(encrypted))
    };
    let both = |conversation: &Value| told("customer", true)(conversation) && told("agent", false)(conversation);
    let conversation = center.wait_for_conversation("both legs to say whether they were encrypted", both).await?;
    let quality = encryption(&conversation, "customer").context("a customer's leg")?;
    assert_eq!(quality["key_exposed"], json!(true), "signalling was not encrypted: {conversation:#}");
    Ok(())
}

#[tokio::test]
async fn plain_caller_is_refused_where_audio_has_to_be_encrypted() -> Result<()> {
    let center = ContactCenter::open_with_encryption(json!({}), &[], "required").await?;
    let mut caller = Baresip::start(plain_caller()).await?;
    caller.dial(&center.uri()).await?;
    let closed = caller.wait_for("CALL_CLOSED").await?;
    assert!(closed.body.to_string().contains("488"), "{}", closed.body);
    Ok(())
}

#[tokio::test]
async fn encrypted_caller_is_refused_where_encryption_is_off() -> Result<()> {
    let center = ContactCenter::open_with_encryption(json!({}), &[], "never").await?;
    let mut caller = Baresip::start(plain_caller().encrypting()).await?;
    caller.dial(&center.uri()).await?;
    let closed = caller.wait_for("CALL_CLOSED").await?;
    assert!(closed.body.to_string().contains("488"), "{}", closed.body);
    Ok(())
}

#[tokio::test]
async fn a_telephone_that_signals_over_tls_talks_and_holds_without_showing_its_key() -> Result<()> {
    let folder = TempDir::with_prefix("dreiklang-tls-")?;
    let authority = Authority::new(folder.path(), "authority")?;
    let own = authority.issue(&["127.0.0.1"])?;
    let address = ports::free_address()?;
    let configuration = format!(
        "tls = \"{address}\"\ntls_certificate = {:?}\ntls_key = {:?}\ntls_authorities = {:?}\n",
        own.certificate.display().to_string(),
        own.key.display().to_string(),
        authority.file().display().to_string()
    );
    let server = Server::start_with(TempDir::with_prefix("dreiklang-")?, &configuration).await?;
    let center = ContactCenter::open_on(server, json!({}), &["ada"], "required").await?;
    center.create("trunks", json!({ "name": "Carrier", "sources": ["127.0.0.1"], "health_interval_s": 0 })).await?;
    let tls = Tls { authority: authority.file().to_owned(), own: authority.issue_for_both_ends(&["ada.example"])? };
    let mut agent = Baresip::start(center.signed_in_at("ada", AGENT_HZ, address).encrypting().over_tls(tls)).await?;
    center.make_ready("ada").await?;
    let mut caller = Baresip::start(plain_caller()).await?;
    caller.dial(&center.uri()).await?;
    agent.wait_for("CALL_ESTABLISHED").await?;
    caller.wait_until_hears(&[AGENT_HZ]).await?;
    agent.wait_until_hears(&[CALLER_HZ]).await?;
    agent.hold().await?;
    agent.wait_until_silent().await?;
    caller.wait_until_hears(&[]).await?;
    agent.resume().await?;
    caller.wait_until_hears(&[AGENT_HZ]).await?;
    agent.wait_until_hears(&[CALLER_HZ]).await?;
    caller.hang_up().await?;
    agent.wait_for("CALL_CLOSED").await?;
    let told = |conversation: &Value| encryption(conversation, "agent").is_some_and(|quality| quality["encrypted"] == json!(true));
    let conversation = center.wait_for_conversation("the agent's leg to say that it was encrypted", told).await?;
    let quality = encryption(&conversation, "agent").context("an agent's leg")?;
    assert_eq!(quality["key_exposed"], json!(false), "{conversation:#}");
    Ok(())
}
