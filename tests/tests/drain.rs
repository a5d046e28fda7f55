//! Stopping without hurting anybody.

use anyhow::{Context as _, Result, ensure};
use dreiklang_lab::pstn::phone::{self, CallState, Manner, Phone};
use dreiklang_tests::{
    contact_center::{ContactCenter, NUMBER},
    tone_files::{AGENT_HZ, CALLER_HZ},
    wait::{self, SOON},
};
use serde_json::json;

#[tokio::test]
async fn a_server_that_is_asked_to_stop_lets_present_calls_finish_and_refuses_new_ones() -> Result<()> {
    let center = ContactCenter::open(json!({}), &["ada"]).await?;
    let (mut caller, mut agent) = center.talk("ada").await?;

    center.server.ask_to_stop().await?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let url = center.server.url("/readyz");
    wait::until("the server to say that it takes no more", SOON, async || {
        let answer = client.get(&url).send().await.ok()?;
        (answer.status() == 503).then_some(())
    })
    .await?;
    let sip = center.server.sip;
    let late =
        phone::Config { user: "+4930555222".to_owned(), password: None, server: sip, ip: sip.ip(), hz: CALLER_HZ, manner: Manner::Busy };
    let late = Phone::start(late).await?;
    late.call(NUMBER).await;
    let refused = late.wait_for(SOON, |state| matches!(state.call, CallState::Over { .. })).await.context("the late call is answered")?;
    // 503 lets a trunk try another address.
    ensure!(matches!(refused.call, CallState::Over { status: Some(503), .. }), "{refused:?}");
    caller.wait_until_hears(&[AGENT_HZ]).await?;
    caller.hang_up().await?;
    agent.wait_for("CALL_CLOSED").await?;
    let ContactCenter { server, .. } = center;
    server.wait_until_ended().await
}
