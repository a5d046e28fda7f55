//! Calls through the whole product: what caller, agent and supervisor get, and what is on record afterwards.

use anyhow::Result;
use dreiklang_tests::{
    baresip::{Baresip, Setup},
    contact_center::ContactCenter,
    sipp,
    tone_files::{self, AGENT_HZ, CALLER_HZ, SECOND_AGENT_HZ},
};
use reqwest::Method;
use serde_json::{Value, json};

const CALLER: &str = "+4930555111";

async fn caller() -> Result<Baresip> {
    Baresip::start(Setup::new(CALLER, CALLER_HZ)).await
}

/// The outcomes of a conversation's offers, in order.
fn offers(conversation: &Value) -> Vec<&str> {
    let offers = conversation["offers"].as_array().map(Vec::as_slice).unwrap_or_default();
    offers.iter().map(|offer| offer["outcome"].as_str().unwrap_or("open")).collect()
}

#[tokio::test]
async fn caller_and_agent_hear_each_other_and_are_recorded_apart() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ada"]).await?;
    let mut agent = center.telephone("ada", AGENT_HZ).await?;
    center.make_ready("ada").await?;
    let mut caller = caller().await?;
    caller.dial(&center.uri()).await?;
    agent.wait_for("CALL_ESTABLISHED").await?;
    caller.wait_until_hears(&[AGENT_HZ]).await?;
    agent.wait_until_hears(&[CALLER_HZ]).await?;
    caller.hang_up().await?;
    agent.wait_for("CALL_CLOSED").await?;
    let conversation = center.ended_conversation().await?;
    assert_eq!(conversation["outcome"], "answered", "{conversation:#}");
    assert_eq!(conversation["caller_number"], CALLER);
    assert_eq!(conversation["agent"], center.agent("ada")?);
    assert_eq!(offers(&conversation), ["accepted"]);
    let conversation =
        center.wait_for_conversation("the recording to be there", |conversation| conversation["recordings"].as_u64() == Some(1)).await?;
    let channels = center.recording(&conversation).await?;
    let heard: Vec<Vec<u32>> = channels.iter().map(|channel| tone_files::parties_heard(channel)).collect();
    assert_eq!(heard, [[CALLER_HZ], [AGENT_HZ]]);
    Ok(())
}

#[tokio::test]
async fn caller_waits_until_an_agent_is_ready_and_then_is_first() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ada"]).await?;
    let mut agent = center.telephone("ada", AGENT_HZ).await?;
    let mut caller = caller().await?;
    caller.dial(&center.uri()).await?;
    center.wait_for("live/snapshot", "somebody to wait", |live| live["queues"][0]["waiting"] == json!(1)).await?;
    center.make_ready("ada").await?;
    agent.wait_for("CALL_ESTABLISHED").await?;
    caller.wait_until_hears(&[AGENT_HZ]).await?;
    agent.hang_up().await?;
    caller.wait_for("CALL_CLOSED").await?;
    let conversation = center.ended_conversation().await?;
    assert_eq!(conversation["outcome"], "answered", "{conversation:#}");
    Ok(())
}

#[tokio::test]
async fn caller_who_gives_up_in_the_queue_is_an_abandoned_visit() -> Result<()> {
    let center = ContactCenter::open(json!({ "short_abandon_ms": 200 }), &[]).await?;
    center.caller("caller_hangs_up")?.word("talk_ms", "700").run().await?;
    let conversation = center.ended_conversation().await?;
    assert_eq!(conversation["outcome"], "abandoned", "{conversation:#}");
    assert_eq!(conversation["visits"][0]["short_abandon"], json!(false));
    Ok(())
}

#[tokio::test]
async fn agent_who_does_not_answer_becomes_not_ready_and_the_caller_keeps_waiting() -> Result<()> {
    let center = ContactCenter::open(json!({ "ring_ms": 3_000 }), &["ada", "ben"]).await?;
    let silent = center.scripted_telephone("ada", "phone_rings_until_canceled").await?.start_listening().await?;
    center.make_ready("ada").await?;
    let mut caller = caller().await?;
    caller.dial(&center.uri()).await?;
    silent.finish().await?;
    center.wait_for_agent("ada", "not ready", |state| state["availability"]["state"] == "not_ready").await?;
    let mut second = center.telephone("ben", SECOND_AGENT_HZ).await?;
    center.make_ready("ben").await?;
    second.wait_for("CALL_ESTABLISHED").await?;
    caller.wait_until_hears(&[SECOND_AGENT_HZ]).await?;
    caller.hang_up().await?;
    let conversation = center.ended_conversation().await?;
    assert_eq!(offers(&conversation), ["no_answer", "accepted"], "{conversation:#}");
    Ok(())
}

#[tokio::test]
async fn agent_whose_telephone_is_busy_does_not_lose_the_caller() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ada", "ben"]).await?;
    let busy = center.scripted_telephone("ada", "phone_is_busy").await?.start_listening().await?;
    center.make_ready("ada").await?;
    let mut caller = caller().await?;
    caller.dial(&center.uri()).await?;
    busy.finish().await?;
    let mut second = center.telephone("ben", SECOND_AGENT_HZ).await?;
    center.make_ready("ben").await?;
    second.wait_for("CALL_ESTABLISHED").await?;
    caller.wait_until_hears(&[SECOND_AGENT_HZ]).await?;
    caller.hang_up().await?;
    let conversation = center.ended_conversation().await?;
    assert_eq!(offers(&conversation), ["busy", "accepted"], "{conversation:#}");
    Ok(())
}

#[tokio::test]
async fn agent_who_answers_while_the_caller_leaves_is_hung_up_on() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ada"]).await?;
    let late = center.scripted_telephone("ada", "phone_answers_into_the_cancel").await?.start_listening().await?;
    center.make_ready("ada").await?;
    center.caller("caller_hangs_up")?.word("talk_ms", "1000").run().await?;
    late.finish().await?;
    let conversation = center.ended_conversation().await?;
    assert_eq!(conversation["outcome"], "abandoned", "{conversation:#}");
    center.wait_for_agent("ada", "idle", |state| state["occupation"]["state"] == "idle").await?;
    Ok(())
}

#[tokio::test]
async fn caller_who_cancels_at_once_leaves_nothing_behind() -> Result<()> {
    let center = ContactCenter::open(json!({}), &[]).await?;
    center.caller("caller_cancels_at_once")?.run().await?;
    center.ended_conversation().await?;
    center.wait_for("live/snapshot", "nobody to wait", |live| live["conversations"] == json!([])).await?;
    Ok(())
}

/// Runs a caller's scenario with an agent who answers and stays.
async fn answered_call(scenario: &str) -> Result<Value> {
    let center = ContactCenter::open(json!({}), &["ada"]).await?;
    let telephone = center.scripted_telephone("ada", "phone_answers").await?.word("ring_ms", "100").start_listening().await?;
    center.make_ready("ada").await?;
    center.caller(scenario)?.seeing_repetitions().run().await?;
    telephone.finish().await?;
    center.ended_conversation().await
}

#[tokio::test]
async fn a_call_survives_lost_acknowledgements() -> Result<()> {
    let conversation = answered_call("caller_loses_its_first_acks").await?;
    assert_eq!(conversation["outcome"], "answered", "{conversation:#}");
    Ok(())
}

#[tokio::test]
async fn repeated_requests_make_one_conversation() -> Result<()> {
    answered_call("caller_repeats_its_requests").await?;
    Ok(())
}

#[tokio::test]
async fn a_caller_may_hold_and_take_back() -> Result<()> {
    let conversation = answered_call("caller_holds_and_resumes").await?;
    assert_eq!(conversation["outcome"], "answered", "{conversation:#}");
    Ok(())
}

#[tokio::test]
async fn a_caller_who_never_acknowledges_is_hung_up_on() -> Result<()> {
    let center = ContactCenter::open(json!({}), &[]).await?;
    center.caller("caller_never_acknowledges")?.run().await?;
    center.ended_conversation().await?;
    Ok(())
}

#[tokio::test]
async fn unknown_numbers_and_strangers_get_nowhere() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ben"]).await?;
    center.caller("caller_dials_an_unknown_number")?.service("+4930000").run().await?;
    center.caller("stranger_gets_no_answer")?.at(sipp::stranger()?).run().await?;
    // Whether there is such a telephone is not told: one that is set up and one that is not are refused alike.
    for user in ["ada", "ben"] {
        let wrong = sipp::Scenario::new("phone_is_not_let_in", center.server.sip)?;
        wrong.service(user).credentials(user, "guessed").word("expires_s", "60").run().await?;
    }
    center.caller("peer_checks_health")?.run().await
}

#[tokio::test]
async fn a_held_caller_does_not_hear_the_agent() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ada"]).await?;
    let agent = center.telephone("ada", AGENT_HZ).await?;
    center.make_ready("ada").await?;
    let mut caller = caller().await?;
    caller.dial(&center.uri()).await?;
    caller.wait_until_hears(&[AGENT_HZ]).await?;
    let conversation = center.wait_for_conversation("the talk", |conversation| conversation["talks"][0].is_object()).await?;
    let path = |command: &str| format!("conversations/{}/{command}", conversation["id"].as_str().unwrap_or_default());
    center.request(Method::POST, &path("hold"), None).await?;
    caller.wait_until_hears(&[]).await?;
    agent.wait_until_silent().await?;
    center.request(Method::POST, &path("resume"), None).await?;
    caller.wait_until_hears(&[AGENT_HZ]).await?;
    agent.wait_until_hears(&[CALLER_HZ]).await
}

#[tokio::test]
async fn a_transferred_caller_talks_to_the_second_agent_only() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ada", "ben"]).await?;
    let mut first = center.telephone("ada", AGENT_HZ).await?;
    let second = center.telephone("ben", SECOND_AGENT_HZ).await?;
    center.make_ready("ada").await?;
    let mut caller = caller().await?;
    caller.dial(&center.uri()).await?;
    caller.wait_until_hears(&[AGENT_HZ]).await?;
    center.make_ready("ben").await?;
    let conversation = center.wait_for_conversation("the talk", |conversation| conversation["talks"][0].is_object()).await?;
    let path = format!("conversations/{}/transfer", conversation["id"].as_str().unwrap_or_default());
    center.request(Method::POST, &path, Some(json!({ "kind": "agent", "id": center.agent("ben")? }))).await?;
    first.wait_for("CALL_CLOSED").await?;
    caller.wait_until_hears(&[SECOND_AGENT_HZ]).await?;
    second.wait_until_hears(&[CALLER_HZ]).await?;
    caller.hang_up().await?;
    let conversation = center.ended_conversation().await?;
    assert_eq!(conversation["talks"].as_array().map(Vec::len), Some(2), "{conversation:#}");
    Ok(())
}

#[tokio::test]
async fn a_killed_server_comes_back_and_takes_calls_with_the_same_telephones() -> Result<()> {
    let mut center = ContactCenter::open(json!({}), &["ada"]).await?;
    let mut agent = center.telephone("ada", AGENT_HZ).await?;
    center.make_ready("ada").await?;
    let mut first = caller().await?;
    first.dial(&center.uri()).await?;
    agent.wait_for("CALL_ESTABLISHED").await?;
    center.server.kill_and_restart().await?;
    let conversation = center.ended_conversation().await?;
    assert!(conversation["termination"]["reason"].is_string(), "{conversation:#}");
    drop(first);
    agent.hang_up().await?;
    agent.wait_for("CALL_CLOSED").await?;
    center.wait_for_agent("ada", "routable", |state| state["routable"] == json!(true)).await?;
    let mut second = caller().await?;
    second.dial(&center.uri()).await?;
    second.wait_until_hears(&[AGENT_HZ]).await
}
