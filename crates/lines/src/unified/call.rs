//! Calls and their legs as this line knows them.
//!
//! One call of the service carries one conversation: the customer's call, or that of the agent who calls a customer back. Whoever is
//! dialed later is called into it, so that customer and agent hear each other without anything being moved while they speak.

use super::{keys::Keys, registry::Ready};
use dreiklang_core::{
    conversation::Cause,
    ids::{ActionId, ConversationId, LegId, TenantId},
    output::Prompt,
};
use dreiklang_microsoft::acs::identifier::Identifier;
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

/// Names a call here; the service's name is known only when it has answered.
pub(super) type CallKey = u64;

/// How far a leg has come.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stage {
    /// It rings with us; this answers or rejects it.
    Arrived { context: String },
    /// We are answering it.
    Answering,
    /// We are calling it, or it rings.
    Dialing,
    /// It is in its call.
    Connected,
}

/// What the core wants a leg to hear.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wants {
    /// It has not said yet.
    Unsaid,
    Nothing,
    Prompt(Prompt),
    Once(ActionId, Prompt),
    Voices(BTreeSet<LegId>),
}

/// One party.
#[derive(Debug)]
pub(super) struct Leg {
    pub id: LegId,
    pub tenant: TenantId,
    pub call: CallKey,
    pub who: Identifier,
    pub stage: Stage,
    pub inbound: bool,
    /// Called into a call that was there already.
    pub invited: bool,
    /// Names the invitation when it is taken back.
    pub invitation: Option<String>,
    /// It is being ended by us; reported as this.
    pub ending: Option<Cause>,
    /// How often the service was asked for an event that is missing.
    pub asked: u8,
    pub wants: Wants,
    /// The prompt that was begun for it.
    pub begun: Option<ActionId>,
    /// On hold, with what it hears.
    pub held: Option<Option<Prompt>>,
    pub muted: bool,
    pub keys: Keys,
    pub restarts: u8,
}

impl Leg {
    pub fn new(id: LegId, tenant: TenantId, call: CallKey, who: Identifier, stage: Stage) -> Leg {
        Leg {
            id,
            tenant,
            call,
            who,
            stage,
            inbound: false,
            invited: false,
            invitation: None,
            ending: None,
            asked: 0,
            wants: Wants::Unsaid,
            begun: None,
            held: None,
            muted: false,
            keys: Keys::default(),
            restarts: 0,
        }
    }

    /// In its call, and to stay there.
    pub fn is_there(&self) -> bool {
        self.stage == Stage::Connected && self.ending.is_none()
    }
}

/// What everybody in a call hears.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Playing {
    /// For whom it is meant.
    pub leg: LegId,
    pub prompt: Prompt,
    /// Comes back with its end.
    pub context: String,
}

/// A wish about what is heard or recorded; carried out one after the other.
#[derive(Debug)]
pub(super) struct Job {
    pub action: ActionId,
    pub what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// Bring what is heard to what is wanted.
    Hear,
    /// Bring somebody here from another call.
    Move { leg: LegId, from: CallKey },
    /// Something about a recording.
    Record(super::record::Record),
}

/// One call of the service.
pub(super) struct Call {
    pub tenant: TenantId,
    pub ready: Arc<Ready>,
    /// The service's name.
    pub id: Option<String>,
    pub conversation: Option<ConversationId>,
    /// It was connected.
    pub stands: bool,
    pub playing: Option<Playing>,
    pub lane: VecDeque<Job>,
    /// A job is under way.
    pub busy: bool,
    /// Number of the newest roster.
    pub sequence: i64,
    /// Counts prompts, so that the end of an older one is told from that of the present one.
    pub prompts: u64,
    /// Everybody is being counted.
    pub counting: bool,
    /// Something happened meanwhile that the count may have missed.
    pub count_again: bool,
    /// Taken over from a former process, and not seen alive yet.
    pub unproven: bool,
    /// Of how many it is being asked whether they are there.
    pub seeking: usize,
    /// It was told to end.
    pub ending: bool,
}

impl Call {
    pub fn new(tenant: TenantId, ready: Arc<Ready>, conversation: Option<ConversationId>) -> Call {
        Call {
            tenant,
            ready,
            id: None,
            conversation,
            stands: false,
            playing: None,
            lane: VecDeque::new(),
            busy: false,
            sequence: i64::MIN,
            prompts: 0,
            counting: false,
            count_again: false,
            unproven: false,
            seeking: 0,
            ending: false,
        }
    }
}

/// Everything alive.
#[derive(Default)]
pub(super) struct Calls {
    pub calls: HashMap<CallKey, Call>,
    pub legs: HashMap<LegId, Leg>,
    by_id: HashMap<String, CallKey>,
    next: CallKey,
}

impl Calls {
    pub fn add(&mut self, call: Call) -> CallKey {
        self.next += 1;
        if let Some(id) = &call.id {
            self.by_id.insert(id.clone(), self.next);
        }
        self.calls.insert(self.next, call);
        self.next
    }

    /// The service has named it.
    pub fn name(&mut self, key: CallKey, id: &str) {
        if let Some(call) = self.calls.get_mut(&key)
            && call.id.is_none()
        {
            call.id = Some(id.to_owned());
            self.by_id.insert(id.to_owned(), key);
        }
    }

    pub fn named(&self, id: &str) -> Option<CallKey> {
        self.by_id.get(id).copied()
    }

    pub fn remove(&mut self, key: CallKey) -> Option<Call> {
        let call = self.calls.remove(&key)?;
        if let Some(id) = &call.id {
            self.by_id.remove(id);
        }
        Some(call)
    }

    /// Legs of a call, in the order of their ids, which is that of their beginning.
    pub fn legs_of(&self, key: CallKey) -> Vec<LegId> {
        let mut found: Vec<LegId> = self.legs.values().filter(|leg| leg.call == key).map(|leg| leg.id).collect();
        found.sort();
        found
    }

    /// A call of this conversation that further parties can be called into.
    pub fn standing(&self, tenant: TenantId, conversation: ConversationId) -> Option<CallKey> {
        let fits = |call: &Call| call.tenant == tenant && call.conversation == Some(conversation) && call.stands && !call.ending;
        let there = |key: CallKey| self.legs.values().any(|leg| leg.call == key && leg.is_there());
        self.calls.iter().filter(|(key, call)| fits(call) && there(**key)).map(|(key, _)| *key).min()
    }
}
