//! A contact center whose calls Microsoft carries: the lab's Entra, Communication Services and Event Grid in the test's own process, the
//! product beside it, and people with tones.

use crate::{contact_center::ContactCenter, ports, server::Server, wait::SOON};
use anyhow::{Context, Result, ensure};
use dreiklang_lab::{
    Agent, Lab, Settings,
    people::{Manner, Person, Ringing, Stage},
};
use dreiklang_media::{codec::CLOCK_HZ, tone::Generator};
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;

/// The number callers dial.
pub const NUMBER: &str = "+49301000";
/// Who calls, and how that one sounds.
pub const CALLER: &str = "+4930555";
/// The caller's tone.
pub const CALLER_HZ: u32 = 440;
/// The tones of the first and the second agent.
pub const AGENTS_HZ: [u32; 2] = [620, 1_300];
/// The tone of music and greeting.
pub const MUSIC_HZ: u32 = 900;
/// Everything that can be heard.
pub const ALL_HZ: [u32; 4] = [CALLER_HZ, AGENTS_HZ[0], AGENTS_HZ[1], MUSIC_HZ];
/// What Event Grid shows.
const EVENT_KEY: &str = "a-key-for-tests-0123456789";

/// The lab, the product, and who takes calls.
pub struct Unified {
    /// Microsoft.
    pub lab: Lab,
    /// The product.
    pub center: ContactCenter,
    /// Agents in the order of their names.
    pub agents: Vec<Agent>,
}

impl Unified {
    /// Sets everything up; agents are not at work yet. `queue` overrides what the queue is usually like.
    pub async fn open(queue: Value, names: &[&str]) -> Result<Unified> {
        let folder = TempDir::with_prefix("dreiklang-")?;
        let address = ports::free_address()?;
        let lab = Lab::start(Settings { listen: address, grid_retries_ms: vec![200, 500], ..Settings::default() }).await?;
        let authorities = folder.path().join("lab-ca.pem");
        std::fs::write(&authorities, lab.ca_pem().context("the lab has an authority")?)?;
        let section = format!(
            "\n[unified]\nauthorities = {:?}\nnames = {{ \"local.asm.skype.com\" = \"{}\" }}\n",
            authorities.display().to_string(),
            lab.address()
        );
        let server = Server::start_with(folder, &section).await?;
        let mut center = ContactCenter::open_on(server, queue, &[], "optional").await?;
        let account = lab.add_resource_account("Support", NUMBER);
        let connection = json!({
            "name": "Lab", "endpoint": lab.url(), "access_key": lab.access_key(), "event_key": EVENT_KEY,
            "resource_id": lab.resource_id(), "directory_id": lab.tenant_id(),
            "accounts": [{ "object_id": account.id, "number": NUMBER }],
            "token_issuer": lab.callback_issuer(), "token_configuration": lab.callback_configuration_url(),
        });
        let connection = center.create("connections", connection).await?;
        let events = center.server.url(&format!("/hooks/unified/{connection}/events?key={EVENT_KEY}"));
        lab.subscribe(&events).await.map_err(anyhow::Error::msg)?;
        let mut tone = vec![0; CLOCK_HZ as usize];
        Generator::new(&[MUSIC_HZ], -20.0).fill(&mut tone);
        center.hold_music(&tone).await?;
        let target = json!({ "kind": "queue", "id": center.queue });
        let greeting = json!({ "kind": "file", "name": "hold" });
        center.create("numbers", json!({ "number": NUMBER, "line": "unified", "greeting": greeting, "target": target })).await?;
        let mut agents = Vec::new();
        for (name, hz) in names.iter().zip(AGENTS_HZ) {
            let agent = lab.add_agent(name);
            agent.contact_center.set_tone(hz);
            agent.contact_center.set_manner(Manner::answer(Duration::from_millis(200)));
            center.hire_on("unified", name, json!({ "kind": "address", "value": agent.user.object_id })).await?;
            agents.push(agent);
        }
        Ok(Unified { lab, center, agents })
    }

    /// Somebody calls the number.
    pub fn call(&self) -> Result<Person> {
        let caller = self.lab.caller(CALLER);
        caller.set_tone(CALLER_HZ);
        caller.call(NUMBER).map_err(anyhow::Error::msg)?;
        Ok(caller)
    }

    /// Somebody calls and talks with the only agent at work; both hear each other.
    pub async fn talk(&self) -> Result<Person> {
        let caller = self.call()?;
        hears(&caller, &[AGENTS_HZ[0]]).await?;
        hears(&self.agents[0].contact_center, &[CALLER_HZ]).await?;
        Ok(caller)
    }
}

/// Waits until somebody hears just these tones.
pub async fn hears(person: &Person, tones_hz: &[u32]) -> Result<()> {
    let heard = person.wait_to_hear(tones_hz, &ALL_HZ, SOON).await;
    ensure!(heard, "{} should hear {tones_hz:?} and hears {:?}: {:?}", person.raw_id(), person.hears(&ALL_HZ), person.state().borrow());
    Ok(())
}

/// Waits until it rings at somebody's.
pub async fn rings(person: &Person) -> Result<()> {
    let rings = person.wait_for(SOON, |state| matches!(state.call, Stage::Rings { .. })).await;
    rings.with_context(|| format!("{} does not ring: {:?}", person.raw_id(), person.state().borrow())).map(drop)
}

/// Waits until somebody's call is over.
pub async fn is_over(person: &Person) -> Result<()> {
    let over = person.wait_for(SOON, |state| matches!(state.call, Stage::Over { .. })).await;
    over.with_context(|| format!("the call of {} goes on: {:?}", person.raw_id(), person.state().borrow())).map(drop)
}

/// Lets somebody's telephone ring until it stops.
pub fn let_ring(agent: &Agent) {
    agent.contact_center.set_manner(Manner::of(Ringing::LetRing));
}
