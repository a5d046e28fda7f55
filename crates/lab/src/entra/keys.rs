//! Tokens: signed and checked with RSA, as Entra and the callbacks of calls use them.

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey},
};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io;
use webpki::{EndEntityCert, aws_lc_rs as algorithms};

/// Leeway of clocks, in seconds.
const LEEWAY_S: i64 = 300;

/// A key that signs tokens, and its public half.
pub(crate) struct SigningKey {
    pair: RsaKeyPair,
    kid: String,
}

impl SigningKey {
    pub(crate) fn generate() -> io::Result<SigningKey> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| io::Error::other("cannot make a key"))?;
        let kid = BASE64URL_NOPAD.encode(&Sha256::digest(pair.public_key().as_ref())[..15]);
        Ok(SigningKey { pair, kid })
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": self.kid, "x5t": self.kid });
        let signed = format!("{}.{}", encoded(&header), encoded(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        // Fails only for a buffer of another length.
        if self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).is_err() {
            return String::new();
        }
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    /// The public half, as it is published.
    pub(crate) fn jwks(&self, issuer: &str) -> Value {
        let key = self.pair.public_key();
        let number = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        json!({ "keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "x5t": self.kid, "issuer": issuer,
            "n": number(key.modulus().big_endian_without_leading_zero()),
            "e": number(key.exponent().big_endian_without_leading_zero()),
        }] })
    }

    /// The claims of a token we signed, when it is valid at `now` (seconds).
    pub(crate) fn verify(&self, token: &str, now: i64) -> Result<Value, String> {
        let parts = Parts::read(token)?;
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key().as_ref());
        key.verify(parts.signed.as_bytes(), &parts.signature).map_err(|_| "the signature is not ours".to_owned())?;
        in_time(&parts.claims, now)?;
        Ok(parts.claims)
    }

    /// The private half, to be kept.
    pub(crate) fn to_pkcs8(&self) -> Option<Vec<u8>> {
        let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = self.pair.as_der().ok()?;
        Some(der.as_ref().to_vec())
    }

    /// The key that was kept.
    pub(crate) fn from_pkcs8(bytes: &[u8]) -> io::Result<SigningKey> {
        let pair = RsaKeyPair::from_pkcs8(bytes).map_err(io::Error::other)?;
        let kid = BASE64URL_NOPAD.encode(&Sha256::digest(pair.public_key().as_ref())[..15]);
        Ok(SigningKey { pair, kid })
    }
}

/// A token taken apart, nothing of it checked.
pub(crate) struct Parts {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    signed: String,
    signature: Vec<u8>,
}

impl Parts {
    pub(crate) fn read(token: &str) -> Result<Parts, String> {
        let malformed = || "the token is not a JWT".to_owned();
        let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
        let part = |text: &str| -> Result<Value, String> {
            let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| malformed())?;
            serde_json::from_slice(&bytes).map_err(|_| malformed())
        };
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| malformed())?;
        Ok(Parts { header: part(header)?, claims: part(claims)?, signed: signed.to_owned(), signature })
    }

    /// Whether the holder of this certificate signed it.
    pub(crate) fn signed_by_certificate(&self, der: &[u8]) -> bool {
        let algorithm = match self.header["alg"].as_str() {
            Some("RS256") => algorithms::RSA_PKCS1_2048_8192_SHA256,
            Some("PS256") => algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
            _ => return false,
        };
        let der = rustls::pki_types::CertificateDer::from(der);
        EndEntityCert::try_from(&der)
            .is_ok_and(|certificate| certificate.verify_signature(algorithm, self.signed.as_bytes(), &self.signature).is_ok())
    }
}

/// Whether a token's times allow `now`.
pub(crate) fn in_time(claims: &Value, now: i64) -> Result<(), String> {
    // MSAL for Python writes fractions of a second.
    let seconds = |name: &str| claims[name].as_f64().map(|seconds| seconds as i64);
    match (seconds("exp"), seconds("nbf")) {
        (Some(end), _) if now > end + LEEWAY_S => Err("the token has expired".to_owned()),
        (_, Some(begin)) if now < begin - LEEWAY_S => Err("the token is not valid yet".to_owned()),
        (Some(_), _) => Ok(()),
        (None, _) => Err("the token has no end".to_owned()),
    }
}

/// The certificates of a PEM file, in DER.
pub(crate) fn certificates_of(pem: &str) -> Vec<Vec<u8>> {
    let block = |text: &str| {
        let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
        let (body, rest) = rest.split_once("-----END CERTIFICATE-----")?;
        let body: String = body.split_whitespace().collect();
        Some((BASE64.decode(body.as_bytes()).ok()?, rest.to_owned()))
    };
    let mut rest = pem.to_owned();
    std::iter::from_fn(|| {
        let (der, left) = block(&rest)?;
        rest = left;
        Some(der)
    })
    .collect()
}

fn encoded(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_believed_until_it_ends_and_by_its_signer_only() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let token = key.sign(&json!({ "sub": "somebody", "exp": 10_000 }));
        assert_eq!(key.verify(&token, 9_000).unwrap()["sub"], "somebody");
        assert!(key.verify(&token, 10_301).unwrap_err().contains("expired"));
        assert!(other.verify(&token, 9_000).unwrap_err().contains("signature"));
        assert!(key.verify("nonsense", 0).is_err());
        let kept = SigningKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap();
        assert_eq!(kept.verify(&token, 9_000).unwrap()["sub"], "somebody");
    }

    #[test]
    fn a_signature_is_checked_against_a_certificate() {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["app".to_owned()]).unwrap().self_signed(&pair).unwrap();
        let key = SigningKey::from_pkcs8(&pair.serialize_der()).unwrap();
        let parts = Parts::read(&key.sign(&json!({ "exp": 1 }))).unwrap();
        let ders = certificates_of(&certificate.pem());
        assert_eq!(ders.len(), 1);
        assert!(parts.signed_by_certificate(&ders[0]));
        let stranger = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let stranger = rcgen::CertificateParams::new(vec!["app".to_owned()]).unwrap().self_signed(&stranger).unwrap();
        assert!(!parts.signed_by_certificate(stranger.der()));
    }
}
