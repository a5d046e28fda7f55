//! The access key's proof: an HMAC over verb, path, time, host and body.
//!
//! `VERB\npath?query\ndate;host;base64(sha256(body))`, signed with the key's bytes. Host has its port where that is not the usual one.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;
use sha2::{Digest, Sha256};
use std::time::SystemTime;

/// The secret of a resource.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey(Vec<u8>);

/// A text that is no access key.
#[derive(Debug, thiserror::Error)]
#[error("an access key is base64, as the portal shows it")]
pub struct BadKey;

impl AccessKey {
    /// From the portal's text.
    ///
    /// # Errors
    /// When it is no base64.
    pub fn parse(text: &str) -> Result<AccessKey, BadKey> {
        let bytes = BASE64.decode(text.trim().as_bytes()).map_err(|_| BadKey)?;
        if bytes.is_empty() { Err(BadKey) } else { Ok(AccessKey(bytes)) }
    }
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessKey(…)")
    }
}

/// Headers that prove who sends a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proof {
    pub date: String,
    pub content_hash: String,
    pub authorization: String,
}

/// Signs one attempt. `host` is whom it is signed for, which for files is not whom it is sent to.
pub(super) fn sign(key: &AccessKey, verb: &str, url: &Url, host: &str, body: &[u8], at: SystemTime) -> Proof {
    let date = httpdate::fmt_http_date(at);
    let content_hash = BASE64.encode(&Sha256::digest(body));
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let text = format!("{verb}\n{target}\n{date};{host};{content_hash}");
    let signature = match Hmac::<Sha256>::new_from_slice(&key.0) {
        Ok(mut mac) => {
            mac.update(text.as_bytes());
            BASE64.encode(&mac.finalize().into_bytes())
        }
        // A key of any length will do.
        Err(_) => String::new(),
    };
    let authorization = format!("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}");
    Proof { date, content_hash, authorization }
}

/// The `Host` of an address: its port only where that is not the usual one.
pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// The known signatures were computed by:
    /// ```python
    /// import hmac, hashlib, base64
    /// key = base64.b64decode("c2VjcmV0IGtleSBmb3IgdGVzdHM=")
    /// def s(verb, target, body, host, date="Mon, 23 Nov 2026 04:25:09 GMT"):
    ///     h = base64.b64encode(hashlib.sha256(body).digest()).decode()
    ///     t = f"{verb}\n{target}\n{date};{host};{h}"
    ///     return h, base64.b64encode(hmac.new(key, t.encode(), hashlib.sha256).digest()).decode()
    /// ```
    fn signed(verb: &str, url: &str, body: &[u8]) -> (String, String) {
        let key = AccessKey::parse("c2VjcmV0IGtleSBmb3IgdGVzdHM=").unwrap();
        let url = Url::parse(url).unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_407_909);
        let proof = sign(&key, verb, &url, &host_of(&url), body, at);
        assert_eq!(proof.date, "Mon, 23 Nov 2026 04:25:09 GMT");
        let (head, signature) = proof.authorization.split_once("&Signature=").unwrap();
        assert_eq!(head, "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256");
        (proof.content_hash, signature.to_owned())
    }

    #[test]
    fn a_request_with_a_body_is_signed_as_the_service_computes_it() {
        let (hash, signature) = signed(
            "POST",
            "http://127.0.0.1:18080/calling/callConnections:answer?api-version=2026-03-12",
            br#"{"incomingCallContext":"eyJ","callbackUri":"https://cc.example/cb"}"#,
        );
        assert_eq!(hash, "8NFPfFY2EKvZeOlzJ0pECZVrwknUL64+4qiKmujXcio=");
        assert_eq!(signature, "nL0yBGievi2HrUog3riiC52Q/UKHqPQrit+FkkiJdsk=");
    }

    #[test]
    fn a_path_is_signed_as_it_is_sent_and_an_empty_body_has_its_hash() {
        let (hash, signature) = signed(
            "GET",
            "https://cc.communication.azure.com/calling/callConnections/c1/participants/4%3A%2B1555?api-version=2026-03-12",
            b"",
        );
        assert_eq!(hash, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(signature, "O0b8gShAwHCbEDzCx7FpZKDo/FPUOcwNuyN8lpSYF4g=");
    }

    #[test]
    fn a_key_is_base64_and_is_not_shown() {
        assert!(AccessKey::parse("not base64!").is_err());
        assert!(AccessKey::parse("").is_err());
        let key = AccessKey::parse(" c2VjcmV0IGtleSBmb3IgdGVzdHM= ").unwrap();
        assert_eq!(format!("{key:?}"), "AccessKey(…)");
    }
}
