//! Who of a directory may use the resource: without it, a resource account's calls reach nobody.

use super::{
    client::{Call, Client, parsed},
    version::ApiVersion,
};
use crate::transport::{Failure, Repeat};
use reqwest::Method;
use serde::{Deserialize, Serialize};

/// The consent of a resource for somebody of a directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assignment {
    /// `user`, or one of the words for resource accounts.
    pub principal_type: String,
    /// The clients a user may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_ids: Vec<String>,
}

/// The word for resource accounts, which later versions changed.
pub fn resource_account_word(version: &ApiVersion) -> &'static str {
    if version.0.as_str() >= "2026-07-22" { "resourceAccount" } else { "teamsResourceAccount" }
}

impl Client {
    /// Consents.
    ///
    /// # Errors
    /// As for every operation.
    pub async fn assign(&self, tenant: &str, object: &str, assignment: &Assignment) -> Result<(), Failure> {
        let url = self.assignment_url(tenant, object)?;
        let body = serde_json::to_vec(assignment).map_err(|error| Failure::Impossible(error.to_string()))?;
        let call = Call { body, ..Call::new(Method::PUT, url, Repeat::Safe) };
        self.answer(&call).await.map(drop)
    }

    /// The present consent; `None` when there is none.
    ///
    /// # Errors
    /// As for every operation.
    pub async fn assignment(&self, tenant: &str, object: &str) -> Result<Option<Assignment>, Failure> {
        let url = self.assignment_url(tenant, object)?;
        match self.answer(&Call::new(Method::GET, url, Repeat::Safe)).await {
            Ok(body) => parsed(&body).map(Some),
            Err(failure) if failure.is_gone() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn assignment_url(&self, tenant: &str, object: &str) -> Result<reqwest::Url, Failure> {
        self.url(&["access", "teamsExtension", "tenants", tenant, "assignments", object], &self.access_version)
    }
}
