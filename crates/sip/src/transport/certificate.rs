//! The certificate that a peer proved to own.

use std::fmt;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;

/// A peer's certificate. It was verified against our authorities; which names may do what is the caller's to decide.
#[derive(Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    der: CertificateDer<'static>,
}

impl PeerCertificate {
    pub(super) fn new(der: &CertificateDer<'_>) -> PeerCertificate {
        PeerCertificate { der: der.clone().into_owned() }
    }

    /// Whether the certificate names this host or address. A wildcard stands for one label (RFC 2818 §3.1).
    #[must_use]
    pub fn is_for(&self, name: &str) -> bool {
        let Ok(name) = ServerName::try_from(name) else { return false };
        ParsedCertificate::try_from(&self.der).is_ok_and(|certificate| rustls::client::verify_server_name(&certificate, &name).is_ok())
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

impl fmt::Debug for PeerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerCertificate({} bytes)", self.der.len())
    }
}
