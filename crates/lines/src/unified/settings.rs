//! What administrators set up: a resource of Azure Communication Services and the resource accounts whose calls it gets.

use dreiklang_microsoft::{
    acs::{AccessKey, Credential, Settings, version::ApiVersion},
    entra::Application,
};

/// The version of the interface that is spoken where nothing else is said.
pub const API_VERSION: &str = "2026-03-12";
/// Who signs callbacks in the public cloud.
pub const ISSUER: &str = dreiklang_microsoft::webhook::ACS_ISSUER;
/// Where that one's keys are published.
pub const DISCOVERY: &str = dreiklang_microsoft::webhook::ACS_DISCOVERY;
/// Where applications get tokens in the public cloud.
pub const AUTHORITY: &str = dreiklang_microsoft::entra::AUTHORITY;

/// A connection to Microsoft.
#[derive(Clone, PartialEq)]
pub struct Connection {
    /// Its document's id; part of the addresses that Microsoft calls.
    pub id: String,
    /// Such as `https://cc.communication.azure.com`.
    pub endpoint: String,
    /// Version of the interface for calls.
    pub api_version: String,
    /// How we prove who we are.
    pub credential: Secret,
    /// The resource's immutable id: whom Microsoft's tokens are for, and part of agents' identities.
    pub resource: String,
    /// The directory of agents and resource accounts.
    pub directory: String,
    /// Accounts whose calls come here.
    pub accounts: Vec<Account>,
    /// AI services that speak texts; rendered here where there are none.
    pub speech: Option<String>,
    /// Who signs the service's callbacks.
    pub issuer: String,
    /// Where the issuer's keys are published.
    pub discovery: String,
    /// What Event Grid shows to be let in.
    pub event_key: String,
}

/// How we prove who we are.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The resource's key.
    Key(String),
    /// An application with a role at the resource.
    Application {
        /// Where tokens are given out.
        authority: String,
        /// Its directory.
        tenant: String,
        /// Its client id.
        client: String,
        /// Its secret.
        secret: String,
    },
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Secret::Key(_) => "Key(…)",
            Secret::Application { .. } => "Application(…)",
        })
    }
}

/// A resource account of Teams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its object id.
    pub object: String,
    /// Its number, with `+`.
    pub number: String,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("id", &self.id).field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Connection {
    /// The account with this number; the first where there is none.
    pub(super) fn account_for(&self, number: Option<&str>) -> Option<&Account> {
        self.accounts.iter().find(|account| Some(account.number.as_str()) == number).or(self.accounts.first())
    }

    /// In the client's words.
    pub(super) fn client(&self) -> Result<Settings, String> {
        let credential = match &self.credential {
            Secret::Key(key) => Credential::Key(AccessKey::parse(key).map_err(|error| error.to_string())?),
            Secret::Application { authority, tenant, client, secret } => Credential::Application(Application {
                authority: authority.clone(),
                tenant: tenant.clone(),
                client: client.clone(),
                secret: secret.clone(),
            }),
        };
        Ok(Settings {
            endpoint: self.endpoint.clone(),
            version: ApiVersion(self.api_version.clone()),
            access_version: ApiVersion("2025-06-30".to_owned()),
            credential,
        })
    }
}
