//! Cutting a byte stream into messages (RFC 3261 §18.3) and keep-alives (RFC 5626 §3.5.1).

use super::parse::{Head, find_head_end};
use super::{Malformed, Message, ParseError};
use crate::limits::MESSAGE_BYTES_MAX;

/// What a stream carries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "items are consumed at once, never stored in numbers")]
pub enum StreamItem {
    /// A message.
    Message(Message),
    /// A double CRLF: the peer wants a single CRLF back.
    KeepAlivePing,
    /// A single CRLF: the answer to our ping.
    KeepAlivePong,
}

/// Decodes one direction of one stream connection.
///
/// After a [`Malformed`] with `framing_lost` the decoder yields nothing more; the connection has to be closed.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    buffer: Vec<u8>,
    /// Bytes of `buffer` that are done.
    consumed: usize,
    /// Where to continue looking for the blank line.
    searched: usize,
    /// A head whose body is not complete yet.
    head: Option<(Head, usize)>,
    /// A CRLF came that may be the first half of a ping.
    has_half_ping: bool,
    /// We sent a ping: the next CRLF is its answer.
    expects_pong: bool,
    is_dead: bool,
}

impl StreamDecoder {
    /// A decoder for a new connection.
    #[must_use]
    pub fn new() -> StreamDecoder {
        StreamDecoder::default()
    }

    /// Adds received bytes. Call [`StreamDecoder::next`] until it yields nothing before adding more.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.is_dead {
            return;
        }
        if self.consumed > 0 {
            self.buffer.drain(..self.consumed);
            self.searched = self.searched.saturating_sub(self.consumed);
            self.consumed = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Says that a ping was sent, so that the next single CRLF is understood as its answer.
    pub fn expect_pong(&mut self) {
        self.expects_pong = true;
    }

    /// Whether an incomplete message is buffered.
    #[must_use]
    pub fn is_mid_message(&self) -> bool {
        !self.is_dead && (self.head.is_some() || self.consumed < self.buffer.len())
    }

    /// The next complete item, `None` when more bytes are needed.
    #[expect(clippy::should_implement_trait, reason = "a decoder is fed between calls; it is no iterator")]
    pub fn next(&mut self) -> Option<Result<StreamItem, Malformed>> {
        if self.is_dead {
            return None;
        }
        if self.head.is_none()
            && let Some(item) = self.next_keep_alive()
        {
            return Some(Ok(item));
        }
        let result = self.next_message()?;
        self.has_half_ping = false;
        if result.as_ref().is_err_and(|malformed| malformed.framing_lost) {
            self.is_dead = true;
            self.buffer = Vec::new();
        }
        Some(result.map(StreamItem::Message))
    }

    fn next_keep_alive(&mut self) -> Option<StreamItem> {
        if !self.buffer[self.consumed..].starts_with(b"\r\n") {
            return None;
        }
        self.consume(2);
        if std::mem::take(&mut self.expects_pong) {
            self.has_half_ping = false;
            return Some(StreamItem::KeepAlivePong);
        }
        // The two halves of a ping may arrive in different segments: the first counts as a pong, which nobody waits for.
        self.has_half_ping = !self.has_half_ping;
        Some(if self.has_half_ping { StreamItem::KeepAlivePong } else { StreamItem::KeepAlivePing })
    }

    fn next_message(&mut self) -> Option<Result<Message, Malformed>> {
        let (head, body_len) = match self.head.take() {
            Some(pending) => pending,
            None => match self.next_head()? {
                Ok(head) => head,
                Err(malformed) => return Some(Err(malformed)),
            },
        };
        let available = &self.buffer[self.consumed..];
        if available.len() < body_len {
            self.head = Some((head, body_len));
            return None;
        }
        let body = available[..body_len].to_vec();
        self.consume(body_len);
        Some(head.into_message(body))
    }

    fn next_head(&mut self) -> Option<Result<(Head, usize), Malformed>> {
        let Some(end) = find_head_end(&self.buffer, self.searched.max(self.consumed)) else {
            // The blank line may be cut between two feeds.
            self.searched = self.buffer.len().saturating_sub(3).max(self.consumed);
            return (self.buffer.len() - self.consumed > MESSAGE_BYTES_MAX).then(|| Err(lost(ParseError::TooLarge("message"))));
        };
        let head_bytes = self.consumed..end;
        if head_bytes.len() > MESSAGE_BYTES_MAX {
            return Some(Err(lost(ParseError::TooLarge("message"))));
        }
        let result = Head::parse(&self.buffer[head_bytes.clone()]);
        self.consume(head_bytes.len() + 4);
        Some(match result {
            Ok(head) => match head.content_length {
                Some(length) if length + head_bytes.len() > MESSAGE_BYTES_MAX => {
                    Err(Malformed { framing_lost: true, ..head.malformed(ParseError::TooLarge("message")) })
                }
                Some(length) => Ok((head, length)),
                // RFC 3261 §18.3: on a stream only Content-Length says where the next message begins.
                None => Err(Malformed { framing_lost: true, ..head.malformed(ParseError::Missing("Content-Length")) }),
            },
            Err(malformed) => Err(Malformed { framing_lost: true, ..malformed }),
        })
    }

    fn consume(&mut self, bytes: usize) {
        self.consumed += bytes;
        self.searched = self.searched.max(self.consumed);
    }
}

fn lost(error: ParseError) -> Malformed {
    Malformed { error, answerable: None, framing_lost: true }
}
