//! How legs begin that the core wants: called into the conversation's call where one stands, by a call of their own where none does.
//!
//! Adding is chosen over a call of its own that is moved later (`moveHere`): the service connects who answers at once, without a
//! second operation while two people wait to hear each other; it needs no version of 2026; and a call from a Calling Plan stays in the
//! data center it came in by. What it costs: who answers hears the music for the moment the core needs to say who hears whom.

use super::{
    arrive::intelligence,
    call::{Call, Leg, Stage},
    causes,
    driver::{Done, Driver, Due},
    limits,
    registry::Ready,
};
use dreiklang_core::{
    Input,
    conversation::{Cause, CauseKind},
    endpoint::{Endpoint, Party},
    ids::{ActionId, ConversationId, LegId, TenantId},
    time::Millis,
};
use dreiklang_microsoft::{
    Failure,
    acs::{
        RequestId,
        identifier::{Identifier, TeamsApp},
        model::{AddParticipant, CallConnection, CreateCall, CustomCallingContext, Invitation},
    },
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Who to call.
pub(super) struct Dial {
    pub conversation: ConversationId,
    pub leg: LegId,
    pub to: Endpoint,
    pub caller: Party,
    pub ring_limit: Millis,
}

impl Driver {
    /// Calls somebody.
    pub(super) fn dial(&mut self, tenant: TenantId, action: ActionId, dial: Dial) {
        let Dial { conversation, leg: id, to, caller, ring_limit } = dial;
        if self.calls.legs.contains_key(&id) {
            return self.done(tenant, action);
        }
        let refuse = |line: &mut Driver, kind: CauseKind, detail: &str| {
            line.tell_ended(tenant, id, kind, detail);
            line.done(tenant, action);
        };
        if self.stopping || self.calls.legs.len() >= limits::LEGS {
            return refuse(self, CauseKind::Failure, "no room for another leg");
        }
        let standing = self.calls.standing(tenant, conversation);
        let ready = match standing.and_then(|key| self.calls.calls.get(&key)) {
            Some(call) => Some(Arc::clone(&call.ready)),
            None => self.registry.of(tenant, caller.number.as_deref()),
        };
        let Some(ready) = ready else {
            return refuse(self, CauseKind::Unreachable, "no connection to Microsoft is set up");
        };
        let who = match identifier_of(&to, &ready) {
            Ok(who) => who,
            Err(problem) => return refuse(self, CauseKind::Unreachable, &problem),
        };
        let rings = Duration::from_millis(ring_limit.0).min(Duration::from_secs(limits::RING_SECONDS));
        self.later(rings + limits::RUNG, Due::Rung(id));
        match standing {
            Some(key) => {
                let mut leg = Leg::new(id, tenant, key, who.clone(), Stage::Dialing);
                leg.invited = true;
                self.calls.legs.insert(id, leg);
                let call = self.calls.calls.get(&key).and_then(|call| call.id.clone()).unwrap_or_default();
                let request = AddParticipant {
                    participant_to_add: who,
                    invitation_timeout_in_seconds: u32::try_from(rings.as_millis().div_ceil(1_000)).ok(),
                    operation_context: Some(id.to_string()),
                    custom_calling_context: Some(context_of(conversation, &caller)),
                };
                self.run_apart(async move {
                    let result = ready.client.add(&call, &request, RequestId(action.0)).await;
                    Done::Invited { leg: id, tenant, action, result }
                });
            }
            None => {
                let key = self.calls.add(Call::new(tenant, Arc::clone(&ready), Some(conversation)));
                self.calls.legs.insert(id, Leg::new(id, tenant, key, who.clone(), Stage::Dialing));
                let source = ready.settings.account_for(caller.number.as_deref());
                let request = CreateCall {
                    targets: vec![who],
                    callback_uri: self.callback_address(&ready.settings.id),
                    operation_context: Some(id.to_string()),
                    call_intelligence_options: intelligence(ready.settings.speech.as_deref()),
                    // The resource account speaks for itself: a number or name beside it is refused.
                    teams_app_source: source.map(|account| TeamsApp { app_id: account.object.clone(), cloud: Some("public".into()) }),
                };
                self.run_apart(async move {
                    let result = ready.client.create_call(&request, RequestId(action.0)).await;
                    Done::Begun { leg: id, ready, action, result }
                });
            }
        }
    }

    /// The service has answered, or made, a call; its event follows, or has come already.
    pub(super) fn begun(&mut self, id: LegId, ready: &Arc<Ready>, action: ActionId, result: Result<CallConnection, Failure>) {
        let tenant = ready.tenant;
        self.done(tenant, action);
        match result {
            Ok(connection) => {
                let Some(leg) = self.calls.legs.get(&id) else {
                    return self.end_stranger(ready, connection.call_connection_id);
                };
                let (key, inbound, ending, stage) = (leg.call, leg.inbound, leg.ending.is_some(), leg.stage.clone());
                self.calls.name(key, &connection.call_connection_id);
                if ending {
                    return self.let_go(id);
                }
                if stage == Stage::Dialing {
                    self.tell(tenant, Input::Ringing { leg: id });
                }
                if inbound {
                    self.later(limits::ANSWERED, Due::Begun(id));
                }
            }
            // The event says whether it was.
            Err(Failure::Uncertain(_) | Failure::Unreadable(_)) => self.later(limits::ANSWERED, Due::Begun(id)),
            Err(failure) => self.begin_failed(id, &failure),
        }
    }

    /// Somebody was called into a call; whether they come is told by an event.
    pub(super) fn invited(&mut self, id: LegId, tenant: TenantId, action: ActionId, result: Result<Invitation, Failure>) {
        self.done(tenant, action);
        match result {
            Ok(invitation) => {
                let Some(leg) = self.calls.legs.get_mut(&id) else { return };
                leg.invitation = invitation.invitation_id;
                let (ending, dialing) = (leg.ending.is_some(), leg.stage == Stage::Dialing);
                if ending {
                    self.let_go(id);
                } else if dialing {
                    self.tell(tenant, Input::Ringing { leg: id });
                }
            }
            Err(Failure::Uncertain(_) | Failure::Unreadable(_)) => {}
            Err(failure) => {
                if failure.is_gone()
                    && let Some(call) = self.calls.legs.get(&id).map(|leg| leg.call)
                {
                    self.count(call, super::count::Count::Now);
                }
                self.begin_failed(id, &failure);
            }
        }
    }

    fn begin_failed(&mut self, id: LegId, failure: &Failure) {
        let Some(leg) = self.calls.legs.get(&id).filter(|leg| leg.stage != Stage::Connected) else { return };
        let mut cause = causes::cause_of_failure(failure);
        // A call that cannot be answered any more was given up by its caller.
        if leg.inbound && matches!(failure.status(), Some(400 | 404 | 409 | 410)) {
            cause.kind = CauseKind::FarEnd;
        }
        tracing::warn!(leg = %id, code = "LINE-021", %failure, "a leg could not be begun");
        self.leg_over(id, cause);
    }

    /// A leg is in its call.
    pub(super) fn connected(&mut self, id: LegId) {
        let Some(leg) = self.calls.legs.get_mut(&id).filter(|leg| leg.stage != Stage::Connected) else { return };
        leg.stage = Stage::Connected;
        leg.asked = 0;
        let (tenant, key, who, ending) = (leg.tenant, leg.call, leg.who.clone(), leg.ending.is_some());
        let has_keys = leg.inbound || who.number().is_some();
        let Some(call) = self.calls.calls.get_mut(&key) else { return };
        if !call.stands {
            call.stands = true;
            self.later(limits::COUNT, Due::Count(key));
        }
        let token = self.token_of(id);
        tracing::info!(leg = %id, "leg is connected");
        self.tell(tenant, Input::Connected { leg: id, token });
        if has_keys {
            self.follow_keys(id);
        }
        self.advance(key);
        if ending {
            self.let_go(id);
        }
    }

    /// Wants to know of every key that a party presses.
    pub(super) fn follow_keys(&mut self, id: LegId) {
        let Some(leg) = self.calls.legs.get(&id) else { return };
        let Some(call) = self.calls.calls.get(&leg.call) else { return };
        let (Some(name), ready, who) = (call.id.clone(), Arc::clone(&call.ready), leg.who.clone()) else { return };
        self.aside(async move { ready.client.follow_keys(&name, &who, &format!("keys_{id}")).await });
    }

    /// Notes why a leg ends by our own doing, and ends it.
    pub(super) fn end_leg_by_us(&mut self, id: LegId, kind: CauseKind, detail: &str) {
        if let Some(leg) = self.calls.legs.get_mut(&id) {
            leg.ending.get_or_insert_with(|| Cause { kind, detail: Some(detail.to_owned()) });
            self.let_go(id);
        }
    }
}

/// Whom an endpoint names on this line. An agent is named by the object id in the directory (then the contact-center client alone
/// rings), by `teams:` and the object id (then the Teams client rings), or by a raw id of the service.
fn identifier_of(to: &Endpoint, ready: &Ready) -> Result<Identifier, String> {
    match to {
        Endpoint::Number(number) => Ok(Identifier::of_number(number)),
        Endpoint::Address(text) => match text.split_once(':') {
            Some(("teams", user)) if is_guid(user) => Ok(Identifier::of_teams_user(user)),
            Some(_) if ["8:", "28:", "4:"].iter().any(|start| text.starts_with(start)) => Ok(Identifier::of_raw(text)),
            None if is_guid(text) => Ok(Identifier::of_extension(&ready.settings.resource, &ready.settings.directory, text)),
            _ => Err(format!("\"{text}\" is no object id, no \"teams:\" with one, and no raw id")),
        },
        Endpoint::Desk(user) => Err(format!("the telephone \"{user}\" signs in on the Connected line")),
        Endpoint::Person(person) => Err(format!("\"{person}\" cannot be called on this line by name; use the object id")),
    }
}

fn is_guid(text: &str) -> bool {
    uuid::Uuid::parse_str(text).is_ok() && text.len() == 36
}

/// What an agent's client is told of the conversation. Telephones are told nothing.
fn context_of(conversation: ConversationId, caller: &Party) -> CustomCallingContext {
    let mut voip_headers = BTreeMap::from([("Dreiklang-Conversation".to_owned(), conversation.to_string())]);
    voip_headers.extend(caller.number.clone().map(|number| ("Dreiklang-Caller".to_owned(), number)));
    CustomCallingContext { voip_headers }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_ids_are_told_from_other_texts() {
        assert!(is_guid("0f8fad5b-d9cb-469f-a165-70867728950e"));
        for other in ["0f8fad5bd9cb469fa16570867728950e", "{0f8fad5b-d9cb-469f-a165-70867728950e}", "ada", ""] {
            assert!(!is_guid(other), "{other}");
        }
    }
}
