//! The lab's interface as OpenAPI.

use serde_json::{Map, Value, json};

/// Method, path, what it does, and the fields of its body (name, type, meaning).
type Row = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str, &'static str)]);

const TABLE: &[Row] = &[
    ("get", "/lab/api/setup", "Everything a bot needs to know: connection string, tenant, applications, numbers, users.", &[]),
    ("get", "/lab/api/calls", "All calls with their parties and connections.", &[]),
    ("get", "/lab/api/people", "All people and what they are doing.", &[]),
    (
        "post",
        "/lab/api/people",
        "Adds a telephone (number) or a client (rawId).",
        &[
            ("name", "string", "Name to find the person by."),
            ("number", "string", "Number of a telephone, E.164."),
            ("rawId", "string", "Raw id of anybody else."),
            ("toneHz", "integer", "Tone the person says."),
            ("manner", "object", "As in …/manner."),
        ],
    ),
    ("get", "/lab/api/people/{who}", "One person, by name, number or raw id.", &[]),
    (
        "get",
        "/lab/api/people/{who}/hears",
        "Which of the tones (`?tones=440,620`) the last half second contained. With `withinMs` it waits until exactly `wanted` are heard.",
        &[],
    ),
    (
        "post",
        "/lab/api/people/{who}/call",
        "Calls a number.",
        &[
            ("number", "string", "Number to call."),
            ("displayName", "string", "Name to show."),
            ("sipHeaders", "object", "SIP headers to send along."),
            ("voipHeaders", "object", "VoIP headers to send along."),
            ("onBehalfOf", "string", "Object id of the resource account an agent's client calls for."),
        ],
    ),
    ("post", "/lab/api/people/{who}/hang-up", "Hangs up, declines, or gives up.", &[]),
    ("post", "/lab/api/people/{who}/press", "Presses keys.", &[("keys", "string", "0-9, A-D, * and #.")]),
    (
        "post",
        "/lab/api/people/{who}/say",
        "Says a sentence; recognition and transcription understand it.",
        &[("text", "string", "The words."), ("language", "string", "Such as en-US.")],
    ),
    (
        "post",
        "/lab/api/people/{who}/sound",
        "What the person says from now on.",
        &[
            ("toneHz", "integer", "A steady tone; 0 is silence."),
            ("wav", "string", "A WAV file in base64."),
            ("repeat", "boolean", "Says the file again and again."),
        ],
    ),
    (
        "post",
        "/lab/api/people/{who}/manner",
        "How the person behaves from the next call on.",
        &[
            ("ringing", "string", "answer, letRing, decline, busy or unreachable."),
            ("answerAfterMs", "integer", "How long it rings."),
            ("press", "string", "Keys pressed once talking."),
            ("pressAfterMs", "integer", "When."),
            ("hangUpAfterMs", "integer", "Hangs up so long after the beginning of the talk."),
        ],
    ),
    (
        "post",
        "/lab/api/people/{who}/wait",
        "Waits for a stage: idle, calling, rings, talking, over.",
        &[("stage", "string", "The stage."), ("withinMs", "integer", "Longest wait.")],
    ),
    ("get", "/lab/api/subscriptions", "Who gets events of Event Grid.", &[]),
    (
        "post",
        "/lab/api/subscriptions",
        "Subscribes an address; its handshake is made at once.",
        &[
            ("url", "string", "Where events go."),
            ("eventTypes", "array", "Only these."),
            ("maxAttempts", "integer", "Deliveries tried, 1 to 30."),
            ("ttlMinutes", "integer", "How long an event is tried."),
        ],
    ),
    ("delete", "/lab/api/subscriptions/{id}", "Ends a subscription.", &[]),
    (
        "post",
        "/lab/api/resource-accounts",
        "Adds a resource account with a number.",
        &[("name", "string", "Its name."), ("number", "string", "E.164."), ("consent", "boolean", "Give consent too (the default).")],
    ),
    (
        "post",
        "/lab/api/users",
        "Adds a user with a contact-center client and a Teams client (`name` and `name-teams`).",
        &[("name", "string", "Short name."), ("consent", "boolean", "Give consent too (the default).")],
    ),
    (
        "post",
        "/lab/api/application-certificates",
        "Registers a certificate whose key may sign the application's assertions.",
        &[("pem", "string", "The certificate in PEM.")],
    ),
    ("get", "/lab/api/faults", "What goes wrong on purpose.", &[]),
    (
        "put",
        "/lab/api/faults",
        "Sets what goes wrong; what is not named is off. The fields are listed in docs/lab.md.",
        &[("seed", "integer", "Where chances begin.")],
    ),
];

/// The document.
pub(super) fn openapi(base: &str) -> Value {
    let mut paths = Map::new();
    for (method, path, summary, fields) in TABLE {
        let mut operation =
            json!({ "summary": summary, "responses": { "default": { "description": "JSON; `error` says what was wrong." } } });
        let names: Vec<Value> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
            .collect();
        if !names.is_empty() {
            operation["parameters"] = json!(names);
        }
        if !fields.is_empty() {
            let properties: Map<String, Value> = fields
                .iter()
                .map(|(name, kind, text)| {
                    let mut schema = json!({ "type": kind, "description": text });
                    if *kind == "array" {
                        schema["items"] = json!({ "type": "string" });
                    }
                    ((*name).to_owned(), schema)
                })
                .collect();
            operation["requestBody"] =
                json!({ "content": { "application/json": { "schema": { "type": "object", "properties": properties } } } });
        }
        let entry = paths.entry((*path).to_owned()).or_insert_with(|| json!({}));
        entry[*method] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Dreiklang lab", "version": env!("CARGO_PKG_VERSION"), "description": "People, calls and faults of the lab." },
        "servers": [{ "url": base }],
        "paths": paths,
    })
}
