//! The sockets of a call: opened when wanted, told about, closed with the call.

use super::{
    Exchange,
    call::Call,
    effect::{Cause, Effect},
    parties::{Asked, established},
    streaming::{Socket, TranscriptionOptions},
};
use crate::acs::refusal::Refusal;
use serde_json::{Value, json};

/// Which of the two sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Media,
    Transcription,
}

impl Exchange {
    /// Opens what was to be open from the beginning.
    pub(super) fn open_wanted_sockets(&mut self, call: &mut Call, index: usize) {
        if call.connections[index].streaming.as_ref().is_some_and(|streaming| streaming.options.start) {
            self.open_socket(call, index, Which::Media, &Asked::default());
        }
        if call.connections[index].transcription.as_ref().is_some_and(|transcription| transcription.options.start) {
            self.open_socket(call, index, Which::Transcription, &Asked::default());
        }
    }

    fn open_socket(&mut self, call: &mut Call, index: usize, which: Which, asked: &Asked) {
        let id = self.ticket();
        let connection = &mut call.connections[index];
        let asked = (asked.context.clone(), asked.callback.clone());
        let url = match which {
            Which::Media => connection.streaming.as_mut().and_then(|streaming| {
                streaming.asked = asked.clone();
                streaming.socket = Socket::Opening(id);
                streaming.options.url.clone()
            }),
            Which::Transcription => connection.transcription.as_mut().and_then(|transcription| {
                transcription.asked = asked.clone();
                transcription.socket = Socket::Opening(id);
                transcription.options.url.clone()
            }),
        };
        let Some(url) = url else {
            match which {
                Which::Media => drop(connection.streaming.as_mut().map(|streaming| streaming.socket = Socket::Closed)),
                Which::Transcription => drop(connection.transcription.as_mut().map(|found| found.socket = Socket::Closed)),
            }
            self.tell_socket(call, index, which, "Failed", "streamUrlMissing", (asked.0.as_deref(), asked.1.as_deref()));
            return;
        };
        let connection = connection.id.clone();
        self.sockets.insert(id, connection.clone());
        self.post.out.push(Effect::OpenSocket { id, url, connection, correlation: call.correlation_id.clone() });
    }

    fn tell_socket(&mut self, call: &Call, index: usize, which: Which, what: &str, details: &str, asked: (Option<&str>, Option<&str>)) {
        let cause = if what == "Failed" { Cause::new(500, 8_581, "The socket could not be used.") } else { Cause::new(200, 0, "") };
        let mut extra = cause.json();
        let kind = match which {
            Which::Media => {
                extra["mediaStreamingUpdate"] = json!({
                    "contentType": "audio", "mediaStreamingStatus": format!("mediaStreaming{what}"), "mediaStreamingStatusDetails": details,
                });
                format!("MediaStreaming{what}")
            }
            Which::Transcription => {
                extra["transcriptionUpdate"] = json!({
                    "transcriptionStatus": format!("transcription{what}"), "transcriptionStatusDetails": details,
                });
                format!("Transcription{what}")
            }
        };
        self.tell(call, index, &kind, asked, extra);
    }

    /// Does something with the call a socket belongs to.
    fn with_socket(&mut self, id: u64, act: impl FnOnce(&mut Exchange, &mut Call, usize, Which)) {
        let Some(connection) = self.sockets.get(&id).cloned() else { return };
        // A call that is over has closed its sockets.
        let _ = self.with_connection(&connection, |exchange, call, index| {
            let found = &call.connections[index];
            if found.streaming.as_ref().is_some_and(|streaming| streaming.socket.id() == Some(id)) {
                act(exchange, call, index, Which::Media);
            } else if found.transcription.as_ref().is_some_and(|transcription| transcription.socket.id() == Some(id)) {
                act(exchange, call, index, Which::Transcription);
            }
            Ok(())
        });
    }

    /// The application took the connection.
    pub(crate) fn socket_opened(&mut self, id: u64) {
        let now = self.post.now;
        self.with_socket(id, |exchange, call, index, which| {
            let ids = (call.connections[index].id.clone(), call.correlation_id.clone());
            let (text, asked) = match which {
                Which::Media => {
                    let Some(streaming) = call.connections[index].streaming.as_mut() else { return };
                    streaming.socket = Socket::Open(id);
                    (streaming.metadata(), streaming.asked.clone())
                }
                Which::Transcription => {
                    let Some(transcription) = call.connections[index].transcription.as_mut() else { return };
                    transcription.socket = Socket::Open(id);
                    transcription.began = now;
                    (transcription.metadata(&ids.0, &ids.1), transcription.asked.clone())
                }
            };
            exchange.post.out.push(Effect::SocketText { id, text });
            exchange.tell_socket(call, index, which, "Started", "subscriptionStarted", (asked.0.as_deref(), asked.1.as_deref()));
        });
    }

    /// The application did not take the connection, or let it go.
    pub(crate) fn socket_failed(&mut self, id: u64, details: &str) {
        self.with_socket(id, |exchange, call, index, which| {
            let asked = match which {
                Which::Media => call.connections[index].streaming.as_mut().map(|streaming| {
                    streaming.socket = Socket::Closed;
                    streaming.asked.clone()
                }),
                Which::Transcription => call.connections[index].transcription.as_mut().map(|transcription| {
                    transcription.socket = Socket::Closed;
                    transcription.asked.clone()
                }),
            };
            let asked = asked.unwrap_or_default();
            exchange.tell_socket(call, index, which, "Failed", details, (asked.0.as_deref(), asked.1.as_deref()));
        });
        self.sockets.remove(&id);
    }

    /// The application sent a frame.
    pub(crate) fn socket_text(&mut self, id: u64, text: &str) {
        self.with_socket(id, |_, call, index, which| {
            if let (Which::Media, Some(streaming)) = (which, call.connections[index].streaming.as_mut()) {
                streaming.receive(text);
            }
        });
    }

    /// Starts one of the sockets.
    pub(crate) fn start_socket(&mut self, id: &str, which: Which, change: &TranscriptionOptions, asked: &Asked) -> Result<(), Refusal> {
        self.with_connection(id, |exchange, call, index| {
            established(call, index)?;
            let connection = &mut call.connections[index];
            let socket = match which {
                Which::Media => connection.streaming.as_ref().map(|streaming| streaming.socket),
                Which::Transcription => connection.transcription.as_mut().map(|transcription| {
                    if !change.locale.is_empty() {
                        transcription.options.locale.clone_from(&change.locale);
                    }
                    transcription.options.model = change.model.clone().or(transcription.options.model.take());
                    transcription.socket
                }),
            };
            match socket {
                Some(Socket::Closed) => exchange.open_socket(call, index, which, asked),
                Some(_) => return Err(Refusal::new(400, "8502", "The streaming is under way.")),
                None => exchange.tell_socket(call, index, which, "Failed", "streamUrlMissing", asked.parts()),
            }
            Ok(())
        })
    }

    /// Stops one of the sockets.
    pub(crate) fn stop_socket(&mut self, id: &str, which: Which, asked: &Asked) -> Result<(), Refusal> {
        self.with_connection(id, |exchange, call, index| {
            established(call, index)?;
            let Some(socket) = exchange.close_socket(call, index, which) else {
                return Err(Refusal::state("There is no streaming under way."));
            };
            exchange.sockets.remove(&socket);
            exchange.tell_socket(call, index, which, "Stopped", "subscriptionStopped", asked.parts());
            Ok(())
        })
    }

    /// Changes the language of a transcription.
    pub(crate) fn update_transcription(&mut self, id: &str, change: &TranscriptionOptions, asked: &Asked) -> Result<(), Refusal> {
        self.with_connection(id, |exchange, call, index| {
            established(call, index)?;
            let Some(transcription) = &mut call.connections[index].transcription else {
                return Err(Refusal::state("There is no transcription."));
            };
            if !matches!(transcription.socket, Socket::Open(_)) {
                return Err(Refusal::state("There is no transcription under way."));
            }
            if !change.locale.is_empty() {
                transcription.options.locale.clone_from(&change.locale);
            }
            if change.model.is_some() {
                transcription.options.model.clone_from(&change.model);
            }
            exchange.tell_socket(call, index, Which::Transcription, "Updated", "transcriptionLocaleUpdated", asked.parts());
            Ok(())
        })
    }

    fn close_socket(&mut self, call: &mut Call, index: usize, which: Which) -> Option<u64> {
        let connection = &mut call.connections[index];
        let socket = match which {
            Which::Media => &mut connection.streaming.as_mut()?.socket,
            Which::Transcription => &mut connection.transcription.as_mut()?.socket,
        };
        let id = socket.id()?;
        *socket = Socket::Closed;
        self.post.out.push(Effect::CloseSocket { id });
        Some(id)
    }

    /// Closes both with the connection.
    pub(super) fn close_sockets(&mut self, call: &mut Call, index: usize) {
        for which in [Which::Media, Which::Transcription] {
            if let Some(id) = self.close_socket(call, index, which) {
                self.sockets.remove(&id);
                self.tell_socket(call, index, which, "Stopped", "subscriptionStopped", (None, None));
            }
        }
    }

    /// Sends words to those who want them.
    pub(super) fn transcribe(&mut self, call: &mut Call, raw: &str, text: &str, from: u64, until: u64, is_final: bool) {
        let texts: Vec<Effect> = call
            .connections
            .iter()
            .filter_map(|connection| connection.transcription.as_ref())
            .filter(|transcription| is_final || transcription.options.intermediate)
            .filter_map(|transcription| match transcription.socket {
                Socket::Open(id) => Some(Effect::SocketText { id, text: transcription.data(text, raw, from, until, is_final) }),
                Socket::Closed | Socket::Opening(_) => None,
            })
            .collect();
        self.post.out.extend(texts);
    }

    /// What a socket's token and headers say.
    pub(crate) fn socket_claims(&self, connection: &str) -> Value {
        let now = self.seconds();
        json!({ "aud": self.directory.resource_id, "iat": now, "nbf": now, "exp": now + 24 * 3_600, "callConnectionId": connection })
    }
}
