//! Connections to Microsoft for the Unified line, as programs see them.

use super::kind::Kind;
use crate::{error::Problem, limits};
use dreiklang_lines::unified::settings;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Shortest key for Event Grid, in characters: it is all that tells its deliveries from others'.
const EVENT_KEY_CHARS_MIN: usize = 16;
/// Longest text of any field.
const CHARS_MAX: usize = 500;

/// A resource of Azure Communication Services, and the resource accounts of Teams whose calls it gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// Unique.
    #[schema(example = "Contoso")]
    pub name: String,
    /// The resource's address.
    #[schema(example = "https://contoso.communication.azure.com")]
    pub endpoint: String,
    /// The resource's access key, where no application is given. Never shown; leave it out to keep the present one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(write_only)]
    pub access_key: String,
    /// An application with a role at the resource, in place of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<Application>,
    /// The resource's immutable id.
    #[schema(example = "0f8fad5b-d9cb-469f-a165-70867728950e")]
    pub resource_id: String,
    /// The Entra directory (tenant id) of agents and resource accounts.
    #[schema(example = "72f988bf-86f1-41af-91ab-2d7cd011db47")]
    pub directory_id: String,
    /// The resource accounts.
    #[serde(default)]
    pub accounts: Vec<Account>,
    /// What Event Grid sends along as `key` in its address. Never shown; leave it out to keep the present one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(write_only)]
    pub event_key: String,
    /// Address of AI services that are linked with the resource: they speak texts. Without it texts are spoken here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://contoso-speech.cognitiveservices.azure.com/")]
    pub speech: Option<String>,
    /// Version of Microsoft's interface.
    #[serde(default = "defaults::api_version")]
    #[schema(example = "2026-03-12")]
    pub api_version: String,
    /// Who signs Microsoft's callbacks; another one in national clouds.
    #[serde(default = "defaults::token_issuer")]
    pub token_issuer: String,
    /// Where that one's keys are published.
    #[serde(default = "defaults::token_configuration")]
    pub token_configuration: String,
}

/// An application registered in Entra.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Where it gets its tokens; another one in national clouds.
    #[serde(default = "defaults::authority")]
    pub authority: String,
    /// The directory it is registered in.
    pub directory_id: String,
    /// Its client id.
    pub client_id: String,
    /// Its secret. Never shown; leave it out to keep the present one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(write_only)]
    pub client_secret: String,
}

/// A resource account of Teams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its object id.
    #[schema(example = "cc3a8e2c-0f8d-4a65-9c5f-5a1f4d5b7e11")]
    pub object_id: String,
    /// Its number.
    #[schema(example = "+4930123456")]
    pub number: String,
}

mod defaults {
    use dreiklang_lines::unified::settings;

    pub(super) fn api_version() -> String {
        settings::API_VERSION.to_owned()
    }
    pub(super) fn token_issuer() -> String {
        settings::ISSUER.to_owned()
    }
    pub(super) fn token_configuration() -> String {
        settings::DISCOVERY.to_owned()
    }
    pub(super) fn authority() -> String {
        settings::AUTHORITY.to_owned()
    }
}

impl Connection {
    /// In the line's words.
    pub fn to_line(&self, id: &str) -> settings::Connection {
        let credential = match &self.application {
            Some(application) => settings::Secret::Application {
                authority: application.authority.clone(),
                tenant: application.directory_id.clone(),
                client: application.client_id.clone(),
                secret: application.client_secret.clone(),
            },
            None => settings::Secret::Key(self.access_key.clone()),
        };
        settings::Connection {
            id: id.to_owned(),
            endpoint: self.endpoint.clone(),
            api_version: self.api_version.clone(),
            credential,
            resource: self.resource_id.clone(),
            directory: self.directory_id.clone(),
            accounts: self
                .accounts
                .iter()
                .map(|account| settings::Account { object: account.object_id.clone(), number: account.number.clone() })
                .collect(),
            speech: self.speech.clone(),
            issuer: self.token_issuer.clone(),
            discovery: self.token_configuration.clone(),
            event_key: self.event_key.clone(),
        }
    }

    fn check_credential(&self) -> Result<(), Problem> {
        match &self.application {
            Some(_) if !self.access_key.is_empty() => {
                Err(Problem::invalid("access_key", "Give the access key or an application, not both."))
            }
            Some(application) => {
                check_address("application.authority", &application.authority)?;
                for (field, text) in [("directory_id", &application.directory_id), ("client_id", &application.client_id)] {
                    check_guid(&format!("application.{field}"), text)?;
                }
                if application.client_secret.is_empty() || application.client_secret.len() > CHARS_MAX {
                    return Err(Problem::invalid("application.client_secret", "The application's secret is missing, or too long."));
                }
                Ok(())
            }
            None => {
                let decoded = data_encoding::BASE64.decode(self.access_key.as_bytes());
                match decoded {
                    Ok(key) if !key.is_empty() => Ok(()),
                    _ => Err(Problem::invalid("access_key", "Give the access key as the portal shows it, or an application.")),
                }
            }
        }
    }
}

fn check_address(field: &str, text: &str) -> Result<(), Problem> {
    let good = text.len() <= CHARS_MAX && reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
    if good { Ok(()) } else { Err(Problem::invalid(field, "An address begins with https:// and has a host.")) }
}

fn check_guid(field: &str, text: &str) -> Result<(), Problem> {
    let good = text.len() == 36 && uuid::Uuid::parse_str(text).is_ok();
    if good { Ok(()) } else { Err(Problem::invalid(field, "This is an id of the form 00000000-0000-0000-0000-000000000000.")) }
}

/// Whether a secret may stay: it was given for this place.
fn same_place(one: &str, other: &str) -> bool {
    let place = |address: &str| {
        let url = reqwest::Url::parse(address).ok()?;
        Some((url.scheme().to_owned(), url.host_str()?.to_owned(), url.port_or_known_default()?))
    };
    matches!((place(one), place(other)), (Some(one), Some(other)) if one == other)
}

impl Kind for Connection {
    const KIND: &'static str = "connection";
    const WHAT: &'static str = "connection to Microsoft";
    const PREFIX: &'static str = "ucn";
    const MOST: usize = limits::CONNECTIONS_PER_TENANT;

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Result<(), Problem> {
        super::write::check_name(&self.name)?;
        check_address("endpoint", &self.endpoint)?;
        check_guid("resource_id", &self.resource_id)?;
        check_guid("directory_id", &self.directory_id)?;
        self.check_credential()?;
        if self.accounts.len() > limits::ACCOUNTS_PER_CONNECTION {
            return Err(Problem::invalid("accounts", format!("A connection has at most {} accounts.", limits::ACCOUNTS_PER_CONNECTION)));
        }
        for account in &self.accounts {
            check_guid("accounts.object_id", &account.object_id)?;
            let digits = account.number.strip_prefix('+').unwrap_or_default();
            if !(3..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Problem::invalid("accounts.number", format!("{:?} is no number with + and digits.", account.number)));
            }
        }
        if !(EVENT_KEY_CHARS_MIN..=CHARS_MAX).contains(&self.event_key.len())
            || !self.event_key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
        {
            let remedy = format!("The key has at least {EVENT_KEY_CHARS_MIN} letters, digits and -_.~, made by chance.");
            return Err(Problem::invalid("event_key", remedy));
        }
        if let Some(speech) = &self.speech {
            check_address("speech", speech)?;
        }
        let is_date = self.api_version.get(..10).is_some_and(|date| date.bytes().filter(u8::is_ascii_digit).count() == 8);
        if !is_date || self.api_version.len() > 30 {
            return Err(Problem::invalid("api_version", "A version is a date, such as 2026-03-12."));
        }
        check_address("token_issuer", &self.token_issuer)?;
        check_address("token_configuration", &self.token_configuration)
    }

    fn keep_secrets(&mut self, former: Option<&Self>) {
        let Some(former) = former else { return };
        if self.event_key.is_empty() {
            self.event_key.clone_from(&former.event_key);
        }
        // Whoever could lead a connection elsewhere and keep its secrets could read or use them there.
        if self.access_key.is_empty() && self.application.is_none() && same_place(&self.endpoint, &former.endpoint) {
            self.access_key.clone_from(&former.access_key);
        }
        if let (Some(ours), Some(theirs)) = (&mut self.application, &former.application)
            && ours.client_secret.is_empty()
            && ours.client_id == theirs.client_id
            && same_place(&ours.authority, &theirs.authority)
            && same_place(&self.endpoint, &former.endpoint)
        {
            ours.client_secret.clone_from(&theirs.client_secret);
        }
    }

    fn hide_secrets(&mut self) {
        self.access_key.clear();
        self.event_key.clear();
        if let Some(application) = &mut self.application {
            application.client_secret.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        let text = r#"
            name = "Contoso"
            endpoint = "https://contoso.communication.azure.com"
            access_key = "c2VjcmV0"
            event_key = "0123456789abcdef"
            resource_id = "0f8fad5b-d9cb-469f-a165-70867728950e"
            directory_id = "72f988bf-86f1-41af-91ab-2d7cd011db47"
            accounts = [{ object_id = "cc3a8e2c-0f8d-4a65-9c5f-5a1f4d5b7e11", number = "+4930123456" }]
        "#;
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_connection_that_holds_together_is_taken() {
        connection().check().unwrap();
        let application = Application {
            authority: defaults::authority(),
            directory_id: connection().directory_id,
            client_id: connection().resource_id,
            client_secret: "s".to_owned(),
        };
        Connection { access_key: String::new(), application: Some(application), ..connection() }.check().unwrap();
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong: [(&str, Connection); 7] = [
            ("endpoint", Connection { endpoint: "contoso".to_owned(), ..connection() }),
            ("access_key", Connection { access_key: "not base64!".to_owned(), ..connection() }),
            ("resource_id", Connection { resource_id: "x".to_owned(), ..connection() }),
            ("event_key", Connection { event_key: "short".to_owned(), ..connection() }),
            ("api_version", Connection { api_version: "newest".to_owned(), ..connection() }),
            ("speech", Connection { speech: Some("x".to_owned()), ..connection() }),
            (
                "accounts.number",
                Connection { accounts: vec![Account { object_id: connection().resource_id, number: "123".to_owned() }], ..connection() },
            ),
        ];
        for (field, connection) in wrong {
            assert_eq!(connection.check().unwrap_err().offending_field(), Some(field));
        }
    }

    #[test]
    fn secrets_stay_with_the_place_they_were_given_for_and_are_not_shown() {
        let former = connection();
        let bare = || Connection { access_key: String::new(), event_key: String::new(), ..connection() };
        let mut same = bare();
        same.keep_secrets(Some(&former));
        assert_eq!(same, former);
        let mut moved = Connection { endpoint: "https://evil.example".to_owned(), ..bare() };
        moved.keep_secrets(Some(&former));
        assert_eq!(moved.check().unwrap_err().offending_field(), Some("access_key"));
        let mut shown = former.clone();
        shown.hide_secrets();
        let text = serde_json::to_string(&shown).unwrap();
        assert!(!text.contains("c2VjcmV0") && !text.contains("0123456789abcdef"), "{text}");
        assert!(!format!("{:?}", former.to_line("ucn_1")).contains("c2VjcmV0"));
    }
}
