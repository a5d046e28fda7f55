//! The telephones the other tests rely on: sipp and baresip against each other, without the product.
//!
//! When one of these fails, the rig is broken and not the product. The scenarios of `tests/sipp` are shown here to pass
//! against a telephone that does it right.

use anyhow::Result;
use dreiklang_tests::{
    baresip::{Answer, Baresip, Setup},
    sipp::Scenario,
    tone_files::{self, AGENT_HZ, CALLER_HZ},
};

#[tokio::test]
async fn two_telephones_hear_each_other_and_nobody_else() -> Result<()> {
    let mut caller = Baresip::start(Setup::new("caller", CALLER_HZ)).await?;
    let mut agent = Baresip::start(Setup::new("agent", AGENT_HZ)).await?;
    caller.dial(&agent.uri()).await?;
    caller.wait_for("CALL_ESTABLISHED").await?;
    caller.wait_until_hears(&[AGENT_HZ]).await?;
    agent.wait_until_hears(&[CALLER_HZ]).await?;
    caller.hang_up().await?;
    agent.wait_for("CALL_CLOSED").await?;
    let heard = agent.heard()?;
    assert_eq!(heard.len(), 1);
    assert_eq!(tone_files::parties_heard(&heard[0]), [CALLER_HZ]);
    Ok(())
}

#[tokio::test]
async fn a_telephone_rings_until_it_is_told_to_answer() -> Result<()> {
    let mut caller = Baresip::start(Setup::new("caller", CALLER_HZ)).await?;
    let mut agent = Baresip::start(Setup::new("agent", AGENT_HZ).answering_when_told()).await?;
    caller.dial(&agent.uri()).await?;
    agent.wait_for("CALL_INCOMING").await?;
    caller.wait_for("CALL_RINGING").await?;
    agent.accept().await?;
    caller.wait_for("CALL_ESTABLISHED").await?;
    agent.wait_until_hears(&[CALLER_HZ]).await
}

/// A telephone that a scenario calls.
async fn called(answer: Answer) -> Result<Baresip> {
    Baresip::start(Setup { answer, ..Setup::new("queue", AGENT_HZ) }).await
}

/// Runs a caller's scenario against a telephone that answers at once.
async fn call(scenario: &str) -> Result<()> {
    let mut telephone = called(Answer::Automatically).await?;
    let scenario = Scenario::new(scenario, telephone.address)?.service("queue").word("talk_ms", "500");
    scenario.seeing_repetitions().run().await?;
    telephone.wait_for("CALL_CLOSED").await?;
    Ok(())
}

#[tokio::test]
async fn scenario_caller_hangs_up() -> Result<()> {
    call("caller_hangs_up").await
}

#[tokio::test]
async fn scenario_caller_loses_its_first_acks() -> Result<()> {
    call("caller_loses_its_first_acks").await
}

#[tokio::test]
async fn scenario_caller_repeats_its_requests() -> Result<()> {
    call("caller_repeats_its_requests").await
}

#[tokio::test]
async fn scenario_caller_holds_and_resumes() -> Result<()> {
    call("caller_holds_and_resumes").await
}

#[tokio::test]
async fn scenario_caller_cancels_at_once_and_the_answer_is_first() -> Result<()> {
    call("caller_cancels_at_once").await
}

#[tokio::test]
async fn scenario_caller_cancels_at_once_and_the_cancel_is_first() -> Result<()> {
    let telephone = called(Answer::WhenTold).await?;
    Scenario::new("caller_cancels_at_once", telephone.address)?.service("queue").run().await
}

#[tokio::test]
async fn scenario_caller_hangs_up_over_tcp() -> Result<()> {
    let telephone = called(Answer::Automatically).await?;
    Scenario::new("caller_hangs_up", telephone.address)?.service("queue").word("talk_ms", "500").over_tcp().run().await
}

#[tokio::test]
async fn scenario_peer_checks_health() -> Result<()> {
    let telephone = called(Answer::Automatically).await?;
    Scenario::new("peer_checks_health", telephone.address)?.service("queue").run().await
}

#[tokio::test]
async fn scenario_caller_dials_an_unknown_number() -> Result<()> {
    let telephone = called(Answer::Automatically).await?;
    Scenario::new("caller_dials_an_unknown_number", telephone.address)?.service("nobody").run().await
}

#[tokio::test]
async fn scenario_stranger_gets_no_answer_passes_only_when_there_is_none() -> Result<()> {
    let silent = std::net::UdpSocket::bind(("127.0.0.1", 0))?;
    Scenario::new("stranger_gets_no_answer", silent.local_addr()?)?.service("queue").run().await?;
    let telephone = called(Answer::WhenTold).await?;
    let answered = Scenario::new("stranger_gets_no_answer", telephone.address)?.service("queue").run().await;
    assert!(answered.is_err(), "a telephone that rings is an answer");
    Ok(())
}

#[tokio::test]
async fn scenario_caller_is_hung_up_on() -> Result<()> {
    let mut telephone = called(Answer::Automatically).await?;
    let caller = Scenario::new("caller_is_hung_up_on", telephone.address)?.service("queue").start().await?;
    telephone.wait_for("CALL_ESTABLISHED").await?;
    telephone.hang_up().await?;
    caller.finish().await
}

/// Starts a telephone's scenario, calls it, and returns both.
async fn ring(scenario: Scenario) -> Result<(Baresip, dreiklang_tests::sipp::Running)> {
    let mut caller = Baresip::start(Setup::new("caller", CALLER_HZ)).await?;
    let uri = format!("sip:agent@{}", scenario.address());
    let telephone = scenario.start_listening().await?;
    caller.dial(&uri).await?;
    Ok((caller, telephone))
}

fn telephone(scenario: &str) -> Result<Scenario> {
    Ok(Scenario::new(scenario, ([127, 0, 0, 1], 9).into())?.word("talk_ms", "300").word("ring_ms", "300"))
}

#[tokio::test]
async fn scenario_phone_answers() -> Result<()> {
    let (mut caller, telephone) = ring(telephone("phone_answers")?).await?;
    caller.wait_for("CALL_ESTABLISHED").await?;
    caller.hang_up().await?;
    telephone.finish().await
}

#[tokio::test]
async fn scenario_phone_answers_and_hangs_up() -> Result<()> {
    let (mut caller, telephone) = ring(telephone("phone_answers_and_hangs_up")?).await?;
    caller.wait_for("CALL_CLOSED").await?;
    telephone.finish().await
}

#[tokio::test]
async fn scenario_phone_is_busy() -> Result<()> {
    let (mut caller, telephone) = ring(telephone("phone_is_busy")?).await?;
    let closed = caller.wait_for("CALL_CLOSED").await?;
    assert!(closed.body["param"].as_str().is_some_and(|reason| reason.contains("486")), "{}", closed.body);
    telephone.finish().await
}

#[tokio::test]
async fn scenario_phone_declines() -> Result<()> {
    let (mut caller, telephone) = ring(telephone("phone_declines")?).await?;
    caller.wait_for("CALL_CLOSED").await?;
    telephone.finish().await
}

#[tokio::test]
async fn scenario_phone_rings_until_canceled() -> Result<()> {
    let (mut caller, telephone) = ring(telephone("phone_rings_until_canceled")?).await?;
    caller.wait_for("CALL_RINGING").await?;
    caller.hang_up().await?;
    telephone.finish().await
}

#[tokio::test]
async fn a_scenario_that_does_not_go_as_written_fails_with_its_messages() -> Result<()> {
    let mut telephone = called(Answer::WhenTold).await?;
    let caller = Scenario::new("caller_hangs_up", telephone.address)?.service("queue").word("talk_ms", "1").start().await?;
    telephone.wait_for("CALL_INCOMING").await?;
    telephone.hang_up().await?;
    let failure = caller.finish().await.expect_err("the caller expects an answer, not a refusal").to_string();
    assert!(failure.contains("INVITE sip:queue@") && failure.contains("SIP/2.0 486"), "{failure}");
    Ok(())
}

#[tokio::test]
async fn scenario_phone_answers_into_the_cancel() -> Result<()> {
    let (mut caller, telephone) = ring(telephone("phone_answers_into_the_cancel")?).await?;
    caller.wait_for("CALL_RINGING").await?;
    caller.hang_up().await?;
    telephone.finish().await
}
