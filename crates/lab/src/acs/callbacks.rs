//! The key callbacks and sockets are signed with, and where applications find its public half.

use crate::{
    entra::keys::SigningKey,
    exchange::Exchange,
    origin::message::{Reply, Request},
};
use serde_json::{Value, json};

/// Seconds a callback's token lives.
const CALLBACK_S: i64 = 300;

/// Signs what goes to applications.
pub(crate) struct CallbackKeys {
    key: SigningKey,
    /// `iss` of the tokens.
    pub(crate) issuer: String,
    /// Where the keys are found, without a slash at the end.
    pub(crate) base: String,
}

impl CallbackKeys {
    pub(crate) fn new(key: SigningKey, issuer: String, base: String) -> CallbackKeys {
        CallbackKeys { key, issuer, base }
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.key.sign(claims)
    }

    /// What a callback's token says; each has its own.
    pub(crate) fn callback_claims(&self, exchange: &mut Exchange) -> Value {
        let mut now = exchange.seconds();
        if exchange.faults.expired_tokens {
            now -= 3_600;
        }
        json!({
            "iss": self.issuer, "aud": exchange.directory.resource_id, "iat": now, "nbf": now, "exp": now + CALLBACK_S, "jti": exchange.guid(),
        })
    }

    /// A token for one socket.
    pub(crate) fn for_socket(&self, exchange: &mut Exchange, connection: &str) -> String {
        let mut claims = exchange.socket_claims(connection);
        claims["iss"] = json!(self.issuer);
        if exchange.faults.expired_tokens {
            claims["exp"] = json!(exchange.seconds() - 3_600);
        }
        self.key.sign(&claims)
    }

    /// Discovery and keys, open to everybody.
    pub(crate) fn answer(&self, request: &Request) -> Option<Reply> {
        match (request.method.as_str(), request.path()) {
            ("GET", "/calling/.well-known/acsopenidconfiguration") => Some(Reply::json(
                200,
                &json!({
                    "issuer": self.issuer, "jwks_uri": format!("{}/calling/keys", self.base),
                    "id_token_signing_alg_values_supported": ["RS256"], "claims_supported": ["iss", "aud", "exp", "nbf", "iat"],
                    "subject_types_supported": ["public"], "response_types_supported": ["id_token"],
                }),
            )),
            ("GET", "/calling/keys") => Some(Reply::json(200, &self.key.jwks(&self.issuer))),
            _ => None,
        }
    }
}
