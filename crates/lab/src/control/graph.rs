//! The little of Microsoft Graph that setting up Teams Phone extensibility asks for: the resource accounts.

use crate::{
    entra::Entra,
    exchange::Exchange,
    origin::message::{Reply, Request},
};
use serde_json::{Value, json};

/// Answers `GET /{v1.0|beta}/admin/teams/resourceAccounts`; `None` for everything else.
pub(crate) fn answer(exchange: &Exchange, entra: &Entra, request: &Request) -> Option<Reply> {
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    if request.method != "GET" || !matches!(path.as_slice(), ["beta" | "v1.0", "admin", "teams", "resourceAccounts"]) {
        return None;
    }
    let token = request.header("authorization").and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
    if let Err(why) = entra.check(token, "https://graph.microsoft.com", &exchange.directory, exchange.seconds()) {
        let error = json!({ "error": { "code": "InvalidAuthenticationToken", "message": why } });
        return Some(Reply::json(401, &error));
    }
    let filter = request.query("$filter").unwrap_or_default().to_lowercase();
    let wanted = filter.split("appid eq '").nth(1).and_then(|rest| rest.split('\'').next());
    let accounts: Vec<Value> = exchange
        .directory
        .resource_accounts
        .iter()
        .filter(|account| wanted.is_none_or(|wanted| account.app_id.eq_ignore_ascii_case(wanted)))
        .map(|account| {
            json!({
                "id": account.id, "userPrincipalName": account.user_principal_name, "appId": account.app_id,
                "displayName": account.display_name, "phoneNumber": format!("tel:{}", account.number), "acsResourceId": account.acs_resource_id,
            })
        })
        .collect();
    Some(Reply::json(200, &json!({ "value": accounts })))
}
