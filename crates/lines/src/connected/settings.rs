//! What administrators set up for the Connected line: trunks to the telephone network and agents' telephones.

use dreiklang_core::ids::AgentId;
use dreiklang_sip::sdp::Encryption;
use serde::{Deserialize, Serialize};

/// A peer that brings and takes calls: a carrier or a session border controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trunk {
    /// Unique in the tenant.
    pub name: String,
    /// Where calls go, tried in order; `host:port` or `host`.
    #[serde(default)]
    pub peers: Vec<Peer>,
    /// Addresses calls may come from, such as `192.0.2.0/24` or `192.0.2.7`. Peers given by address count too.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Sign in at the carrier, where it wants that.
    #[serde(default)]
    pub registration: Option<Registration>,
    /// Seconds between health checks of each peer; 0 = none. Usually 30.
    #[serde(default = "default_health_s")]
    pub health_interval_s: u32,
    /// Calls outside may use this trunk.
    #[serde(default = "yes")]
    pub outbound: bool,
    /// Whether audio is encrypted.
    #[serde(default)]
    pub media_encryption: MediaEncryption,
    /// How the peer wants calls written.
    #[serde(default)]
    pub dialect: Dialect,
    /// The name the peer knows us by; Teams needs one.
    #[serde(default)]
    pub fqdn: Option<String>,
    /// Beginnings of the numbers that go by this trunk; the longest wins among trunks. None = every number.
    #[serde(default)]
    pub prefixes: Vec<String>,
    /// What proves that a call is the peer's.
    #[serde(default)]
    pub identified_by: Identification,
}

impl Trunk {
    /// Whether only a certificate proves that a call is the peer's.
    pub fn by_certificate(&self) -> bool {
        self.dialect == Dialect::Teams || self.identified_by == Identification::Certificate
    }

    /// Whether audio is encrypted: Teams takes no plain audio.
    pub fn encryption(&self) -> MediaEncryption {
        match (self.dialect, self.media_encryption) {
            (Dialect::Teams, MediaEncryption::Optional) => MediaEncryption::Required,
            (_, encryption) => encryption,
        }
    }

    /// How well a number fits: the length of the longest prefix it begins with, 0 for a trunk that takes every number, `None`
    /// where it does not go.
    pub fn takes(&self, number: &str) -> Option<usize> {
        if self.prefixes.is_empty() {
            return Some(0);
        }
        self.prefixes.iter().filter(|prefix| number.starts_with(prefix.as_str())).map(String::len).max()
    }
}

/// How a peer wants calls written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// By the standards.
    #[default]
    Standard,
    /// As Microsoft's Direct Routing wants it: mutual TLS, our name everywhere, numbers with `+`.
    Teams,
}

/// What proves that a call is a trunk's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identification {
    /// The address it comes from.
    #[default]
    Address,
    /// A certificate for one of the trunk's peers, shown when the connection was made. The address alone is not enough.
    Certificate,
}

/// Whether a trunk's or telephone's audio is encrypted (SRTP with keys in signalling).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaEncryption {
    /// Never; who offers nothing else is refused.
    Never,
    /// When the far end offers it. Our own offers are plain.
    #[default]
    Optional,
    /// Always; who offers plain audio is refused.
    Required,
}

impl From<MediaEncryption> for Encryption {
    fn from(setting: MediaEncryption) -> Encryption {
        match setting {
            MediaEncryption::Never => Encryption::Never,
            MediaEncryption::Optional => Encryption::Optional,
            MediaEncryption::Required => Encryption::Required,
        }
    }
}

/// One address of a trunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Host name or address, with port when it is not the transport's usual one.
    pub address: String,
    /// How to get there.
    #[serde(default)]
    pub transport: PeerTransport,
}

/// How a peer is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerTransport {
    /// Datagrams; port 5060.
    #[default]
    Udp,
    /// A stream; port 5060.
    Tcp,
    /// An encrypted stream; port 5061.
    Tls,
}

/// Credentials for signing in at a carrier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// User name the carrier gave.
    pub username: String,
    /// Its password. Never shown or exported.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub password: String,
    /// Domain of the address of record, when it is not the first peer's host.
    #[serde(default)]
    pub domain: Option<String>,
    /// Seconds a sign-in is asked to last.
    #[serde(default = "default_expires_s")]
    pub expires_s: u32,
}

/// An agent's own telephone, which signs in with us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// User name; unique in the whole installation. The agent's endpoint is `desk` with this name.
    pub user: String,
    /// Whose telephone.
    pub agent: AgentId,
    /// Password for signing in. Never shown or exported.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub password: String,
    /// Whether audio is encrypted.
    #[serde(default)]
    pub media_encryption: MediaEncryption,
}

/// How long a health check may stay away before a peer counts as down, in health intervals, is decided by the line.
fn default_health_s() -> u32 {
    30
}

fn default_expires_s() -> u32 {
    300
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trunk(more: serde_json::Value) -> Trunk {
        let mut trunk = serde_json::json!({ "name": "x" });
        for (key, value) in more.as_object().into_iter().flatten() {
            trunk[key] = value.clone();
        }
        serde_json::from_value(trunk).unwrap()
    }

    #[test]
    fn the_longest_beginning_of_a_number_decides() {
        let takes = |prefixes: &[&str]| trunk(serde_json::json!({ "prefixes": prefixes })).takes("+493070002");
        assert_eq!(takes(&[]), Some(0));
        assert_eq!(takes(&["+49", "+4930", "+4940"]), Some(5));
        assert_eq!(takes(&["+44", "4930"]), None);
    }

    #[test]
    fn teams_gets_no_plain_audio_and_what_was_kept_before_is_read() {
        assert_eq!(trunk(serde_json::json!({})).encryption(), MediaEncryption::Optional);
        assert_eq!(trunk(serde_json::json!({ "dialect": "teams" })).encryption(), MediaEncryption::Required);
    }
}
