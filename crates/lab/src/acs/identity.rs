//! Identities of the resource: made, given tokens, and the exchange of an agent's Entra token for a contact-center identity.

use super::{body::Fields, refusal::Refusal};
use crate::{
    acs::callbacks::CallbackKeys,
    entra::{
        Entra,
        directory::{Assignment, claim},
    },
    exchange::Exchange,
    origin::message::{Reply, Request},
};
use serde_json::{Value, json};

/// What agents' clients ask Entra for.
const EXTENSION_AUDIENCE: &str = "https://auth.msft.communication.azure.com";
/// What clients that are no agents' ask Entra for.
const CLIENTS_AUDIENCE: &str = "https://communication.azure.com/clients";
const EXTENSION_SCOPE: &str = "TeamsExtension.ManageCalls";
/// What tokens can be for.
const SCOPES: &[&str] = &["chat", "voip", "chat.join", "chat.join.limited", "voip.join"];
/// Minutes an access token may live.
const MINUTES: (u64, u64) = (60, 1_440);

/// Operations that need a key or token of the resource.
pub(crate) fn answer(
    exchange: &mut Exchange,
    keys: &CallbackKeys,
    entra: &Entra,
    request: &Request,
    path: &[&str],
) -> Result<Reply, Refusal> {
    let body = super::json_of(request)?;
    let fields = Fields(&body);
    match (request.method.as_str(), path) {
        ("POST", ["identities"]) => {
            let id = exchange.new_identity();
            exchange.directory.identities.insert(id.clone(), 0);
            let mut answer = json!({ "identity": { "id": id } });
            if !fields.list("createTokenWithScopes").is_empty() {
                answer["accessToken"] = token(exchange, keys, fields, "createTokenWithScopes", &id)?;
            }
            Ok(Reply::json(201, &answer))
        }
        ("DELETE", ["identities", id]) => {
            known(exchange, id)?;
            exchange.directory.identities.remove(*id);
            Ok(Reply::empty(204))
        }
        ("POST", ["identities", id, ":issueAccessToken"]) => {
            known(exchange, id)?;
            Ok(Reply::json(200, &token(exchange, keys, fields, "scopes", id)?))
        }
        ("POST", ["identities", id, ":revokeAccessTokens"]) => {
            known(exchange, id)?;
            let now = exchange.seconds();
            exchange.directory.identities.insert((*id).to_owned(), now);
            Ok(Reply::empty(204))
        }
        ("POST", ["teamsUser", ":exchangeAccessToken"]) => {
            let (entra_token, app, user) = (fields.need("token")?, fields.need("appId")?, fields.need("userId")?);
            let claims = entra.check(&entra_token, EXTENSION_AUDIENCE, &exchange.directory, exchange.seconds());
            let claims = claims.map_err(|why| Refusal::new(401, "Unauthorized", why))?;
            if claim(&claims, "oid") != user || claim(&claims, "appid") != app {
                return Err(Refusal::new(400, "InvalidToken", "The token is not of this user and application."));
            }
            Ok(Reply::json(200, &access_token(exchange, keys, &format!("8:orgid:{user}"), "voip", MINUTES.0)))
        }
        (method, ["access", "teamsExtension", "tenants", tenant, "assignments", object]) => {
            assignment(exchange, method, tenant, object, fields)
        }
        _ => Err(Refusal::new(404, "NotFound", "There is no such resource.")),
    }
}

fn assignment(exchange: &mut Exchange, method: &str, tenant: &str, object: &str, fields: Fields<'_>) -> Result<Reply, Refusal> {
    if !tenant.eq_ignore_ascii_case(&exchange.directory.tenant_id) {
        return Err(Refusal::new(404, "NotFound", "The tenant does not exist, or its data are kept in another place than the resource's."));
    }
    let key = object.to_ascii_lowercase();
    let show = |assignment: &Assignment| {
        let mut shown = json!({ "objectId": object, "tenantId": tenant, "principalType": assignment.principal_type });
        if !assignment.client_ids.is_empty() {
            shown["clientIds"] = json!(assignment.client_ids);
        }
        shown
    };
    match method {
        "GET" => {
            let found = exchange.directory.assignments.get(&key);
            found.map(|found| Reply::json(200, &show(found))).ok_or_else(|| Refusal::new(404, "NotFound", "There is no such assignment."))
        }
        "PUT" => {
            let principal_type = fields.need("principalType")?;
            if !crate::entra::directory::Directory::is_principal_type(&principal_type) {
                return Err(Refusal::new(400, "InvalidInput", format!("The principalType `{principal_type}` is not known.")));
            }
            let client_ids = fields.list("clientIds").iter().filter_map(Value::as_str).map(str::to_owned).collect();
            let assignment = Assignment { principal_type, client_ids };
            let shown = show(&assignment);
            let before = exchange.directory.assignments.insert(key, assignment);
            Ok(Reply::json(if before.is_some() { 200 } else { 201 }, &shown))
        }
        "DELETE" => {
            exchange.directory.assignments.remove(&key);
            Ok(Reply::empty(204))
        }
        _ => Err(Refusal::new(405, "MethodNotAllowed", "GET, PUT and DELETE are allowed.")),
    }
}

/// Whom a token of Entra stands for.
fn asking(exchange: &Exchange, entra: &Entra, request: &Request, audience: &str) -> Result<Value, Refusal> {
    let denied = |why: String| Refusal::new(401, "Unauthorized", why);
    let token = request.header("authorization").and_then(|text| text.strip_prefix("Bearer "));
    let token = token.ok_or_else(|| denied("A token of Entra is needed.".to_owned()))?;
    entra.check(token, audience, &exchange.directory, exchange.seconds()).map_err(denied)
}

/// The exchange for users of Entra who are no agents: an identity of the resource that is always the same.
pub(crate) fn exchange_for_user(exchange: &mut Exchange, keys: &CallbackKeys, entra: &Entra, request: &Request) -> Result<Reply, Refusal> {
    let claims = asking(exchange, entra, request, CLIENTS_AUDIENCE)?;
    let id = format!("8:acs:{}_{}", exchange.directory.resource_id, claim(&claims, "oid"));
    exchange.directory.identities.entry(id.clone()).or_insert(0);
    let access = access_token(exchange, keys, &id, "voip,chat", MINUTES.0);
    Ok(Reply::json(200, &json!({ "identity": { "id": id }, "accessToken": access })).with("access-control-allow-origin", "*"))
}

/// The exchange: who asks is the agent, with a token of Entra.
pub(crate) fn exchange_for_agent(exchange: &mut Exchange, keys: &CallbackKeys, entra: &Entra, request: &Request) -> Result<Reply, Refusal> {
    let claims = asking(exchange, entra, request, EXTENSION_AUDIENCE)?;
    if !claim(&claims, "scp").split(' ').any(|scope| scope == EXTENSION_SCOPE) {
        return Err(Refusal::new(403, "Forbidden", format!("The token lacks the permission {EXTENSION_SCOPE}.")));
    }
    let user = claim(&claims, "oid").to_owned();
    let client = claim(&claims, "appid");
    let assignment = exchange.directory.assignments.get(&user.to_ascii_lowercase());
    let is_assigned = assignment.is_some_and(|assignment| {
        assignment.principal_type.eq_ignore_ascii_case("user")
            && (assignment.client_ids.is_empty() || assignment.client_ids.iter().any(|id| id.eq_ignore_ascii_case(client)))
    });
    if !is_assigned {
        return Err(Refusal::new(403, "Forbidden", "The user has no assignment to this resource for this client application."));
    }
    let id = exchange.directory.extension_raw_id(&user);
    let access = access_token(exchange, keys, &id, "voip", MINUTES.1);
    Ok(Reply::json(200, &json!({ "identity": { "id": id }, "accessToken": access })).with("access-control-allow-origin", "*"))
}

fn known(exchange: &Exchange, id: &str) -> Result<(), Refusal> {
    let is_known = exchange.directory.identities.contains_key(id);
    is_known.then_some(()).ok_or_else(|| Refusal::new(404, "IdentityNotFound", "The identity is not of this resource."))
}

fn token(exchange: &mut Exchange, keys: &CallbackKeys, fields: Fields<'_>, name: &str, id: &str) -> Result<Value, Refusal> {
    let scopes: Vec<&str> = fields.list(name).iter().filter_map(Value::as_str).collect();
    if scopes.is_empty() || scopes.iter().any(|scope| !SCOPES.contains(scope)) {
        return Err(Refusal::new(400, "ValidationError", format!("The field {name} must name some of {}.", SCOPES.join(", "))));
    }
    let minutes = fields.number("expiresInMinutes", MINUTES.0, MINUTES.1)?.unwrap_or(MINUTES.1);
    Ok(access_token(exchange, keys, id, &scopes.join(","), minutes))
}

fn access_token(exchange: &mut Exchange, keys: &CallbackKeys, id: &str, scope: &str, minutes: u64) -> Value {
    let now = exchange.seconds();
    let end = now + minutes as i64 * 60;
    let claims = json!({
        "skypeid": id.trim_start_matches("8:"), "scp": 1_792, "csi": now.to_string(), "iat": now, "exp": end, "acsScope": scope,
        "resourceId": exchange.directory.resource_id, "tenantId": exchange.directory.tenant_id, "rgn": "de",
    });
    let time = jiff::Timestamp::from_second(end).unwrap_or_default();
    json!({ "token": keys.sign(&claims), "expiresOn": format!("{}+00:00", time.strftime("%Y-%m-%dT%H:%M:%S%.7f")) })
}
