//! What a crash of the product leaves: nothing lost that was a fact, nobody stuck, and telephones that know their call is over.

use anyhow::Result;
use dreiklang_tests::{
    baresip::{Baresip, Setup},
    contact_center::ContactCenter,
    tone_files::{self, AGENT_HZ, CALLER_HZ},
};
use serde_json::json;

#[tokio::test]
async fn a_server_killed_in_mid_call_loses_nothing_and_frees_the_agent() -> Result<()> {
    let mut center = ContactCenter::open(json!({}), &["ada"]).await?;
    let (mut caller, mut agent) = center.talk("ada").await?;
    center.wait_for_conversation("the talk", |conversation| conversation["talks"][0].is_object()).await?;

    center.server.kill_and_restart().await?;

    // The telephones are told, although the process that knew them is gone.
    agent.wait_for("CALL_CLOSED").await?;
    caller.wait_for("CALL_CLOSED").await?;
    let conversation = center.ended_conversation().await?;
    assert_eq!(conversation["outcome"], "answered", "what had happened before stays a fact: {conversation:#}");
    assert_eq!(conversation["termination"]["reason"], "restarted", "{conversation:#}");
    // Free, ready and still signed in: nobody has to do anything.
    center
        .wait_for_agent("ada", "free", |state| {
            state["occupation"]["state"] == "idle" && state["availability"]["state"] == "ready" && state["reachable"] == true
        })
        .await?;
    let began = conversation["started_at"].as_i64().unwrap_or_default();
    let path = format!("reports/queues?from={}&to={}", began - 60_000, began + 600_000);
    let report = center.request(reqwest::Method::GET, &path, None).await?;
    let total = |key: &str| report["total"][key].as_u64().unwrap_or_default();
    assert_eq!(total("offered"), 1, "{report:#}");
    assert_eq!(total("offered"), total("answered") + total("abandoned") + total("flow_out"), "{report:#}");
    // The recording is whole up to the crash.
    let conversation =
        center.wait_for_conversation("the recording to be there", |conversation| conversation["recordings"].as_u64() == Some(1)).await?;
    let channels = center.recording(&conversation).await?;
    let heard: Vec<Vec<u32>> = channels.iter().map(|channel| tone_files::parties_heard(channel)).collect();
    assert_eq!(heard, [[CALLER_HZ], [AGENT_HZ]]);
    Ok(())
}

#[tokio::test]
async fn a_caller_who_waited_through_a_crash_is_accounted_for_and_the_next_one_is_served() -> Result<()> {
    let mut center = ContactCenter::open(json!({}), &["ada"]).await?;
    let mut agent = center.telephone("ada", AGENT_HZ).await?;
    let mut waiting = Baresip::start(Setup::new("+4930555111", CALLER_HZ)).await?;
    waiting.dial(&center.uri()).await?;
    center.wait_for("live/snapshot", "somebody to wait", |live| live["queues"][0]["waiting"] == json!(1)).await?;

    center.server.kill_and_restart().await?;

    waiting.wait_for("CALL_CLOSED").await?;
    let conversation = center.ended_conversation().await?;
    assert_eq!(conversation["termination"]["reason"], "restarted", "{conversation:#}");
    center.wait_for("live/snapshot", "nobody to wait", |live| live["queues"][0]["waiting"] == json!(0)).await?;
    center.make_ready("ada").await?;
    let mut next = Baresip::start(Setup::new("+4930555222", CALLER_HZ)).await?;
    next.dial(&center.uri()).await?;
    // Reached without signing in again: the sign-in was kept over the crash.
    agent.wait_for("CALL_ESTABLISHED").await?;
    next.wait_until_hears(&[AGENT_HZ]).await
}
