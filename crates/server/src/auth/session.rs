//! From a request to a [`Principal`]: cookies of signed-in pages and tokens of programs.
//!
//! Pages that change something must also prove that they are ours: `SameSite=Strict` keeps the cookie away from other sites'
//! requests, the origin is compared, and a token derived from the cookie must be sent as a header.

use super::{Principal, Proof, Role, secret};
use crate::{
    config::Http,
    error::{Code, Problem},
    limits,
    state::{AppState, now},
};
use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts},
    middleware::Next,
    response::Response,
};
use dreiklang_core::time::Timestamp;
use dreiklang_store::{SecretHash, User};
use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Instant,
};

/// The proof of a page.
pub const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
/// WebSocket clients in browsers cannot send headers; they may put their token behind this into `Sec-WebSocket-Protocol`.
pub const BEARER_PROTOCOL: &str = "bearer.";
/// How often the use of a token is written down.
const TOUCH_MS: i64 = 60_000;

/// When tokens were last written down as used. Cheap to clone.
#[derive(Clone, Default)]
pub struct Recent {
    touched: Arc<Mutex<HashMap<SecretHash, i64>>>,
}

impl Recent {
    fn is_due(&self, hash: SecretHash, now: Timestamp) -> bool {
        let mut touched = self.touched.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if touched.get(&hash).is_some_and(|at| now.0 - at < TOUCH_MS) {
            return false;
        }
        if touched.len() >= limits::TOKENS_PER_TENANT {
            touched.retain(|_, at| now.0 - *at < TOUCH_MS);
        }
        touched.insert(hash, now.0);
        true
    }
}

/// The value of the cookie a request came with; for signing out and for the page's proof.
#[derive(Clone)]
pub struct SessionSecret(pub String);

/// The name of the sign-in cookie.
pub fn cookie_name(http: &Http) -> &'static str {
    // Browsers accept the prefix only together with Secure, and then no other site of the domain can overwrite the cookie.
    if http.secure_cookies { "__Host-dreiklang" } else { "dreiklang" }
}

/// The header that signs a browser in, or out when `secret` is empty.
pub fn set_cookie(http: &Http, secret: &str) -> HeaderValue {
    let life = if secret.is_empty() { 0 } else { limits::SESSION_LIFE.as_secs() };
    let secure = if http.secure_cookies { "; Secure" } else { "" };
    let text = format!("{}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={life}{secure}", cookie_name(http));
    // Our own secrets are plain ASCII.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty() && value.len() <= secret::SECRET_BYTES_MAX)
        .map(|(_, value)| value.to_owned())
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let token = match headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) {
        Some(value) => value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim()),
        None => headers
            .get(header::SEC_WEBSOCKET_PROTOCOL)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(',').find_map(|item| item.trim().strip_prefix(BEARER_PROTOCOL))),
    };
    token.filter(|token| token.len() <= secret::SECRET_BYTES_MAX).map(str::to_owned)
}

/// Reads roles as they are stored: words with commas. Words of a newer version are left out.
pub fn roles_from(text: &str) -> BTreeSet<Role> {
    text.split(',').filter_map(|word| word.trim().parse().ok()).collect()
}

/// Roles as they are stored.
pub fn roles_to(roles: &BTreeSet<Role>) -> String {
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(",")
}

/// Whether a request of a browser comes from our own address. Requests without `Origin` do not come from a page elsewhere:
/// browsers send it with everything that changes something, and with WebSockets.
pub fn is_own_origin(http: &Http, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if let Some(url) = &http.public_url {
        return origin.eq_ignore_ascii_case(url);
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let origin_host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    !host.is_empty() && origin_host.is_some_and(|origin| origin.eq_ignore_ascii_case(host))
}

/// The address a request comes from, as far as our own proxies tell the truth.
pub fn client_address(http: &Http, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
    let peer = peer.to_canonical();
    if !http.trusted_proxies.contains(&peer) {
        return peer;
    }
    // Each proxy adds the address it was called from at the end; the last one that is not a proxy of ours is the client.
    headers
        .get_all(HeaderName::from_static("x-forwarded-for"))
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|item| item.trim().parse::<IpAddr>().ok())
        .map(|address| address.to_canonical())
        .rfind(|address| !http.trusted_proxies.contains(address))
        .unwrap_or(peer)
}

/// Extracts the client's address.
pub struct ClientAddress(pub IpAddr);

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<ConnectInfo<crate::http::Peer>>().map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.0.ip());
        Ok(ClientAddress(client_address(&state.config().http, &parts.headers, peer)))
    }
}

/// Extracts the principal that [`layer`] found.
impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Principal>().cloned().ok_or_else(not_signed_in)
    }
}

fn not_signed_in() -> Problem {
    Problem::new(Code::NotSignedIn, "Sign in, or send an API token as \"Authorization: Bearer …\".")
}

/// Middleware: finds out who asks. Does not refuse anybody yet, except pages that cannot prove that they are ours.
pub(crate) async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Result<Response, Problem> {
    let http = &state.config().http;
    let headers = request.headers();
    if let Some(token) = bearer(headers) {
        let principal = from_token(&state, &token).await?.ok_or_else(not_signed_in)?;
        state.rates().take(&principal, Instant::now())?;
        request.extensions_mut().insert(principal);
    } else if let Some(value) = cookie(headers, cookie_name(http))
        && let Some(principal) = from_session(&state, &value).await?
    {
        let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        let upgrades = headers.contains_key(header::UPGRADE);
        if (changes || upgrades) && !is_own_origin(http, headers) {
            return Err(Problem::new(Code::CrossSite, "The request comes from a page of another origin."));
        }
        let proof = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if changes && !secret::same(proof, &secret::csrf(&value)) {
            return Err(Problem::new(Code::CrossSite, "Send the csrf_token of the sign-in as X-CSRF-Token."));
        }
        state.rates().take(&principal, Instant::now())?;
        request.extensions_mut().insert(SessionSecret(value));
        request.extensions_mut().insert(principal);
    }
    Ok(next.run(request).await)
}

async fn from_token(state: &AppState, token: &str) -> Result<Option<Principal>, Problem> {
    of_token(state, secret::hash(token)).await
}

async fn of_token(state: &AppState, key: SecretHash) -> Result<Option<Principal>, Problem> {
    let now = now();
    let Some(token) = state.store().token(key, now).await? else { return Ok(None) };
    if state.recent().is_due(key, now) {
        state.store().touch_token(key, now).await?;
    }
    Ok(Some(Principal {
        tenant: token.tenant,
        id: format!("token:{}", token.name),
        name: token.name,
        roles: roles_from(&token.role),
        agent: None,
        proof: Proof::Token,
        key,
    }))
}

async fn from_session(state: &AppState, value: &str) -> Result<Option<Principal>, Problem> {
    of_session(state, secret::hash(value)).await
}

async fn of_session(state: &AppState, key: SecretHash) -> Result<Option<Principal>, Problem> {
    let Some(session) = state.store().session(key, now()).await? else { return Ok(None) };
    // Roles are read from the user each time, so that a change applies at once.
    let user = state.store().user(session.tenant, &session.user).await?;
    Ok(user.filter(|user| !user.disabled).map(|user| principal_of(&user, key)))
}

/// A signed-in person.
pub(crate) fn principal_of(user: &User, key: SecretHash) -> Principal {
    Principal {
        tenant: user.tenant,
        id: format!("user:{}", user.name),
        name: user.name.clone(),
        roles: roles_from(&user.role),
        agent: user.agent,
        proof: Proof::Cookie,
        key,
    }
}

/// The same principal as it is now; `None` when it may no longer sign in. For connections that last.
pub(crate) async fn refreshed(state: &AppState, principal: &Principal) -> Result<Option<Principal>, Problem> {
    match principal.proof {
        Proof::Cookie => of_session(state, principal.key).await,
        Proof::Token => of_token(state, principal.key).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_page_elsewhere_is_told_apart() {
        let mut http = Http::default();
        assert!(is_own_origin(&http, &headers(&[("host", "calls.example.com")])));
        assert!(is_own_origin(&http, &headers(&[("host", "calls.example.com"), ("origin", "https://calls.example.com")])));
        assert!(!is_own_origin(&http, &headers(&[("host", "calls.example.com"), ("origin", "https://evil.example")])));
        assert!(!is_own_origin(&http, &headers(&[("host", "calls.example.com"), ("origin", "null")])));
        http.public_url = Some("https://calls.example.com".to_owned());
        assert!(is_own_origin(&http, &headers(&[("host", "10.0.0.1:8080"), ("origin", "https://calls.example.com")])));
        assert!(!is_own_origin(&http, &headers(&[("host", "10.0.0.1:8080"), ("origin", "http://10.0.0.1:8080")])));
    }

    #[test]
    fn only_our_own_proxies_say_where_a_request_comes_from() {
        let mut http = Http::default();
        let told = headers(&[("x-forwarded-for", "203.0.113.9, 198.51.100.7")]);
        let peer: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(client_address(&http, &told, peer), peer);
        http.trusted_proxies = vec![peer];
        assert_eq!(client_address(&http, &told, peer).to_string(), "198.51.100.7", "not what the client itself claims");
        assert_eq!(client_address(&http, &headers(&[]), peer), peer);
    }

    #[test]
    fn cookies_and_tokens_are_found_among_others() {
        let found = cookie(&headers(&[("cookie", "a=b; __Host-dreiklang=abc; c=d")]), "__Host-dreiklang");
        assert_eq!(found.as_deref(), Some("abc"));
        assert_eq!(cookie(&headers(&[("cookie", "x__Host-dreiklang=abc")]), "__Host-dreiklang"), None);
        assert_eq!(bearer(&headers(&[("authorization", "bearer dkt_x")])).as_deref(), Some("dkt_x"));
        assert_eq!(bearer(&headers(&[("authorization", "Basic dkt_x")])), None);
        assert_eq!(bearer(&headers(&[("sec-websocket-protocol", "dreiklang.v1, bearer.dkt_x")])).as_deref(), Some("dkt_x"));
    }

    #[test]
    fn roles_survive_the_store() {
        let roles = BTreeSet::from([Role::Agent, Role::Supervisor]);
        assert_eq!(roles_from(&roles_to(&roles)), roles);
        assert_eq!(roles_from("agent,something_new"), BTreeSet::from([Role::Agent]));
    }

    #[test]
    fn the_cookie_is_locked_to_this_host() {
        let cookie = set_cookie(&Http::default(), "abc");
        let cookie = cookie.to_str().unwrap();
        for part in ["__Host-dreiklang=abc", "Path=/", "HttpOnly", "SameSite=Strict", "Secure"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
}
