//! More than two in one talk: conferences and supervision, each party on a telephone of its own, and all of them asked whom
//! they hear.

use anyhow::{Context as _, Result};
use dreiklang_media::{codec::CLOCK_HZ, tone};
use dreiklang_tests::{
    baresip::{Baresip, Setup},
    contact_center::{ContactCenter, NUMBER},
    tone_files::{self, AGENT_HZ, CALLER_HZ, SECOND_AGENT_HZ, SUPERVISOR_HZ},
};
use reqwest::Method;
use serde_json::{Value, json};

/// A caller who talks to Ada, and what can be asked about it.
struct Talk {
    center: ContactCenter,
    caller: Baresip,
    ada: Baresip,
    /// The conversation's path in the interface.
    path: String,
}

impl Talk {
    /// Ada talks to a caller; these others are at work, on telephones that are signed in.
    async fn begin(queue: Value, others: &[&str]) -> Result<Talk> {
        let center = ContactCenter::open(queue, &[&["ada"], others].concat()).await?;
        let (caller, ada) = center.talk("ada").await?;
        let conversation = center.wait_for_conversation("the talk", |conversation| conversation["talks"][0].is_object()).await?;
        let id = conversation["id"].as_str().context("a conversation has an id")?;
        let path = format!("conversations/{id}");
        Ok(Talk { center, caller, ada, path })
    }

    async fn ask(&self, what: &str, body: Option<Value>) -> Result<()> {
        self.center.request(Method::POST, &format!("{}/{what}", self.path), body).await?;
        Ok(())
    }

    /// Ada consults Ben on his telephone and brings everybody together.
    async fn with_ben(&mut self) -> Result<Baresip> {
        let ben = self.center.telephone("ben", SECOND_AGENT_HZ).await?;
        self.center.make_ready("ben").await?;
        self.ask("consult", Some(json!({ "kind": "agent", "id": self.center.agent("ben")? }))).await?;
        // Whoever follows Ada's talk may speak to her as well.
        ben.wait_until_hears(&[AGENT_HZ]).await?;
        self.caller.wait_until_hears(&[]).await?;
        self.ask("consult/merge", None).await?;
        Ok(ben)
    }

    /// Sue's telephone follows Ada's talk.
    async fn with_sue(&self) -> Result<Baresip> {
        let mut sue = self.center.telephone("sue", SUPERVISOR_HZ).await?;
        let duty = format!("agents/{}/duty", self.center.agent("sue")?);
        self.center.request(Method::PUT, &duty, Some(json!({ "duty": "on_duty" }))).await?;
        self.supervise("supervise", "listen").await?;
        sue.wait_for("CALL_ESTABLISHED").await?;
        Ok(sue)
    }

    async fn supervise(&self, what: &str, mode: &str) -> Result<()> {
        self.ask(what, Some(json!({ "agent": self.center.agent("sue")?, "mode": mode }))).await
    }

    /// Whom the recording has on each channel, once it is there.
    async fn recorded(&self) -> Result<Vec<Vec<u32>>> {
        let there = |conversation: &Value| conversation["recordings"].as_u64() == Some(1);
        let conversation = self.center.wait_for_conversation("the recording to be there", there).await?;
        let channels = self.center.recording(&conversation).await?;
        Ok(channels.iter().map(|channel| tone_files::parties_heard(channel)).collect())
    }
}

#[tokio::test]
async fn customer_agent_and_a_colleague_talk_with_each_other_until_they_leave() -> Result<()> {
    let mut talk = Talk::begin(json!({}), &["ben"]).await?;
    let mut ben = talk.with_ben().await?;
    talk.caller.wait_until_hears(&[AGENT_HZ, SECOND_AGENT_HZ]).await?;
    talk.ada.wait_until_hears(&[CALLER_HZ, SECOND_AGENT_HZ]).await?;
    ben.wait_until_hears(&[CALLER_HZ, AGENT_HZ]).await?;

    // On hold the customer hears music, and the others talk about it.
    talk.ask("hold", None).await?;
    talk.caller.wait_until_hears(&[]).await?;
    talk.ada.wait_until_hears(&[SECOND_AGENT_HZ]).await?;
    ben.wait_until_hears(&[AGENT_HZ]).await?;
    talk.ask("resume", None).await?;
    talk.caller.wait_until_hears(&[AGENT_HZ, SECOND_AGENT_HZ]).await?;

    // The agent leaves, and the colleague has the customer.
    talk.ada.hang_up().await?;
    talk.caller.wait_until_hears(&[SECOND_AGENT_HZ]).await?;
    ben.wait_until_hears(&[CALLER_HZ]).await?;
    talk.caller.hang_up().await?;
    ben.wait_for("CALL_CLOSED").await?;
    let conversation = talk.center.ended_conversation().await?;
    assert_eq!(conversation["outcome"], "answered", "{conversation:#}");
    // The customer's side, and all that the customer heard of the others.
    assert_eq!(talk.recorded().await?, [vec![CALLER_HZ], vec![AGENT_HZ, SECOND_AGENT_HZ]]);
    Ok(())
}

#[tokio::test]
async fn somebody_outside_joins_a_conference_and_the_customer_leaves_it() -> Result<()> {
    let mut talk = Talk::begin(json!({}), &[]).await?;
    let mut outside = Baresip::start(Setup { codec: "PCMU", ..Setup::new("+4940111", SECOND_AGENT_HZ) }).await?;
    let trunk = json!({ "name": "Way out", "peers": [{ "address": outside.address.to_string() }], "health_interval_s": 0 });
    talk.center.request(Method::POST, "trunks", Some(trunk)).await?;
    let tenant = json!({ "name": "Tests", "caller_number": NUMBER, "outbound_line": "connected" });
    talk.center.request(Method::POST, "configuration", Some(json!({ "tenant": tenant }))).await?;
    talk.ask("consult", Some(json!({ "kind": "number", "id": "+4940111" }))).await?;
    talk.ada.wait_until_hears(&[SECOND_AGENT_HZ]).await?;
    talk.ask("consult/merge", None).await?;
    talk.caller.wait_until_hears(&[AGENT_HZ, SECOND_AGENT_HZ]).await?;
    talk.ada.wait_until_hears(&[CALLER_HZ, SECOND_AGENT_HZ]).await?;
    outside.wait_until_hears(&[CALLER_HZ, AGENT_HZ]).await?;
    talk.caller.hang_up().await?;
    outside.wait_for("CALL_CLOSED").await?;
    talk.ada.wait_for("CALL_CLOSED").await?;
    talk.center.ended_conversation().await?;
    Ok(())
}

#[tokio::test]
async fn a_supervisor_listens_whispers_barges_in_and_takes_over() -> Result<()> {
    let mut talk = Talk::begin(json!({}), &["sue"]).await?;
    let sue = talk.with_sue().await?;
    sue.wait_until_hears(&[CALLER_HZ, AGENT_HZ]).await?;
    talk.caller.wait_until_hears(&[AGENT_HZ]).await?;
    talk.ada.wait_until_hears(&[CALLER_HZ]).await?;

    talk.supervise("supervise/change", "whisper").await?;
    talk.ada.wait_until_hears(&[CALLER_HZ, SUPERVISOR_HZ]).await?;
    talk.caller.wait_until_hears(&[AGENT_HZ]).await?;
    sue.wait_until_hears(&[CALLER_HZ, AGENT_HZ]).await?;
    // Nothing of it has reached the customer at any time.
    let heard = talk.caller.heard()?;
    assert!(heard.iter().all(|call| !tone_files::parties_heard(call).contains(&SUPERVISOR_HZ)));

    talk.supervise("supervise/change", "barge").await?;
    talk.caller.wait_until_hears(&[AGENT_HZ, SUPERVISOR_HZ]).await?;
    talk.ada.wait_until_hears(&[CALLER_HZ, SUPERVISOR_HZ]).await?;
    sue.wait_until_hears(&[CALLER_HZ, AGENT_HZ]).await?;

    talk.ask("supervise/take-over", Some(json!({ "agent": talk.center.agent("sue")? }))).await?;
    talk.ada.wait_for("CALL_CLOSED").await?;
    talk.caller.wait_until_hears(&[SUPERVISOR_HZ]).await?;
    sue.wait_until_hears(&[CALLER_HZ]).await?;
    talk.caller.hang_up().await?;
    let conversation = talk.center.ended_conversation().await?;
    assert_eq!(conversation["agent"], talk.center.agent("sue")?, "{conversation:#}");
    Ok(())
}

#[tokio::test]
async fn music_goes_on_for_a_customer_on_hold_whoever_comes_and_goes() -> Result<()> {
    const NOTE_MS: u32 = 1_500;
    let mut talk = Talk::begin(json!({}), &["sue"]).await?;
    let music = [tone::sines(&[SECOND_AGENT_HZ], -15.0, NOTE_MS), vec![0; 60 * CLOCK_HZ as usize]].concat();
    talk.center.hold_music(&music).await?;
    talk.ask("hold", None).await?;
    talk.caller.wait_until_hears(&[SECOND_AGENT_HZ]).await?;
    let mut sue = talk.with_sue().await?;
    sue.wait_until_hears(&[AGENT_HZ]).await?;
    talk.supervise("supervise/change", "whisper").await?;
    talk.ada.wait_until_hears(&[SUPERVISOR_HZ]).await?;
    talk.caller.wait_until_silent().await?;
    sue.hang_up().await?;
    talk.ask("resume", None).await?;
    talk.caller.wait_until_hears(&[AGENT_HZ]).await?;
    // The note was at the beginning of the music, and was heard once.
    let heard = talk.caller.heard()?.concat();
    let windows = heard.chunks(CLOCK_HZ as usize / 10).filter(|window| tone::tone_dbfs(window, f64::from(SECOND_AGENT_HZ)) > -25.0);
    let heard_ms = 100 * windows.count();
    assert!((1_000..=NOTE_MS as usize + 200).contains(&heard_ms), "{heard_ms}");
    talk.caller.hang_up().await?;
    talk.center.ended_conversation().await?;
    Ok(())
}

#[tokio::test]
async fn what_is_whispered_is_in_no_recording_and_who_stops_supervising_leaves_no_trace() -> Result<()> {
    let mut talk = Talk::begin(json!({}), &["ben", "sue"]).await?;
    let mut sue = talk.with_sue().await?;
    talk.supervise("supervise/change", "whisper").await?;
    let ben = talk.with_ben().await?;
    talk.caller.wait_until_hears(&[AGENT_HZ, SECOND_AGENT_HZ]).await?;
    talk.ada.wait_until_hears(&[CALLER_HZ, SECOND_AGENT_HZ, SUPERVISOR_HZ]).await?;
    ben.wait_until_hears(&[CALLER_HZ, AGENT_HZ]).await?;
    sue.wait_until_hears(&[CALLER_HZ, AGENT_HZ, SECOND_AGENT_HZ]).await?;
    sue.hang_up().await?;
    talk.ada.wait_until_hears(&[CALLER_HZ, SECOND_AGENT_HZ]).await?;
    talk.caller.wait_until_hears(&[AGENT_HZ, SECOND_AGENT_HZ]).await?;
    talk.caller.hang_up().await?;
    talk.center.ended_conversation().await?;
    assert_eq!(talk.recorded().await?, [vec![CALLER_HZ], vec![AGENT_HZ, SECOND_AGENT_HZ]]);
    Ok(())
}
