//! Who is meant: the identifiers of Communication Services, as they are sent and as one raw text.

use serde_json::{Value, json};

/// Somebody or something that can be in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identifier {
    /// A telephone number.
    Phone(String),
    /// An identity of the resource (`8:acs:…`).
    User(String),
    /// A person's Teams client (`8:orgid:…`), by object id.
    TeamsUser(String),
    /// A resource account, bot or call queue (`28:orgid:…`), by object id.
    TeamsApp(String),
    /// A person's contact-center identity.
    TeamsExtensionUser {
        /// Object id of the user.
        user: String,
        /// Tenant.
        tenant: String,
        /// Communication Services resource.
        resource: String,
    },
    /// Something else, as it was written.
    Unknown(String),
}

impl Identifier {
    /// The one text for it.
    pub fn raw_id(&self) -> String {
        match self {
            Identifier::Phone(number) => format!("4:{number}"),
            Identifier::User(id) | Identifier::Unknown(id) => id.clone(),
            Identifier::TeamsUser(id) => format!("8:orgid:{id}"),
            Identifier::TeamsApp(id) => format!("28:orgid:{id}"),
            Identifier::TeamsExtensionUser { user, tenant, resource } => format!("8:acs:{resource}_{tenant}_{user}"),
        }
    }

    /// What a raw text means.
    pub fn from_raw(raw: &str) -> Identifier {
        if let Some(number) = raw.strip_prefix("4:") {
            return Identifier::Phone(number.to_owned());
        }
        if let Some(id) = raw.strip_prefix("28:orgid:") {
            return Identifier::TeamsApp(id.to_owned());
        }
        if let Some(id) = raw.strip_prefix("8:orgid:") {
            return Identifier::TeamsUser(id.to_owned());
        }
        if let Some(id) = raw.strip_prefix("8:acs:") {
            let parts: Vec<&str> = id.split('_').collect();
            return match parts.as_slice() {
                [resource, tenant, user] => Identifier::TeamsExtensionUser {
                    user: (*user).to_owned(),
                    tenant: (*tenant).to_owned(),
                    resource: (*resource).to_owned(),
                },
                _ => Identifier::User(raw.to_owned()),
            };
        }
        Identifier::Unknown(raw.to_owned())
    }

    /// Whether this is a telephone.
    pub fn is_phone(&self) -> bool {
        matches!(self, Identifier::Phone(_))
    }

    /// Whether this is a person of Teams, with either client.
    pub(crate) fn is_teams(&self) -> bool {
        matches!(self, Identifier::TeamsUser(_) | Identifier::TeamsExtensionUser { .. })
    }

    /// As the service writes it: the kind, its fields, and always the raw text.
    pub(crate) fn to_json(&self) -> Value {
        let raw = self.raw_id();
        match self {
            Identifier::Phone(number) if number == "anonymous" => {
                json!({ "kind": "phoneNumber", "rawId": raw, "phoneNumber": { "value": number, "isAnonymous": true } })
            }
            Identifier::Phone(number) => json!({ "kind": "phoneNumber", "rawId": raw, "phoneNumber": { "value": number } }),
            Identifier::User(id) => json!({ "kind": "communicationUser", "rawId": raw, "communicationUser": { "id": id } }),
            Identifier::TeamsUser(id) => json!({
                "kind": "microsoftTeamsUser", "rawId": raw,
                "microsoftTeamsUser": { "userId": id, "isAnonymous": false, "cloud": "public" },
            }),
            Identifier::TeamsApp(id) => {
                json!({ "kind": "microsoftTeamsApp", "rawId": raw, "microsoftTeamsApp": { "appId": id, "cloud": "public" } })
            }
            Identifier::TeamsExtensionUser { user, tenant, resource } => json!({
                "kind": "teamsExtensionUser", "rawId": raw,
                "teamsExtensionUser": { "userId": user, "tenantId": tenant, "resourceId": resource, "cloud": "public" },
            }),
            Identifier::Unknown(_) => json!({ "kind": "unknown", "rawId": raw }),
        }
    }

    /// Reads what a client sent: by the one sub-object, else by the raw text; `kind` is not always there.
    pub(crate) fn from_json(value: &Value) -> Result<Identifier, String> {
        let Some(object) = value.as_object() else {
            return Err("an identifier is an object".to_owned());
        };
        let parts = ["phoneNumber", "communicationUser", "microsoftTeamsUser", "microsoftTeamsApp", "teamsExtensionUser"];
        let present: Vec<&&str> = parts.iter().filter(|part| object.get(**part).is_some_and(|part| !part.is_null())).collect();
        if present.len() > 1 {
            return Err(format!("only one of {} and {} may be given", present[0], present[1]));
        }
        let text = |part: &str, name: &str| {
            let found = value[part][name].as_str().filter(|text| !text.is_empty());
            found.map(str::to_owned).ok_or_else(|| format!("{part}.{name} is required"))
        };
        let Some(part) = present.first() else {
            let raw = value["rawId"].as_str().filter(|raw| !raw.is_empty());
            return raw.map(Identifier::from_raw).ok_or_else(|| "an identifier needs a rawId or one of its kinds".to_owned());
        };
        Ok(match **part {
            "phoneNumber" => {
                let number = text("phoneNumber", "value")?;
                let digits = number.strip_prefix('+').unwrap_or_default();
                let is_e164 = (3..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
                if number != "anonymous" && !is_e164 {
                    return Err(format!("phoneNumber.value `{number}` is not in E.164 format"));
                }
                Identifier::Phone(number)
            }
            "communicationUser" => Identifier::from_raw(&text("communicationUser", "id")?),
            "microsoftTeamsUser" => Identifier::TeamsUser(text("microsoftTeamsUser", "userId")?),
            "microsoftTeamsApp" => Identifier::TeamsApp(text("microsoftTeamsApp", "appId")?),
            _ => Identifier::TeamsExtensionUser {
                user: text("teamsExtensionUser", "userId")?,
                tenant: text("teamsExtensionUser", "tenantId")?,
                resource: text("teamsExtensionUser", "resourceId")?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_ids_and_objects_mean_the_same() {
        let agent = Identifier::TeamsExtensionUser { user: "u".to_owned(), tenant: "t".to_owned(), resource: "r".to_owned() };
        for identifier in [
            Identifier::Phone("+15550100".to_owned()),
            Identifier::User("8:acs:r_1".to_owned()),
            Identifier::TeamsUser("o".to_owned()),
            Identifier::TeamsApp("o".to_owned()),
            agent,
            Identifier::Unknown("48:x".to_owned()),
        ] {
            assert_eq!(Identifier::from_raw(&identifier.raw_id()), identifier);
            assert_eq!(Identifier::from_json(&identifier.to_json()), Ok(identifier));
        }
    }

    #[test]
    fn the_sub_object_counts_more_than_a_raw_id_or_kind_that_is_missing() {
        let python = json!({ "rawId": "4:+12065551212", "phoneNumber": { "value": "+12065551212" } });
        assert_eq!(Identifier::from_json(&python), Ok(Identifier::Phone("+12065551212".to_owned())));
        let upper = json!({ "teamsExtensionUser": { "userId": "u", "tenantId": "t", "resourceId": "r", "cloud": "PUBLIC" } });
        assert_eq!(Identifier::from_json(&upper).unwrap().raw_id(), "8:acs:r_t_u");
        for wrong in [
            json!(null),
            json!({}),
            json!({ "phoneNumber": { "value": "5550100" } }),
            json!({ "phoneNumber": { "value": "+1555" }, "communicationUser": { "id": "8:acs:x" } }),
        ] {
            assert!(Identifier::from_json(&wrong).is_err(), "{wrong}");
        }
    }
}
