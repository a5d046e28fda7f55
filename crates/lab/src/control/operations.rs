//! What can be asked of the lab.

use super::Problem;
use crate::{
    acs::identifier::Identifier,
    entra::keys::certificates_of,
    faults::Faults,
    lab,
    origin::message::{Reply, Request},
    people::{CallOptions, Manner, Person},
    shell::Hub,
};
use serde_json::{Map, Value, json};
use std::{sync::Arc, time::Duration};

/// Longest wait of one request.
const WAIT_MAX: Duration = Duration::from_secs(120);

/// Answers one operation; `path` is what stands after `/lab/api/`.
pub(super) async fn answer(hub: &Arc<Hub>, request: &Request, path: &[&str]) -> Result<Reply, Problem> {
    let body = request.json().map_err(|error| Problem::new(400, format!("the body is not JSON: {error}")))?;
    match (request.method.as_str(), path) {
        ("GET", ["setup"]) => Ok(Reply::json(200, &hub.with(|state| lab::setup(state, hub)))),
        ("GET", ["calls"]) => Ok(Reply::json(200, &json!({ "calls": hub.with(|state| state.exchange.overview()) }))),
        ("GET", ["people"]) => Ok(Reply::json(200, &json!({ "people": hub.with(|state| people(&state.exchange)) }))),
        ("POST", ["people"]) => add_person(hub, &body),
        ("GET", ["people", who]) => shown(&find(hub, who)?),
        ("GET", ["people", who, "hears"]) => hears(&find(hub, who)?, request).await,
        ("POST", ["people", who, action]) => act(&find(hub, who)?, action, &body).await,
        ("GET", ["subscriptions"]) => Ok(Reply::json(200, &json!({ "subscriptions": hub.with(|state| state.subscriptions.list.clone()) }))),
        ("POST", ["subscriptions"]) => subscribe(hub, &body).await,
        ("DELETE", ["subscriptions", id]) => {
            hub.with(|state| state.subscriptions.list.retain(|subscription| subscription.id != *id));
            Ok(Reply::empty(204))
        }
        ("POST", ["resource-accounts"]) => {
            let (name, number) = (text(&body, "name")?, text(&body, "number")?);
            let consent = body["consent"].as_bool().unwrap_or(true);
            let account = hub.with(|state| lab::add_resource_account(state, name, number, consent));
            Ok(Reply::json(201, &json!(account)))
        }
        ("POST", ["users"]) => {
            let name = text(&body, "name")?;
            let consent = body["consent"].as_bool().unwrap_or(true);
            let user = hub.with(|state| lab::add_user(state, name, consent));
            Ok(Reply::json(201, &json!(user)))
        }
        ("POST", ["application-certificates"]) => {
            let certificates = certificates_of(text(&body, "pem")?);
            if certificates.is_empty() {
                return Err(Problem::new(400, "`pem` has no certificate"));
            }
            hub.with(|state| state.exchange.directory.applications[0].certificates.extend(certificates));
            Ok(Reply::empty(204))
        }
        ("GET", ["faults"]) => Ok(Reply::json(200, &json!(hub.with(|state| state.exchange.faults.clone())))),
        ("PUT", ["faults"]) => {
            let faults: Faults = serde_json::from_value(body).map_err(|error| Problem::new(400, error.to_string()))?;
            hub.with(|state| lab::set_faults(state, faults.clone()));
            Ok(Reply::json(200, &json!(faults)))
        }
        _ => Err(Problem::new(404, format!("{} /lab/api/{} does not exist; see /lab/openapi.json", request.method, path.join("/")))),
    }
}

fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str, Problem> {
    body[name].as_str().filter(|text| !text.is_empty()).ok_or_else(|| Problem::new(400, format!("`{name}` is missing")))
}

fn people(exchange: &crate::exchange::Exchange) -> Vec<Value> {
    exchange.people().map(|(raw, person)| json!({ "name": person.name, "rawId": raw, "state": *person.tell.borrow() })).collect()
}

/// By name, number or raw id.
fn find(hub: &Arc<Hub>, who: &str) -> Result<Person, Problem> {
    let raw = hub.with(|state| {
        let mut people = state.exchange.people();
        people
            .find(|(raw, person)| raw.as_str() == who || person.name == who || raw.strip_prefix("4:") == Some(who))
            .map(|(raw, _)| raw.clone())
    });
    raw.and_then(|raw| lab::person(hub, &raw)).ok_or_else(|| Problem::new(404, format!("there is nobody called `{who}`")))
}

fn shown(person: &Person) -> Result<Reply, Problem> {
    Ok(Reply::json(200, &json!({ "rawId": person.raw_id(), "state": *person.state().borrow() })))
}

fn add_person(hub: &Arc<Hub>, body: &Value) -> Result<Reply, Problem> {
    let identifier = match (body["number"].as_str(), body["rawId"].as_str()) {
        (Some(number), _) => Identifier::from_json(&json!({ "phoneNumber": { "value": number } })).map_err(|why| Problem::new(400, why))?,
        (None, Some(raw)) => Identifier::from_raw(raw),
        (None, None) => return Err(Problem::new(400, "`number` or `rawId` is missing")),
    };
    let raw = identifier.raw_id();
    let name = body["name"].as_str().unwrap_or(&raw).to_owned();
    hub.with(|state| {
        state.exchange.add_person(&name, identifier);
    });
    let person = lab::person(hub, &raw).ok_or_else(|| Problem::new(404, "there is nobody"))?;
    if let Some(hz) = body["toneHz"].as_u64() {
        person.set_tone(hz as u32);
    }
    if !body["manner"].is_null() {
        person.set_manner(manner(&body["manner"])?);
    }
    Ok(Reply::json(201, &json!({ "rawId": raw })))
}

fn manner(value: &Value) -> Result<Manner, Problem> {
    serde_json::from_value(value.clone()).map_err(|error| Problem::new(400, format!("manner: {error}")))
}

fn pairs(value: &Value) -> Vec<(String, String)> {
    let empty = Map::new();
    let object = value.as_object().unwrap_or(&empty);
    object.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

async fn act(person: &Person, action: &str, body: &Value) -> Result<Reply, Problem> {
    let done = match action {
        "call" => {
            let options = CallOptions {
                display_name: body["displayName"].as_str().map(str::to_owned),
                sip_headers: pairs(&body["sipHeaders"]),
                voip_headers: pairs(&body["voipHeaders"]),
                on_behalf_of: body["onBehalfOf"].as_str().map(str::to_owned),
            };
            person.call_with(text(body, "number")?, &options).map_err(|why| Problem::new(409, why))?;
            true
        }
        "hang-up" => person.hang_up(),
        "press" => person.press(text(body, "keys")?),
        "say" => {
            person.say(text(body, "text")?, body["language"].as_str().unwrap_or("en-US")).await;
            true
        }
        "sound" => {
            match (body["toneHz"].as_u64(), body["wav"].as_str()) {
                (_, Some(wav)) => {
                    let bytes = data_encoding::BASE64.decode(wav.as_bytes()).map_err(|_| Problem::new(400, "`wav` is not base64"))?;
                    person.set_wav(&bytes, body["repeat"].as_bool().unwrap_or(false)).map_err(|why| Problem::new(400, why))?;
                }
                (hz, None) => person.set_tone(hz.unwrap_or(0) as u32),
            }
            true
        }
        "manner" => {
            person.set_manner(manner(body)?);
            true
        }
        "wait" => {
            let stage = text(body, "stage")?.to_owned();
            let within = Duration::from_millis(body["withinMs"].as_u64().unwrap_or(10_000)).min(WAIT_MAX);
            let found = person.wait_for(within, |state| json!(state)["call"]["stage"].as_str() == Some(&stage)).await;
            if found.is_none() {
                return Err(Problem::new(408, format!("the stage is not `{stage}`")));
            }
            true
        }
        _ => return Err(Problem::new(404, format!("people cannot `{action}`"))),
    };
    if !done {
        return Err(Problem::new(409, "the person is not in a call, or that is no key"));
    }
    shown(person)
}

/// Which tones somebody hears; waits for just these when asked to.
async fn hears(person: &Person, request: &Request) -> Result<Reply, Problem> {
    let list =
        |name: &str| -> Vec<u32> { request.query(name).unwrap_or_default().split(',').filter_map(|hz| hz.trim().parse().ok()).collect() };
    let candidates = list("tones");
    let within = request.query("withinMs").and_then(|ms| ms.parse().ok()).map(Duration::from_millis);
    if let Some(within) = within {
        let wanted = list("wanted");
        if !person.wait_to_hear(&wanted, &candidates, within.min(WAIT_MAX)).await {
            let heard = person.hears(&candidates);
            return Err(Problem::new(408, format!("hears {heard:?} and not {wanted:?}")));
        }
    }
    let level = person.level_dbfs();
    let level = if level.is_finite() { json!(level) } else { Value::Null };
    Ok(Reply::json(200, &json!({ "tones": person.hears(&candidates), "levelDbfs": level })))
}

async fn subscribe(hub: &Arc<Hub>, body: &Value) -> Result<Reply, Problem> {
    let types: Vec<String> =
        body["eventTypes"].as_array().map(|types| types.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default();
    let attempts = body["maxAttempts"].as_u64().unwrap_or(30) as u32;
    let ttl_ms = body["ttlMinutes"].as_u64().unwrap_or(1_440) * 60_000;
    let subscription = hub.subscribe(text(body, "url")?, attempts, ttl_ms, &types).await.map_err(|why| Problem::new(400, why))?;
    Ok(Reply::json(201, &json!(subscription)))
}
