//! Who is in a call: joins, is refused, leaves, is removed, moved, transferred, muted, held.

use super::{
    Exchange,
    call::{Call, Invite, Leg, LegStage, Loop, Purpose},
    effect::{self, Cause, Effect, Source},
};
use crate::acs::{identifier::Identifier, refusal::Refusal};
use serde_json::{Value, json};

/// What an application said about one of its operations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) context: Option<String>,
    pub(crate) callback: Option<String>,
}

impl Asked {
    pub(super) fn parts(&self) -> (Option<&str>, Option<&str>) {
        (self.context.as_deref(), self.callback.as_deref())
    }
}

/// Whom to add, and how.
#[derive(Clone, Debug)]
pub(crate) struct Addition {
    pub(crate) target: Identifier,
    pub(crate) time_ms: Option<u64>,
    pub(crate) custom_context: Value,
    pub(crate) asked: Asked,
}

impl Exchange {
    /// A party's sound is connected.
    pub(super) fn connect_leg(&mut self, call: &mut Call, leg: usize) {
        call.legs[leg].stage = LegStage::Connected;
        let now = self.post.now;
        if let Some(person) = self.people.get_mut(&call.legs[leg].raw) {
            person.call = Some(call.key);
            person.begin_talk(now);
        }
        self.announce_recording_to(call, leg);
    }

    /// Somebody takes the call that rings there.
    pub(crate) fn accept(&mut self, call: &mut Call, leg: usize) {
        let Some(invite) = call.legs[leg].invite().cloned() else { return };
        match &invite.purpose {
            Purpose::Create => {
                self.connect_leg(call, leg);
                let index = call.connections.iter().position(|connection| Some(&connection.id) == invite.connection.as_ref());
                match index {
                    Some(index) if call.connections[index].state == "connecting" => self.connected(call, index),
                    _ => self.tell_roster(call),
                }
            }
            Purpose::Add => {
                self.connect_leg(call, leg);
                let mut extra = effect::SUCCESS.json();
                extra["participant"] = call.legs[leg].identifier.to_json();
                self.tell_inviter(call, &invite, "AddParticipantSucceeded", extra);
                self.tell_roster(call);
            }
            Purpose::Redirect => {
                for leg in 0..call.legs.len() {
                    self.connect_leg(call, leg);
                }
            }
            Purpose::Transfer { from, transferee } => self.transfer_accepted(call, leg, &invite, *from, transferee),
        }
    }

    /// The target of a transfer answered: the one who is transferred comes over.
    fn transfer_accepted(&mut self, call: &mut Call, leg: usize, invite: &Invite, from: u64, transferee: &str) {
        self.connect_leg(call, leg);
        let target = call.legs[leg].identifier.to_json();
        let moved = self.with_call(from, |exchange, old| {
            let index = old.leg(transferee)?;
            let mut leg = old.legs.remove(index);
            (leg.on_hold, leg.muted, leg.hold_music) = (false, false, None);
            let mut extra = effect::SUCCESS.json();
            extra["transferTarget"] = target;
            extra["transferee"] = leg.identifier.to_json();
            if let Some(index) = invite.connection.as_ref().and_then(|id| old.connection(id)) {
                old.connections[index].state = "transferAccepted";
                exchange.tell(old, index, "CallTransferAccepted", (invite.context.as_deref(), invite.callback.as_deref()), extra);
                old.connections[index].state = "connected";
            }
            if old.connected().count() > 0 {
                exchange.tell_roster(old);
            }
            exchange.end_if_empty(old, &effect::TRANSFERRED, None);
            Some(leg)
        });
        match moved.flatten() {
            Some(moved) => {
                if let Some(person) = self.people.get_mut(&moved.raw) {
                    person.call = Some(call.key);
                    person.set(|state| (state.on_hold, state.muted) = (false, false));
                }
                call.legs.push(moved);
            }
            None => self.end(call, &effect::CANCELED, None),
        }
    }

    /// Somebody did not take the call.
    pub(crate) fn invite_failed(&mut self, call: &mut Call, leg: usize, cause: &Cause) {
        let leg = call.legs.remove(leg);
        if let Some(person) = self.people.get_mut(&leg.raw).filter(|person| person.call == Some(call.key)) {
            let by_person = matches!(cause.code, 603 | 486);
            person.end(!by_person, &cause.short());
        }
        let LegStage::Ringing { invite, .. } = leg.stage else { return };
        match &invite.purpose {
            Purpose::Add => {
                let mut extra = cause.json();
                extra["participant"] = leg.identifier.to_json();
                self.tell_inviter(call, &invite, "AddParticipantFailed", extra);
            }
            Purpose::Create => {
                if call.legs.is_empty() && call.connections.iter().all(|connection| connection.state == "connecting") {
                    self.tell_inviter(call, &invite, "CreateCallFailed", cause.json());
                    self.end(call, cause, None);
                }
            }
            Purpose::Redirect => self.end(call, cause, None),
            Purpose::Transfer { from, .. } => {
                let from = *from;
                self.end(call, cause, None);
                self.with_call(from, |exchange, old| {
                    if let Some(index) = invite.connection.as_ref().and_then(|id| old.connection(id)) {
                        old.connections[index].state = "connected";
                    }
                    exchange.tell_inviter(old, &invite, "CallTransferFailed", cause.json());
                });
            }
        }
    }

    /// A party leaves by itself or is taken out; the rest goes on if it can.
    pub(super) fn leave(&mut self, call: &mut Call, leg: usize, cause: &Cause, by_itself: bool) -> Identifier {
        let leg = call.legs.remove(leg);
        if let Some(person) = self.people.get_mut(&leg.raw).filter(|person| person.call == Some(call.key)) {
            person.end(!by_itself, &cause.short());
        }
        self.cancel_transfers_of(call, &leg.raw);
        let was_connected = leg.is_connected();
        if was_connected && call.connected().count() > 0 {
            self.tell_roster(call);
        }
        self.end_if_empty(call, cause, None);
        leg.identifier
    }

    /// Whoever is called for a party that has left need not ring any more.
    pub(super) fn cancel_transfers_of(&mut self, call: &mut Call, raw: &str) {
        let is_for = |other: &Call| {
            other.legs.iter().any(|leg| {
                leg.invite().is_some_and(
                    |invite| matches!(&invite.purpose, Purpose::Transfer { from, transferee } if *from == call.key && transferee == raw),
                )
            })
        };
        let found: Vec<u64> = self.calls.values().filter(|other| is_for(other)).map(|other| other.key).collect();
        for key in found {
            let invite = self.with_call(key, |exchange, other| {
                let invite = other.legs.iter().find_map(|leg| leg.invite().cloned());
                exchange.end(other, &effect::CANCELED, None);
                invite
            });
            if let Some(invite) = invite.flatten() {
                if let Some(index) = invite.connection.as_ref().and_then(|id| call.connection(id)) {
                    call.connections[index].state = "connected";
                }
                self.tell_inviter(call, &invite, "CallTransferFailed", effect::CANCELED.json());
            }
        }
    }

    /// A person hangs up, or gives up calling.
    pub(crate) fn hang_up(&mut self, raw: &str) -> bool {
        let Some(key) = self.people.get(raw).and_then(|person| person.call) else {
            let was_silent = self.silent.iter().any(|(_, waiting)| waiting == raw);
            self.silent.retain(|(_, waiting)| waiting != raw);
            if let Some(person) = self.people.get_mut(raw).filter(|_| was_silent) {
                person.end(false, "487/0");
            }
            return was_silent;
        };
        self.with_call(key, |exchange, call| {
            let Some(leg) = call.leg(raw) else { return };
            let cause = if call.legs[leg].identifier.is_phone() { effect::PSTN_LEFT } else { effect::LEFT };
            if call.ring.is_some() {
                exchange.end(call, &effect::CANCELED, Some(raw));
            } else if call.legs[leg].is_connected() {
                exchange.leave(call, leg, &cause, true);
            } else if call.caller.raw_id() == raw {
                exchange.end(call, &effect::CANCELED, Some(raw));
            } else {
                let cause = if call.legs[leg].identifier.is_phone() { effect::PSTN_DECLINED } else { effect::DECLINED };
                exchange.invite_failed(call, leg, &cause);
            }
        });
        true
    }

    /// The application leaves; the others stay if there are two.
    pub(crate) fn leave_by_application(&mut self, id: &str) -> Result<(), Refusal> {
        self.with_connection(id, |exchange, call, index| {
            if call.connections.len() == 1 && call.connected().count() < 2 {
                exchange.end(call, &effect::HUNG_UP, None);
                return Ok(());
            }
            exchange.disconnect(call, index, &effect::HUNG_UP);
            call.connections.remove(index);
            exchange.end_if_empty(call, &effect::HUNG_UP, None);
            Ok(())
        })
    }

    /// The application ends it for all.
    pub(crate) fn terminate(&mut self, id: &str) -> Result<(), Refusal> {
        self.with_connection(id, |exchange, call, _| {
            exchange.end(call, &effect::TERMINATED, None);
            Ok(())
        })
    }

    /// Calls somebody into the call.
    pub(crate) fn add(&mut self, id: &str, addition: &Addition) -> Result<Value, Refusal> {
        self.with_connection(id, |exchange, call, index| {
            established(call, index)?;
            let target = &addition.target;
            let raw = target.raw_id();
            if call.leg(&raw).is_some() {
                return Err(Refusal::new(400, "8523", "The participant is already in the call."));
            }
            if matches!(target, Identifier::TeamsUser(_)) && exchange.faults.no_teams_users {
                return Err(Refusal::new(403, "10105", "Adding Microsoft Teams users is not supported for this call."));
            }
            if target.is_phone()
                && let Some(account) = call.account.clone()
                && exchange.outbound_of(&account, call) >= exchange.limits.outbound_per_number
            {
                return Err(Refusal::too_many("Too many concurrent outbound calls from this number."));
            }
            let time = if target.is_phone() { exchange.limits.invite_phone_ms } else { exchange.limits.invite_client_ms };
            let until = exchange.post.now + addition.time_ms.unwrap_or(time);
            let invite = Invite {
                id: exchange.guid(),
                purpose: Purpose::Add,
                connection: Some(id.to_owned()),
                context: addition.asked.context.clone(),
                callback: addition.asked.callback.clone(),
            };
            let answer = json!({
                "participant": { "identifier": target.to_json(), "isMuted": false, "isOnHold": false },
                "invitationId": invite.id,
                "operationContext": addition.asked.context,
            });
            exchange.invite(call, target, invite, until, &addition.custom_context);
            Ok(answer)
        })
    }

    /// Does not wait for somebody any more.
    pub(crate) fn cancel_add(&mut self, id: &str, invitation: &str, asked: &Asked) -> Result<(), Refusal> {
        self.with_connection(id, |exchange, call, index| {
            established(call, index)?;
            let found = call.legs.iter().position(|leg| leg.invite().is_some_and(|invite| invite.id == invitation));
            let Some(leg) = found else {
                let mut extra = Cause::new(400, 8_522, "The invitation was not found, or is over.").json();
                extra["invitationId"] = json!(invitation);
                exchange.tell(call, index, "CancelAddParticipantFailed", asked.parts(), extra);
                return Ok(());
            };
            let leg = call.legs.remove(leg);
            if let Some(person) = exchange.people.get_mut(&leg.raw).filter(|person| person.call == Some(call.key)) {
                person.end(true, &effect::CANCELED.short());
            }
            let mut extra = effect::SUCCESS.json();
            extra["invitationId"] = json!(invitation);
            exchange.tell(call, index, "CancelAddParticipantSucceeded", asked.parts(), extra);
            Ok(())
        })
    }

    /// Takes somebody out of the call.
    pub(crate) fn remove(&mut self, id: &str, target: &Identifier, asked: &Asked) -> Result<(), Refusal> {
        self.with_connection(id, |exchange, call, index| {
            established(call, index)?;
            let mut extra = effect::SUCCESS.json();
            extra["participant"] = target.to_json();
            let Some(leg) = call.leg(&target.raw_id()) else {
                let mut extra = Cause::new(404, 8_522, "The participant is not in the call.").json();
                extra["participant"] = target.to_json();
                exchange.tell(call, index, "RemoveParticipantFailed", asked.parts(), extra);
                return Ok(());
            };
            exchange.tell(call, index, "RemoveParticipantSucceeded", asked.parts(), extra);
            exchange.leave(call, leg, &effect::REMOVED, false);
            Ok(())
        })
    }

    /// Takes parties over from another call of the same application.
    pub(crate) fn move_here(&mut self, id: &str, from: &str, targets: &[Identifier], asked: &Asked) -> Result<Vec<Value>, Refusal> {
        if id == from {
            return Err(Refusal::field("The field fromCall is invalid: it is the call itself."));
        }
        let from_key = self.connections.get(from).copied().ok_or_else(|| Refusal::not_found("Call to move from"))?;
        self.with_connection(id, |exchange, call, index| {
            established(call, index)?;
            let mut moved = Vec::new();
            for target in targets {
                let taken = exchange.with_call(from_key, |_, old| {
                    let leg = old.leg(&target.raw_id()).filter(|leg| old.legs[*leg].is_connected())?;
                    Some(old.legs.remove(leg))
                });
                let told = match taken.flatten() {
                    Some(leg) if call.leg(&leg.raw).is_none() => {
                        if let Some(person) = exchange.people.get_mut(&leg.raw) {
                            person.call = Some(call.key);
                        }
                        moved.push(leg.json());
                        call.legs.push(leg);
                        ("MoveParticipantSucceeded", effect::SUCCESS)
                    }
                    _ => ("MoveParticipantFailed", Cause::new(404, 8_522, "The participant is not in the call to move from.")),
                };
                let mut extra = told.1.json();
                extra["participant"] = target.to_json();
                extra["fromCall"] = json!(from);
                exchange.tell(call, index, told.0, asked.parts(), extra);
            }
            exchange.tell_roster(call);
            exchange.with_call(from_key, |exchange, old| {
                if old.connected().count() > 0 {
                    exchange.tell_roster(old);
                }
                exchange.end_if_empty(old, &effect::TRANSFERRED, None);
            });
            Ok(moved)
        })
    }

    /// Sends a party to somebody else.
    pub(crate) fn transfer(
        &mut self,
        id: &str,
        target: &Identifier,
        transferee: Option<&Identifier>,
        context: &Value,
        asked: &Asked,
    ) -> Result<(), Refusal> {
        self.with_connection(id, |exchange, call, index| {
            established(call, index)?;
            let others: Vec<String> = call.connected().map(|leg| leg.raw.clone()).collect();
            let raw = match (transferee, others.as_slice()) {
                (Some(one), others) if others.contains(&one.raw_id()) => one.raw_id(),
                (Some(_), _) => return Err(Refusal::not_found("Transferee")),
                (None, [one]) => one.clone(),
                (None, _) => return Err(Refusal::field("The transferee field is required in a call of more than two.")),
            };
            if call.leg(&target.raw_id()).is_some() {
                return Err(Refusal::field("The field targetParticipant is invalid: it is in the call."));
            }
            let identifier = Identifier::from_raw(&raw);
            call.connections[index].state = "transferring";
            let invite = Invite {
                id: exchange.guid(),
                purpose: Purpose::Transfer { from: call.key, transferee: raw.clone() },
                connection: Some(id.to_owned()),
                context: asked.context.clone(),
                callback: asked.callback.clone(),
            };
            let until = exchange.post.now + exchange.limits.transfer_ms;
            let mut new = exchange.new_call(identifier, call.account.clone(), None);
            new.correlation_id.clone_from(&call.correlation_id);
            exchange.invite(&mut new, target, invite.clone(), until, context);
            if new.is_over {
                // Refused at once, while this call was not in its place to be told.
                call.connections[index].state = "connected";
                let cause = exchange.cause_of(target);
                exchange.tell_inviter(call, &invite, "CallTransferFailed", cause.json());
            }
            exchange.put(new);
            Ok(())
        })
    }

    /// Why somebody could not be rung just now.
    fn cause_of(&self, target: &Identifier) -> Cause {
        use crate::people::person::Ringing;
        let is_phone = target.is_phone();
        match self.people.get(&target.raw_id()) {
            None if is_phone => effect::PSTN_UNKNOWN,
            None => effect::NO_ENDPOINT,
            Some(person) if person.manner.ringing == Ringing::Unreachable && is_phone => effect::PSTN_UNREACHABLE,
            Some(person) if person.manner.ringing == Ringing::Unreachable => effect::NO_ENDPOINT,
            Some(_) => match target {
                Identifier::TeamsExtensionUser { user, .. } if !self.directory.has_user_consent(user) => effect::WRONG_PERSONA,
                Identifier::Phone(_) => effect::PSTN_BUSY,
                _ => effect::BUSY,
            },
        }
    }

    /// Nobody hears this party any more. There is no way back in the interface.
    pub(crate) fn mute(&mut self, id: &str, target: &Identifier) -> Result<(), Refusal> {
        self.with_connection(id, |exchange, call, index| {
            established(call, index)?;
            if target.is_phone() {
                return Err(Refusal::new(400, "8500", "Telephone numbers cannot be muted."));
            }
            let raw = target.raw_id();
            let Some(leg) = call.connected_leg(&raw) else { return Err(Refusal::not_found("Participant")) };
            leg.muted = true;
            if let Some(person) = exchange.people.get_mut(&raw) {
                person.set(|state| state.muted = true);
            }
            exchange.tell_roster(call);
            Ok(())
        })
    }

    /// Takes a party out of the talk, to music if there is some.
    pub(crate) fn hold(&mut self, id: &str, target: &Identifier, music: Option<Source>) -> Result<(), Refusal> {
        self.with_connection(id, |exchange, call, index| {
            established(call, index)?;
            let raw = target.raw_id();
            let ticket = exchange.ticket();
            let Some(leg) = call.connected_leg(&raw) else { return Err(Refusal::not_found("Participant")) };
            leg.on_hold = true;
            leg.hold_music = music.is_some().then(|| Loop { ticket, ..Loop::default() });
            if let Some(person) = exchange.people.get_mut(&raw) {
                person.set(|state| state.on_hold = true);
            }
            if let Some(source) = music {
                exchange.post.out.push(Effect::Load { ticket, sources: vec![source] });
            }
            exchange.tell_roster(call);
            Ok(())
        })
    }

    /// Back into the talk.
    pub(crate) fn unhold(&mut self, id: &str, target: &Identifier) -> Result<(), Refusal> {
        self.with_connection(id, |exchange, call, index| {
            established(call, index)?;
            let raw = target.raw_id();
            let Some(leg) = call.connected_leg(&raw) else { return Err(Refusal::not_found("Participant")) };
            leg.on_hold = false;
            leg.hold_music = None;
            if let Some(person) = exchange.people.get_mut(&raw) {
                person.set(|state| state.on_hold = false);
            }
            exchange.tell_roster(call);
            Ok(())
        })
    }

    /// Who is in the call.
    pub(crate) fn participants(&mut self, id: &str) -> Result<Vec<Value>, Refusal> {
        let is_wrong = self.faults.wrong_roster;
        self.with_connection(id, |_, call, _| {
            let mut roster = call.roster();
            if is_wrong {
                roster.pop();
            }
            Ok(roster)
        })
    }

    /// One who is in the call.
    pub(crate) fn participant(&mut self, id: &str, raw: &str) -> Result<Value, Refusal> {
        self.with_connection(id, |_, call, _| {
            let found = call.connected_leg(raw).map(|leg| Leg::json(leg));
            found.ok_or_else(|| Refusal::not_found("Participant"))
        })
    }
}

/// Whether the call is up.
pub(super) fn established(call: &Call, index: usize) -> Result<(), Refusal> {
    match call.connections[index].state {
        "connected" => Ok(()),
        state => Err(Refusal::state(format!("Action is invalid when call is not in Established state; it is {state}."))),
    }
}
