//! Who asks: requests signed with an access key, or with a token of Entra.

use super::refusal::Refusal;
use crate::{
    entra::{Entra, directory::Directory},
    origin::message::Request,
};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest, Sha256};

/// What tokens for Communication Services are made for.
const AUDIENCE: &str = "https://communication.azure.com";
/// How far a date may be off; Microsoft says so of a sibling service.
const SKEW_S: i64 = 15 * 60;

/// Lets in who has a key or a token, and nobody else. `host` is the service's own, when the request came to another name (recordings).
pub(crate) fn check(request: &Request, directory: &Directory, entra: &Entra, now: i64, host: Option<&str>) -> Result<(), Refusal> {
    let denied = |why: String| Refusal::new(401, "Denied", format!("Denied by the resource provider: {why}."));
    let authorization = request.header("authorization").ok_or_else(|| denied("no Authorization header".to_owned()))?;
    if let Some(token) = authorization.strip_prefix("Bearer ") {
        return entra.check(token, AUDIENCE, directory, now).map(drop).map_err(denied);
    }
    let parameters = authorization.strip_prefix("HMAC-SHA256 ").ok_or_else(|| denied("neither Bearer nor HMAC-SHA256".to_owned()))?;
    let parameter = |name: &str| parameters.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    if !parameter("SignedHeaders").is_some_and(|headers| headers.eq_ignore_ascii_case("x-ms-date;host;x-ms-content-sha256")) {
        return Err(denied("SignedHeaders must be x-ms-date;host;x-ms-content-sha256".to_owned()));
    }
    let signature = parameter("Signature").ok_or_else(|| denied("no signature".to_owned()))?;
    let date = request.header("x-ms-date").ok_or_else(|| denied("no x-ms-date".to_owned()))?;
    let moment = jiff::fmt::rfc2822::parse(date).map_err(|_| denied(format!("x-ms-date `{date}` is no date")))?;
    if (moment.timestamp().as_second() - now).abs() > SKEW_S {
        return Err(denied(format!("x-ms-date `{date}` is too far from now")));
    }
    let hash = BASE64.encode(&Sha256::digest(&request.body));
    if request.header("x-ms-content-sha256") != Some(hash.as_str()) {
        return Err(denied("x-ms-content-sha256 is not the body's".to_owned()));
    }
    let host = host.or_else(|| request.header("host")).unwrap_or_default();
    let is_right =
        |key: &String| expected(key, &request.method, &request.target, date, host, &hash).is_some_and(|right| right == signature);
    if directory.access_keys.iter().any(is_right) {
        return Ok(());
    }
    Err(denied(format!("the signature is not right for `{} {}` at host `{host}`", request.method, request.target)))
}

/// The signature over a request.
pub(crate) fn expected(key: &str, method: &str, target: &str, date: &str, host: &str, hash: &str) -> Option<String> {
    let key = BASE64.decode(key.as_bytes()).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{method}\n{target}\n{date};{host};{hash}").as_bytes());
    Some(BASE64.encode(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dice::Dice, entra::keys::SigningKey, origin::message::tests::request};
    use serde_json::json;

    const DATE: &str = "Mon, 23 Nov 2026 04:25:09 GMT";
    const NOW: i64 = 1_795_407_909;

    fn signed(directory: &Directory, target: &str, body: &str, host: &str) -> Request {
        let mut request = request("POST", target, body);
        let hash = BASE64.encode(&Sha256::digest(body.as_bytes()));
        let signature = expected(&directory.access_keys[0], "POST", target, DATE, host, &hash).unwrap();
        let authorization = format!("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}");
        for (name, value) in [("host", host), ("x-ms-date", DATE), ("x-ms-content-sha256", &hash), ("authorization", &authorization)] {
            request.headers.insert(axum::http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        request
    }

    #[test]
    fn a_signature_is_over_everything_that_matters() {
        let mut dice = Dice::new(1);
        let directory = Directory::new(&mut dice);
        let entra = Entra::new(SigningKey::generate().unwrap(), String::new());
        let good = signed(&directory, "/calling/x?api-version=2026-03-12", "{}", "127.0.0.1:8443");
        assert_eq!(check(&good, &directory, &entra, NOW, None), Ok(()));
        let refused = |request: &Request, now: i64, why: &str| {
            let refusal = check(request, &directory, &entra, now, None).unwrap_err();
            assert!(refusal.status == 401 && refusal.message.contains(why), "{refusal:?}");
        };
        refused(&good, NOW + 1_000, "too far");
        refused(&Request { body: b"{ }".to_vec(), ..good.clone() }, NOW, "content");
        refused(&Request { target: "/calling/y".to_owned(), ..good.clone() }, NOW, "signature");
        refused(&Request { method: "PUT".to_owned(), ..good.clone() }, NOW, "signature");
        refused(&request("GET", "/", ""), NOW, "Authorization");
        let slash = signed(&directory, "/calling/x", "", "127.0.0.1:8443/");
        let mut wire = slash.clone();
        wire.headers.insert("host", "127.0.0.1:8443".parse().unwrap());
        refused(&wire, NOW, "signature");
        // Recordings: signed for the service's host, sent to another.
        assert_eq!(check(&wire, &directory, &entra, NOW, Some("127.0.0.1:8443/")), Ok(()));
    }

    #[test]
    fn a_token_is_for_this_service_and_this_tenant() {
        let mut dice = Dice::new(1);
        let directory = Directory::new(&mut dice);
        let key = SigningKey::generate().unwrap();
        let token = |audience: &str, end: i64| key.sign(&json!({ "aud": audience, "tid": directory.tenant_id, "exp": end }));
        let (good, other, late) =
            (token("https://communication.azure.com/", NOW), token("https://graph", NOW), token(AUDIENCE, NOW - 1_000));
        let entra = Entra::new(key, String::new());
        for (token, is_good) in [(good, true), (other, false), (late, false), ("x".to_owned(), false)] {
            let mut request = request("GET", "/calling", "");
            request.headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
            assert_eq!(check(&request, &directory, &entra, NOW, None).is_ok(), is_good);
        }
    }
}
