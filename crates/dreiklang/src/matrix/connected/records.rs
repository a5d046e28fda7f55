//! What is known afterwards.

use super::stage::{BEN_HZ, CALLER_HZ, OUTSIDE, OUTSIDE_HZ, SUPPORT, Stage, hears, hung_up};
use crate::matrix::{Shown, Trial};
use anyhow::{Context as _, ensure};
use dreiklang_core::{Actor, Command, input::TransferTarget, stats::meter::Unit, time::Timestamp};
use std::collections::BTreeMap;

/// Facts of one trial at most.
const FACTS: usize = 500;

/// Row 6: every leg measured, in both directions.
pub fn statistics(stage: &mut Stage) -> Trial<'_> {
    Box::pin(async move {
        let talk = stage.talk(SUPPORT).await?;
        let details = stage.over(talk).await?;
        let mut lowest = f64::INFINITY;
        let (mut packets, mut lost, mut poor) = (0, 0, 0);
        for leg in &details.legs {
            let quality = leg.quality.as_ref().with_context(|| format!("the leg of the {} was not measured", leg.role))?;
            let received = quality.received.as_ref().with_context(|| format!("nothing was received from the {}", leg.role))?;
            let sent = quality.sent.as_ref().with_context(|| format!("nothing was sent to the {}", leg.role))?;
            ensure!(received.packets > 0 && sent.packets > 0, "no packets at the leg of the {}", leg.role);
            packets += received.packets;
            lost += received.lost;
            poor += u32::from(quality.poor);
            lowest = received.mos.map_or(lowest, |mos| lowest.min(mos));
        }
        ensure!(lowest.is_finite(), "no mean opinion score could be computed");
        let shown = Shown::by("every leg measured by us in both directions, rated as Microsoft's call quality dashboard does");
        let shown = shown.and("legs", details.legs.len()).and("packets", packets).and("lost", lost).and("poor", poor);
        Ok(shown.and("lowest_mos", (lowest * 100.0).round() / 100.0))
    })
}

/// Row 7: from agent to agent to somebody outside, and all of it is one conversation.
pub fn transfers_traced(stage: &mut Stage) -> Trial<'_> {
    Box::pin(async move {
        let talk = stage.talk(SUPPORT).await?;
        stage.ben_works(true).await?;
        let (conversation, anna, ben) = (talk.conversation, stage.agent("Anna").await?, stage.agent("Ben").await?);
        stage.ask(Actor::Agent(anna), Command::Transfer { conversation, to: TransferTarget::Agent(ben) }).await?;
        hears(&talk.caller, &[BEN_HZ]).await.context("after the first transfer")?;
        hears(&stage.ben, &[CALLER_HZ]).await.context("after the first transfer")?;
        let to = TransferTarget::Number(OUTSIDE.to_owned());
        stage.ask(Actor::Agent(ben), Command::Transfer { conversation, to }).await?;
        hears(&talk.caller, &[OUTSIDE_HZ]).await.context("after the second transfer")?;
        hung_up(&stage.ben).await?;
        let details = stage.over(talk).await?;
        stage.ben_works(false).await?;
        let talked: Vec<_> = details.talks.iter().map(|talk| talk.agent).collect();
        ensure!(talked == [Some(anna), Some(ben), None], "the talks were with {talked:?}");
        let whole = details.segments.windows(2).all(|two| two[0].to == two[1].from);
        ensure!(whole, "the segments have gaps");
        let tenant = stage.product.tenant.tenant();
        let trace = stage.product.state.store().trace(tenant, conversation, 0, FACTS).await?;
        let shown = Shown::by("one conversation across all transfers: legs, talks, segments and every fact in one trace");
        let shown = shown.and("legs", details.legs.len()).and("talks", details.talks.len());
        Ok(shown.and("segments", details.segments.len()).and("facts", trace.events.len()))
    })
}

/// Row 8: what was used, leg by leg, to be rated later.
pub fn metered(stage: &mut Stage) -> Trial<'_> {
    Box::pin(async move {
        let talk = stage.talk(SUPPORT).await?;
        let conversation = talk.conversation;
        let details = stage.over(talk).await?;
        let tenant = stage.product.tenant.tenant();
        let from = details.conversation.started_at;
        let records = stage.product.state.store().metered(tenant, (from, Timestamp(i64::MAX)), None, FACTS).await?;
        let mut used: BTreeMap<Unit, u64> = BTreeMap::new();
        for record in records.iter().filter(|record| record.conversation == conversation) {
            *used.entry(record.unit).or_default() += record.quantity.0;
        }
        let connected = used.get(&Unit::Connected).copied().unwrap_or_default();
        let recorded = used.get(&Unit::Recorded).copied().unwrap_or_default();
        ensure!(connected > 0 && recorded > 0, "metered were {connected} ms connected and {recorded} ms recorded");
        let shown = Shown::by("time of every leg and recording is metered with line, direction and destination; prices come later");
        Ok(shown.and("connected_ms", connected).and("recorded_ms", recorded))
    })
}
