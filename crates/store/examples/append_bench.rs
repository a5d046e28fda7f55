//! How many appends a second this computer's disk lets through, and how long each takes.
//!
//! `cargo run --release -p dreiklang-store --example append_bench [FOLDER] [SECONDS]`
//!
//! Every append carries the events of one routing decision and is answered after the disk was flushed. With several tenants,
//! appends share flushes; the reports are projected beside it, as in the server.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use dreiklang_core::{
    Event, Stamped,
    agent::Occupation,
    ids::{AgentId, ConversationId, LegId, OfferId, QueueId, TenantId, VisitId},
    time::Timestamp,
};
use dreiklang_store::Store;
use std::{
    error::Error,
    path::Path,
    time::{Duration, Instant},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| ".".to_owned());
    let seconds: u64 = arguments.next().map_or(Ok(5), |text| text.parse())?;
    println!("tenants  appends/s  events/s  p50 ms  p99 ms  max ms  appends/commit  reports behind");
    for tenants in [1, 8, 64] {
        measure(Path::new(&folder), tenants, Duration::from_secs(seconds))?;
    }
    Ok(())
}

fn measure(folder: &Path, tenants: u64, time: Duration) -> Result<(), Box<dyn Error>> {
    let path = folder.join(format!("append_bench_{}.db", std::process::id()));
    let store = Store::open(&path)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let started = Instant::now();
    let (mut latencies, behind) = runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 1..=tenants {
            tasks.spawn(owner(store.clone(), TenantId(number.into()), started + time));
        }
        let mut latencies = Vec::new();
        let mut behind = 0;
        for outcome in tasks.join_all().await {
            let (tenant, version, mut times) = outcome?;
            behind += version - store.projected(tenant);
            latencies.append(&mut times);
        }
        Ok::<_, dreiklang_store::AppendError>((latencies, behind))
    })?;
    let seconds = started.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |share: f64| {
        let place = (latencies.len() as f64 * share) as usize;
        latencies.get(place.min(latencies.len().saturating_sub(1))).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    let counters = store.counters();
    println!(
        "{tenants:7}  {:9.0}  {:8.0}  {:6.2}  {:6.2}  {:6.2}  {:14.1}  {behind:14}",
        latencies.len() as f64 / seconds,
        latencies.len() as f64 * EVENTS as f64 / seconds,
        at(0.5),
        at(0.99),
        at(1.0),
        counters.writes as f64 / counters.commits as f64,
    );
    let started = Instant::now();
    let events = runtime.block_on(async {
        let mut events = 0;
        for number in 1..=tenants {
            let tenant = TenantId(number.into());
            store.wait_projected(tenant, store.version(tenant).await?).await?;
            events += store.version(tenant).await?;
        }
        Ok::<_, dreiklang_store::Failure>(events)
    })?;
    println!("         reports caught up after {:.2} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    runtime.block_on(async {
        for number in 1..=tenants {
            store.replay(TenantId(number.into()), 0, drop).await?;
        }
        Ok::<_, dreiklang_store::LoadError>(())
    })?;
    println!("         {:.0} events/s read back", events as f64 / started.elapsed().as_secs_f64());
    store.close();
    for suffix in ["", "-wal", "-shm", ".lock"] {
        // What is not there need not be removed.
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    Ok(())
}

async fn owner(store: Store, tenant: TenantId, until: Instant) -> Result<(TenantId, u64, Vec<Duration>), dreiklang_store::AppendError> {
    let acquired = store.acquire(tenant, "bench").await?;
    let mut version = acquired.version;
    let mut times = Vec::new();
    while Instant::now() < until {
        let events = decision(version);
        let begun = Instant::now();
        version = store.append(tenant, acquired.epoch, version, &events).await?;
        times.push(begun.elapsed());
    }
    Ok((tenant, version, times))
}

/// Events of one decision.
const EVENTS: usize = 3;

fn decision(version: u64) -> Vec<Stamped> {
    let number = u128::from(version);
    let (conversation, offer, agent) = (ConversationId(number), OfferId(number), AgentId(number % 1_000));
    let at = Timestamp(1_700_000_000_000 + i64::try_from(version).unwrap_or(0));
    let (visit, queue) = (VisitId(number), QueueId(1));
    let events = [
        Event::VisitStarted { visit, conversation, queue, priority: 50, skills: Vec::new(), enqueued_at: at, terms: Default::default() },
        Event::OfferMade {
            offer,
            visit: Some(visit),
            conversation,
            queue: Some(queue),
            agent,
            leg: LegId(number),
            rings_until: at,
            purpose: Default::default(),
        },
        Event::OccupationChanged { agent, occupation: Occupation::Offered { offer, conversation }, from: Occupation::Idle, since: at },
    ];
    let seqs = version + 1..;
    seqs.zip(events).map(|(seq, event)| Stamped { seq, at, event }).collect()
}
