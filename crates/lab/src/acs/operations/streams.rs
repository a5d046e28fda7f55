//! Media streaming and transcription: started, stopped, changed in mid-call.

use super::{Operation, Refusal};
use crate::{
    exchange::{sockets::Which, streaming::TranscriptionOptions},
    origin::message::Reply,
};

impl Operation<'_> {
    fn change(&self) -> TranscriptionOptions {
        TranscriptionOptions {
            locale: self.fields.text("locale").unwrap_or_default(),
            model: self.fields.text("speechModelEndpointId"),
            ..TranscriptionOptions::default()
        }
    }
}

pub(super) fn start_media(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let asked = operation.asked()?;
    operation.exchange.start_socket(id, Which::Media, &TranscriptionOptions::default(), &asked)?;
    Ok(Reply::empty(202))
}

pub(super) fn stop_media(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let asked = operation.asked()?;
    operation.exchange.stop_socket(id, Which::Media, &asked)?;
    Ok(Reply::empty(202))
}

pub(super) fn start_transcription(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let asked = operation.asked()?;
    let change = operation.change();
    operation.exchange.start_socket(id, Which::Transcription, &change, &asked)?;
    Ok(Reply::empty(202))
}

pub(super) fn stop_transcription(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let asked = operation.asked()?;
    operation.exchange.stop_socket(id, Which::Transcription, &asked)?;
    Ok(Reply::empty(202))
}

pub(super) fn update_transcription(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let asked = operation.asked()?;
    let change = operation.change();
    operation.exchange.update_transcription(id, &change, &asked)?;
    Ok(Reply::empty(202))
}
