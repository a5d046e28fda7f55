//! TLS settings: who we are, whom we trust, what we ask of peers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{ClientConfig, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{BindError, ClientCertificates, PeerCertificate, TlsConfig};

/// Where operating systems keep the authorities that they trust.
const SYSTEM_AUTHORITY_FILES: [&str; 3] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Both directions of TLS, ready to use.
pub(super) struct Context {
    pub(super) acceptor: TlsAcceptor,
    pub(super) connector: TlsConnector,
    /// Of peers that connect to us, where they are asked for a certificate.
    verifier: Option<Arc<PeerVerifier>>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Context(..)")
    }
}

impl Context {
    /// Reads the files.
    pub(super) fn load(config: &TlsConfig) -> Result<Context, BindError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let chain = certificates(&config.certificate_file)?;
        let key = PrivateKeyDer::from_pem_file(&config.key_file).map_err(|error| BindError::tls(&config.key_file, error))?;
        let (roots, authority_file) = authorities(config.authority_file.as_deref())?;
        let roots = Arc::new(roots);
        let own = |error: Error| BindError::tls(&config.certificate_file, error);
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().map_err(own)?;
        let (server, verifier) = match config.client_certificates {
            ClientCertificates::NotRequested => (server.with_no_client_auth(), None),
            asked => {
                let verifier = PeerVerifier::new(&roots, &provider, asked == ClientCertificates::Required);
                let verifier = Arc::new(verifier.map_err(|reason| BindError::tls(&authority_file, reason))?);
                (server.with_client_cert_verifier(Arc::clone(&verifier) as Arc<dyn ClientCertVerifier>), Some(verifier))
            }
        };
        let server = server.with_single_cert(chain.clone(), key.clone_key()).map_err(own)?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(own)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(own)?;
        Ok(Context { acceptor: TlsAcceptor::from(Arc::new(server)), connector: TlsConnector::from(Arc::new(client)), verifier })
    }

    /// The certificate of a peer that connected to us, if our authorities answer for it.
    pub(super) fn proved(&self, chain: Option<&[CertificateDer<'_>]>) -> Option<Arc<PeerCertificate>> {
        let (end_entity, intermediates) = chain?.split_first()?;
        match self.verifier.as_ref()?.judge(end_entity, intermediates, UnixTime::now()) {
            Ok(_) => Some(Arc::new(PeerCertificate::new(end_entity))),
            Err(error) => {
                tracing::debug!(%error, "the certificate of a SIP peer proves nothing");
                None
            }
        }
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, BindError> {
    let read = CertificateDer::pem_file_iter(file).and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>());
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(BindError::tls(file, "contains no certificate in PEM")),
        Err(error) => Err(BindError::tls(file, error)),
    }
}

/// The authorities, and the file that they came from.
fn authorities(file: Option<&Path>) -> Result<(RootCertStore, PathBuf), BindError> {
    let found = file.or_else(|| SYSTEM_AUTHORITY_FILES.iter().map(Path::new).find(|path| path.exists()));
    let mut roots = RootCertStore::empty();
    let Some(found) = found else {
        tracing::warn!("no certificate authorities found; TLS connections that we open will fail until a file is configured");
        return Ok((roots, PathBuf::from(SYSTEM_AUTHORITY_FILES[0])));
    };
    let (added, _) = roots.add_parsable_certificates(certificates(found)?);
    if added == 0 {
        return Err(BindError::tls(found, "contains no usable certificate authority"));
    }
    Ok((roots, found.to_owned()))
}

/// Verifies the certificates of peers that connect to us.
///
/// A SIP peer is server and client at once and has one certificate. Public authorities issue it for server authentication
/// only, Microsoft's included, so that both purposes have to count.
#[derive(Debug)]
struct PeerVerifier {
    inner: Arc<dyn ClientCertVerifier>,
    roots: Arc<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
    /// Without a certificate that our authorities answer for there is no connection.
    is_mandatory: bool,
}

impl PeerVerifier {
    fn new(roots: &Arc<RootCertStore>, provider: &Arc<CryptoProvider>, is_mandatory: bool) -> Result<PeerVerifier, String> {
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(provider));
        let builder = if is_mandatory { builder } else { builder.allow_unauthenticated() };
        let inner = builder.build().map_err(|error| error.to_string())?;
        Ok(PeerVerifier { inner, roots: Arc::clone(roots), algorithms: provider.signature_verification_algorithms, is_mandatory })
    }

    fn judge(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let as_client = self.inner.verify_client_cert(end_entity, intermediates, now);
        if as_client.is_ok() {
            return as_client;
        }
        let certificate = ParsedCertificate::try_from(end_entity)?;
        match verify_server_cert_signed_by_trust_anchor(&certificate, &self.roots, intermediates, now, self.algorithms.all) {
            Ok(()) => Ok(ClientCertVerified::assertion()),
            // What is wrong with it as a client certificate is what the operator can repair.
            Err(_) => as_client,
        }
    }
}

impl ClientCertVerifier for PeerVerifier {
    fn offer_client_auth(&self) -> bool {
        self.inner.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // Naming authorities makes some peers send no certificate when theirs is issued by an intermediate.
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.judge(end_entity, intermediates, now) {
            // Telephones show certificates of their makers, which nobody here can check. They prove nothing (`Context::proved`), and
            // are no reason to turn a telephone away that has a password.
            Err(_) if !self.is_mandatory => Ok(ClientCertVerified::assertion()),
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
