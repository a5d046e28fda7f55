//! Trunks of the Connected line, as programs see them.

use super::kind::Kind;
use crate::error::Problem;
use dreiklang_lines::connected::{directory::Network, settings};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Addresses of a trunk at most: tried one after the other, more would outlast a caller's patience.
const PEERS_MAX: usize = 16;
/// Networks calls may come from at most.
const SOURCES_MAX: usize = 64;
/// Longest host name in characters (RFC 1035 §2.3.4), with a port.
const ADDRESS_CHARS: usize = 261;

/// A peer that brings and takes calls: a carrier or a session border controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trunk {
    /// Unique.
    #[schema(example = "Carrier")]
    pub name: String,
    /// Where calls go, tried in order.
    #[serde(default)]
    pub peers: Vec<Peer>,
    /// Addresses calls may come from, such as `192.0.2.0/24`. Peers given by address count too.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Sign in at the carrier, where it wants that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Registration>,
    /// Seconds between health checks of each peer; 0 = none.
    #[serde(default = "defaults::health_interval_s")]
    #[schema(maximum = 3600)]
    pub health_interval_s: u32,
    /// Calls outside may use this trunk.
    #[serde(default = "defaults::outbound")]
    pub outbound: bool,
    /// Whether audio is encrypted (SRTP with keys in signalling). Microsoft's Direct Routing needs `required`.
    #[serde(default)]
    pub media_encryption: MediaEncryption,
}

/// Whether audio is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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

impl From<MediaEncryption> for settings::MediaEncryption {
    fn from(setting: MediaEncryption) -> settings::MediaEncryption {
        match setting {
            MediaEncryption::Never => settings::MediaEncryption::Never,
            MediaEncryption::Optional => settings::MediaEncryption::Optional,
            MediaEncryption::Required => settings::MediaEncryption::Required,
        }
    }
}

/// One address of a trunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Host name or address, with port when it is not the transport's usual one.
    #[schema(example = "sbc.example.com:5061")]
    pub address: String,
    /// How to get there.
    #[serde(default)]
    pub transport: PeerTransport,
}

/// How a peer is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// User name the carrier gave.
    pub username: String,
    /// Its password. Never shown; leave it out to keep the present one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(write_only)]
    pub password: String,
    /// Domain of the address of record, when it is not the first peer's host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Seconds a sign-in is asked to last.
    #[serde(default = "defaults::expires_s")]
    #[schema(minimum = 60, maximum = 86400)]
    pub expires_s: u32,
}

mod defaults {
    pub(super) fn health_interval_s() -> u32 {
        30
    }
    pub(super) fn outbound() -> bool {
        true
    }
    pub(super) fn expires_s() -> u32 {
        300
    }
}

impl Trunk {
    /// In the line's words.
    pub fn to_line(&self) -> settings::Trunk {
        settings::Trunk {
            name: self.name.clone(),
            peers: self
                .peers
                .iter()
                .map(|peer| settings::Peer {
                    address: peer.address.clone(),
                    transport: match peer.transport {
                        PeerTransport::Udp => settings::PeerTransport::Udp,
                        PeerTransport::Tcp => settings::PeerTransport::Tcp,
                        PeerTransport::Tls => settings::PeerTransport::Tls,
                    },
                })
                .collect(),
            sources: self.sources.clone(),
            registration: self.registration.as_ref().map(|registration| settings::Registration {
                username: registration.username.clone(),
                password: registration.password.clone(),
                domain: registration.domain.clone(),
                expires_s: registration.expires_s,
            }),
            health_interval_s: self.health_interval_s,
            outbound: self.outbound,
            media_encryption: self.media_encryption.into(),
        }
    }
}

fn is_address(text: &str) -> bool {
    !text.is_empty() && text.len() <= ADDRESS_CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

impl Kind for Trunk {
    const KIND: &'static str = "trunk";
    const WHAT: &'static str = "trunk";
    const PREFIX: &'static str = "trk";
    const MOST: usize = crate::limits::TRUNKS_PER_TENANT;

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Result<(), Problem> {
        super::write::check_name(&self.name)?;
        if self.peers.len() > PEERS_MAX {
            return Err(Problem::invalid("peers", format!("A trunk has at most {PEERS_MAX} addresses.")));
        }
        if let Some(peer) = self.peers.iter().find(|peer| !is_address(&peer.address)) {
            return Err(Problem::invalid("peers.address", format!("{:?} is not a host or host:port.", peer.address)));
        }
        if self.sources.len() > SOURCES_MAX {
            return Err(Problem::invalid("sources", format!("A trunk has at most {SOURCES_MAX} networks.")));
        }
        for source in &self.sources {
            Network::parse(source).map_err(|problem| Problem::invalid("sources", problem))?;
        }
        if self.peers.is_empty() && self.sources.is_empty() {
            return Err(Problem::invalid("peers", "A trunk needs peers to call, or sources that call us."));
        }
        if self.health_interval_s > 3_600 || (1..5).contains(&self.health_interval_s) {
            return Err(Problem::invalid("health_interval_s", "Checks come every 5 to 3600 seconds, or never (0)."));
        }
        if let Some(registration) = &self.registration {
            if registration.username.is_empty() {
                return Err(Problem::invalid("registration.username", "The user name is empty."));
            }
            if self.peers.is_empty() {
                return Err(Problem::invalid("peers", "Signing in needs an address to sign in at."));
            }
            if !(60..=86_400).contains(&registration.expires_s) {
                return Err(Problem::invalid("registration.expires_s", "A sign-in lasts 60 to 86400 seconds."));
            }
        }
        Ok(())
    }

    fn keep_secrets(&mut self, former: Option<&Self>) {
        if let (Some(ours), Some(theirs)) = (&mut self.registration, former.and_then(|former| former.registration.as_ref()))
            && ours.password.is_empty()
        {
            ours.password.clone_from(&theirs.password);
        }
    }

    fn hide_secrets(&mut self) {
        if let Some(registration) = &mut self.registration {
            registration.password.clear();
        }
    }
}
