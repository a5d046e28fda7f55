//! From a number to a ring: incoming calls to resource accounts, calls applications make, and how either is taken.

use super::{
    Exchange, Fate,
    call::{Call, Connection, Invite, Joining, Leg, LegStage, Purpose, Ring},
    effect::{self, Cause},
};
use crate::{
    acs::{identifier::Identifier, refusal::Refusal},
    people::person::{Ringing, Stage},
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

/// What a caller sends along.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outfit {
    pub(crate) display_name: Option<String>,
    pub(crate) sip_headers: Value,
    pub(crate) voip_headers: Value,
    /// Calls on behalf of this resource account (an agent's client does).
    pub(crate) on_behalf_of: Option<String>,
}

impl Exchange {
    /// Somebody calls a number. The person's state says what comes of it.
    pub(crate) fn place_call(&mut self, raw: &str, number: &str, outfit: &Outfit) -> Result<(), String> {
        let person = self.people.get_mut(raw).ok_or("there is no such person")?;
        if person.call.is_some() || matches!(person.tell.borrow().call, Stage::Calling) {
            return Err(format!("{} is in a call", person.name));
        }
        let (identifier, name) = (person.identifier.clone(), person.name.clone());
        person.set(|state| state.call = Stage::Calling);
        let account = match &outfit.on_behalf_of {
            Some(account) => self.directory.account(account).cloned(),
            None => self.directory.account_by_number(number).cloned(),
        };
        let Some(account) = account else {
            return self.refuse_call(raw, &effect::PSTN_UNKNOWN);
        };
        // What Microsoft's own list of troubles says: busy without a binding, silence without consent.
        if account.acs_resource_id.as_deref() != Some(self.directory.resource_id.as_str()) {
            return self.refuse_call(raw, &effect::PSTN_BUSY);
        }
        if !self.directory.has_account_consent(&account.id) {
            self.silent.push((self.post.now + self.limits.silence_without_consent_ms, raw.to_owned()));
            return Ok(());
        }
        let mut call = self.new_call(identifier.clone(), Some(account.id.clone()), Some(number.to_owned()));
        let context = self.context_of(&call);
        call.ring = Some(Ring { context: context.clone(), until: self.post.now + self.limits.ring_ms });
        self.contexts.insert(context.clone(), Fate::Rings(call.key));
        if let Some(person) = self.people.get_mut(raw) {
            person.call = Some(call.key);
        }
        let to = if outfit.on_behalf_of.is_some() {
            Identifier::Phone(number.to_owned()).to_json()
        } else {
            // The service does not say what it is.
            Identifier::Unknown(Identifier::TeamsApp(account.id.clone()).raw_id()).to_json()
        };
        let headers = |value: &Value| if value.is_object() { value.clone() } else { json!({}) };
        let mut data = json!({
            "to": to,
            "from": identifier.to_json(),
            "serverCallId": call.server_call_id,
            "callerDisplayName": outfit.display_name.clone().unwrap_or(name),
            "customContext": { "sipHeaders": headers(&outfit.sip_headers), "voipHeaders": headers(&outfit.voip_headers) },
            "incomingCallContext": context,
            "correlationId": call.correlation_id,
        });
        if outfit.on_behalf_of.is_some() && !self.faults.omit_on_behalf_of {
            data["onBehalfOfCallee"] = Identifier::Unknown(Identifier::TeamsApp(account.id.clone()).raw_id()).to_json();
        }
        let subject = format!("/caller/{raw}/recipient/{}", data["to"]["rawId"].as_str().unwrap_or_default());
        call.legs.push(Leg::new(identifier, LegStage::Ringing { until: u64::MAX, invite: waiting() }));
        self.post.grid("IncomingCall", &subject, data);
        self.put(call);
        Ok(())
    }

    fn refuse_call(&mut self, raw: &str, cause: &Cause) -> Result<(), String> {
        if let Some(person) = self.people.get_mut(raw) {
            person.end(true, &cause.short());
        }
        Ok(())
    }

    /// Looks like a token of the service and says nothing.
    fn context_of(&mut self, call: &Call) -> String {
        let part = |value: Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let head = part(json!({ "typ": "JWT", "alg": "RS256", "kid": "lab" }));
        let body = part(json!({ "cc": self.post.dice.opaque(64), "cid": call.correlation_id }));
        format!("{head}.{body}.{}", self.post.dice.opaque(32))
    }

    /// Whose incoming call a context stands for.
    fn ringing(&self, context: &str) -> Result<u64, Refusal> {
        match self.contexts.get(context) {
            Some(Fate::Rings(key)) => Ok(*key),
            Some(Fate::Answered(_)) => Err(Refusal::state("The call was already answered.")),
            Some(Fate::Redirected) => Err(Refusal::state("The call was already redirected.")),
            Some(Fate::Rejected) => Err(Refusal::state("The call was already rejected.")),
            Some(Fate::Over) => Err(Refusal::not_found("Call")),
            None => Err(Refusal::new(400, "8500", "The incomingCallContext is invalid.")),
        }
    }

    /// The application answers.
    pub(crate) fn answer(&mut self, context: &str, joining: &Joining) -> Result<Value, Refusal> {
        if self.contexts.get(context) == Some(&Fate::Redirected) && self.faults.answer_after_redirect {
            return Ok(json!({ "callConnectionId": self.guid(), "callConnectionState": "connecting", "callbackUri": joining.callback }));
        }
        let key = self.ringing(context)?;
        self.contexts.insert(context.to_owned(), Fate::Answered(key));
        let answered = self.with_call(key, |exchange, call| {
            call.ring = None;
            let mut connection = Connection::new(exchange.guid(), joining);
            connection.source = Some(call.caller.clone());
            let account = call.account.clone().unwrap_or_default();
            connection.targets = vec![Identifier::TeamsApp(account)];
            connection.answered_for = call.dialed.clone();
            exchange.connections.insert(connection.id.clone(), call.key);
            call.connections.push(connection);
            let index = call.connections.len() - 1;
            let properties = call.properties(index);
            if exchange.setup_fails(call, index, "AnswerFailed") {
                exchange.end(call, &effect::SERVER_FAILED, None);
                return properties;
            }
            for leg in 0..call.legs.len() {
                exchange.connect_leg(call, leg);
            }
            exchange.connected(call, index);
            properties
        });
        answered.ok_or_else(|| Refusal::not_found("Call"))
    }

    /// Whether a connection fails on purpose; its application is told, and it is gone.
    fn setup_fails(&mut self, call: &mut Call, index: usize, kind: &str) -> bool {
        if self.faults.setup_fails {
            let context = call.connections[index].context.clone();
            self.tell(call, index, kind, (context.as_deref(), None), effect::SERVER_FAILED.json());
            let connection = call.connections.remove(index);
            self.connections.remove(&connection.id);
        }
        self.faults.setup_fails
    }

    /// A connection is up: it and what was asked for with it begin.
    pub(super) fn connected(&mut self, call: &mut Call, index: usize) {
        call.connections[index].state = "connected";
        let context = call.connections[index].context.clone();
        self.tell(call, index, "CallConnected", (context.as_deref(), None), effect::SUCCESS.json());
        self.tell_roster(call);
        self.open_wanted_sockets(call, index);
    }

    /// The application does not want the call.
    pub(crate) fn reject(&mut self, context: &str, reason: &str) -> Result<(), Refusal> {
        let key = self.ringing(context)?;
        let cause = match reason {
            "busy" => effect::PSTN_BUSY,
            "forbidden" => Cause::new(403, 0, "Forbidden."),
            _ => effect::PSTN_DECLINED,
        };
        self.with_call(key, |exchange, call| exchange.end(call, &cause, None));
        self.contexts.insert(context.to_owned(), Fate::Rejected);
        Ok(())
    }

    /// The application sends the call somewhere else.
    pub(crate) fn redirect(&mut self, context: &str, target: &Identifier) -> Result<(), Refusal> {
        let key = self.ringing(context)?;
        if self.calls.get(&key).is_some_and(|call| matches!(call.caller, Identifier::TeamsExtensionUser { .. })) {
            return Err(Refusal::new(400, "8501", "Calls on behalf of a resource account cannot be redirected."));
        }
        self.contexts.insert(context.to_owned(), Fate::Redirected);
        if let Identifier::TeamsApp(id) = target {
            // To a resource account of ours: it rings anew.
            let number = self.directory.account(id).map(|account| account.number.clone());
            let caller = self.calls.get(&key).map(|call| call.caller.raw_id());
            self.with_call(key, |exchange, call| {
                call.ring = None;
                exchange.forget_quietly(call);
            });
            if let (Some(number), Some(caller)) = (number, caller) {
                if let Some(person) = self.people.get_mut(&caller) {
                    person.set(|state| state.call = Stage::Idle);
                }
                // Nobody has taken the caller away in between.
                let _ = self.place_call(&caller, &number, &Outfit::default());
            }
            return Ok(());
        }
        self.with_call(key, |exchange, call| {
            call.ring = None;
            let invite = Invite { purpose: Purpose::Redirect, ..waiting() };
            let until = exchange.post.now + exchange.limits.invite_client_ms;
            exchange.invite(call, target, invite, until, &Value::Null);
        });
        Ok(())
    }

    /// Takes everybody out of a call without an end that is seen.
    fn forget_quietly(&mut self, call: &mut Call) {
        for leg in &call.legs {
            if let Some(person) = self.people.get_mut(&leg.raw) {
                person.call = None;
            }
        }
        call.legs.clear();
        call.is_over = true;
    }

    /// The application calls somebody.
    pub(crate) fn create(
        &mut self,
        targets: &[Identifier],
        account: Option<String>,
        joining: &Joining,
        context: &Value,
    ) -> Result<Value, Refusal> {
        let source = match &account {
            Some(account) => Identifier::TeamsApp(account.clone()),
            None => Identifier::User(self.new_identity()),
        };
        let mut call = self.new_call(source.clone(), account.clone(), None);
        let phones = targets.iter().filter(|target| target.is_phone()).count();
        if let Some(account) = &account
            && phones > 0
            && self.outbound_of(account, &call) + phones > self.limits.outbound_per_number
        {
            return Err(Refusal::too_many("Too many concurrent outbound calls from this number."));
        }
        let mut connection = Connection::new(self.guid(), joining);
        connection.targets = targets.to_vec();
        connection.source = Some(source);
        connection.is_created = true;
        let id = connection.id.clone();
        self.connections.insert(id.clone(), call.key);
        call.connections.push(connection);
        let properties = call.properties(0);
        for target in targets {
            let time = if target.is_phone() { self.limits.invite_phone_ms } else { self.limits.invite_client_ms };
            let invite = Invite {
                id: self.guid(),
                purpose: Purpose::Create,
                connection: Some(id.clone()),
                context: joining.context.clone(),
                callback: None,
            };
            let until = self.post.now + time;
            self.invite(&mut call, target, invite, until, context);
        }
        self.put(call);
        Ok(properties)
    }

    /// Another connection to a call that is under way.
    pub(crate) fn connect(&mut self, locator: &Value, joining: &Joining) -> Result<Value, Refusal> {
        let server_call = locator["serverCallId"].as_str();
        let group = locator["groupCallId"].as_str().or(locator["roomId"].as_str());
        let found = self.calls.values().find(|call| match (server_call, group) {
            (Some(id), _) => call.server_call_id == id,
            (None, group) => group.is_some() && call.group.as_deref() == group,
        });
        let key = match found {
            Some(call) => call.key,
            None if group.is_some() => {
                // Groups and rooms are there as soon as somebody joins them.
                let mut call = self.new_call(Identifier::Unknown(String::new()), None, None);
                call.group = group.map(str::to_owned);
                let key = call.key;
                self.put(call);
                key
            }
            None => return Err(Refusal::not_found("Call")),
        };
        let properties = self.with_call(key, |exchange, call| {
            let connection = Connection::new(exchange.guid(), joining);
            exchange.connections.insert(connection.id.clone(), call.key);
            call.connections.push(connection);
            let index = call.connections.len() - 1;
            let properties = call.properties(index);
            if exchange.setup_fails(call, index, "ConnectFailed") {
                exchange.end_if_empty(call, &effect::SERVER_FAILED, None);
            } else {
                exchange.connected(call, index);
            }
            properties
        });
        properties.ok_or_else(|| Refusal::not_found("Call"))
    }

    /// Rings at somebody for a call. What comes of it is told to whoever is behind the invite.
    pub(super) fn invite(&mut self, call: &mut Call, target: &Identifier, invite: Invite, until: u64, context: &Value) {
        let mut leg = Leg::new(target.clone(), LegStage::Ringing { until, invite });
        leg.is_outbound = target.is_phone();
        let raw = leg.raw.clone();
        call.legs.push(leg);
        let has_consent = match target {
            Identifier::TeamsExtensionUser { user, .. } => self.directory.has_user_consent(user),
            _ => true,
        };
        let shown = match (&call.account, target) {
            (Some(account), Identifier::Phone(_)) => self.directory.account(account).map(|account| format!("4:{}", account.number)),
            _ => Some(call.caller.raw_id()),
        };
        let is_phone = target.is_phone();
        let cause = match self.people.get_mut(&raw) {
            None if is_phone => Some(effect::PSTN_UNKNOWN),
            None => Some(effect::NO_ENDPOINT),
            Some(_) if !has_consent => Some(effect::WRONG_PERSONA),
            Some(person) => match person.manner.ringing {
                Ringing::Unreachable => Some(if is_phone { effect::PSTN_UNREACHABLE } else { effect::NO_ENDPOINT }),
                Ringing::Busy => Some(if is_phone { effect::PSTN_BUSY } else { effect::BUSY }),
                _ if person.call.is_some() => Some(if is_phone { effect::PSTN_BUSY } else { effect::BUSY }),
                manner => {
                    person.call = Some(call.key);
                    let after = self.post.now + person.manner.answer_after_ms;
                    person.answer_at = (manner != Ringing::LetRing).then_some(after);
                    person.set(|state| {
                        state.rang += 1;
                        state.call = Stage::Rings { caller: shown.unwrap_or_default() };
                        state.context = context.clone();
                    });
                    None
                }
            },
        };
        if let Some(cause) = cause {
            let leg = call.legs.len() - 1;
            self.invite_failed(call, leg, &cause);
        }
    }
}

/// An invite nobody waits to hear of.
fn waiting() -> Invite {
    Invite { id: String::new(), purpose: Purpose::Redirect, connection: None, context: None, callback: None }
}
