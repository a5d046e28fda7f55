//! The token endpoint: who proves what gets which token.

use super::{
    Denial, Entra, Grant, TOKEN_S,
    directory::{Application, Directory, User, claim},
    keys::{self, Parts},
};
use crate::{
    dice::Dice,
    origin::message::{Reply, Request},
};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// How long a refresh token lives, in seconds.
const REFRESH_S: i64 = 24 * 3_600;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Fields of the form.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn of(request: &Request) -> Form {
        Form(request.form())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn need(&self, name: &'static str) -> Result<&str, Denial> {
        self.get(name).ok_or_else(|| {
            Denial::new("invalid_request", 900_144, format!("The request body must contain the following parameter: '{name}'."))
        })
    }
}

impl Entra {
    pub(super) fn token(&mut self, request: &Request, directory: &Directory, dice: &mut Dice, now: i64) -> Result<Reply, Denial> {
        let mut form = Form::of(request);
        basic_credentials(request, &mut form);
        let application = self.application(&form, directory, now)?.clone();
        match form.need("grant_type")? {
            "client_credentials" => {
                prove(&form, application.is_public)?;
                let scope = form.need("scope").or_else(|denial| form.get("resource").ok_or(denial))?;
                let Some(audience) = scope.strip_suffix("/.default").map(|text| text.trim_end_matches('/')) else {
                    let text =
                        format!("The provided request must include a 'scope' input parameter that ends with /.default, not '{scope}'.");
                    return Err(Denial::new("invalid_scope", 1_002_012, text));
                };
                let claims = json!({
                    "aud": audience, "iss": self.issuer(directory), "tid": directory.tenant_id, "iat": now, "nbf": now,
                    "exp": now + TOKEN_S, "appid": application.client_id, "azp": application.client_id, "azpacr": "1", "idtyp": "app",
                    "oid": application.client_id, "sub": application.client_id, "ver": "2.0", "uti": dice.opaque(2),
                });
                let body = json!({
                    "token_type": "Bearer", "expires_in": TOKEN_S, "ext_expires_in": TOKEN_S, "access_token": self.key.sign(&claims),
                });
                Ok(Reply::json(200, &body).with("cache-control", "no-store"))
            }
            "authorization_code" => {
                let (key, grant) = self.redeem(form.need("code")?, &application, true, now)?;
                self.grants.remove(&key);
                if form.get("redirect_uri") != Some(grant.redirect_uri.as_str()) {
                    return Err(Denial::new("invalid_grant", 50_112, "The redirect URI is not the one the code was given for."));
                }
                match (&grant.challenge, form.get("code_verifier")) {
                    (Some(challenge), Some(verifier)) => {
                        let hashed = BASE64URL_NOPAD.encode(&Sha256::digest(verifier.as_bytes()));
                        if hashed != *challenge && verifier != challenge {
                            let text = "The Code_Verifier does not match the code_challenge supplied in the authorization request.";
                            return Err(Denial::new("invalid_grant", 501_481, text));
                        }
                    }
                    (Some(_), None) => {
                        return Err(Denial::new("invalid_grant", 501_471, "The Code_Verifier is missing from the request."));
                    }
                    (None, _) if application.is_public => {
                        return Err(Denial::new("invalid_request", 9_002_325, "Proof Key for Code Exchange is required for this client."));
                    }
                    (None, _) => prove(&form, false)?,
                }
                self.for_user(&application, &grant.clone(), &grant.scope, directory, dice, now)
            }
            "refresh_token" => {
                let (_, grant) = self.redeem(form.need("refresh_token")?, &application, false, now)?;
                let scope = form.get("scope").unwrap_or(&grant.scope).to_owned();
                self.for_user(&application, &grant, &scope, directory, dice, now)
            }
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
                prove(&form, application.is_public)?;
                if form.need("requested_token_use")? != "on_behalf_of" {
                    return Err(Denial::new("invalid_request", 90_014, "The value of requested_token_use must be on_behalf_of."));
                }
                let claims = self.key.verify(form.need("assertion")?, now).map_err(|why| Denial::new("invalid_grant", 500_133, why))?;
                let audience = claim(&claims, "aud");
                if audience != application.client_id && audience != format!("api://{}", application.client_id) {
                    let text = format!("Assertion audience claim '{audience}' does not match the client '{}'.", application.client_id);
                    return Err(Denial::new("invalid_grant", 500_131, text));
                }
                let grant = grant_for(&application, claim(&claims, "oid"), form.need("scope")?, now);
                self.for_user(&application, &grant, &grant.scope.clone(), directory, dice, now)
            }
            "password" => {
                let name = form.need("username")?;
                let user = directory.users.iter().find(|user| user.user_principal_name.eq_ignore_ascii_case(name));
                let user = user.filter(|user| form.get("password") == Some(user.password.as_str()));
                let Some(user) = user else {
                    return Err(Denial::new("invalid_grant", 50_126, "Error validating credentials due to invalid username or password."));
                };
                let grant = grant_for(&application, &user.object_id, form.need("scope")?, now);
                self.for_user(&application, &grant, &grant.scope.clone(), directory, dice, now)
            }
            other => {
                let text = format!("The app requested an unsupported grant type '{other}'.");
                Err(Denial::new("unsupported_grant_type", 70_003, text))
            }
        }
    }

    /// The application of a request, and whether its proof is right.
    fn application<'a>(&self, form: &Form, directory: &'a Directory, now: i64) -> Result<&'a Application, Denial> {
        let client_id = form.need("client_id")?;
        let Some(application) = directory.application(client_id) else {
            let text = format!("Application with identifier '{client_id}' was not found in the directory 'Dreiklang lab'.");
            return Err(Denial { status: 400, error: "unauthorized_client", code: 700_016, text });
        };
        if let Some(secret) = form.get("client_secret")
            && !application.secrets.iter().any(|known| known == secret)
        {
            let text = format!("Invalid client secret provided for app '{client_id}'.");
            return Err(Denial { status: 401, error: "invalid_client", code: 7_000_215, text });
        }
        if let Some(assertion) = form.get("client_assertion") {
            if form.get("client_assertion_type") != Some(ASSERTION_TYPE) {
                return Err(Denial::new("invalid_request", 900_144, "client_assertion_type is not jwt-bearer."));
            }
            self.check_assertion(assertion, application, directory, now)?;
        }
        Ok(application)
    }

    fn check_assertion(&self, assertion: &str, application: &Application, directory: &Directory, now: i64) -> Result<(), Denial> {
        let denied = |code, text: String| Denial { status: 401, error: "invalid_client", code, text };
        let parts = Parts::read(assertion).map_err(|why| denied(50_027, why))?;
        keys::in_time(&parts.claims, now)
            .map_err(|why| denied(700_024, format!("Client assertion is not within its valid time range: {why}.")))?;
        let (issuer, subject) = (claim(&parts.claims, "iss"), claim(&parts.claims, "sub"));
        if issuer == application.client_id && subject == application.client_id {
            let expected = format!("{}/{}/", self.base, directory.tenant_id);
            let audience = claim(&parts.claims, "aud");
            if !audience.starts_with(&expected) {
                return Err(denied(
                    700_023,
                    format!("Client assertion audience claim '{audience}' does not match '{expected}oauth2/v2.0/token'."),
                ));
            }
            if application.certificates.iter().any(|certificate| parts.signed_by_certificate(certificate)) {
                return Ok(());
            }
            return Err(denied(700_027, "The certificate with which the client assertion is signed is not registered.".to_owned()));
        }
        let federation = application.federations.iter().find(|known| known.issuer == issuer && known.subject == subject);
        match federation {
            Some(known) if parts.signed_by_certificate(&known.certificate) => Ok(()),
            Some(_) => Err(denied(50_013, "The assertion's signature is not of its issuer.".to_owned())),
            None => Err(denied(
                70_021,
                format!("No matching federated identity record found for presented assertion. Subject: '{subject}', issuer: '{issuer}'."),
            )),
        }
    }

    fn redeem(&self, token: &str, application: &Application, is_code: bool, now: i64) -> Result<(u64, Grant), Denial> {
        let found = self.grant(token).filter(|(_, grant)| grant.is_code == is_code && grant.client_id == application.client_id);
        match found {
            Some((_, grant)) if grant.until < now => {
                Err(Denial::new("invalid_grant", 70_008, "The provided authorization code or refresh token has expired."))
            }
            Some(found) => Ok(found),
            None => Err(Denial::new("invalid_grant", 9_002_313, "Invalid request. Request is malformed or invalid.")),
        }
    }

    /// Access token, id token and refresh token of a user.
    fn for_user(
        &mut self,
        application: &Application,
        grant: &Grant,
        scope: &str,
        directory: &Directory,
        dice: &mut Dice,
        now: i64,
    ) -> Result<Reply, Denial> {
        let Some(user) = directory.user(&grant.object_id).cloned() else {
            return Err(Denial::new("invalid_grant", 50_034, "The user account does not exist in the directory."));
        };
        let words: Vec<&str> = scope.split_whitespace().collect();
        let resource = words.iter().find(|word| word.contains("://") || word.contains('/'));
        let (audience, permission) = match resource.and_then(|word| word.rsplit_once('/')) {
            Some((audience, permission)) => (audience.trim_end_matches('/').to_owned(), permission.to_owned()),
            None => ("00000003-0000-0000-c000-000000000000".to_owned(), scope.to_owned()),
        };
        let permission = if permission == ".default" { "TeamsExtension.ManageCalls".to_owned() } else { permission };
        let claims = json!({
            "aud": audience, "iss": self.issuer(directory), "tid": directory.tenant_id, "iat": now, "nbf": now, "exp": now + TOKEN_S,
            "appid": application.client_id, "azp": application.client_id, "oid": user.object_id, "sub": user.object_id,
            "name": user.display_name, "preferred_username": user.user_principal_name, "upn": user.user_principal_name,
            "scp": permission, "idtyp": "user", "ver": "2.0", "uti": dice.opaque(2),
        });
        let mut body = json!({
            "token_type": "Bearer", "scope": scope, "expires_in": TOKEN_S, "ext_expires_in": TOKEN_S,
            "access_token": self.key.sign(&claims),
        });
        if words.contains(&"openid") {
            body["id_token"] = Value::String(self.key.sign(&self.id_claims(application, &user, grant, directory, now)));
            body["client_info"] = Value::String(client_info(&user, directory));
        }
        if words.contains(&"offline_access") {
            let refresh = Grant { scope: scope.to_owned(), is_code: false, until: now + REFRESH_S, ..grant.clone() };
            body["refresh_token"] = Value::String(self.keep(dice, "1.", refresh));
        }
        Ok(Reply::json(200, &body).with("cache-control", "no-store").with("access-control-allow-origin", "*"))
    }

    fn id_claims(&self, application: &Application, user: &User, grant: &Grant, directory: &Directory, now: i64) -> Value {
        let mut claims = json!({
            "aud": application.client_id, "iss": self.issuer(directory), "tid": directory.tenant_id, "iat": now, "nbf": now,
            "exp": now + TOKEN_S, "oid": user.object_id, "sub": user.object_id, "name": user.display_name,
            "preferred_username": user.user_principal_name, "ver": "2.0",
        });
        if let Some(nonce) = &grant.nonce {
            claims["nonce"] = Value::String(nonce.clone());
        }
        claims
    }
}

fn grant_for(application: &Application, object_id: &str, scope: &str, now: i64) -> Grant {
    Grant {
        client_id: application.client_id.clone(),
        object_id: object_id.to_owned(),
        scope: scope.to_owned(),
        nonce: None,
        redirect_uri: String::new(),
        challenge: None,
        is_code: false,
        until: now,
    }
}

/// What MSAL wants to know the account by.
fn client_info(user: &User, directory: &Directory) -> String {
    BASE64URL_NOPAD.encode(json!({ "uid": user.object_id, "utid": directory.tenant_id }).to_string().as_bytes())
}

/// A confidential client has to prove itself.
fn prove(form: &Form, is_public: bool) -> Result<(), Denial> {
    if !is_public && (form.get("client_secret").is_some() || form.get("client_assertion").is_some()) {
        return Ok(());
    }
    let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
    Err(Denial { status: 401, error: "invalid_client", code: 7_000_218, text: text.to_owned() })
}

/// Id and secret may stand in the header instead (client_secret_basic).
fn basic_credentials(request: &Request, form: &mut Form) {
    let basic = request.header("authorization").and_then(|text| text.strip_prefix("Basic "));
    let decoded = basic.and_then(|text| BASE64.decode(text.trim().as_bytes()).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some((id, secret)) = decoded.as_deref().and_then(|text| text.split_once(':')) {
        form.0.push(("client_id".to_owned(), id.to_owned()));
        form.0.push(("client_secret".to_owned(), secret.to_owned()));
    }
}
