//! Answering a challenge.

use super::header::{DigestParams, parse};
use super::{Algorithm, Credentials, Qop, Question};
use crate::message::{Request, Response};

/// Adds credentials to a request that answer the challenge of a 401 or 407; says whether there was one that we can answer.
///
/// The request is meant to be sent again with a new branch and a higher CSeq. `cnonce` should be random. Challenges in
/// anything but 401 and 407 are ignored; the caller decides whether the peer deserves an answer at all.
pub fn authorize(request: &mut Request, challenge: &Response, credentials: &Credentials, cnonce: &str) -> bool {
    let Some((challenge_header, credentials_header)) = header_names(challenge.status) else { return false };
    // RFC 8760 §2.4: the topmost challenge that we can answer.
    let value = challenge.headers.all(challenge_header).flat_map(parse).find_map(|params| answer(request, &params, credentials, cnonce));
    let Some(value) = value else { return false };
    request.headers.set(credentials_header, &value);
    true
}

/// Whether a 401 or 407 only complains about the age of the nonce, so that the same credentials are worth another try.
#[must_use]
pub fn is_stale(challenge: &Response) -> bool {
    header_names(challenge.status).is_some_and(|(name, _)| {
        challenge
            .headers
            .all(name)
            .flat_map(parse)
            .any(|params| params.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")))
    })
}

fn header_names(status: u16) -> Option<(&'static str, &'static str)> {
    match status {
        401 => Some(("WWW-Authenticate", "Authorization")),
        407 => Some(("Proxy-Authenticate", "Proxy-Authorization")),
        _ => None,
    }
}

fn answer(request: &Request, challenge: &DigestParams<'_>, credentials: &Credentials, cnonce: &str) -> Option<String> {
    let (realm, nonce) = (challenge.get("realm")?, challenge.get("nonce")?);
    let algorithm_token = challenge.get("algorithm");
    let (algorithm, is_session) = match algorithm_token.unwrap_or("MD5") {
        token if token.len() > 5 && token.get(token.len() - 5..).is_some_and(|end| end.eq_ignore_ascii_case("-sess")) => {
            (Algorithm::parse(token.get(..token.len() - 5)?)?, true)
        }
        token => (Algorithm::parse(token)?, false),
    };
    let qop = match challenge.get("qop") {
        None => Qop::None,
        Some(offered) => {
            let offers = |wanted: &str| offered.split(',').any(|qop| qop.trim().eq_ignore_ascii_case(wanted));
            if offers("auth") {
                Qop::Auth
            } else if offers("auth-int") {
                Qop::AuthInt
            } else {
                return None;
            }
        }
    };
    let uri = request.uri.to_string();
    let question = Question {
        algorithm,
        is_session,
        nonce,
        cnonce,
        // A challenge gives a nonce that we have not used yet.
        nonce_count: "00000001",
        qop,
        method: request.method.as_str(),
        uri: &uri,
        body: &request.body,
    };
    let response = question.response(&algorithm.ha1(&credentials.username, realm, &credentials.password));
    let mut value = format!(
        "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
        quote(&credentials.username),
        quote(realm),
        quote(nonce),
        quote(&uri)
    );
    if let Some(token) = algorithm_token {
        value.push_str(&format!(", algorithm={token}"));
    }
    if let Some(qop) = qop.token() {
        value.push_str(&format!(", cnonce={}, qop={qop}, nc={}", quote(cnonce), question.nonce_count));
    } else if is_session {
        value.push_str(&format!(", cnonce={}", quote(cnonce)));
    }
    if let Some(opaque) = challenge.get("opaque") {
        value.push_str(&format!(", opaque={}", quote(opaque)));
    }
    Some(value)
}

/// A quoted string; quotes and backslashes in it are escaped.
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
