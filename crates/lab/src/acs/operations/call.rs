//! Calls as a whole: made, taken, sent on, ended.

use super::{Operation, Refusal};
use crate::{
    acs::{body::Fields, identifier::Identifier},
    exchange::{
        call::Joining,
        streaming::{StreamingOptions, TranscriptionOptions},
    },
    origin::message::Reply,
};
use serde_json::Value;

impl Operation<'_> {
    /// What is said with every call that is taken or made.
    fn joining(&mut self) -> Result<Joining, Refusal> {
        let fields = self.fields;
        let callback = fields.address("callbackUri")?.ok_or_else(|| Refusal::field("The CallbackUri field is required."))?;
        self.check_callback(Some(&callback))?;
        let streaming = fields.get("mediaStreamingOptions").map(|options| self.streaming(Fields(options))).transpose()?;
        let transcription = fields.get("transcriptionOptions").map(|options| self.transcription(Fields(options))).transpose()?;
        Ok(Joining {
            callback,
            context: fields.text("operationContext"),
            has_speech: fields.part("callIntelligenceOptions").address("cognitiveServicesEndpoint")?.is_some(),
            answered_by: fields.part("answeredBy").text("id"),
            streaming,
            transcription,
        })
    }

    fn streaming(&mut self, options: Fields<'_>) -> Result<StreamingOptions, Refusal> {
        websocket(options)?;
        let channels = options.word_of("audioChannelType", &["mixed", "unmixed"])?;
        let channels = channels.ok_or_else(|| Refusal::field("The audioChannelType field is required."))?;
        options.word_of("contentType", &["audio"])?;
        let format = options.word_of("audioFormat", &["pcm16kmono", "pcm24kmono"])?;
        Ok(StreamingOptions {
            id: self.exchange.guid(),
            url: socket_address(options)?,
            unmixed: channels == "unmixed",
            start: options.flag("startMediaStreaming"),
            bidirectional: options.flag("enableBidirectional"),
            dtmf: options.flag("enableDtmfTones"),
            is_24k: format.as_deref() == Some("pcm24kmono"),
        })
    }

    fn transcription(&mut self, options: Fields<'_>) -> Result<TranscriptionOptions, Refusal> {
        websocket(options)?;
        Ok(TranscriptionOptions {
            id: self.exchange.guid(),
            url: socket_address(options)?,
            locale: options.need("locale")?,
            start: options.flag("startTranscription"),
            intermediate: options.flag("enableIntermediateResults"),
            model: options.text("speechModelEndpointId"),
        })
    }
}

fn websocket(options: Fields<'_>) -> Result<(), Refusal> {
    let found = options.word_of("transportType", &["websocket"])?;
    found.map(drop).ok_or_else(|| Refusal::field("The transportType field is required."))
}

fn socket_address(options: Fields<'_>) -> Result<Option<String>, Refusal> {
    match options.text("transportUrl") {
        Some(url) if !url.starts_with("wss://") && !url.starts_with("ws://") => Err(Refusal::field("The field transportUrl is invalid.")),
        url => Ok(url),
    }
}

pub(super) fn create(mut operation: Operation<'_>) -> Result<Reply, Refusal> {
    let fields = operation.fields;
    let targets = fields.identifiers("targets")?;
    if targets.is_empty() {
        return Err(Refusal::field("The targets field is required."));
    }
    let joining = operation.joining()?;
    let has_phone = targets.iter().any(Identifier::is_phone);
    let account = fields.part("teamsAppSource").text("appId");
    if let Some(account) = &account {
        no_caller_id(fields)?;
        if operation.exchange.directory.account(account).is_none() {
            return Err(Refusal::new(404, "8522", "The resource account of teamsAppSource was not found."));
        }
        if !operation.exchange.directory.has_account_consent(account) {
            return Err(Refusal::new(403, "10105", "The resource account has not given consent to this resource."));
        }
    } else if has_phone {
        let text = "Calls to telephone numbers need teamsAppSource: the resource has no numbers of its own.";
        return Err(Refusal::field(text));
    }
    let account = account.map(|account| account.to_ascii_lowercase());
    let answer = operation.exchange.create(&targets, account, &joining, &Value::Null)?;
    Ok(Reply::json(201, &answer))
}

/// Calls over Teams show the resource account's number, and nothing else.
pub(super) fn no_caller_id(fields: Fields<'_>) -> Result<(), Refusal> {
    if fields.get("sourceCallerIdNumber").is_some() || fields.get("sourceDisplayName").is_some() {
        return Err(Refusal::new(400, "8523", "SourceCallerIdNumber and SourceDisplayName are not supported."));
    }
    Ok(())
}

pub(super) fn answer(mut operation: Operation<'_>) -> Result<Reply, Refusal> {
    let context = operation.fields.need("incomingCallContext")?;
    let joining = operation.joining()?;
    Ok(Reply::json(200, &operation.exchange.answer(&context, &joining)?))
}

pub(super) fn redirect(operation: Operation<'_>) -> Result<Reply, Refusal> {
    let context = operation.fields.need("incomingCallContext")?;
    let target = operation.fields.need_identifier("target")?;
    operation.exchange.redirect(&context, &target)?;
    Ok(Reply::empty(204))
}

pub(super) fn reject(operation: Operation<'_>) -> Result<Reply, Refusal> {
    let context = operation.fields.need("incomingCallContext")?;
    let reason = operation.fields.word_of("callRejectReason", &["none", "busy", "forbidden"])?;
    operation.exchange.reject(&context, reason.as_deref().unwrap_or("none"))?;
    Ok(Reply::empty(204))
}

pub(super) fn connect(mut operation: Operation<'_>) -> Result<Reply, Refusal> {
    let locator = operation.fields.get("callLocator").ok_or_else(|| Refusal::field("The callLocator field is required."))?;
    let joining = operation.joining()?;
    Ok(Reply::json(200, &operation.exchange.connect(locator, &joining)?))
}

pub(super) fn get(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let properties = operation.exchange.with_connection(id, |_, call, index| Ok(call.properties(index)))?;
    Ok(Reply::json(200, &properties))
}

pub(super) fn hang_up(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    operation.exchange.leave_by_application(id)?;
    Ok(Reply::empty(204))
}

pub(super) fn terminate(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    operation.exchange.terminate(id)?;
    Ok(Reply::empty(204))
}
