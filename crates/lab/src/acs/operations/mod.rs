//! The operations of Call Automation: from path and body to the exchange, and its answer to status and body.

mod call;
mod media;
mod participants;
pub(super) mod recording;
mod streams;

use super::{body::Fields, json_of, refusal::Refusal};
use crate::{
    exchange::{Exchange, parties::Asked},
    origin::message::{Reply, Request},
};
use serde_json::Value;

/// One operation: what is asked of which call.
pub(super) struct Operation<'a> {
    pub(super) exchange: &'a mut Exchange,
    pub(super) fields: Fields<'a>,
    /// The version of the interface.
    pub(super) version: &'a str,
}

impl Operation<'_> {
    /// Context and callback of this operation alone.
    fn asked(&self) -> Result<Asked, Refusal> {
        let callback = self.fields.address("operationCallbackUri")?;
        self.check_callback(callback.as_deref())?;
        Ok(Asked { context: self.fields.text("operationContext"), callback })
    }

    fn check_callback(&self, callback: Option<&str>) -> Result<(), Refusal> {
        let is_plain = callback.is_some_and(|callback| !callback.starts_with("https://"));
        if is_plain && self.exchange.faults.https_callbacks_only {
            return Err(Refusal::field("The field CallbackUri is invalid."));
        }
        Ok(())
    }
}

/// Answers a request to `/calling/…`.
pub(super) fn answer(exchange: &mut Exchange, request: &Request, path: &[&str], version: &str) -> Result<Reply, Refusal> {
    let body = json_of(request)?;
    let operation = Operation { exchange, fields: Fields(&body), version };
    match (request.method.as_str(), &path[1..]) {
        ("POST", ["callConnections"]) => call::create(operation),
        ("POST", ["callConnections:answer"]) => call::answer(operation),
        ("POST", ["callConnections:redirect"]) => call::redirect(operation),
        ("POST", ["callConnections:reject"]) => call::reject(operation),
        ("POST", ["callConnections:connect"]) => call::connect(operation),
        ("GET", ["callConnections", id]) if !id.contains(':') => call::get(operation, id),
        ("DELETE", ["callConnections", id]) if !id.contains(':') => call::hang_up(operation, id),
        ("POST", ["callConnections", target]) => match target.rsplit_once(':') {
            Some((id, action)) => on_call(operation, id, action),
            None => Err(unknown(request)),
        },
        ("GET", ["callConnections", id, "participants"]) => participants::list(operation, id),
        ("GET", ["callConnections", id, "participants", raw]) => participants::get(operation, id, raw),
        ("POST", ["callConnections", id, "participants:add"]) => participants::add(operation, id),
        ("POST", ["callConnections", id, "participants:remove"]) => participants::remove(operation, id),
        ("POST", ["callConnections", id, "participants:mute"]) => participants::mute(operation, id),
        ("POST", ["callConnections", id, "participants:cancelAddParticipant"]) => participants::cancel_add(operation, id),
        ("POST", ["callConnections", id, "participants:moveHere"]) if version >= "2026-03-12" => participants::move_here(operation, id),
        ("POST", ["recordings"]) => recording::start(operation),
        ("GET", ["recordings", id]) if !id.contains(':') => recording::get(operation, id),
        ("DELETE", ["recordings", id]) if !id.contains(':') => recording::stop(operation, id),
        ("POST", ["recordings", target]) => match target.rsplit_once(':') {
            Some((id, "pause")) => recording::pause(operation, id, true),
            Some((id, "resume")) => recording::pause(operation, id, false),
            _ => Err(unknown(request)),
        },
        _ => Err(unknown(request)),
    }
}

fn on_call(operation: Operation<'_>, id: &str, action: &str) -> Result<Reply, Refusal> {
    match action {
        "terminate" => call::terminate(operation, id),
        "transferToParticipant" => participants::transfer(operation, id),
        "play" => media::play(operation, id),
        "recognize" => media::recognize(operation, id),
        "cancelAllMediaOperations" => media::cancel(operation, id),
        "startContinuousDtmfRecognition" => media::listen(operation, id, true),
        "stopContinuousDtmfRecognition" => media::listen(operation, id, false),
        "sendDtmfTones" => media::send_keys(operation, id),
        "hold" => media::hold(operation, id),
        "unhold" => media::unhold(operation, id),
        "startMediaStreaming" => streams::start_media(operation, id),
        "stopMediaStreaming" => streams::stop_media(operation, id),
        "startTranscription" => streams::start_transcription(operation, id),
        "stopTranscription" => streams::stop_transcription(operation, id),
        "updateTranscription" => streams::update_transcription(operation, id),
        _ => Err(Refusal::new(404, "NotFound", format!("There is no operation `{action}` on calls."))),
    }
}

fn unknown(request: &Request) -> Refusal {
    Refusal::new(404, "NotFound", format!("There is no operation `{} {}` in this version.", request.method, request.path()))
}

/// An answer that repeats the operation's context.
fn with_context(status: u16, mut body: Value, asked: &Asked) -> Reply {
    if let Some(context) = &asked.context {
        body["operationContext"] = Value::String(context.clone());
    }
    Reply::json(status, &body)
}
