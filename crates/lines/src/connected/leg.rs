//! One party's connection as this line holds it.

use super::{session::Session, teams::Teams};
use dreiklang_core::{
    endpoint::Party,
    ids::{ActionId, ConversationId, LegId, TenantId},
    output::Prompt,
};
use dreiklang_media::ids::{GroupId, PlayId, StreamId};
use dreiklang_sip::{event::CallId, hop::Hop, message::Uri, sdp::Encryption};
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// A leg from its first sign to its last figures.
pub(super) struct Leg {
    pub id: LegId,
    pub tenant: TenantId,
    /// Known from the first action on.
    pub conversation: Option<ConversationId>,
    pub call: CallId,
    /// The far end called us.
    pub inbound: bool,
    /// The offer or answer in force, and how to make the next one. `None` until audio was opened.
    pub session: Option<Session>,
    /// Whether its audio is to be encrypted.
    pub encryption: Encryption,
    /// Nobody on the way can read its signalling, and so its keys.
    pub signalling_encrypted: bool,
    /// The caller's offer, until it is answered. `None` also when the caller wants ours.
    pub offer: Option<Vec<u8>>,
    /// `Connected` has been told.
    pub connected: bool,
    /// `Ringing` has been told.
    pub ringing: bool,
    /// The far end holds us.
    pub held: bool,
    /// The far end asked to be replaced and waits for the answer.
    pub transfer_asked: bool,
    /// The trunk to Teams it came or went by.
    pub teams: Option<Teams>,
    /// The call in which Teams asked for this one, to be told how it goes.
    pub referred_in: Option<CallId>,
    /// Counts what the leg was told to hear, so that a prompt that took long to load does not replace something newer.
    pub hearing: u64,
    /// What it hears over and over until further notice, if that is a prompt: told the same again, it does not begin anew.
    pub waits_with: Option<Prompt>,
    /// The prompt under way whose end the core wants to know.
    pub play: Option<(PlayId, ActionId)>,
    /// What is left to try for an outgoing leg.
    pub dialing: Option<Dialing>,
    /// Why we end it, if it was our own idea rather than the core's.
    pub own_cause: Option<dreiklang_core::conversation::Cause>,
    /// The call is over; only the audio figures are awaited.
    pub over: bool,
}

/// Addresses still to be tried for an outgoing leg.
pub(super) struct Dialing {
    /// Each with the request's own address, where the far end gave one (a telephone's contact).
    pub hops: VecDeque<(Option<Uri>, Hop)>,
    pub user: String,
    pub host: Option<String>,
    pub caller: Party,
    pub ring_limit: Duration,
    pub credentials: Option<dreiklang_sip::digest::Credentials>,
    /// Headers that have to be in the request.
    pub headers: Vec<(String, String)>,
    /// The address being tried.
    pub trying: Option<Hop>,
}

impl Leg {
    pub fn new(id: LegId, tenant: TenantId, call: CallId) -> Leg {
        Leg {
            id,
            tenant,
            conversation: None,
            call,
            inbound: false,
            session: None,
            encryption: Encryption::Optional,
            signalling_encrypted: false,
            offer: None,
            connected: false,
            ringing: false,
            held: false,
            transfer_asked: false,
            teams: None,
            referred_in: None,
            hearing: 0,
            waits_with: None,
            play: None,
            dialing: None,
            own_cause: None,
            over: false,
        }
    }

    pub fn stream(&self) -> StreamId {
        StreamId(self.id.0)
    }

    /// The audio group: the conversation's, once there is one.
    pub fn group(&self) -> Option<GroupId> {
        self.conversation.map(group_of)
    }
}

/// All audio of a conversation lives in one group.
pub(super) fn group_of(conversation: ConversationId) -> GroupId {
    GroupId(conversation.0)
}

/// All legs, by both of their names.
#[derive(Default)]
pub(super) struct Legs {
    by_id: HashMap<LegId, Leg>,
    by_call: HashMap<CallId, LegId>,
    inbound: usize,
}

impl Legs {
    pub fn insert(&mut self, leg: Leg) {
        self.by_call.insert(leg.call, leg.id);
        self.inbound += usize::from(leg.inbound);
        self.by_id.insert(leg.id, leg);
    }

    pub fn get(&self, id: LegId) -> Option<&Leg> {
        self.by_id.get(&id)
    }

    pub fn get_mut(&mut self, id: LegId) -> Option<&mut Leg> {
        self.by_id.get_mut(&id)
    }

    pub fn of_call(&self, call: CallId) -> Option<LegId> {
        self.by_call.get(&call).copied()
    }

    /// An outgoing leg goes on with another call (the next address).
    pub fn replace_call(&mut self, id: LegId, call: CallId) {
        if let Some(leg) = self.by_id.get_mut(&id) {
            self.by_call.remove(&leg.call);
            leg.call = call;
            self.by_call.insert(call, id);
        }
    }

    /// The call is over; the leg stays for its figures.
    pub fn forget_call(&mut self, call: CallId) {
        self.by_call.remove(&call);
    }

    pub fn remove(&mut self, id: LegId) -> Option<Leg> {
        let leg = self.by_id.remove(&id)?;
        self.inbound -= usize::from(leg.inbound);
        if self.by_call.get(&leg.call) == Some(&id) {
            self.by_call.remove(&leg.call);
        }
        Some(leg)
    }

    /// Legs with a live call.
    pub fn live(&self) -> impl Iterator<Item = &Leg> {
        self.by_id.values().filter(|leg| !leg.over)
    }

    /// Callers, those included whose figures are awaited.
    pub fn inbound(&self) -> usize {
        self.inbound
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }
}
