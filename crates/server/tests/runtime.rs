//! Owners under a failing disk and a newer owner: what they do with facts they cannot write.

use dreiklang_core::{
    Actor, Command, Refusal,
    agent::Duty,
    config::Change,
    ids::{AgentId, TenantId},
};
use dreiklang_server::{
    runtime::{CommandError, LineConfigs, Metrics, Runtime},
    services::Rules,
};
use dreiklang_store::Store;
use std::{future::pending, time::Duration};

const TENANT: TenantId = TenantId(7);
const AGENT: AgentId = AgentId(1);

fn agent() -> Change {
    let agent = serde_json::json!({ "id": AGENT, "name": "Ada", "line": "connected", "endpoint": { "kind": "address", "value": "sip:ada@192.0.2.1" } });
    Change::PutAgent(serde_json::from_value(agent).expect("a valid agent"))
}

fn duty(duty: Duty) -> Command {
    Command::SetDuty { agent: AGENT, duty }
}

#[tokio::test]
async fn a_full_disk_refuses_commands_with_advice_and_loses_nothing_that_was_decided() {
    let store = Store::in_memory().expect("a store");
    let runtime = Runtime::start(store.clone(), LineConfigs::default(), Rules::default(), Metrics::default()).await.expect("a runtime");
    let tenant = runtime.add_tenant(TENANT).await.expect("an owner");
    tenant.configure(agent()).await.expect("configured");

    let size = store.size().await.expect("a size");
    store.limit_size(Some(size.database)).await.expect("limited");
    // Someone keeps writing until nothing fits any more; then the owner says so.
    let mut on = true;
    let refused = loop {
        let wanted = if on { Duty::OnDuty } else { Duty::OffDuty };
        match tenant.command(Actor::System, duty(wanted)).await {
            Ok(()) => on = !on,
            Err(CommandError::Refused(refusal)) => break Some(refusal),
            Err(other) => panic!("{other}"),
        }
    };
    let later = tenant.command(Actor::System, duty(Duty::SignedOut)).await;
    assert!(matches!(later, Err(CommandError::Refused(_))), "{later:?}");
    let Some(Refusal::WrongState { reason }) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("disk full"), "{reason}");
    assert!(!runtime.problems().is_empty(), "not ready while nothing can be written");
    let decided = tenant.read(|world| (world.version(), world.agent(AGENT).map(|agent| agent.duty))).await.expect("readable");

    store.limit_size(None).await.expect("unlimited");
    let written = tokio::time::timeout(Duration::from_secs(10), async {
        while store.version(TENANT).await.expect("a version") < decided.0 {
            tokio::task::yield_now().await;
        }
    });
    written.await.expect("what was decided is written once there is room");
    // The owner notices with its next commit that all is well again.
    let again = async {
        loop {
            match tenant.command(Actor::System, duty(Duty::OnDuty)).await {
                Ok(()) => break,
                Err(CommandError::Refused(_)) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), again).await.expect("commands are taken again");
    assert_eq!(runtime.problems(), Vec::<String>::new());
    runtime.stop(Duration::ZERO, pending()).await;
}

#[tokio::test]
async fn an_owner_that_lost_its_tenant_steps_down() {
    let store = Store::in_memory().expect("a store");
    let old = Runtime::start(store.clone(), LineConfigs::default(), Rules::default(), Metrics::default()).await.expect("a runtime");
    let stale = old.add_tenant(TENANT).await.expect("an owner");
    stale.configure(agent()).await.expect("configured");
    let new = Runtime::start(store.clone(), LineConfigs::default(), Rules::default(), Metrics::default()).await.expect("another runtime");
    let fresh = new.add_tenant(TENANT).await.expect("a newer owner");

    let refused = stale.command(Actor::System, duty(Duty::OnDuty)).await;
    assert!(matches!(refused, Err(CommandError::Unavailable)), "{refused:?}");
    assert!(old.problems().iter().any(|problem| problem.contains("no owner")), "{:?}", old.problems());
    fresh.command(Actor::System, duty(Duty::OnDuty)).await.expect("the newer one works");
    let seen = fresh.read(|world| world.agent(AGENT).map(|agent| agent.duty)).await.expect("readable");
    assert_eq!(seen, Some(Duty::OnDuty));
}

#[tokio::test]
async fn a_restart_knows_everything_that_was_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dreiklang.db");
    let before = {
        let store = Store::open(&path).expect("a store");
        let runtime = Runtime::start(store.clone(), LineConfigs::default(), Rules::default(), Metrics::default()).await.expect("a runtime");
        let tenant = runtime.add_tenant(TENANT).await.expect("an owner");
        tenant.configure(agent()).await.expect("configured");
        tenant.command(Actor::System, duty(Duty::OnDuty)).await.expect("on duty");
        let world = tenant.read(Clone::clone).await.expect("readable");
        runtime.stop(Duration::ZERO, pending()).await;
        store.close();
        world
    };
    let store = Store::open(&path).expect("the store again");
    let runtime = Runtime::start(store, LineConfigs::default(), Rules::default(), Metrics::default()).await.expect("a runtime");
    let tenant = runtime.add_tenant(TENANT).await.expect("an owner");
    let after = tenant.read(Clone::clone).await.expect("readable");
    assert_eq!(before.agent(AGENT), after.agent(AGENT));
    assert!(!after.is_draining(), "it was the former process that was about to stop");
}
