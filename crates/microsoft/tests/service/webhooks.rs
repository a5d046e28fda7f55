//! Requests that say they are Microsoft's.

use super::station::{Answer, Station, ok, status};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use data_encoding::BASE64URL_NOPAD;
use dreiklang_microsoft::webhook::{Untrusted, Verifier};
use serde_json::{Value, json};
use std::{sync::OnceLock, time::Duration};

const ISSUER: &str = "https://acscallautomation.communication.azure.com";
const RESOURCE: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
const NOW: u64 = 1_795_000_000;

/// Making keys takes a while.
fn key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).unwrap())
}

fn jwks(kid: &str, key: &KeyPair) -> String {
    // RFC 8017 §A.1.1: a sequence of modulus (257 bytes with the sign's) and exponent (3 bytes) behind their heads.
    let der = key.public_key().as_ref();
    let (n, e) = (&der[9..9 + 256], &der[der.len() - 3..]);
    let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    json!({ "keys": [{ "kty": "EC", "kid": "other", "crv": "P-256" }, { "kty": "RSA", "use": "sig", "kid": kid, "n": text(n), "e": text(e) }] })
        .to_string()
}

fn signed(head: &Value, claims: &Value, key: &KeyPair) -> String {
    let text = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let part = format!("{}.{}", text(head), text(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), part.as_bytes(), &mut signature).unwrap();
    format!("Bearer {part}.{}", BASE64URL_NOPAD.encode(&signature))
}

fn head() -> Value {
    json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" })
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": RESOURCE, "nbf": NOW - 10, "exp": NOW + 290 })
}

fn with(mut base: Value, field: &str, value: Value) -> Value {
    base[field] = value;
    base
}

async fn published(answers: Vec<Answer>) -> (Station, Verifier) {
    let station = Station::start(answers).await;
    let verifier = Verifier::new(Station::transport(), &format!("{}/openid", station.address), ISSUER, RESOURCE);
    (station, verifier)
}

/// A station cannot know its own address beforehand, so the keys' address is told by a first one.
async fn verifier() -> (Station, Verifier) {
    let keys = Station::start(vec![ok(&jwks("k1", key()))]).await;
    let (_, verifier) = published(vec![ok(&json!({ "issuer": ISSUER, "jwks_uri": format!("{}/keys", keys.address) }).to_string())]).await;
    (keys, verifier)
}

async fn verdict(verifier: &Verifier, token: &str) -> Result<(), Untrusted> {
    verifier.verify_at(Some(token), Duration::from_secs(NOW)).await
}

#[tokio::test]
async fn a_request_of_the_service_is_believed_and_its_keys_are_read_once() {
    let (keys, verifier) = verifier().await;
    for _ in 0..3 {
        assert_eq!(verdict(&verifier, &signed(&head(), &claims(), key())).await, Ok(()));
    }
    let several = with(claims(), "aud", json!(["x", RESOURCE.to_uppercase()]));
    assert_eq!(verdict(&verifier, &signed(&head(), &several, key())).await, Ok(()));
    assert_eq!(keys.asked().len(), 1);
}

#[tokio::test]
async fn a_token_for_somebody_else_of_somebody_else_or_of_another_time_is_refused() {
    let (keys, verifier) = verifier().await;
    let wrong = [
        (with(claims(), "iss", json!("https://evil.example")), Untrusted::Issuer),
        (with(claims(), "aud", json!("another-resource")), Untrusted::Audience),
        (with(claims(), "aud", json!([])), Untrusted::Audience),
        (with(claims(), "exp", json!(NOW - 121)), Untrusted::Time),
        (with(claims(), "nbf", json!(NOW + 121)), Untrusted::Time),
    ];
    for (claims, why) in wrong {
        assert_eq!(verdict(&verifier, &signed(&head(), &claims, key())).await, Err(why), "{claims}");
    }
    assert_eq!(verdict(&verifier, &signed(&head(), &with(claims(), "exp", json!(NOW - 60)), key())).await, Ok(()), "clocks differ");
    assert_eq!(keys.asked().len(), 1, "what is refused anyway costs no request");
}

#[tokio::test]
async fn another_algorithm_key_or_text_is_refused() {
    let (_keys, verifier) = verifier().await;
    for alg in ["none", "HS256", "RS512", "rs256", ""] {
        assert_eq!(
            verdict(&verifier, &signed(&with(head(), "alg", json!(alg)), &claims(), key())).await,
            Err(Untrusted::Algorithm),
            "{alg}"
        );
    }
    let other = KeyPair::generate(KeySize::Rsa2048).unwrap();
    assert_eq!(verdict(&verifier, &signed(&head(), &claims(), &other)).await, Err(Untrusted::Signature));
    let good = signed(&head(), &claims(), key());
    let (start, end) = good.split_once('.').unwrap();
    let swapped = format!("{start}.{}", end.replacen(end.get(..8).unwrap(), "eyJpc3Mi", 1));
    assert_ne!(verdict(&verifier, &format!("{swapped}x")).await, Ok(()));
    for none in ["", "Bearer", "Bearer a.b", "Bearer a.b.c", "Basic abc"] {
        assert!(matches!(verdict(&verifier, none).await, Err(Untrusted::NoToken | Untrusted::Malformed(_))), "{none}");
    }
    assert_eq!(verifier.verify(None).await, Err(Untrusted::NoToken));
}

#[tokio::test]
async fn a_new_key_is_looked_for_but_not_again_and_again() {
    let (keys, verifier) = verifier().await;
    for _ in 0..5 {
        assert_eq!(verdict(&verifier, &signed(&with(head(), "kid", json!("k2")), &claims(), key())).await, Err(Untrusted::UnknownKey));
    }
    assert_eq!(keys.asked().len(), 1);
    assert_eq!(verdict(&verifier, &signed(&head(), &claims(), key())).await, Ok(()), "known keys go on being taken");
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_told_from_wrong_ones() {
    let (_station, verifier) = published(vec![status(400)]).await;
    assert!(matches!(verdict(&verifier, &signed(&head(), &claims(), key())).await, Err(Untrusted::NoKeys(_))));
}
