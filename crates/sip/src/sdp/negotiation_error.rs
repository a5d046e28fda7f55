//! Why an offer or an answer cannot be used, and how to say so in SIP.

use super::SdpError;

/// Why there is no common session. The offer is answered 488 with [`NegotiationError::warning`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NegotiationError {
    /// The description cannot be read.
    #[error("session description: {0}")]
    Unreadable(#[from] SdpError),
    /// There is no audio with a port.
    #[error("no audio is offered")]
    NoAudio,
    /// Audio is offered over another transport than plain RTP.
    #[error("audio over {0} is not supported")]
    Transport(String),
    /// Plain audio is offered where it has to be encrypted.
    #[error("audio has to be encrypted here: RTP/SAVP with a=crypto AES_CM_128_HMAC_SHA1_80")]
    NotEncrypted,
    /// Encrypted audio is offered where it must not be.
    #[error("encrypted audio is switched off here")]
    EncryptionOff,
    /// Encrypted audio without a key that we can use.
    #[error("no usable key for encrypted audio (AES_CM_128_HMAC_SHA1_80), offered: {0}")]
    NoUsableKey(String),
    /// No codec of ours is among the offered ones.
    #[error("no common codec, offered: {0}")]
    NoCommonCodec(String),
    /// There is no address to send to.
    #[error("no usable address for audio: {0}")]
    Address(&'static str),
    /// The peer refused our audio with port 0.
    #[error("audio was refused")]
    Refused,
    /// The answer does not mirror the media of the offer.
    #[error("the answer does not mirror the media of the offer")]
    MediaMismatch,
    /// An answer came although nothing was offered.
    #[error("an answer without an offer")]
    NoOffer,
}

impl NegotiationError {
    /// The status that refuses an offer: 400 for an unreadable one, else 488.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            NegotiationError::Unreadable(_) => 400,
            _ => 488,
        }
    }

    /// The value of a Warning header (RFC 3261 §20.43); `host` is our own name or address.
    #[must_use]
    pub fn warning(&self, host: &str) -> String {
        let code = match self {
            NegotiationError::Transport(_) | NegotiationError::NotEncrypted | NegotiationError::EncryptionOff => 302,
            NegotiationError::NoAudio | NegotiationError::Refused => 304,
            NegotiationError::NoCommonCodec(_) => 305,
            NegotiationError::Address(_) => 301,
            NegotiationError::Unreadable(_)
            | NegotiationError::MediaMismatch
            | NegotiationError::NoOffer
            | NegotiationError::NoUsableKey(_) => 399,
        };
        // The peer's words come back to it in quotes: nothing in them may end the quoted string.
        let text = self.to_string().replace(['"', '\\'], "'");
        format!("{code} {host} \"{text}\"")
    }
}
