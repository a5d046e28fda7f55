//! What is heard and recorded.

use super::stage::{ANNA_HZ, CALLER_HZ, NIGHT, STEP, SUE_HZ, SUPPORT, Stage, WORDS, hears, hung_up};
use crate::{
    facts,
    matrix::{Shown, Trial},
};
use anyhow::{Context as _, anyhow, ensure};
use dreiklang_core::{Actor, Command, Event, conversation::SupervisionMode, ids::RecordingId};
use dreiklang_lab::pstn::phone::{CallState, Phone};
use dreiklang_media::{codec::CLOCK_HZ, tone, wav::Wav};
use std::time::Duration;

/// Louder than this is sound.
const SOUND_DBFS: f64 = -45.0;
/// Quieter than this is silence: a telephone line without anybody is louder.
const SILENCE_DBFS: f64 = -70.0;
/// Largest recording read.
const BYTES_MAX: u64 = 64 << 20;

/// Row 3: words that no file holds are spoken.
pub fn text_to_speech(stage: &mut Stage) -> Trial<'_> {
    Box::pin(async move {
        let caller = stage.caller().await?;
        caller.call(WORDS).await;
        let over = caller.wait_for(STEP, |state| matches!(state.call, CallState::Over { .. })).await;
        over.ok_or_else(|| anyhow!("the words do not end"))?;
        let heard = caller.audio().heard();
        let window = CLOCK_HZ as usize / 10;
        let spoken = heard.chunks(window).filter(|window| tone::level_dbfs(window) > SOUND_DBFS).count();
        let speech_ms = 100 * u64::try_from(spoken)?;
        ensure!(speech_ms > 1_500, "only {speech_ms} ms of speech were heard; `dreiklang doctor` says whether a voice is installed");
        stage.idle().await?;
        let shown = Shown::by("a text is spoken by the voice on this machine, and kept for the next time");
        Ok(shown.and("speech_ms", speech_ms).and("level_dbfs", tone::level_dbfs(&heard).round()))
    })
}

/// Row 9: nobody works, so the caller leaves a message.
pub fn voicemail(stage: &mut Stage) -> Trial<'_> {
    Box::pin(async move {
        let mut facts = stage.facts();
        let caller = stage.caller().await?;
        caller.call(NIGHT).await;
        facts::next(&mut facts, STEP, |event| matches!(event, Event::RecordingStarted { .. }).then_some(()))
            .await
            .context("no message was begun")?;
        speak(&caller, Duration::from_secs(4)).await?;
        caller.hang_up().await;
        let left = facts::next(&mut facts, STEP, |event| match event {
            Event::MessageLeft { recording, duration, .. } => Some(Ok((*recording, *duration))),
            Event::MessageDiscarded { reason, .. } => Some(Err(anyhow!("the message was discarded: {reason:?}"))),
            _ => None,
        });
        let (recording, duration) = left.await.context("no message was left")??;
        let channels = channels(stage, recording).await?;
        let heard = channels.iter().any(|channel| tone::heard(channel, &[CALLER_HZ]) == [CALLER_HZ]);
        ensure!(heard, "the caller's voice is not in the message");
        stage.idle().await?;
        let shown = Shown::by("own mailboxes of queues and agents; the message can be heard by those who serve the queue");
        Ok(shown.and("message_ms", duration.0).and("caller_heard", heard))
    })
}

/// Row 10: listen, whisper, barge in, take over; each party asked whom it hears.
pub fn live_access(stage: &mut Stage) -> Trial<'_> {
    Box::pin(async move {
        let talk = stage.talk(SUPPORT).await?;
        let (conversation, agent) = (talk.conversation, stage.agent("Sue").await?);
        let by = Actor::Agent(agent);
        let expect = async |mode: &str, caller: &[u32], anna: &[u32]| {
            hears(&talk.caller, caller).await.with_context(|| format!("{mode}: the caller"))?;
            hears(&stage.anna, anna).await.with_context(|| format!("{mode}: the agent"))?;
            hears(&stage.sue, &[ANNA_HZ, CALLER_HZ]).await.with_context(|| format!("{mode}: the supervisor"))
        };
        let change = |mode| Command::ChangeSupervision { conversation, agent, mode };
        stage.ask(by.clone(), Command::Supervise { conversation, agent, mode: SupervisionMode::Listen }).await?;
        expect("listen", &[ANNA_HZ], &[CALLER_HZ]).await?;
        stage.ask(by.clone(), change(SupervisionMode::Barge)).await?;
        expect("barge in", &[ANNA_HZ, SUE_HZ], &[CALLER_HZ, SUE_HZ]).await?;
        stage.ask(by.clone(), change(SupervisionMode::Whisper)).await?;
        expect("whisper", &[ANNA_HZ], &[CALLER_HZ, SUE_HZ]).await?;
        stage.ask(by, Command::TakeOver { conversation, agent }).await?;
        hung_up(&stage.anna).await.context("take over: the agent")?;
        hears(&talk.caller, &[SUE_HZ]).await.context("take over: the caller")?;
        hears(&stage.sue, &[CALLER_HZ]).await.context("take over: the supervisor")?;
        stage.over(talk).await?;
        Ok(Shown::by("listen, barge in, whisper and take over in one talk, mixed by who hears whom; each party was asked whom it hears"))
    })
}

/// Row 11: recorded from the moment the two are connected, and not while paused.
pub fn recording(stage: &mut Stage) -> Trial<'_> {
    Box::pin(async move {
        let mut facts = stage.facts();
        let talk = stage.talk(SUPPORT).await?;
        let (conversation, agent) = (talk.conversation, stage.agent("Anna").await?);
        let by = Actor::Agent(agent);
        stage.ask(by.clone(), Command::PauseRecording { conversation, secure: false, at_most: None }).await?;
        speak(&talk.caller, Duration::from_secs(2)).await?;
        stage.ask(by, Command::ResumeRecording { conversation }).await?;
        speak(&talk.caller, Duration::from_secs(1)).await?;
        let details = stage.over(talk).await?;
        let (recording, gaps) = facts::next(&mut facts, STEP, |event| match event {
            Event::RecordingFinished { conversation: of, recording, gaps, .. } if *of == conversation => Some((*recording, gaps.clone())),
            _ => None,
        })
        .await
        .context("no recording was finished")?;
        let began = details.recordings.iter().find(|made| made.id == recording).map(|made| made.started_at);
        let began = began.ok_or_else(|| anyhow!("the recording is not in the reports"))?;
        let talking = details.talks.first().map(|talk| talk.started_at).ok_or_else(|| anyhow!("nobody talked"))?;
        let gap = gaps.first().ok_or_else(|| anyhow!("the recording knows of no pause"))?;
        let gap_ms = gap.to.since(gap.from).0;
        let channels = channels(stage, recording).await?;
        ensure!(channels.len() == 2, "it has {} channels", channels.len());
        for (channel, hz) in channels.iter().zip([CALLER_HZ, ANNA_HZ]) {
            ensure!(tone::heard(channel, &[hz]) == [hz], "the tone of {hz} Hz is not on its channel");
        }
        let silent = channels.iter().map(|channel| longest_silence_ms(channel)).min().unwrap_or_default();
        ensure!(silent + 100 >= gap_ms.min(1_900), "the pause of {gap_ms} ms is silent for {silent} ms only");
        let shown = Shown::by("two channels from the moment of connecting; a pause leaves silence and is listed");
        let after = i64::try_from(began.since(talking).0)?;
        Ok(shown.and("starts_after_ms", after).and("pause_ms", gap_ms).and("silent_ms", silent))
    })
}

/// Lets somebody go on talking for a while, unless the call is lost.
async fn speak(phone: &Phone, time: Duration) -> anyhow::Result<()> {
    let lost = phone.wait_for(time, |state| matches!(state.call, CallState::Over { .. })).await;
    ensure!(lost.is_none(), "the call was lost");
    Ok(())
}

async fn channels(stage: &Stage, recording: RecordingId) -> anyhow::Result<Vec<Vec<i16>>> {
    stage.idle().await?;
    let tenant = stage.product.tenant.tenant();
    let seq = stage.product.tenant.read(dreiklang_core::World::version).await?;
    let store = stage.product.state.store();
    store.wait_projected(tenant, seq).await?;
    let found = store.recording(tenant, recording).await?.and_then(|recording| recording.path);
    let path = stage.product.recordings().join(found.ok_or_else(|| anyhow!("the recording has no file"))?);
    let wav = Wav::read(&path, BYTES_MAX).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(wav.channels)
}

/// The longest stretch without any sound, in steps of 20 ms.
fn longest_silence_ms(samples: &[i16]) -> u64 {
    let (mut longest, mut present) = (0, 0);
    for window in samples.chunks(CLOCK_HZ as usize / 50) {
        present = if tone::level_dbfs(window) < SILENCE_DBFS { present + 20 } else { 0 };
        longest = longest.max(present);
    }
    longest
}
