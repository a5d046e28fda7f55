//! Who is reached, and how.

use super::stage::{ANNA, ANNA_HZ, CALLER_HZ, OUTSIDE, OUTSIDE_HZ, STEP, SUPPORT, Stage, hears, hung_up};
use crate::{
    facts,
    matrix::{Shown, Trial},
};
use anyhow::{Context as _, anyhow, ensure};
use dreiklang_core::{Actor, Command, Event, World, ids::QueueId, input::TransferTarget, queue::Outcome};
use std::time::Instant;

/// Row 1: in over one trunk, out over another one whose first address does not answer.
pub fn way_to_the_network(stage: &mut Stage) -> Trial<'_> {
    Box::pin(async move {
        let talk = stage.talk(SUPPORT).await?;
        let (conversation, inbound_ms) = (talk.conversation, talk.setup_ms);
        let agent = stage.agent("Anna").await?;
        let began = Instant::now();
        let to = TransferTarget::Number(OUTSIDE.to_owned());
        stage.ask(Actor::Agent(agent), Command::Transfer { conversation, to }).await?;
        hears(&talk.caller, &[OUTSIDE_HZ]).await.context("the caller does not hear the one outside")?;
        hears(&stage.outside, &[CALLER_HZ]).await.context("the one outside does not hear the caller")?;
        let outbound_ms = u64::try_from(began.elapsed().as_millis())?;
        hung_up(&stage.anna).await?;
        let details = stage.over(talk).await?;
        stage.first = Some(conversation);
        ensure!(details.legs.iter().all(|leg| leg.termination.is_some()), "a leg ended without a cause");
        let shown = Shown::by("SIP trunks in both directions; the first address of the way out is dead, the second one is taken");
        Ok(shown.and("inbound_setup_ms", inbound_ms).and("outbound_setup_ms", outbound_ms))
    })
}

/// Row 2: one process with its store, stopped and started again.
pub fn operation(stage: &mut Stage) -> Trial<'_> {
    Box::pin(async move {
        let started_ms = stage.started_ms;
        let restarted_ms = stage.restart().await?;
        let first = stage.first.ok_or_else(|| anyhow!("there is no call from before to be found again"))?;
        let details = stage.details(first).await.context("what happened before the restart")?;
        let agents = stage.product.tenant.read(|world| world.agents().len()).await?;
        ensure!(agents == 3, "{agents} agents are left of 3");
        let shown = Shown::by("one program with an embedded store; after a restart it knows everything again");
        let shown = shown.and("started_ms", started_ms).and("restarted_ms", restarted_ms);
        Ok(shown.and("legs_found_again", details.legs.len()))
    })
}

/// Row 5: the agent's own telephone rings, and nothing else.
pub fn ring_only_the_client(stage: &mut Stage) -> Trial<'_> {
    Box::pin(async move {
        let rang = |stage: &Stage| [&stage.anna, &stage.ben, &stage.sue, &stage.outside].map(|phone| phone.state().borrow().rang);
        let before = rang(stage);
        let talk = stage.talk(SUPPORT).await?;
        let after = rang(stage);
        stage.over(talk).await?;
        let rings: Vec<u32> = after.iter().zip(before).map(|(after, before)| after - before).collect();
        ensure!(rings == [1, 0, 0, 0], "the telephones rang {rings:?} times");
        let shown = Shown::by("the telephone signed in with us rings; nothing is sent to Teams or outside");
        Ok(shown.and("own_telephone_rang", rings[0]).and("others_rang", rings[1..].iter().sum::<u32>()))
    })
}

/// Row 14: a number of the own rings this agent alone, waits for this agent alone, and has figures of its own.
pub fn own_number(stage: &mut Stage) -> Trial<'_> {
    Box::pin(async move {
        stage.ben_works(true).await?;
        let before = stage.ben.state().borrow().rang;
        let busy = stage.talk(ANNA).await?;
        // The next one waits for Anna, though Ben has nothing to do.
        let second = stage.caller().await?;
        let mut facts = stage.facts();
        second.call(ANNA).await;
        let queue = facts::next(&mut facts, STEP, |event| match event {
            Event::VisitStarted { queue, .. } => Some(*queue),
            _ => None,
        });
        let queue: QueueId = queue.await.context("the second caller does not wait")?;
        let name = stage.product.tenant.read(move |world: &World| world.queue(queue).map(|queue| queue.settings.name.clone())).await?;
        ensure!(name.as_deref() == Some("Anna's own"), "the second caller waits in {name:?}");
        busy.caller.hang_up().await;
        hears(&second, &[ANNA_HZ]).await.context("the second caller does not hear the agent")?;
        second.hang_up().await;
        let ended = facts::next(&mut facts, STEP, |event| match event {
            Event::VisitEnded { outcome, wait, .. } => Some((*outcome, *wait)),
            _ => None,
        });
        let (outcome, wait) = ended.await?;
        ensure!(outcome == Outcome::Answered, "the visit ended with {outcome:?}");
        stage.idle().await?;
        stage.ben_works(false).await?;
        ensure!(stage.ben.state().borrow().rang == before, "Ben's telephone rang for a caller who wants Anna");
        let shown = Shown::by("a direct number with a queue of its own: callers wait for this agent, whoever else is free");
        Ok(shown.and("queue", name.unwrap_or_default()).and("waited_ms", wait.0))
    })
}
