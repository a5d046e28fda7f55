//! Where a customer is in a flow, and which editions of flows are still needed.

use super::{Flow, NodeKey};
use crate::{
    config::Destination,
    expression::{Scope, Value},
    ids::FlowId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One customer's way through one flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Which flow.
    pub flow: FlowId,
    /// The version that was published when the customer came: a run keeps it to the end.
    pub version: u32,
    /// Where the customer is.
    pub node: NodeKey,
    /// Since when the customer has been in the flow.
    pub entered_at: Timestamp,
    /// Nodes left so far.
    pub steps: u32,
    /// Then the customer is led to the fallback.
    pub ends_at: Timestamp,
    /// What the flow remembers.
    pub variables: Scope,
    /// Variables that took what was typed privately, each with the node that asked; what it is stands nowhere.
    #[serde(default)]
    pub private: BTreeMap<String, NodeKey>,
    /// Which attempt at the node's question this is, from 1.
    pub attempt: u8,
    /// Keys of the answer so far; marks where they are private.
    pub keyed: String,
    /// What the node waits for has to come until then; `None` while a prompt plays.
    pub waits_until: Option<Timestamp>,
    /// The customer is being handed to somebody; the flow goes on when that fails.
    pub away: bool,
}

impl Run {
    /// At the beginning of a flow.
    pub(crate) fn new(flow: &Flow, version: u32, entered_at: Timestamp, ends_at: Timestamp) -> Run {
        Run {
            flow: flow.id,
            version,
            node: flow.start.clone(),
            entered_at,
            steps: 0,
            ends_at,
            variables: flow.variables.iter().map(|(name, variable)| (name.clone(), variable.first())).collect(),
            private: BTreeMap::new(),
            attempt: 1,
            keyed: String::new(),
            waits_until: None,
            away: false,
        }
    }

    /// On to another node.
    pub(crate) fn step(&mut self, to: &str, set: &[(String, Value)], private: Option<&str>) {
        if let Some(name) = private {
            self.private.insert(name.to_owned(), self.node.clone());
        }
        for (name, value) in set {
            self.variables.set(name.clone(), value.clone());
        }
        to.clone_into(&mut self.node);
        self.steps = self.steps.saturating_add(1);
        (self.attempt, self.waits_until, self.away) = (1, None, false);
        self.keyed.clear();
    }

    /// When time does something next.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        // Who is handed to somebody waits by that one's ringing.
        (!self.away).then(|| self.waits_until.map_or(self.ends_at, |until| until.min(self.ends_at)))
    }
}

/// How a customer's way through a flow ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FlowEnd {
    /// A node led out of it.
    Led {
        /// Where.
        to: Destination,
    },
    /// A node let the customer go.
    Finished,
    /// The customer left, or the conversation was ended otherwise.
    Ended,
    /// It took too many steps, which is a loop that never waits; the customer went to the fallback.
    TooManySteps,
    /// It took too long; the customer went to the fallback.
    TooLong,
    /// It could not go on; the customer went to the fallback.
    Failed {
        /// Why, for the administrator.
        problem: String,
    },
}

/// The versions of one flow that are needed: the published one, and older ones as long as somebody is in them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Editions {
    /// The version callers get; `None` when the flow was removed.
    pub(crate) published: Option<u32>,
    /// The highest version so far.
    pub(crate) last: u32,
    /// Oldest first.
    pub(crate) kept: Vec<Edition>,
}

/// One version of a flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Edition {
    pub(crate) version: u32,
    pub(crate) flow: Flow,
    /// How many customers are in it.
    pub(crate) runs: u32,
}

impl Editions {
    /// The published flow and its version.
    pub fn published(&self) -> Option<(u32, &Flow)> {
        let version = self.published?;
        self.edition(version).map(|flow| (version, flow))
    }

    /// One of the versions that are kept.
    pub fn edition(&self, version: u32) -> Option<&Flow> {
        self.kept.iter().find(|edition| edition.version == version).map(|edition| &edition.flow)
    }

    /// All versions that are kept, oldest first, each with how many customers are in it.
    pub fn kept(&self) -> impl ExactSizeIterator<Item = (u32, u32)> + '_ {
        self.kept.iter().map(|edition| (edition.version, edition.runs))
    }

    pub(crate) fn publish(&mut self, flow: &Flow) {
        let last = self.last;
        let announced = self.kept.iter_mut().find(|edition| edition.version == last && edition.runs == 0 && edition.flow.is_announced());
        if let Some(edition) = announced {
            edition.flow = flow.clone();
            return;
        }
        self.last = self.last.saturating_add(1);
        self.published = Some(self.last);
        self.kept.push(Edition { version: self.last, flow: flow.clone(), runs: 0 });
        self.tidy();
    }

    pub(crate) fn remove(&mut self) {
        self.published = None;
        self.tidy();
    }

    pub(crate) fn count(&mut self, version: u32, change: impl Fn(u32) -> u32) {
        if let Some(edition) = self.kept.iter_mut().find(|edition| edition.version == version) {
            edition.runs = change(edition.runs);
        }
        self.tidy();
    }

    /// Whether it was removed and nobody is in it.
    pub(crate) fn is_unneeded(&self) -> bool {
        self.kept.is_empty()
    }

    /// Forgets versions that nobody needs.
    fn tidy(&mut self) {
        let published = self.published;
        self.kept.retain(|edition| edition.runs > 0 || Some(edition.version) == published);
    }
}
