//! A server that is killed: everything it was told to be durable is there, and every event is in the reports exactly once.
//!
//! The server is this very test in a second process, told so by an environment variable.

use crate::{
    soon,
    story::{Call, Dice, OTHER, Story, TENANT},
};
use dreiklang_core::{Event, ids::TenantId};
use dreiklang_store::{Store, report::conversations::ConversationFilter};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const CHILD: &str = "DREIKLANG_STORE_TEST_CHILD";
const ROUNDS: u64 = 4;

#[tokio::test]
async fn nothing_acknowledged_is_lost_and_nothing_counted_twice_when_the_process_is_killed() {
    if let Some(path) = std::env::var_os(CHILD) {
        append_for_ever(&PathBuf::from(path)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut acknowledged: BTreeMap<TenantId, u64> = BTreeMap::new();
    for round in 0..ROUNDS {
        kill_after(&path, 60 + round * 35, &mut acknowledged);
        let store = Store::open(&path).unwrap();
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
        for (&tenant, &acknowledged) in &acknowledged {
            let version = store.version(tenant).await.unwrap();
            assert!(version >= acknowledged, "{acknowledged} was acknowledged to {tenant}, {version} is there");
            soon(store.wait_projected(tenant, version)).await.unwrap();
            compare(&store, tenant, version).await;
        }
    }
    assert_eq!(acknowledged.len(), 2);
}

/// Runs a server until it has acknowledged so many appends, and kills it.
fn kill_after(path: &Path, appends: u64, acknowledged: &mut BTreeMap<TenantId, u64>) {
    let name = "durability::nothing_acknowledged_is_lost_and_nothing_counted_twice_when_the_process_is_killed";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut count = 0;
    for line in lines {
        let line = line.unwrap();
        // The test runner writes lines of its own, and may put its words before ours.
        let Some((_, words)) = line.split_once("acknowledged ") else {
            continue;
        };
        let (tenant, version) = words.split_once(' ').unwrap();
        acknowledged.insert(tenant.parse().unwrap(), version.parse().unwrap());
        count += 1;
        if count == appends {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(count >= appends, "the server ended by itself after {count} appends");
}

async fn append_for_ever(path: &Path) {
    let store = Store::open(path).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for tenant in [TENANT, OTHER] {
        let store = store.clone();
        tasks.spawn(async move {
            let acquired = store.acquire(tenant, "child").await.unwrap();
            let mut version = acquired.version;
            let mut dice = Dice(version);
            loop {
                let mut story = Story::after(version);
                story.answered(Call {
                    wait: 1_000 + dice.roll(9_000),
                    talk: dice.roll(90_000),
                    wrap_up: dice.roll(5_000),
                    ..Call::default()
                });
                let size = 1 + usize::try_from(dice.roll(9)).unwrap();
                // The last batches of a call may be missing when the process is killed in between: so much the better.
                for batch in story.events.chunks(size) {
                    version = store.append(tenant, acquired.epoch, version, batch).await.unwrap();
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "acknowledged {tenant} {version}").unwrap();
                    out.flush().unwrap();
                }
            }
        });
    }
    tasks.join_all().await;
}

/// The journal is whole, and the reports say of every conversation what it says.
async fn compare(store: &Store, tenant: TenantId, version: u64) {
    let mut expected = 0;
    let mut told: BTreeMap<_, (u64, u64, u64)> = BTreeMap::new();
    let mut traced: BTreeMap<_, usize> = BTreeMap::new();
    store
        .replay(tenant, 0, |stamped| {
            expected += 1;
            assert_eq!(stamped.seq, expected);
            match stamped.event {
                Event::ConversationStarted { conversation, .. } => {
                    told.insert(conversation, (0, 0, 0));
                }
                Event::VisitEnded { conversation, wait, .. } => told.get_mut(&conversation).unwrap().0 += wait.0,
                Event::TalkEnded { conversation, talk, hold, .. } => {
                    told.get_mut(&conversation).unwrap().1 += talk.0;
                    told.get_mut(&conversation).unwrap().2 += hold.0;
                }
                _ => {}
            }
            if !matches!(stamped.event, Event::OccupationChanged { .. }) {
                *traced.entry(*told.last_key_value().unwrap().0).or_default() += 1;
            }
        })
        .await
        .unwrap();
    assert_eq!(expected, version);
    let mut found = BTreeMap::new();
    let mut after = None;
    loop {
        let page = store.conversations(tenant, ConversationFilter::default(), after, 1_000).await.unwrap();
        found.extend(page.rows.into_iter().map(|row| (row.id, (row.wait.0, row.talk.0, row.hold.0))));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, told);
    for (conversation, count) in traced {
        assert_eq!(store.trace(tenant, conversation, 0, 1_000).await.unwrap().events.len(), count);
    }
}
