//! The world is what its facts make it: the engine's, the one replayed here, and the one that is written out and read back.

use super::Findings;
use dreiklang_core::{Engine, Stamped, World, ids::TenantId};

const NAME: &str = "replay";

/// Facts of one day that are kept to be written out and read back.
const SAMPLE: usize = 60_000;

#[derive(Debug)]
pub struct Replay {
    tenant: TenantId,
    /// Facts as they would be stored; `None` when this day is not sampled or is too long.
    journal: Option<Vec<Stamped>>,
}

impl Replay {
    pub fn new(tenant: TenantId, sample: bool) -> Replay {
        Replay { tenant, journal: sample.then(Vec::new) }
    }

    pub fn observe(&mut self, stamped: &Stamped) {
        if let Some(journal) = &mut self.journal {
            journal.push(stamped.clone());
        }
        if self.journal.as_ref().is_some_and(|journal| journal.len() > SAMPLE) {
            self.journal = None;
        }
    }

    pub fn end(&self, world: &World, engine: &World, found: &mut Findings) {
        found.expect(world == engine, NAME, "the world is what its events made it", || difference(world, engine));
        let Some(journal) = &self.journal else { return };
        let mut read = Vec::with_capacity(journal.len());
        for stamped in journal {
            let back = serde_json::to_string(stamped).and_then(|text| serde_json::from_str::<Stamped>(&text));
            let same = back.as_ref().is_ok_and(|back| back == stamped);
            found.expect(same, NAME, "a fact reads back from its text", || format!("{stamped:?} became {back:?}"));
            read.extend(back.ok());
        }
        let half = read.split_off(read.len() / 2);
        let early = Engine::replay(World::new(self.tenant), read);
        let snapshot = serde_json::to_string(early.world()).and_then(|text| serde_json::from_str::<World>(&text));
        match snapshot {
            Ok(snapshot) => {
                found.expect(&snapshot == early.world(), NAME, "a snapshot reads back from its text", || {
                    difference(&snapshot, early.world())
                });
                let mut late = Engine::replay(snapshot, half);
                found.expect(late.world() == world, NAME, "a replayed journal gives the same world", || difference(late.world(), world));
                found.expect(late.poll_output().is_none(), NAME, "a replay utters nothing", String::new);
            }
            Err(error) => found.expect(false, NAME, "a snapshot reads back from its text", || error.to_string()),
        }
    }
}

/// The first place where the two differ, as text.
fn difference(one: &World, other: &World) -> String {
    let (one, other) = (format!("{one:#?}"), format!("{other:#?}"));
    let lines = one.lines().zip(other.lines()).find(|(a, b)| a != b);
    match lines {
        Some((a, b)) => format!("\"{}\" and \"{}\"", a.trim(), b.trim()),
        None => "one has more than the other".to_owned(),
    }
}
