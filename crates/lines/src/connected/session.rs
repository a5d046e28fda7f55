//! The audio session of one leg: offers and answers on one side, the media engine's words on the other.

use dreiklang_media::{
    codec::Codec,
    engine::{Direction, Edit, LocalAddress, Remote},
    ids::StreamId,
    srtp::{self, KeyPair, Keys, Suite},
};
use dreiklang_sip::sdp::{self, AgreedKeys, AudioCodec, Encryption, LocalAudio, MasterKey, Negotiated, NegotiationError};
use std::net::SocketAddr;

/// What was agreed so far, and how to agree on more.
pub(super) struct Session {
    local: LocalAudio,
    sdp: sdp::Session,
    agreed: Option<Negotiated>,
    awaits_answer: bool,
}

impl Session {
    /// For these sockets of ours.
    pub fn new(local: LocalAddress, encryption: Encryption) -> Session {
        Session::at(SocketAddr::new(local.ip, local.rtp_port), encryption)
    }

    fn at(rtp: SocketAddr, encryption: Encryption) -> Session {
        let mut id = [0_u8; 8];
        // An id that repeats harms nobody as long as the dialog is another.
        let id = getrandom::fill(&mut id).map_or(u64::from(rtp.port()), |()| u64::from_be_bytes(id));
        Session { local: LocalAudio { encryption, ..LocalAudio::new(rtp) }, sdp: sdp::Session::new(id), agreed: None, awaits_answer: false }
    }

    /// For the same sockets and another far end, with which nothing is agreed yet.
    pub fn renewed(&self) -> Session {
        Session::at(self.local.rtp, self.local.encryption)
    }

    /// Our full offer.
    pub fn offer(&mut self) -> Vec<u8> {
        self.awaits_answer = true;
        self.local.fresh_key = fresh_key();
        self.sdp.offer(&self.local)
    }

    /// Whether our offer is unanswered.
    pub fn awaits_answer(&self) -> bool {
        self.awaits_answer
    }

    /// Answers the far end's offer.
    pub fn answer(&mut self, offer: &[u8]) -> Result<Vec<u8>, NegotiationError> {
        self.local.fresh_key = fresh_key();
        let (answer, agreed) = self.sdp.answer(offer, &self.local)?;
        self.agreed = Some(agreed);
        self.awaits_answer = false;
        Ok(answer)
    }

    /// Takes the far end's answer, and says what it means for the stream.
    pub fn accept(&mut self, answer: &[u8], stream: StreamId) -> Result<Vec<Edit>, NegotiationError> {
        self.agreed = Some(self.sdp.read_answer(answer)?);
        self.awaits_answer = false;
        Ok(self.edits(stream))
    }

    /// What is agreed, if anything is, in the media engine's words. Keys come first: no packet leaves without them.
    pub fn edits(&self, stream: StreamId) -> Vec<Edit> {
        let Some(agreed) = &self.agreed else { return Vec::new() };
        vec![Edit::Protect { stream, keys: agreed.keys.as_ref().map(key_pair_of) }, Edit::Remote { stream, remote: remote_of(agreed) }]
    }

    /// Whether the far end holds us: it does not want to hear us.
    pub fn is_held(&self) -> bool {
        self.agreed.as_ref().is_some_and(|agreed| !agreed.direction.sends())
    }

    /// What we would send and take anyway, for the refusal of something else.
    pub fn warning(problem: &NegotiationError, host: &str) -> String {
        problem.warning(host)
    }
}

/// Thirty bytes that nobody can guess. None when the system has none to give: then nothing is encrypted, and what has to be
/// is refused.
fn fresh_key() -> Option<MasterKey> {
    let mut key = [0; srtp::MASTER_BYTES];
    match getrandom::fill(&mut key) {
        Ok(()) => Some(MasterKey::new(key)),
        Err(error) => {
            tracing::error!(%error, code = "MEDIA-005", "the system gives no random numbers; audio cannot be encrypted");
            None
        }
    }
}

fn key_pair_of(keys: &AgreedKeys) -> KeyPair {
    let suite = match keys.suite {
        sdp::Suite::Tag80 => Suite::Aes128Tag80,
        sdp::Suite::Tag32 => Suite::Aes128Tag32,
    };
    let receive = Keys::new(suite, keys.receive.bytes()).named(keys.mki_bytes);
    KeyPair { send: Keys::new(suite, keys.send.bytes()), receive }
}

fn remote_of(agreed: &Negotiated) -> Remote {
    Remote {
        rtp: agreed.remote_rtp,
        rtcp: agreed.remote_rtcp,
        codec: match agreed.codec.name {
            AudioCodec::Pcmu => Codec::Pcmu,
            AudioCodec::Pcma => Codec::Pcma,
        },
        payload_type: agreed.codec.payload_type,
        dtmf: agreed.dtmf,
        direction: match agreed.direction {
            sdp::Direction::SendRecv => Direction::SendRecv,
            sdp::Direction::SendOnly => Direction::SendOnly,
            sdp::Direction::RecvOnly => Direction::RecvOnly,
            sdp::Direction::Inactive => Direction::Inactive,
        },
        ptime_ms: u8::try_from(agreed.ptime_ms).unwrap_or(20),
    }
}
