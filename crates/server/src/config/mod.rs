//! The bootstrap configuration: only what is needed to reach the store and the network.
//!
//! Everything else is data in the store, changed through the API. The file is `dreiklang.toml`; every key can be overridden by
//! an environment variable `DREIKLANG_…` with the key's path in upper case and `__` between the parts
//! (`DREIKLANG_HTTP__LISTEN`). Errors name file, line, key and what to do.
//!
//! # Layout
//!
//! `load` (file and environment), `check` (values that contradict each other), `listen` (an address or `off`).

mod check;
mod listen;
mod load;

pub use load::ConfigError;

use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

/// The whole bootstrap configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Directory of everything that is kept: database, recordings, prompts. Created when it is not there.
    pub data_directory: PathBuf,
    /// The interface for programs and pages.
    pub http: Http,
    /// The Connected line's addresses.
    pub connected: Connected,
    /// The Unified line's way to Microsoft.
    pub unified: Unified,
    /// Ports and addresses of audio.
    pub media: Media,
    /// What is written to the log.
    pub log: Log,
    /// Where webhooks may go.
    pub webhooks: Webhooks,
    /// Where services that flows ask may be.
    pub services: Services,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            data_directory: PathBuf::from("data"),
            http: Http::default(),
            connected: Connected::default(),
            unified: Unified::default(),
            media: Media::default(),
            log: Log::default(),
            webhooks: Webhooks::default(),
            services: Services::default(),
        }
    }
}

/// The interface for programs and pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Separate address for `/metrics` and the health checks; without it they are on `listen`, metrics only for this machine.
    pub admin_listen: Option<SocketAddr>,
    /// How browsers reach us, such as `https://calls.example.com`; needed behind a proxy so that pages from elsewhere are told
    /// apart.
    pub public_url: Option<String>,
    /// Sign-in cookies only over HTTPS (browsers make an exception for `localhost`). Turn off only in a closed test network.
    pub secure_cookies: bool,
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Default for Http {
    fn default() -> Self {
        Http {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            admin_listen: None,
            public_url: None,
            secure_cookies: true,
            trusted_proxies: Vec::new(),
        }
    }
}

/// The Connected line's addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connected {
    /// The line is on.
    pub enabled: bool,
    /// Where to listen for datagrams; `off` for nowhere.
    #[serde(with = "listen")]
    pub udp: Option<SocketAddr>,
    /// Where to listen for plain streams; `off` for nowhere.
    #[serde(with = "listen")]
    pub tcp: Option<SocketAddr>,
    /// Where to listen for encrypted streams, needs `tls_certificate` and `tls_key`; `off` for nowhere.
    #[serde(with = "listen")]
    pub tls: Option<SocketAddr>,
    /// Name or address peers reach us by; without it the listening address, or the address of the way out.
    pub advertised_host: Option<String>,
    /// PEM file with our certificate and its chain.
    pub tls_certificate: Option<PathBuf>,
    /// PEM file with the certificate's key.
    pub tls_key: Option<PathBuf>,
    /// PEM file with the authorities peers' certificates must come from.
    pub tls_authorities: Option<PathBuf>,
    /// Who connects by TLS is asked for a certificate. Trunks to Teams are known by theirs; others need none that is valid.
    pub tls_ask_certificates: bool,
    /// Protection space telephones are asked for their password in.
    pub realm: String,
}

impl Default for Connected {
    fn default() -> Self {
        Connected {
            enabled: true,
            udp: Some(SocketAddr::from(([127, 0, 0, 1], 5060))),
            tcp: Some(SocketAddr::from(([127, 0, 0, 1], 5060))),
            tls: None,
            advertised_host: None,
            tls_certificate: None,
            tls_key: None,
            tls_authorities: None,
            tls_ask_certificates: true,
            realm: "dreiklang".to_owned(),
        }
    }
}

/// The Unified line's way to Microsoft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Unified {
    /// The line is on. It does nothing until a connection is set up.
    pub enabled: bool,
    /// How Microsoft reaches us, such as `https://calls.example.com`; without it `http.public_url`.
    pub public_url: Option<String>,
    /// PEM file with authorities that are trusted on top of the public ones; for the lab.
    pub authorities: Option<PathBuf>,
    /// Use addresses without encryption as well; for the lab.
    pub allow_plain: bool,
    /// Names that are looked up here instead of in the network, with address and port; for the lab.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, SocketAddr>,
}

impl Default for Unified {
    fn default() -> Self {
        Unified { enabled: true, public_url: None, authorities: None, allow_plain: false, names: BTreeMap::new() }
    }
}

/// Ports and addresses of audio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    /// Address audio sockets are bound to; without it that of the Connected line.
    pub bind: Option<IpAddr>,
    /// Address given to the other end; without it `bind`, or the address of the way out.
    pub advertised: Option<IpAddr>,
    /// First port, even. Each party of a call takes two.
    pub port_first: u16,
    /// Last port.
    pub port_last: u16,
    /// Media threads; 0 = one per core.
    pub threads: usize,
}

impl Default for Media {
    fn default() -> Self {
        Media { bind: None, advertised: None, port_first: 20_000, port_last: 39_999, threads: 0 }
    }
}

/// What is written to the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// What is let through, such as `info` or `info,dreiklang_lines=debug`.
    pub filter: String,
    /// Write callers' numbers and names in clear. Off, because logs travel further than one thinks.
    pub pii: bool,
}

impl Default for Log {
    fn default() -> Self {
        Log { format: LogFormat::Pretty, filter: "info".to_owned(), pii: false }
    }
}

/// Shape of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Pretty,
    /// One JSON object per line.
    Json,
}

/// Where webhooks may go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// Allow plain HTTP and receivers on this machine or in link-local networks. For development only: it lets administrators
    /// of the contact center reach services of the machine.
    pub allow_local: bool,
}

/// Where services that flows ask may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Services {
    /// Allow services in private networks, also over plain HTTP there. Whoever draws flows can then ask what is in these networks.
    pub allow_private: bool,
    /// Allow services on this machine and its link, also over plain HTTP there. For development only.
    pub allow_local: bool,
}

impl Services {
    /// As the runtime wants to know it.
    pub fn rules(&self) -> crate::services::Rules {
        crate::services::Rules { allow_private: self.allow_private, allow_local: self.allow_local }
    }
}

impl Config {
    /// Reads `path` (built-in values when `None`), lays the process's environment over it and checks the whole.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(path: Option<&std::path::Path>) -> Result<Config, ConfigError> {
        load::load(path, std::env::vars())
    }

    /// As [`Config::load`], with the file's text and the environment given.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn from_parts(file: &str, text: &str, environment: impl IntoIterator<Item = (String, String)>) -> Result<Config, ConfigError> {
        load::from_parts(file, text, environment)
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.data_directory.join("dreiklang.db")
    }

    /// Where recordings lie, in a directory per tenant.
    pub fn recordings_directory(&self) -> PathBuf {
        self.data_directory.join("recordings")
    }

    /// Where prompts lie, in a directory per tenant.
    pub fn prompts_directory(&self) -> PathBuf {
        self.data_directory.join("prompts")
    }

    /// The configuration in effect as a file that would give it.
    pub fn print(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_else(|error| format!("# cannot be printed: {error}\n"))
    }
}
