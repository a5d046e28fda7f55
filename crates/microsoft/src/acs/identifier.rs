//! Who is in a call. One of several forms, with a raw id that says the same.
//!
//! What comes is read by its form, and where there is none by its raw id; a form nobody knows stays a raw id.

use crate::Word;
use serde::{Deserialize, Serialize};

/// Somebody.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identifier {
    /// Named by the service; never needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Word>,
    /// The same as a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_id: Option<String>,
    /// Somebody with an identity of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub communication_user: Option<CommunicationUser>,
    /// Somebody on the telephone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<PhoneNumber>,
    /// Somebody's Teams client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub microsoft_teams_user: Option<TeamsUser>,
    /// A resource account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub microsoft_teams_app: Option<TeamsApp>,
    /// Somebody's contact-center client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams_extension_user: Option<TeamsExtensionUser>,
}

/// An identity of the resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommunicationUser {
    /// `8:acs:…`.
    pub id: String,
}

/// A telephone number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PhoneNumber {
    /// With `+`.
    pub value: String,
    /// Withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_anonymous: Option<bool>,
    /// Tells the same number apart that is there twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asserted_id: Option<String>,
}

/// A Teams client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TeamsUser {
    /// The person's object id.
    pub user_id: String,
    /// A guest without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_anonymous: Option<bool>,
    /// Which cloud; the public one where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<Word>,
}

/// A resource account or bot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TeamsApp {
    /// Its object id.
    pub app_id: String,
    /// Which cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<Word>,
}

/// A contact-center client of a person: the person's Teams client does not ring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TeamsExtensionUser {
    /// The person's object id.
    pub user_id: String,
    /// The directory the person is in.
    pub tenant_id: String,
    /// The resource's immutable id.
    pub resource_id: String,
    /// Which cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<Word>,
}

impl Identifier {
    /// A telephone number with `+`.
    pub fn of_number(number: &str) -> Identifier {
        let phone = PhoneNumber { value: number.to_owned(), is_anonymous: None, asserted_id: None };
        Identifier { raw_id: Some(format!("4:{number}")), phone_number: Some(phone), ..Identifier::default() }
    }

    /// A person's contact-center client.
    pub fn of_extension(resource: &str, tenant: &str, user: &str) -> Identifier {
        let one = TeamsExtensionUser {
            user_id: user.to_owned(),
            tenant_id: tenant.to_owned(),
            resource_id: resource.to_owned(),
            cloud: Some("public".into()),
        };
        Identifier { raw_id: Some(format!("8:acs:{resource}_{tenant}_{user}")), teams_extension_user: Some(one), ..Identifier::default() }
    }

    /// A person's Teams client.
    pub fn of_teams_user(user: &str) -> Identifier {
        let one = TeamsUser { user_id: user.to_owned(), is_anonymous: None, cloud: Some("public".into()) };
        Identifier { raw_id: Some(format!("8:orgid:{user}")), microsoft_teams_user: Some(one), ..Identifier::default() }
    }

    /// Whom a raw id names.
    pub fn of_raw(raw: &str) -> Identifier {
        if let Some(number) = raw.strip_prefix("4:") {
            return Identifier { raw_id: Some(raw.to_owned()), ..Identifier::of_number(number) };
        }
        if let Some(user) = raw.strip_prefix("8:orgid:") {
            return Identifier::of_teams_user(user);
        }
        let mut found = Identifier { raw_id: Some(raw.to_owned()), ..Identifier::default() };
        if let Some(rest) = raw.strip_prefix("8:acs:") {
            let parts: Vec<&str> = rest.split('_').collect();
            match parts[..] {
                [resource, tenant, user] => return Identifier::of_extension(resource, tenant, user),
                _ => found.communication_user = Some(CommunicationUser { id: raw.to_owned() }),
            }
        }
        if let Some(app) = raw.strip_prefix("28:orgid:") {
            found.microsoft_teams_app = Some(TeamsApp { app_id: app.to_owned(), cloud: None });
        }
        found
    }

    /// The raw id: as it came, else as it follows from the form.
    pub fn raw(&self) -> Option<String> {
        if let Some(raw) = self.raw_id.as_ref().filter(|raw| !raw.is_empty()) {
            return Some(raw.clone());
        }
        if let Some(user) = &self.communication_user {
            return Some(user.id.clone());
        }
        if let Some(phone) = &self.phone_number {
            return Some(format!("4:{}", phone.value));
        }
        if let Some(user) = &self.microsoft_teams_user {
            return Some(format!("8:orgid:{}", user.user_id));
        }
        if let Some(app) = &self.microsoft_teams_app {
            return Some(format!("28:orgid:{}", app.app_id));
        }
        let one = self.teams_extension_user.as_ref()?;
        Some(format!("8:acs:{}_{}_{}", one.resource_id, one.tenant_id, one.user_id))
    }

    /// Whether both name the same party.
    pub fn is(&self, other: &Identifier) -> bool {
        matches!((self.raw(), other.raw()), (Some(a), Some(b)) if a.eq_ignore_ascii_case(&b))
    }

    /// The telephone number; `None` for whoever has none or withholds it.
    pub fn number(&self) -> Option<&str> {
        let value = match &self.phone_number {
            Some(phone) if phone.is_anonymous == Some(true) => return None,
            Some(phone) => phone.value.as_str(),
            None => self.raw_id.as_deref()?.strip_prefix("4:")?,
        };
        let value = value.split('_').next().unwrap_or(value);
        (!value.is_empty() && !value.eq_ignore_ascii_case("anonymous")).then_some(value)
    }

    /// The object id of a resource account.
    pub fn resource_account(&self) -> Option<&str> {
        match &self.microsoft_teams_app {
            Some(app) => Some(&app.app_id),
            None => self.raw_id.as_deref()?.strip_prefix("28:orgid:"),
        }
    }
}

impl PartialEq for Identifier {
    fn eq(&self, other: &Identifier) -> bool {
        self.is(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: serde_json::Value) -> Identifier {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_same_party_is_recognized_in_every_form_the_service_uses() {
        let forms = [
            json!({ "rawId": "8:acs:r_t_u", "teamsExtensionUser": { "userId": "u", "tenantId": "t", "resourceId": "r", "cloud": "PUBLIC" } }),
            json!({ "kind": "TeamsExtensionUser", "teamsExtensionUser": { "userId": "u", "tenantId": "t", "resourceId": "r" } }),
            json!({ "kind": "unknown", "rawId": "8:ACS:r_t_u", "somethingNew": { "x": 1 } }),
        ];
        for form in forms {
            assert!(read(form.clone()).is(&Identifier::of_extension("r", "t", "u")), "{form}");
        }
        assert!(!read(json!({})).is(&read(json!({}))), "nobody is nobody");
    }

    #[test]
    fn raw_ids_are_read_back_into_their_forms() {
        for raw in ["4:+4930123", "8:orgid:5f", "8:acs:r_t_u", "8:acs:r_1", "28:orgid:77", "48:new"] {
            assert_eq!(Identifier::of_raw(raw).raw().as_deref(), Some(raw));
        }
        assert!(Identifier::of_raw("8:acs:r_t_u").teams_extension_user.is_some());
        assert!(Identifier::of_raw("8:acs:r_1").communication_user.is_some());
        assert_eq!(Identifier::of_raw("28:orgid:77").resource_account(), Some("77"));
    }

    #[test]
    fn withheld_numbers_are_no_numbers_and_a_number_that_is_there_twice_is_one() {
        assert_eq!(read(json!({ "rawId": "4:anonymous", "phoneNumber": { "value": "anonymous", "isAnonymous": true } })).number(), None);
        assert_eq!(read(json!({ "rawId": "4:anonymous" })).number(), None);
        assert_eq!(read(json!({ "rawId": "4:+49301_2b" })).number(), Some("+49301"));
        assert_eq!(Identifier::of_teams_user("u").number(), None);
    }

    #[test]
    fn what_is_sent_has_the_raw_id_and_one_form() {
        let sent = serde_json::to_value(Identifier::of_number("+4930")).unwrap();
        assert_eq!(sent, json!({ "rawId": "4:+4930", "phoneNumber": { "value": "+4930" } }));
    }
}
