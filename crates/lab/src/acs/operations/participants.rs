//! Participants: listed, added, removed, moved, muted, transferred; and what is sent along to them.

use super::{Operation, Refusal, call::no_caller_id, with_context};
use crate::{
    acs::{body::Fields, identifier::Identifier},
    exchange::parties::Addition,
    origin::message::Reply,
};
use serde_json::{Value, json};

/// Limits of what is sent along.
const SIP_HEADERS_MAX: usize = 5;
const SIP_VALUE_MAX: usize = 256;
const VOIP_HEADERS_MAX: usize = 1_000;
const VOIP_VALUE_MAX: usize = 1_024;
const HEADER_KEY_MAX: usize = 64;
const TOPIC_MAX: usize = 48;
const ADDITIONAL_MAX: usize = 10;

/// Checks and passes on what is sent along: to telephones what SIP can carry, to clients the rest.
fn custom_context(fields: Fields<'_>, target: &Identifier, version: &str) -> Result<Value, Refusal> {
    let Some(context) = fields.get("customCallingContext") else { return Ok(Value::Null) };
    let invalid = |why: String| Refusal::field(format!("The field customCallingContext is invalid: {why}."));
    let headers = |name: &str| context[name].as_object().cloned().unwrap_or_default();
    let (sip, voip) = (headers("sipHeaders"), headers("voipHeaders"));
    let is_uui = |key: &String| key.eq_ignore_ascii_case("User-To-User");
    if sip.keys().filter(|key| !is_uui(key)).count() > SIP_HEADERS_MAX {
        return Err(invalid(format!("more than {SIP_HEADERS_MAX} SIP headers")));
    }
    let wrong_key = sip.keys().find(|key| !is_uui(key) && !key.to_ascii_lowercase().starts_with("x-"));
    if let Some(key) = wrong_key {
        return Err(invalid(format!("the SIP header `{key}` begins with neither X- nor X-MS-Custom-")));
    }
    if voip.len() > VOIP_HEADERS_MAX {
        return Err(invalid(format!("more than {VOIP_HEADERS_MAX} VoIP headers")));
    }
    for (headers, value_max) in [(&sip, SIP_VALUE_MAX), (&voip, VOIP_VALUE_MAX)] {
        let too_long =
            headers.iter().find(|(key, value)| key.len() > HEADER_KEY_MAX || value.as_str().is_some_and(|value| value.len() > value_max));
        if let Some((key, _)) = too_long {
            return Err(invalid(format!("the header `{key}` is too long")));
        }
    }
    let mut sent = if target.is_phone() { json!({ "sipHeaders": sip }) } else { json!({ "voipHeaders": voip }) };
    if let Some(details) = Fields(context).get("teamsPhoneCallDetails").filter(|_| version >= "2026-03-12") {
        if Fields(details).text("callTopic").is_some_and(|topic| topic.chars().count() > TOPIC_MAX) {
            return Err(invalid(format!("callTopic has more than {TOPIC_MAX} characters")));
        }
        let caller = Fields(details).part("teamsPhoneCallerDetails");
        if caller.get("additionalCallerInformation").and_then(Value::as_object).is_some_and(|more| more.len() > ADDITIONAL_MAX) {
            return Err(invalid(format!("additionalCallerInformation has more than {ADDITIONAL_MAX} entries")));
        }
        sent["teamsPhoneCallDetails"] = details.clone();
    }
    Ok(sent)
}

pub(super) fn list(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    Ok(Reply::json(200, &json!({ "value": operation.exchange.participants(id)? })))
}

pub(super) fn get(operation: Operation<'_>, id: &str, raw: &str) -> Result<Reply, Refusal> {
    Ok(Reply::json(200, &operation.exchange.participant(id, raw)?))
}

pub(super) fn add(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let fields = operation.fields;
    let target = fields.need_identifier("participantToAdd")?;
    let time = fields.number("invitationTimeoutInSeconds", 0, 180)?;
    let asked = operation.asked()?;
    if target.is_phone() {
        no_caller_id(fields)?;
    }
    let custom_context = custom_context(fields, &target, operation.version)?;
    let time_ms = time.filter(|seconds| *seconds > 0).map(|seconds| seconds * 1_000);
    let addition = Addition { target, time_ms, custom_context, asked: asked.clone() };
    Ok(with_context(202, operation.exchange.add(id, &addition)?, &asked))
}

pub(super) fn cancel_add(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let invitation = operation.fields.need("invitationId")?;
    let asked = operation.asked()?;
    operation.exchange.cancel_add(id, &invitation, &asked)?;
    Ok(with_context(202, json!({ "invitationId": invitation }), &asked))
}

pub(super) fn remove(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let target = operation.fields.need_identifier("participantToRemove")?;
    let asked = operation.asked()?;
    operation.exchange.remove(id, &target, &asked)?;
    Ok(with_context(202, json!({}), &asked))
}

pub(super) fn move_here(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let targets = operation.fields.identifiers("targetParticipants")?;
    if targets.is_empty() {
        return Err(Refusal::field("The targetParticipants field is required."));
    }
    let from = operation.fields.need("fromCall")?;
    let asked = operation.asked()?;
    let moved = operation.exchange.move_here(id, &from, &targets, &asked)?;
    Ok(with_context(202, json!({ "participants": moved, "fromCall": from }), &asked))
}

pub(super) fn mute(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let targets = operation.fields.identifiers("targetParticipants")?;
    let [target] = targets.as_slice() else {
        return Err(Refusal::field("The field targetParticipants must name exactly one participant."));
    };
    let asked = operation.asked()?;
    operation.exchange.mute(id, target)?;
    Ok(with_context(200, json!({}), &asked))
}

pub(super) fn transfer(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let fields = operation.fields;
    let target = fields.need_identifier("targetParticipant")?;
    let transferee = fields.identifier("transferee")?;
    let asked = operation.asked()?;
    if fields.get("sourceCallerIdNumber").is_some() {
        no_caller_id(fields)?;
    }
    if matches!(target, Identifier::Unknown(_)) {
        if operation.exchange.faults.transfer_wrong_kind_500 {
            return Err(Refusal::new(500, "InternalServerError", "The server encountered an internal error."));
        }
        return Err(Refusal::field("The field targetParticipant is invalid: nobody can be transferred there."));
    }
    let context = custom_context(fields, &target, operation.version)?;
    operation.exchange.transfer(id, &target, transferee.as_ref(), &context, &asked)?;
    Ok(with_context(202, json!({}), &asked))
}
