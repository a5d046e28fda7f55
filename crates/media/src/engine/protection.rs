//! Encryption of one stream: what it has under its keys, and what of the keys before is still on its way.
//!
//! Packets are opened before anything else is done with them, so that nobody without the key is counted, followed to an
//! address or heard.

use crate::engine::clock::samples;
use crate::rtp::Kind;
use crate::srtp::{KeyPair, Receiver, Refused, Sender};

/// How long packets under the keys before are still taken: they left before the other end knew the new ones.
const OLD_KEYS_SAMPLES: u64 = samples(2_000);

pub(super) struct Protection {
    sender: Sender,
    receiver: Receiver,
    /// The receiver before this one, and until when it is asked.
    before: Option<(Receiver, u64)>,
    /// Packets that did not authenticate, or were no packets at all.
    pub unauthentic: u64,
    /// Packets that had been there before.
    pub replayed: u64,
}

impl Protection {
    pub fn new(keys: KeyPair) -> Protection {
        let (sender, receiver) = (Sender::new(keys.send), Receiver::new(keys.receive));
        Protection { sender, receiver, before: None, unauthentic: 0, replayed: 0 }
    }

    /// Goes on with these keys. What did not change goes on counting: beginning anew under the same key would make the
    /// other end deaf, and us deaf to it. True when we send with a new key.
    pub fn rekey(&mut self, keys: KeyPair, now: u64) -> bool {
        if *self.receiver.keys() != keys.receive {
            let before = std::mem::replace(&mut self.receiver, Receiver::new(keys.receive));
            self.before = Some((before, now + OLD_KEYS_SAMPLES));
        }
        let changed = *self.sender.keys() != keys.send;
        if changed {
            self.sender = Sender::new(keys.send);
        }
        changed
    }

    /// Opens a datagram where it lies and gives the length of what was in it.
    pub fn open(&mut self, datagram: &mut [u8], kind: Kind, now: u64) -> Result<usize, Refused> {
        let mut result = open(&mut self.receiver, datagram, kind);
        if matches!(result, Err(Refused::Unauthentic))
            && let Some((before, until)) = &mut self.before
        {
            if now < *until {
                result = open(before, datagram, kind);
            } else {
                self.before = None;
            }
        }
        match &result {
            Ok(_) => {}
            Err(Refused::Replayed) => self.replayed += 1,
            Err(Refused::Malformed | Refused::Unauthentic) => self.unauthentic += 1,
        }
        result
    }

    /// See [`Sender::seal_rtp`] and [`Sender::seal_rtcp`].
    pub fn seal(&mut self, packet: &[u8], kind: Kind, into: &mut [u8]) -> Option<usize> {
        match kind {
            Kind::Rtcp => self.sender.seal_rtcp(packet, into),
            Kind::Rtp | Kind::Other => self.sender.seal_rtp(packet, into),
        }
    }
}

fn open(receiver: &mut Receiver, datagram: &mut [u8], kind: Kind) -> Result<usize, Refused> {
    match kind {
        Kind::Rtcp => receiver.open_rtcp(datagram),
        Kind::Rtp | Kind::Other => receiver.open_rtp(datagram),
    }
}
