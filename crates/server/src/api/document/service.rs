//! Services that call flows ask, as programs see them.

use super::kind::Kind;
use crate::{error::Problem, limits};
use axum::http::{HeaderName, HeaderValue};
use dreiklang_core::{config, config::Change, ids::ServiceId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Headers that say how something is sent rather than what; they are ours.
const OURS: &[&str] = &[
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "accept",
    "accept-encoding",
    "expect",
    "idempotency-key",
    "user-agent",
];

/// A web service of your organization that call flows ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Unique.
    #[schema(example = "CRM")]
    pub name: String,
    /// Where it is; flows add a path.
    #[schema(example = "https://crm.example.com/api")]
    pub address: String,
    /// Sent with every question, such as `Authorization`. Values are secrets: they are never shown, and a value left empty keeps the
    /// present one as long as the service stays at the same place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// Scheme, host and port: what a secret was given for.
fn place(address: &str) -> Option<(String, String, u16)> {
    let url = reqwest::Url::parse(address).ok()?;
    Some((url.scheme().to_owned(), url.host_str()?.to_owned(), url.port_or_known_default()?))
}

impl Kind for Service {
    const KIND: &'static str = "service";
    const WHAT: &'static str = "service";
    const PREFIX: &'static str = ServiceId::PREFIX;

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Result<(), Problem> {
        super::write::check_name(&self.name)?;
        if self.address.len() > limits::WEBHOOK_URL_BYTES {
            return Err(Problem::invalid("address", format!("An address has at most {} bytes.", limits::WEBHOOK_URL_BYTES)));
        }
        if self.headers.len() > limits::SERVICE_HEADERS {
            return Err(Problem::invalid("headers", format!("A service has at most {} headers.", limits::SERVICE_HEADERS)));
        }
        for (name, value) in &self.headers {
            let field = format!("headers.{name}");
            if name.parse::<HeaderName>().is_err() {
                return Err(Problem::invalid(&field, "This is no name of a header; use letters, digits and -."));
            }
            if OURS.contains(&name.to_ascii_lowercase().as_str()) {
                return Err(Problem::invalid(&field, "This header is set by us; leave it out."));
            }
            if value.is_empty() {
                return Err(Problem::invalid(&field, "The value is missing; give it, also when the service has moved to another place."));
            }
            if value.len() > limits::SERVICE_HEADER_BYTES || value.parse::<HeaderValue>().is_err() {
                let remedy = format!("A value has up to {} printable characters.", limits::SERVICE_HEADER_BYTES);
                return Err(Problem::invalid(&field, remedy));
            }
        }
        Ok(())
    }

    fn keep_secrets(&mut self, former: Option<&Self>) {
        // Whoever could lead a service elsewhere and keep its secrets could read them there.
        let Some(former) = former.filter(|former| place(&former.address) == place(&self.address)) else { return };
        for (name, value) in self.headers.iter_mut().filter(|(_, value)| value.is_empty()) {
            if let Some((_, kept)) = former.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                value.clone_from(kept);
            }
        }
    }

    fn hide_secrets(&mut self) {
        self.headers.values_mut().for_each(String::clear);
    }

    fn change(&self, id: &str) -> Result<Option<Change>, Problem> {
        let service = config::Service { id: crate::api::extract::id("service", id)?, name: self.name.clone() };
        Ok(Some(Change::PutService(service)))
    }

    fn removal(id: &str) -> Result<Option<Change>, Problem> {
        Ok(Some(Change::RemoveService(crate::api::extract::id("service", id)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(address: &str, headers: &[(&str, &str)]) -> Service {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Service { name: "CRM".to_owned(), address: address.to_owned(), headers }
    }

    #[test]
    fn secrets_stay_with_the_place_they_were_given_for() {
        let former = service("https://crm.example.com/api", &[("Authorization", "Bearer secret")]);
        let mut moved = service("https://crm.example.com/v2", &[("authorization", "")]);
        moved.keep_secrets(Some(&former));
        assert_eq!(moved.headers["authorization"], "Bearer secret");
        for elsewhere in ["https://evil.example.com/api", "http://crm.example.com/api", "https://crm.example.com:8443/api"] {
            let mut stolen = service(elsewhere, &[("Authorization", "")]);
            stolen.keep_secrets(Some(&former));
            let problem = stolen.check().unwrap_err();
            assert_eq!(problem.offending_field(), Some("headers.Authorization"), "{elsewhere}");
        }
        moved.hide_secrets();
        assert_eq!(serde_json::to_value(&moved).unwrap()["headers"], serde_json::json!({ "authorization": "" }));
    }

    #[test]
    fn headers_are_refused_with_the_reason() {
        for (name, value) in [("Host", "x"), ("two words", "x"), ("X-Key", "a\nb"), ("X-Key", "")] {
            assert!(service("https://crm.example.com", &[(name, value)]).check().is_err(), "{name}: {value}");
        }
        assert!(service("https://crm.example.com", &[("X-Key", "abc")]).check().is_ok());
    }
}
