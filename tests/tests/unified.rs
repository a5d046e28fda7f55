//! Calls that Microsoft carries, from the first ring to the fetched recording, with what goes wrong on the way.

use anyhow::{Result, ensure};
use dreiklang_lab::{
    Faults,
    people::{Manner, Ringing, Stage},
};
use dreiklang_media::tone::{level_dbfs, tone_dbfs};
use dreiklang_tests::{
    unified::{AGENTS_HZ, CALLER_HZ, MUSIC_HZ, Unified, hears, is_over, let_ring, rings},
    wait::SOON,
};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_caller_is_greeted_waits_with_music_and_talks_with_the_agent_whose_contact_center_client_rings() -> Result<()> {
    let unified = Unified::open(json!({}), &["anna"]).await?;
    let caller = unified.call()?;
    hears(&caller, &[MUSIC_HZ]).await?;
    unified.center.wait_for_conversation("the caller to wait", |found| found["visits"][0].is_object()).await?;
    unified.center.make_ready("anna").await?;
    hears(&caller, &[AGENTS_HZ[0]]).await?;
    hears(&unified.agents[0].contact_center, &[CALLER_HZ]).await?;
    ensure!(unified.agents[0].teams.state().borrow().rang == 0, "the Teams client stays silent");
    caller.hang_up();
    let over = unified.center.ended_conversation().await?;
    is_over(&unified.agents[0].contact_center).await?;
    ensure!(over["outcome"] == "answered", "{over:#}");
    unified.center.wait_for_agent("anna", "wrapping up or idle", |state| state["occupation"]["state"] != "talking").await?;
    Ok(())
}

#[tokio::test]
async fn an_agent_who_hangs_up_ends_the_call_and_its_recording_is_fetched() -> Result<()> {
    let unified = Unified::open(json!({ "recording": "from_answer" }), &["anna"]).await?;
    unified.center.make_ready("anna").await?;
    let caller = unified.talk().await?;
    unified.agents[0].contact_center.hang_up();
    is_over(&caller).await?;
    let over = unified
        .center
        .wait_for_conversation("the recording to be fetched", |found| {
            found["ended_at"].is_i64() && found["recordings_made"][0]["status"] == "finished"
        })
        .await?;
    let channels = unified.center.recording(&over).await?;
    ensure!(channels.len() == 2, "{} channels", channels.len());
    for (channel, hz, other) in [(&channels[0], CALLER_HZ, AGENTS_HZ[0]), (&channels[1], AGENTS_HZ[0], CALLER_HZ)] {
        ensure!(loudness(channel, hz) > loudness(channel, other) + 15.0, "{hz} Hz is alone on its channel ({:.1} dB)", level_dbfs(channel));
    }
    Ok(())
}

/// How loud a tone is in a recording of the service, which has 16,000 samples a second.
fn loudness(samples: &[i16], hz: u32) -> f64 {
    // Measured by telephone's time, twice as slow.
    tone_dbfs(samples, f64::from(hz) / 2.0)
}

#[tokio::test]
async fn who_declines_is_followed_by_the_next() -> Result<()> {
    let unified = Unified::open(json!({}), &["anna", "ben"]).await?;
    unified.agents[0].contact_center.set_manner(Manner::of(Ringing::Decline));
    unified.center.make_ready("anna").await?;
    let caller = unified.call()?;
    unified.center.wait_for_agent("anna", "not ready", |state| state["availability"]["reason"] == "declined").await?;
    hears(&caller, &[MUSIC_HZ]).await?;
    unified.center.make_ready("ben").await?;
    hears(&caller, &[AGENTS_HZ[1]]).await?;
    hears(&unified.agents[1].contact_center, &[CALLER_HZ]).await?;
    Ok(())
}

#[tokio::test]
async fn a_caller_who_gives_up_while_it_rings_lets_the_agent_go() -> Result<()> {
    let unified = Unified::open(json!({}), &["anna"]).await?;
    let_ring(&unified.agents[0]);
    unified.center.make_ready("anna").await?;
    let caller = unified.call()?;
    rings(&unified.agents[0].contact_center).await?;
    caller.hang_up();
    is_over(&unified.agents[0].contact_center).await?;
    unified.center.ended_conversation().await?;
    unified
        .center
        .wait_for_agent("anna", "idle and ready", |state| {
            state["occupation"]["state"] == "idle" && state["availability"]["state"] == "ready"
        })
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_customer_on_hold_hears_music_and_is_taken_back() -> Result<()> {
    let unified = Unified::open(json!({}), &["anna"]).await?;
    unified.center.make_ready("anna").await?;
    let caller = unified.talk().await?;
    let conversation = unified.center.wait_for_conversation("the talk", |found| found["talks"][0].is_object()).await?;
    let id = conversation["id"].as_str().unwrap_or_default();
    unified.center.request(Method::POST, &format!("conversations/{id}/hold"), Some(json!({}))).await?;
    hears(&caller, &[MUSIC_HZ]).await?;
    hears(&unified.agents[0].contact_center, &[]).await?;
    unified.center.request(Method::POST, &format!("conversations/{id}/resume"), Some(json!({}))).await?;
    hears(&caller, &[AGENTS_HZ[0]]).await?;
    hears(&unified.agents[0].contact_center, &[CALLER_HZ]).await
}

#[tokio::test]
async fn a_call_goes_through_whatever_happens_to_what_is_told_of_it() -> Result<()> {
    let some = |change: fn(&mut Faults)| {
        let mut faults = Faults::default();
        change(&mut faults);
        faults
    };
    let faults = [
        ("twice and late", some(|faults| (faults.duplicate, faults.late, faults.late_ms, faults.grid_duplicate) = (1.0, 0.5, 800, 1.0))),
        ("overtaken", some(|faults| (faults.reorder, faults.late_ms) = (0.7, 600))),
        ("lost", some(|faults| faults.lose = 0.4)),
        ("throttled", some(|faults| (faults.throttle, faults.retry_after_s) = (0.3, 1))),
        ("done, but answered with an error", some(|faults| faults.fail_after = 0.2)),
    ];
    for (what, faults) in faults {
        let unified = Unified::open(json!({}), &["anna"]).await?;
        unified.center.make_ready("anna").await?;
        unified.lab.set_faults(faults);
        let result = async {
            let caller = unified.talk().await?;
            caller.hang_up();
            is_over(&unified.agents[0].contact_center).await
        };
        result.await.map_err(|error| error.context(format!("with callbacks {what}\n{}", unified.center.server.log())))?;
        unified.lab.set_faults(Faults::default());
        unified.center.ended_conversation().await?;
        unified.center.wait_for_agent("anna", "free", |state| state["occupation"]["state"] != "talking").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_server_killed_in_mid_call_finds_the_call_again_and_the_two_go_on_talking() -> Result<()> {
    let mut unified = Unified::open(json!({ "recording": "from_answer" }), &["anna"]).await?;
    unified.center.make_ready("anna").await?;
    let caller = unified.talk().await?;
    let before = unified.center.wait_for_conversation("the talk", |found| found["talks"][0].is_object()).await?;
    unified.center.server.kill_and_restart().await?;
    let after = unified.center.wait_for_conversation("the talk after the restart", |found| found["talks"][0].is_object()).await?;
    ensure!(before["id"] == after["id"], "it is the same conversation");
    hears(&caller, &[AGENTS_HZ[0]]).await?;
    hears(&unified.agents[0].contact_center, &[CALLER_HZ]).await?;
    let rang = unified.agents[0].contact_center.state().borrow().rang;
    ensure!(rang == 1, "the agent was rung {rang} times");
    // What happens afterwards is understood as before.
    caller.hang_up();
    let legs_over = |found: &Value| found["ended_at"].is_i64() && found["recordings_made"][0]["status"] == "finished";
    unified.center.wait_for_conversation("the end, and the recording of both processes' time", legs_over).await?;
    is_over(&unified.agents[0].contact_center).await
}

#[tokio::test]
async fn an_agent_who_does_not_answer_is_called_off_and_the_customer_waits_on() -> Result<()> {
    let unified = Unified::open(json!({ "ring_ms": 3_000 }), &["anna"]).await?;
    let_ring(&unified.agents[0]);
    unified.center.make_ready("anna").await?;
    let caller = unified.call()?;
    rings(&unified.agents[0].contact_center).await?;
    is_over(&unified.agents[0].contact_center).await?;
    unified.center.wait_for_agent("anna", "not ready", |state| state["availability"]["reason"] == "no_answer").await?;
    hears(&caller, &[MUSIC_HZ]).await?;
    let talking = caller.wait_for(SOON, |state| state.call == Stage::Talking).await;
    ensure!(talking.is_some(), "the caller is still there");
    Ok(())
}
