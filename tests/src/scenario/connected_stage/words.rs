//! From the words of scenarios, which are the core's, to those of the interface: documents and operations.

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// Spans of time that the interface names by their unit.
const IN_MS: [&str; 11] =
    ["ring", "max_wait", "duration", "after", "every", "gap", "extension", "longest", "ask_again", "ready_again", "take_back"];

/// Where the documents of a kind are, and what a new one has.
pub fn collection(kind: &str, name: &str) -> Result<(&'static str, Value)> {
    Ok(match kind {
        "queue" => ("queues", json!({ "name": name, "hold_music": { "kind": "file", "name": super::MUSIC } })),
        "agent" => ("agents", json!({ "name": name, "endpoint": { "kind": "desk", "value": name } })),
        "number" => ("numbers", json!({ "number": name })),
        "skill" => ("skills", json!({ "name": name })),
        "flow" => ("flows", json!({ "name": name, "start": "start", "fallback": { "kind": "hang_up" } })),
        "service" => ("services", json!({ "name": name })),
        "hours" => ("hours", json!({ "name": name, "time_zone": "UTC" })),
        "caller_list" => ("caller-lists", json!({ "name": name })),
        other => bail!("there are no documents of the kind {other}"),
    })
}

/// A field of a document.
pub fn field(kind: &str, name: &str, value: Value) -> (String, Value) {
    let pairs = |value: &Value, key: &str, of: &str| -> Value {
        let entries = value.as_object().cloned().unwrap_or_default();
        entries.into_iter().map(|(left, right)| json!({ key: left, of: right })).collect()
    };
    match (kind, name) {
        ("agent", "skills") => ("skills".to_owned(), pairs(&value, "skill", "level")),
        ("agent", "channels") => {
            let shares = value.as_object().cloned().unwrap_or_default().into_iter().map(|(channel, mut share)| {
                share["channel"] = json!(channel);
                share
            });
            ("channels".to_owned(), shares.collect())
        }
        ("agent", "profiles") => ("profiles".to_owned(), pairs(&value, "name", "queues")),
        ("caller_list", "callers") => ("callers".to_owned(), pairs(&value, "number", "note")),
        _ => {
            let mut fields = Map::from_iter([(name.to_owned(), value)]);
            fields = fields.into_iter().map(|(key, value)| renamed(key, value)).collect();
            fields.into_iter().next().unwrap_or_default()
        }
    }
}

fn renamed(key: String, value: Value) -> (String, Value) {
    let is_span = value.is_number() && IN_MS.contains(&key.as_str());
    let value = match value {
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(key, value)| renamed(key, value)).collect()),
        Value::Array(items) => items.into_iter().map(|item| renamed(String::new(), item).1).collect(),
        other => other,
    };
    (if is_span { format!("{key}_ms") } else { key }, value)
}

/// The request that carries out a command.
pub fn operation(command: &Value) -> Result<(Method, String, Option<Value>)> {
    let text = |key: &str| command[key].as_str().with_context(|| format!("{command} has no {key}"));
    let of_agent = |what: &str| Ok::<_, anyhow::Error>(format!("agents/{}/{what}", text("agent")?));
    let of_queue = |what: &str| Ok::<_, anyhow::Error>(format!("queues/{}/{what}", text("queue")?));
    let of_call = |what: &str| Ok::<_, anyhow::Error>(format!("conversations/{}/{what}", text("conversation")?));
    let of_written = |what: &str| Ok::<_, anyhow::Error>(format!("written/{}/{what}", text("conversation")?));
    // Everything that does not say what it is about.
    let only = |keys: &[&str]| -> Option<Value> {
        let fields: Map<_, _> = keys.iter().filter_map(|key| Some(((*key).to_owned(), command.get(*key)?.clone()))).collect();
        Some(Value::Object(fields))
    };
    let (put, post) = (Method::PUT, Method::POST);
    Ok(match text("type")? {
        "set_duty" => (put, of_agent("duty")?, only(&["duty"])),
        "plan_duty" => (put, of_agent("duty")?, Some(json!({ "duty": command["duty"], "after_conversation": true }))),
        "set_availability" => (put, of_agent("availability")?, Some(command["availability"].clone())),
        "choose_profile" => (put, of_agent("profile")?, only(&["profile"])),
        "set_disposition" => (put, of_agent("disposition")?, only(&["disposition"])),
        "finish_wrap_up" => (post, of_agent("wrap-up/finish")?, only(&["disposition"])),
        "extend_wrap_up" => (post, of_agent("wrap-up/extend")?, None),
        "sign_into_queue" => (put, of_agent(&format!("queues/{}", text("queue")?))?, Some(json!({ "signed_in": true }))),
        "sign_out_of_queue" => (put, of_agent(&format!("queues/{}", text("queue")?))?, Some(json!({ "signed_in": false }))),
        "close_queue" => (post, of_queue("close")?, only(&["reason"])),
        "open_queue" => (post, of_queue("open")?, None),
        "set_notice" => (put, of_queue("notice")?, Some(json!({ "prompt": command["notice"] }))),
        "set_hours_override" => (put, format!("hours/{}/switch", text("hours")?), Some(command["to"].clone())),
        "set_priority" => (put, of_call("priority")?, only(&["priority"])),
        "hold" => (post, of_call("hold")?, None),
        "resume" => (post, of_call("resume")?, None),
        "transfer" => (post, of_call("transfer")?, Some(command["to"].clone())),
        "consult" => (post, of_call("consult")?, Some(command["to"].clone())),
        "swap_consult" => (post, of_call("consult/swap")?, None),
        "complete_consult" => (post, of_call("consult/complete")?, None),
        "merge_consult" => (post, of_call("consult/merge")?, None),
        "cancel_consult" => (post, of_call("consult/cancel")?, None),
        "drop_party" => (post, of_call("drop-party")?, only(&["leg"])),
        "requeue" => (post, of_call("requeue")?, only(&["keep_wait"])),
        "pull" => (post, of_call("pull")?, only(&["agent"])),
        "supervise" => (post, of_call("supervise")?, only(&["agent"])),
        "change_supervision" => (post, of_call("supervise/change")?, only(&["agent", "mode"])),
        "end_supervision" => (post, of_call("supervise/end")?, only(&["agent"])),
        "take_over" => (post, of_call("supervise/take-over")?, only(&["agent"])),
        "start_recording" => (post, of_call("recording/start")?, None),
        "stop_recording" => (post, of_call("recording/stop")?, None),
        "pause_recording" => (post, of_call("recording/pause")?, only(&["secure"])),
        "resume_recording" => (post, of_call("recording/resume")?, None),
        "open_written" => {
            let letter = &command["letter"];
            let body = json!({ "id": letter["conversation"], "channel": letter["channel"], "queue": letter["queue"],
                "customer_name": letter["customer"]["name"] });
            (post, "written".to_owned(), Some(body))
        }
        "take_written" => (post, of_written("take")?, only(&["agent"])),
        "close_written" => (post, of_written("close")?, only(&["by_customer"])),
        "move_written" => (post, of_written("move")?, only(&["queue"])),
        "mark_message" => (put, format!("messages/{}/state", text("message")?), only(&["state"])),
        "request_callback" => {
            let body = json!({ "queue": command["queue"], "number": command["party"]["number"] });
            (post, "callbacks".to_owned(), Some(body))
        }
        other => bail!("nobody knows how the interface says {other}"),
    })
}
