//! What exists at Microsoft: the tenant with its users and applications, the Communication Services resource, the resource accounts
//! with their numbers, and who gave consent to what.

use crate::dice::Dice;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A person of the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Short name, by which the lab finds the person.
    pub name: String,
    /// Object id in Entra.
    pub object_id: String,
    /// Sign-in name.
    pub user_principal_name: String,
    /// Name to show.
    pub display_name: String,
    /// Password of the sign-in page.
    pub password: String,
}

/// An application registered in Entra.
#[derive(Clone, Debug, Default)]
pub struct Application {
    /// Client id.
    pub client_id: String,
    /// Client secrets.
    pub secrets: Vec<String>,
    /// Certificates that may sign assertions, DER.
    pub certificates: Vec<Vec<u8>>,
    /// Other issuers whose assertions are taken: `(issuer, subject, JWKS)`.
    pub federations: Vec<Federation>,
    /// Where users may be sent back to; hosts of this machine are always allowed.
    pub redirect_uris: Vec<String>,
    /// Whether it has no secret (desk in a browser).
    pub is_public: bool,
}

/// An issuer outside whose tokens stand for an application's secret.
#[derive(Clone, Debug)]
pub struct Federation {
    /// `iss` of its tokens.
    pub issuer: String,
    /// `sub` of its tokens.
    pub subject: String,
    /// A certificate (DER) whose key signs them.
    pub certificate: Vec<u8>,
}

/// A resource account of Teams with a service number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceAccount {
    /// Object id.
    pub id: String,
    /// Sign-in name.
    pub user_principal_name: String,
    /// Name to show.
    pub display_name: String,
    /// Its number, E.164.
    pub number: String,
    /// The application it belongs to.
    pub app_id: String,
    /// The Communication Services resource it is bound to; without one the number is busy.
    pub acs_resource_id: Option<String>,
}

/// Consent of a tenant to a principal's use of its telephones through the resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// As it was sent: `teamsResourceAccount`, `resourceAccount` or `user`.
    pub principal_type: String,
    /// Client applications that may exchange the user's tokens.
    pub client_ids: Vec<String>,
}

/// Everything that exists.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    pub(crate) tenant_id: String,
    pub(crate) domain: String,
    pub(crate) resource_id: String,
    pub(crate) resource_name: String,
    /// Access keys, base64; both are good.
    pub(crate) access_keys: [String; 2],
    pub(crate) users: Vec<User>,
    pub(crate) applications: Vec<Application>,
    pub(crate) resource_accounts: Vec<ResourceAccount>,
    pub(crate) assignments: BTreeMap<String, Assignment>,
    /// Identities of the resource, made by its identity interface, and the moment (seconds) their tokens were last revoked.
    pub(crate) identities: BTreeMap<String, i64>,
}

impl Directory {
    /// A tenant with one application with a secret, one public application for desks, and nobody in it.
    pub(crate) fn new(dice: &mut Dice) -> Directory {
        let key = |dice: &mut Dice| {
            let bytes: Vec<u8> = (0..8).flat_map(|_| dice.next().to_be_bytes()).collect();
            data_encoding::BASE64.encode(&bytes)
        };
        let server = Application { client_id: dice.guid(), secrets: vec![format!("lab~{}", dice.opaque(3))], ..Application::default() };
        let desk = Application { client_id: dice.guid(), is_public: true, ..Application::default() };
        Directory {
            tenant_id: dice.guid(),
            domain: "lab.example".to_owned(),
            resource_id: dice.guid(),
            resource_name: "dreiklang-lab".to_owned(),
            access_keys: [key(dice), key(dice)],
            users: Vec::new(),
            applications: vec![server, desk],
            resource_accounts: Vec::new(),
            assignments: BTreeMap::new(),
            identities: BTreeMap::new(),
        }
    }

    /// Adds a person; one with this name stays as it is.
    pub(crate) fn add_user(&mut self, dice: &mut Dice, name: &str) -> User {
        if let Some(user) = self.users.iter().find(|user| user.name == name) {
            return user.clone();
        }
        let mut letters = name.chars();
        let display_name = letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect());
        let user = User {
            name: name.to_owned(),
            object_id: dice.guid(),
            user_principal_name: format!("{name}@{}", self.domain),
            display_name,
            password: format!("{name}-in-the-lab"),
        };
        self.users.push(user.clone());
        user
    }

    /// Adds a resource account that is bound to the resource, without consent; one with this number stays as it is.
    pub(crate) fn add_resource_account(&mut self, dice: &mut Dice, name: &str, number: &str) -> ResourceAccount {
        if let Some(account) = self.account_by_number(number) {
            return account.clone();
        }
        let account = ResourceAccount {
            id: dice.guid(),
            user_principal_name: format!("{}@{}", name.to_lowercase().replace(' ', "-"), self.domain),
            display_name: name.to_owned(),
            number: number.to_owned(),
            app_id: self.applications.first().map_or_else(String::new, |app| app.client_id.clone()),
            acs_resource_id: Some(self.resource_id.clone()),
        };
        self.resource_accounts.push(account.clone());
        account
    }

    pub(crate) fn account_by_number(&self, number: &str) -> Option<&ResourceAccount> {
        self.resource_accounts.iter().find(|account| account.number == number)
    }

    pub(crate) fn account(&self, id: &str) -> Option<&ResourceAccount> {
        self.resource_accounts.iter().find(|account| account.id.eq_ignore_ascii_case(id))
    }

    pub(crate) fn user(&self, object_id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.object_id.eq_ignore_ascii_case(object_id))
    }

    pub(crate) fn application(&self, client_id: &str) -> Option<&Application> {
        self.applications.iter().find(|app| app.client_id.eq_ignore_ascii_case(client_id))
    }

    /// Whether the tenant consented to calls of this resource account over the resource.
    pub(crate) fn has_account_consent(&self, id: &str) -> bool {
        let id = id.to_ascii_lowercase();
        self.assignments.get(&id).is_some_and(|found| !found.principal_type.eq_ignore_ascii_case("user"))
    }

    /// Whether the tenant consented to this user's being an agent over the resource.
    pub(crate) fn has_user_consent(&self, id: &str) -> bool {
        let id = id.to_ascii_lowercase();
        self.assignments.get(&id).is_some_and(|found| found.principal_type.eq_ignore_ascii_case("user"))
    }

    /// The raw id of a user's contact-center identity.
    pub(crate) fn extension_raw_id(&self, object_id: &str) -> String {
        format!("8:acs:{}_{}_{object_id}", self.resource_id, self.tenant_id)
    }

    /// Whether two principal types mean the same; newer versions dropped a word.
    pub(crate) fn is_principal_type(text: &str) -> bool {
        ["teamsresourceaccount", "resourceaccount", "user"].contains(&text.to_ascii_lowercase().as_str())
    }
}

/// The claim of a token as text.
pub(crate) fn claim<'a>(claims: &'a Value, name: &str) -> &'a str {
    claims[name].as_str().unwrap_or_default()
}
