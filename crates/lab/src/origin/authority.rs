//! The lab's own certificates: an authority that lives as long as its folder, and one certificate for everything it plays.

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use std::{fs, io, path::Path, sync::Arc};

/// File of the authority's certificate in the data folder.
pub(crate) const CA_FILE: &str = "lab-ca.pem";
const CA_KEY_FILE: &str = "lab-ca.key.pem";
/// Names the certificate is good for; recordings are fetched from hosts of this name, which Microsoft's SDKs insist on.
const NAMES: &[&str] = &["localhost", "127.0.0.1", "::1", "*.asm.skype.com", "host.docker.internal"];

/// The authority's certificate in PEM, and what the listener needs.
pub(crate) struct Certificates {
    pub(crate) ca_pem: String,
    pub(crate) server: Arc<ServerConfig>,
}

/// Takes the authority from the folder or makes one (and keeps it there); issues a certificate for the names the lab plays and for
/// `extra`.
pub(crate) fn certificates(folder: Option<&Path>, extra: &[String]) -> io::Result<Certificates> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Dreiklang lab");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    let kept = folder.map(|folder| folder.join(CA_KEY_FILE)).filter(|file| file.is_file());
    let key = match &kept {
        Some(file) => KeyPair::from_pem(&fs::read_to_string(file)?).map_err(io::Error::other)?,
        None => KeyPair::generate().map_err(io::Error::other)?,
    };
    let certificate = folder.map(|folder| folder.join(CA_FILE)).filter(|file| kept.is_some() && file.is_file());
    let ca_pem = match certificate {
        Some(file) => fs::read_to_string(file)?,
        None => params.self_signed(&key).map_err(io::Error::other)?.pem(),
    };
    if let (Some(folder), None) = (folder, &kept) {
        fs::write(folder.join(CA_KEY_FILE), key.serialize_pem())?;
        fs::write(folder.join(CA_FILE), &ca_pem)?;
    }
    let issuer = Issuer::new(params, key);
    let mut names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    names.extend(extra.iter().filter(|name| !NAMES.contains(&name.as_str())).cloned());
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, "Dreiklang lab, server");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // OpenSSL in its strict mode (Python 3.13) wants to know who signed.
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let certificate = params.signed_by(&key, &issuer).map_err(io::Error::other)?;
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(io::Error::other)?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Certificates { ca_pem, server: Arc::new(server) })
}
