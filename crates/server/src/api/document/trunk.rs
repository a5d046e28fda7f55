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
/// Longest name of a trunk that Teams takes, in characters.
const FQDN_CHARS: usize = 63;
/// Beginnings of numbers of a trunk at most.
const PREFIXES_MAX: usize = 256;
/// Microsoft's addresses, in the order in which they are to be tried ("Plan Direct Routing").
const MICROSOFT: [&str; 3] = ["sip.pstnhub.microsoft.com:5061", "sip2.pstnhub.microsoft.com:5061", "sip3.pstnhub.microsoft.com:5061"];

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
    /// How the peer wants calls written. `teams` is Microsoft's Direct Routing; such a trunk needs `fqdn`, encrypted streams and
    /// encrypted audio, and without `peers` goes to Microsoft's own addresses.
    #[serde(default)]
    pub dialect: Dialect,
    /// The name Teams knows us by: that of `New-CsOnlinePSTNGateway`, in our certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "sbc.contoso.com")]
    pub fqdn: Option<String>,
    /// Beginnings of the numbers that go by this trunk, such as `+4930123`. The longest wins among trunks; without any, every
    /// number goes by it that no other trunk names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<String>,
    /// What proves that a call is the peer's. With `certificate` its address does not: it comes over TLS and shows a certificate
    /// for the host of one of `peers`, from one of our authorities; `sources` then only narrow where it may come from. Teams is
    /// known by its certificate in any case.
    #[serde(default, skip_serializing_if = "Identification::is_address")]
    pub identified_by: Identification,
}

/// What proves that a call is the peer's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Identification {
    /// The address it comes from.
    #[default]
    Address,
    /// A certificate.
    Certificate,
}

impl Identification {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
    fn is_address(&self) -> bool {
        *self == Identification::Address
    }
}

/// How a peer wants calls written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// By the standards.
    #[default]
    Standard,
    /// As Microsoft's Direct Routing wants it.
    Teams,
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
        let microsoft = self.dialect == Dialect::Teams && self.peers.is_empty();
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
                .chain(
                    MICROSOFT
                        .iter()
                        .filter(|_| microsoft)
                        .map(|address| settings::Peer { address: (*address).to_owned(), transport: settings::PeerTransport::Tls }),
                )
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
            dialect: match self.dialect {
                Dialect::Standard => settings::Dialect::Standard,
                Dialect::Teams => settings::Dialect::Teams,
            },
            fqdn: self.fqdn.clone(),
            prefixes: self.prefixes.clone(),
            identified_by: match self.identified_by {
                Identification::Address => settings::Identification::Address,
                Identification::Certificate => settings::Identification::Certificate,
            },
        }
    }

    /// What Direct Routing asks for.
    fn check_teams(&self) -> Result<(), Problem> {
        let Some(fqdn) = &self.fqdn else {
            let what = "Teams knows a trunk by its name: give that of New-CsOnlinePSTNGateway, such as sbc.contoso.com.";
            return Err(Problem::invalid("fqdn", what));
        };
        if !is_fqdn(fqdn) {
            return Err(Problem::invalid("fqdn", format!("{fqdn:?} is no host name of at most {FQDN_CHARS} characters with a domain.")));
        }
        if self.peers.iter().any(|peer| peer.transport != PeerTransport::Tls) {
            return Err(Problem::invalid("peers.transport", "Teams is reached by \"tls\" alone."));
        }
        if self.media_encryption == MediaEncryption::Never {
            return Err(Problem::invalid("media_encryption", "Teams takes no plain audio; choose \"required\"."));
        }
        if self.registration.is_some() {
            return Err(Problem::invalid("registration", "Nobody signs in at Teams; our certificate is what it asks for."));
        }
        Ok(())
    }
}

/// Whether a text is a full host name: labels of letters, digits and dashes, at least two, and no address.
fn is_fqdn(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= FQDN_CHARS && text.contains('.') && text.split('.').all(label) && text.parse::<std::net::IpAddr>().is_err()
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
        if self.prefixes.len() > PREFIXES_MAX {
            return Err(Problem::invalid("prefixes", format!("A trunk has at most {PREFIXES_MAX} beginnings of numbers.")));
        }
        let is_prefix = |prefix: &String| {
            let digits = prefix.strip_prefix('+').unwrap_or(prefix);
            (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if let Some(prefix) = self.prefixes.iter().find(|prefix| !is_prefix(prefix)) {
            return Err(Problem::invalid("prefixes", format!("{prefix:?} is no beginning of a number, such as +4930123.")));
        }
        match self.dialect {
            Dialect::Teams => self.check_teams()?,
            Dialect::Standard if self.fqdn.is_some() => {
                return Err(Problem::invalid("fqdn", "Only a trunk with the dialect \"teams\" has a name of its own."));
            }
            Dialect::Standard => {}
        }
        let by_certificate = self.dialect == Dialect::Standard && self.identified_by == Identification::Certificate;
        if by_certificate && (self.peers.is_empty() || self.peers.iter().any(|peer| peer.transport != PeerTransport::Tls)) {
            let what = "A certificate is shown for the host of one of the peers, over \"tls\": give peers with that transport.";
            return Err(Problem::invalid("peers.transport", what));
        }
        if self.dialect == Dialect::Standard && self.peers.is_empty() && self.sources.is_empty() {
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
