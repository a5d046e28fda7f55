//! An authority of certificates, made afresh, and what it issues.

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Issues certificates into a folder.
pub struct Authority {
    folder: PathBuf,
    file: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

/// Files in PEM.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Authority {
    /// A new authority whose own certificate lies in this folder.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn new(folder: &Path, name: &str) -> io::Result<Authority> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let file = folder.join(format!("{name}.pem"));
        fs::write(&file, params.self_signed(&key).map_err(io::Error::other)?.pem())?;
        Ok(Authority { folder: folder.to_owned(), file, issuer: Issuer::new(params, key) })
    }

    /// The authority's own certificate, for those who are to believe it.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// A certificate for these names or addresses, for server authentication alone: what public authorities issue since 2026,
    /// to Microsoft too.
    ///
    /// # Errors
    /// When a name cannot be in a certificate or the folder cannot be written.
    pub fn issue(&self, names: &[&str]) -> io::Result<Issued> {
        self.issue_for(names, vec![ExtendedKeyUsagePurpose::ServerAuth])
    }

    /// A certificate for server and client authentication: what an organization's own authority issues, and what peers want that
    /// know certificates of clients as such only.
    ///
    /// # Errors
    /// As [`Authority::issue`].
    pub fn issue_for_both_ends(&self, names: &[&str]) -> io::Result<Issued> {
        self.issue_for(names, vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth])
    }

    fn issue_for(&self, names: &[&str], purposes: Vec<ExtendedKeyUsagePurpose>) -> io::Result<Issued> {
        let names_of = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut params = CertificateParams::new(names_of).map_err(io::Error::other)?;
        params.extended_key_usages = purposes;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let stem = names.first().map_or("nobody", |name| name).replace(['*', ':'], "_");
        let issued = Issued { certificate: self.folder.join(format!("{stem}.crt.pem")), key: self.folder.join(format!("{stem}.key.pem")) };
        fs::write(&issued.certificate, params.signed_by(&key, &self.issuer).map_err(io::Error::other)?.pem())?;
        fs::write(&issued.key, key.serialize_pem())?;
        Ok(issued)
    }
}
