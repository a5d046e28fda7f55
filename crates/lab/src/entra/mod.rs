//! Entra: discovery, keys, tokens by secret, certificate or federation, sign-in of users with PKCE, on-behalf-of.
//!
//! # Layout
//!
//! `directory` (who exists), `keys` (signatures), `token` (the endpoint programs ask), `sign_in` (the page users see). Leaves out:
//! what a token lets its holder do; the services decide that.

pub(crate) mod directory;
pub(crate) mod keys;
mod sign_in;
mod token;

use crate::{
    dice::Dice,
    origin::message::{Reply, Request},
};
use directory::Directory;
use keys::SigningKey;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Codes and refresh tokens kept; the oldest go first.
const GRANTS_MAX: usize = 10_000;
/// How long an access token lives, in seconds.
pub(crate) const TOKEN_S: i64 = 3_599;

/// Entra's part of the lab.
pub(crate) struct Entra {
    key: SigningKey,
    /// Where it is reached, without a slash at the end.
    pub(crate) base: String,
    grants: BTreeMap<u64, (String, Grant)>,
    grant_next: u64,
}

/// What a code or refresh token stands for.
#[derive(Clone, Debug)]
struct Grant {
    client_id: String,
    object_id: String,
    scope: String,
    nonce: Option<String>,
    redirect_uri: String,
    challenge: Option<String>,
    is_code: bool,
    until: i64,
}

/// A refusal in Entra's shape.
#[derive(Debug)]
struct Denial {
    status: u16,
    error: &'static str,
    code: u32,
    text: String,
}

impl Denial {
    fn new(error: &'static str, code: u32, text: impl Into<String>) -> Denial {
        Denial { status: 400, error, code, text: text.into() }
    }

    fn reply(&self, dice: &mut Dice, now: i64) -> Reply {
        let time = jiff::Timestamp::from_second(now).unwrap_or_default();
        let (trace, correlation) = (dice.guid(), dice.guid());
        let body = json!({
            "error": self.error,
            "error_description": format!(
                "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {}Z",
                self.code, self.text, time.strftime("%Y-%m-%d %H:%M:%S")
            ),
            "error_codes": [self.code],
            "timestamp": format!("{}Z", time.strftime("%Y-%m-%d %H:%M:%S")),
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        });
        Reply::json(self.status, &body)
    }
}

impl Entra {
    pub(crate) fn new(key: SigningKey, base: String) -> Entra {
        Entra { key, base, grants: BTreeMap::new(), grant_next: 0 }
    }

    /// Answers what is meant for Entra; `None` when it is not.
    pub(crate) fn answer(&mut self, request: &Request, directory: &Directory, dice: &mut Dice, now: i64) -> Option<Reply> {
        let segments = request.segments();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let method = request.method.as_str();
        match (method, parts.as_slice()) {
            ("GET", ["common", "discovery", "instance"]) => Some(self.instance(directory)),
            ("GET", [tenant, "v2.0", ".well-known", "openid-configuration"] | [tenant, ".well-known", "openid-configuration"]) => {
                Some(self.for_tenant(tenant, directory, dice, now, |entra| Reply::json(200, &entra.configuration(directory))))
            }
            ("GET", [tenant, "discovery", "v2.0", "keys"] | [tenant, "discovery", "keys"]) => {
                Some(self.for_tenant(tenant, directory, dice, now, |entra| Reply::json(200, &entra.key.jwks(&entra.issuer(directory)))))
            }
            ("POST", [tenant, "oauth2", "v2.0", "token"] | [tenant, "oauth2", "token"]) => {
                if !is_tenant(tenant, directory) {
                    return Some(unknown_tenant(tenant).reply(dice, now));
                }
                Some(self.token(request, directory, dice, now).unwrap_or_else(|denial| denial.reply(dice, now)))
            }
            ("GET" | "POST", [tenant, "oauth2", "v2.0", "authorize"]) if is_tenant(tenant, directory) => {
                Some(self.authorize(request, directory, dice, now))
            }
            ("GET", [_, "oauth2", "v2.0", "logout"]) => {
                Some(Reply::text(200, "text/html; charset=utf-8", "<!doctype html><title>Signed out</title><p>You are signed out."))
            }
            _ => None,
        }
    }

    /// The claims of one of our tokens for this audience.
    pub(crate) fn check(&self, token: &str, audience: &str, directory: &Directory, now: i64) -> Result<Value, String> {
        let claims = self.key.verify(token, now)?;
        let meant_for = directory::claim(&claims, "aud").trim_end_matches('/');
        if meant_for != audience {
            return Err(format!("the token is for `{meant_for}`, and not for `{audience}`"));
        }
        if directory::claim(&claims, "tid") != directory.tenant_id {
            return Err("the token is of another tenant".to_owned());
        }
        Ok(claims)
    }

    /// A token the resource's own identity shows, when it uses somebody's storage.
    pub(crate) fn managed_identity_token(&self, directory: &Directory, audience: &str, now: i64) -> String {
        self.key.sign(&json!({
            "aud": audience, "iss": self.issuer(directory), "tid": directory.tenant_id, "iat": now, "nbf": now, "exp": now + TOKEN_S,
            "oid": directory.resource_id, "sub": directory.resource_id, "appid": directory.resource_id, "idtyp": "app",
        }))
    }

    fn for_tenant(&self, tenant: &str, directory: &Directory, dice: &mut Dice, now: i64, answer: impl FnOnce(&Entra) -> Reply) -> Reply {
        if is_tenant(tenant, directory) { answer(self) } else { unknown_tenant(tenant).reply(dice, now) }
    }

    fn issuer(&self, directory: &Directory) -> String {
        format!("{}/{}/v2.0", self.base, directory.tenant_id)
    }

    fn instance(&self, directory: &Directory) -> Reply {
        let host = self.base.split("://").nth(1).unwrap_or_default();
        let body = json!({
            "tenant_discovery_endpoint": format!("{}/{}/v2.0/.well-known/openid-configuration", self.base, directory.tenant_id),
            "api-version": "1.1",
            "metadata": [{ "preferred_network": host, "preferred_cache": host, "aliases": [host] }],
        });
        Reply::json(200, &body)
    }

    fn configuration(&self, directory: &Directory) -> Value {
        let base = format!("{}/{}", self.base, directory.tenant_id);
        json!({
            "token_endpoint": format!("{base}/oauth2/v2.0/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": format!("{base}/discovery/v2.0/keys"),
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": self.issuer(directory),
            "request_uri_parameter_supported": false,
            "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
            "end_session_endpoint": format!("{base}/oauth2/v2.0/logout"),
            "code_challenge_methods_supported": ["S256", "plain"],
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid", "oid", "ver"],
            "tenant_region_scope": "EU",
        })
    }

    fn keep(&mut self, dice: &mut Dice, prefix: &str, grant: Grant) -> String {
        let token = format!("{prefix}{}", dice.opaque(8));
        self.grants.insert(self.grant_next, (token.clone(), grant));
        self.grant_next += 1;
        while self.grants.len() > GRANTS_MAX {
            self.grants.pop_first();
        }
        token
    }

    fn grant(&self, token: &str) -> Option<(u64, Grant)> {
        self.grants.iter().find(|(_, (kept, _))| kept == token).map(|(key, (_, grant))| (*key, grant.clone()))
    }
}

/// Whether a path names our tenant; `common` and `organizations` lead there too.
fn is_tenant(text: &str, directory: &Directory) -> bool {
    [directory.tenant_id.as_str(), directory.domain.as_str(), "common", "organizations"].iter().any(|name| name.eq_ignore_ascii_case(text))
}

fn unknown_tenant(tenant: &str) -> Denial {
    let text =
        format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.");
    Denial::new("invalid_request", 90002, text)
}

#[cfg(test)]
mod tests;
