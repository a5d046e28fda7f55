//! Recordings: started, paused, stopped, and their files fetched and deleted.

use super::{Operation, Refusal};
use crate::{
    acs::body::Fields,
    exchange::{Exchange, recording::Wanted},
    origin::message::{Reply, Request},
};

pub(super) fn start(operation: Operation<'_>) -> Result<Reply, Refusal> {
    let fields = operation.fields;
    let connection = fields.text("callConnectionId");
    let locator = fields.part("callLocator");
    let server_call = locator.text("serverCallId");
    match (&connection, fields.get("callLocator")) {
        (None, None) => return Err(Refusal::field("Either callConnectionId or callLocator is required.")),
        (Some(_), Some(_)) => return Err(Refusal::field("Only one of callConnectionId and callLocator may be given.")),
        _ => {}
    }
    let callback = fields.address("recordingStateCallbackUri")?;
    operation.check_callback(callback.as_deref())?;
    // Over Teams Phone extensibility, which the lab is, there is audio in WAV and nothing else.
    if fields.word_of("recordingContentType", &["audio", "audiovideo"])?.is_some_and(|content| content != "audio") {
        return Err(Refusal::field("The field recordingContentType is invalid: only audio can be recorded."));
    }
    if fields.word_of("recordingFormatType", &["wav", "mp3", "mp4"])?.is_some_and(|format| format != "wav") {
        return Err(Refusal::field("The field recordingFormatType is invalid: only wav can be recorded."));
    }
    let channel = fields.word_of("recordingChannelType", &["mixed", "unmixed"])?;
    let storage = fields.part("externalStorage");
    let kind = storage.word_of("recordingStorageKind", &["azurecommunicationservices", "azureblobstorage"])?;
    let container = storage.address("recordingDestinationContainerUrl")?;
    if kind.as_deref() == Some("azureblobstorage") && container.is_none() {
        return Err(Refusal::field("The recordingDestinationContainerUrl field is required."));
    }
    let mut channels = Vec::new();
    for affinity in fields.list("channelAffinity") {
        let affinity = Fields(affinity);
        let channel = affinity.number("channel", 0, 4)?.unwrap_or(channels.len() as u64);
        channels.push((channel as usize, affinity.need_identifier("participant")?.raw_id()));
    }
    for participant in fields.identifiers("audioChannelParticipantOrdering")? {
        channels.push((channels.len(), participant.raw_id()));
    }
    let wanted = Wanted {
        connection,
        server_call,
        callback,
        unmixed: channel.as_deref() == Some("unmixed"),
        paused: fields.flag("pauseOnStart"),
        container: container.filter(|_| kind.as_deref() == Some("azureblobstorage")),
        channels,
    };
    let mut answer = operation.exchange.start_recording(&wanted)?;
    older_words(&mut answer, operation.version);
    Ok(Reply::json(202, &answer))
}

/// Before 2026 the kinds of recordings were written with a capital.
fn older_words(answer: &mut serde_json::Value, version: &str) {
    if version < "2026-03-12" {
        answer["recordingKind"] = serde_json::json!("AzureCommunicationServices");
    }
}

pub(super) fn get(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    let mut answer = operation.exchange.recording_state(id)?;
    older_words(&mut answer, operation.version);
    Ok(Reply::json(200, &answer))
}

pub(super) fn stop(operation: Operation<'_>, id: &str) -> Result<Reply, Refusal> {
    operation.exchange.stop_recording(id, "SessionEnded")?;
    Ok(Reply::empty(204))
}

pub(super) fn pause(operation: Operation<'_>, id: &str, pause: bool) -> Result<Reply, Refusal> {
    operation.exchange.pause_recording(id, pause)?;
    Ok(Reply::empty(202))
}

/// A recording's file or what is known about it: `/v1/objects/{document}[/content/{audio|acsmetadata}]`.
pub(crate) fn document(exchange: &mut Exchange, request: &Request, path: &[&str]) -> Result<Reply, Refusal> {
    let missing = || Refusal::new(404, "NotFound", "The document does not exist, was deleted, or is older than 24 hours.");
    let id = path.get(2).copied().unwrap_or_default();
    let document = exchange.recordings.documents.get(id).ok_or_else(missing)?;
    match (request.method.as_str(), &path[3..]) {
        ("GET", ["content", "audio" | "video"]) => Ok(part_of(&document.audio, "audio/wav", request.header("range"))),
        ("GET", ["content", "acsmetadata"]) => {
            Ok(part_of(document.metadata.to_string().as_bytes(), "application/json", request.header("range")))
        }
        // Without a type: a type of audio on an empty answer breaks Microsoft's SDK for Python.
        ("DELETE", []) => {
            exchange.recordings.documents.remove(id);
            Ok(Reply::empty(200))
        }
        _ => Err(missing()),
    }
}

/// The whole, or the bytes that are asked for.
fn part_of(bytes: &[u8], content_type: &str, range: Option<&str>) -> Reply {
    let whole = || Reply::text(200, content_type, bytes).with("accept-ranges", "bytes");
    let Some((from, to)) = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) else { return whole() };
    let last = bytes.len().saturating_sub(1);
    let (first, last) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) => (from, to.min(last)),
        (Ok(from), Err(_)) => (from, last),
        (Err(_), Ok(length)) => (bytes.len().saturating_sub(length), last),
        (Err(_), Err(_)) => return whole(),
    };
    if first > last || first >= bytes.len() {
        return Reply::empty(416).with("content-range", format!("bytes */{}", bytes.len()));
    }
    Reply::text(206, content_type, &bytes[first..=last])
        .with("content-range", format!("bytes {first}-{last}/{}", bytes.len()))
        .with("accept-ranges", "bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_give_their_bytes() {
        for (range, status, body) in [
            (None, 200, "0123456789"),
            (Some("bytes=0-3"), 206, "0123"),
            (Some("bytes=8-"), 206, "89"),
            (Some("bytes=5-99"), 206, "56789"),
            (Some("bytes=-2"), 206, "89"),
            (Some("bytes=10-"), 416, ""),
        ] {
            let reply = part_of(b"0123456789", "audio/wav", range);
            assert_eq!((reply.status, String::from_utf8_lossy(&reply.body).as_ref()), (status, body), "{range:?}");
        }
    }
}
