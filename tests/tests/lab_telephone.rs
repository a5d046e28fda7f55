//! Our SIP stack, in the shape of the lab's telephone, against telephones that share no code with it.
//!
//! The lab's telephones stand in for the telephone network in most tests; here it is shown that they speak what others
//! understand. What the product makes of calls is tested elsewhere.

use anyhow::{Context, Result, ensure};
use dreiklang_lab::pstn::phone::{CallState, Config, Manner, Phone, State};
use dreiklang_tests::{
    baresip::{Answer, Baresip, Setup},
    sipp::Scenario,
    tone_files::{AGENT_HZ, CALLER_HZ},
    wait::SOON,
};
use std::{net::SocketAddr, time::Duration};

const LOCALHOST: [u8; 4] = [127, 0, 0, 1];

async fn phone(server: SocketAddr, hz: u32, manner: Manner) -> Result<Phone> {
    let config = Config { user: "lab".to_owned(), password: None, server, ip: LOCALHOST.into(), hz, manner };
    Phone::start(config).await.context("the lab's telephone cannot be set up")
}

fn nowhere() -> SocketAddr {
    (LOCALHOST, 9).into()
}

fn is_over(state: &State) -> bool {
    matches!(state.call, CallState::Over { .. })
}

async fn wait_for(phone: &Phone, what: &str, wanted: impl Fn(&State) -> bool) -> Result<State> {
    let state = phone.state().borrow().clone();
    phone.wait_for(SOON, wanted).await.with_context(|| format!("the lab's telephone should be {what}; it was {state:?}"))
}

fn at_once() -> Manner {
    Manner::Answer { after: Duration::ZERO }
}

#[tokio::test]
async fn it_calls_a_telephone_and_both_hear_each_other() -> Result<()> {
    let mut other = Baresip::start(Setup::new("other", AGENT_HZ)).await?;
    let lab = phone(other.address, CALLER_HZ, Manner::Busy).await?;
    lab.call("other").await;
    wait_for(&lab, "talking", |state| state.call == CallState::Talking).await?;
    other.wait_until_hears(&[CALLER_HZ]).await?;
    ensure!(lab.audio().wait_to_hear(AGENT_HZ, SOON).await, "the lab's telephone hears nothing");
    lab.hang_up().await;
    other.wait_for("CALL_CLOSED").await?;
    Ok(())
}

#[tokio::test]
async fn it_is_called_and_the_other_side_hangs_up() -> Result<()> {
    let lab = phone(nowhere(), AGENT_HZ, at_once()).await?;
    let mut other = Baresip::start(Setup::new("other", CALLER_HZ)).await?;
    other.dial(&format!("sip:lab@{}", lab.address())).await?;
    other.wait_for("CALL_ESTABLISHED").await?;
    other.wait_until_hears(&[AGENT_HZ]).await?;
    ensure!(lab.audio().wait_to_hear(CALLER_HZ, SOON).await, "the lab's telephone hears nothing");
    other.hang_up().await?;
    let state = wait_for(&lab, "over", is_over).await?;
    assert_eq!(state.call, CallState::Over { by_far_end: true, status: None });
    Ok(())
}

#[tokio::test]
async fn it_is_put_on_hold_and_taken_back() -> Result<()> {
    let lab = phone(nowhere(), AGENT_HZ, at_once()).await?;
    let mut other = Baresip::start(Setup::new("other", CALLER_HZ)).await?;
    other.dial(&format!("sip:lab@{}", lab.address())).await?;
    other.wait_until_hears(&[AGENT_HZ]).await?;
    other.hold().await?;
    other.wait_until_silent().await?;
    other.resume().await?;
    other.wait_until_hears(&[AGENT_HZ]).await
}

#[tokio::test]
async fn it_puts_the_other_side_on_hold_and_takes_it_back() -> Result<()> {
    let other = Baresip::start(Setup::new("other", AGENT_HZ)).await?;
    let lab = phone(other.address, CALLER_HZ, Manner::Busy).await?;
    lab.call("other").await;
    other.wait_until_hears(&[CALLER_HZ]).await?;
    lab.hold(true).await;
    other.wait_until_silent().await?;
    lab.hold(false).await;
    other.wait_until_hears(&[CALLER_HZ]).await
}

#[tokio::test]
async fn it_gives_up_while_the_other_side_rings() -> Result<()> {
    let mut other = Baresip::start(Setup { answer: Answer::WhenTold, ..Setup::new("other", AGENT_HZ) }).await?;
    let lab = phone(other.address, CALLER_HZ, Manner::Busy).await?;
    lab.call("other").await;
    wait_for(&lab, "waiting for an answer", |state| state.call == CallState::FarEndRings).await?;
    lab.hang_up().await;
    other.wait_for("CALL_CLOSED").await?;
    wait_for(&lab, "over", is_over).await?;
    Ok(())
}

#[tokio::test]
async fn it_declines_and_is_declined() -> Result<()> {
    let lab = phone(nowhere(), AGENT_HZ, Manner::Decline).await?;
    let mut other = Baresip::start(Setup { answer: Answer::WhenTold, ..Setup::new("other", CALLER_HZ) }).await?;
    other.dial(&format!("sip:lab@{}", lab.address())).await?;
    other.wait_for("CALL_CLOSED").await?;
    let caller = phone(other.address, CALLER_HZ, Manner::Busy).await?;
    caller.call("other").await;
    other.wait_for("CALL_INCOMING").await?;
    other.hang_up().await?;
    let state = wait_for(&caller, "refused", is_over).await?;
    assert_eq!(state.call, CallState::Over { by_far_end: true, status: Some(486) });
    Ok(())
}

/// Runs a caller's scenario against the lab's telephone, which answers at once.
async fn called_by(scenario: &str) -> Result<()> {
    let lab = phone(nowhere(), AGENT_HZ, at_once()).await?;
    let scenario = Scenario::new(scenario, lab.address())?.service("lab").word("talk_ms", "500");
    scenario.seeing_repetitions().run().await?;
    wait_for(&lab, "over", is_over).await?;
    Ok(())
}

#[tokio::test]
async fn scenario_caller_hangs_up() -> Result<()> {
    called_by("caller_hangs_up").await
}

#[tokio::test]
async fn scenario_caller_loses_its_first_acks() -> Result<()> {
    called_by("caller_loses_its_first_acks").await
}

#[tokio::test]
async fn scenario_caller_repeats_its_requests() -> Result<()> {
    called_by("caller_repeats_its_requests").await
}

#[tokio::test]
async fn scenario_caller_holds_and_resumes() -> Result<()> {
    called_by("caller_holds_and_resumes").await
}

#[tokio::test]
async fn scenario_caller_cancels_at_once() -> Result<()> {
    called_by("caller_cancels_at_once").await
}

#[tokio::test]
async fn scenario_caller_cancels_while_it_rings() -> Result<()> {
    let lab = phone(nowhere(), AGENT_HZ, Manner::LetRing).await?;
    Scenario::new("caller_cancels_at_once", lab.address())?.service("lab").run().await?;
    wait_for(&lab, "over", is_over).await?;
    Ok(())
}

/// Lets the lab's telephone call a telephone's scenario, and hang up once `until` holds.
async fn calls(scenario: &str, until: impl Fn(&State) -> bool) -> Result<State> {
    let scenario = Scenario::new(scenario, nowhere())?.word("talk_ms", "300").word("ring_ms", "300");
    let lab = phone(scenario.address(), CALLER_HZ, Manner::Busy).await?;
    let telephone = scenario.start_listening().await?;
    lab.call("agent").await;
    wait_for(&lab, "further", until).await?;
    lab.hang_up().await;
    let state = wait_for(&lab, "over", is_over).await?;
    telephone.finish().await?;
    Ok(state)
}

#[tokio::test]
async fn scenario_phone_answers() -> Result<()> {
    calls("phone_answers", |state| state.call == CallState::Talking).await?;
    Ok(())
}

#[tokio::test]
async fn scenario_phone_answers_and_hangs_up() -> Result<()> {
    let state = calls("phone_answers_and_hangs_up", is_over).await?;
    assert_eq!(state.call, CallState::Over { by_far_end: true, status: None });
    Ok(())
}

#[tokio::test]
async fn scenario_phone_is_busy() -> Result<()> {
    let state = calls("phone_is_busy", is_over).await?;
    assert_eq!(state.call, CallState::Over { by_far_end: true, status: Some(486) });
    Ok(())
}

#[tokio::test]
async fn scenario_phone_declines() -> Result<()> {
    let state = calls("phone_declines", is_over).await?;
    assert_eq!(state.call, CallState::Over { by_far_end: true, status: Some(603) });
    Ok(())
}

#[tokio::test]
async fn scenario_phone_rings_until_canceled() -> Result<()> {
    calls("phone_rings_until_canceled", |state| state.call == CallState::FarEndRings).await?;
    Ok(())
}

#[tokio::test]
async fn scenario_phone_answers_into_the_cancel() -> Result<()> {
    calls("phone_answers_into_the_cancel", |state| state.call == CallState::FarEndRings).await?;
    Ok(())
}
