//! The page on which the lab's users sign in: a name, a password, and back with a code.

use super::{Entra, Grant, directory::Directory, token::Form};
use crate::{
    dice::Dice,
    origin::message::{Reply, Request},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

/// How long a code is good for, in seconds.
const CODE_S: i64 = 600;
/// What an application says when it sends a user.
const PARAMETERS: &[&str] = &[
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "login_hint",
    "prompt",
];

impl Entra {
    /// Shows the page, or takes what was typed into it.
    pub(super) fn authorize(&mut self, request: &Request, directory: &Directory, dice: &mut Dice, now: i64) -> Reply {
        let form = Form::of(request);
        let value = |name: &str| form.get(name).map(str::to_owned).or_else(|| request.query(name)).unwrap_or_default();
        let client_id = value("client_id");
        let Some(application) = directory.application(&client_id) else {
            return complaint(&format!("AADSTS700016: Application with identifier '{client_id}' was not found in the directory."));
        };
        let redirect_uri = value("redirect_uri");
        if !is_local(&redirect_uri) && !application.redirect_uris.contains(&redirect_uri) {
            return complaint(&format!(
                "AADSTS50011: The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs configured for the application '{client_id}'."
            ));
        }
        if value("response_type") != "code" {
            return complaint("AADSTS700054: response_type must be 'code'; other flows are not enabled for the application.");
        }
        if application.is_public && value("code_challenge").is_empty() {
            return complaint("AADSTS9002325: Proof Key for Code Exchange is required for cross-origin authorization code redemption.");
        }
        let name = value("username");
        if name.is_empty() {
            return page(&value, directory, "");
        }
        let user = directory.users.iter().find(|user| user.user_principal_name.eq_ignore_ascii_case(&name) || user.name == name);
        let Some(user) = user.filter(|user| user.password == value("password")) else {
            return page(&value, directory, "AADSTS50126: Your account or password is incorrect.");
        };
        let optional = |name: &str| Some(value(name)).filter(|text| !text.is_empty());
        let grant = Grant {
            client_id,
            object_id: user.object_id.clone(),
            scope: value("scope"),
            nonce: optional("nonce"),
            redirect_uri: redirect_uri.clone(),
            challenge: optional("code_challenge"),
            is_code: true,
            until: now + CODE_S,
        };
        let code = self.keep(dice, "0.", grant);
        let answer = [("code", code), ("state", value("state")), ("session_state", dice.guid())];
        back(&redirect_uri, &value("response_mode"), &answer)
    }
}

/// Addresses of this machine are allowed without registration.
fn is_local(uri: &str) -> bool {
    let host = uri.split("://").nth(1).unwrap_or_default();
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|local| host.strip_prefix(local).is_some_and(|rest| rest.is_empty() || rest.starts_with(':') || rest.starts_with('/')))
}

/// Sends the user back with the answer.
fn back(redirect_uri: &str, mode: &str, answer: &[(&str, String)]) -> Reply {
    if mode == "form_post" {
        let fields: String =
            answer.iter().map(|(name, value)| format!("<input type=hidden name=\"{name}\" value=\"{}\">", escaped(value))).collect();
        let html = format!(
            "<!doctype html><title>Working…</title><form method=post action=\"{}\">{fields}<button>Continue</button></form><script>document.forms[0].submit()</script>",
            escaped(redirect_uri)
        );
        return Reply::text(200, "text/html; charset=utf-8", html);
    }
    let query: Vec<String> =
        answer.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))).collect();
    let separator = match (mode, redirect_uri.contains('?')) {
        ("fragment", _) => '#',
        (_, true) => '&',
        (_, false) => '?',
    };
    Reply::empty(302).with("location", format!("{redirect_uri}{separator}{}", query.join("&")))
}

fn page(value: &dyn Fn(&str) -> String, directory: &Directory, problem: &str) -> Reply {
    let hidden: String =
        PARAMETERS.iter().map(|name| format!("<input type=hidden name=\"{name}\" value=\"{}\">", escaped(&value(name)))).collect();
    let users: String = directory.users.iter().map(|user| format!("<option value=\"{}\">", escaped(&user.user_principal_name))).collect();
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Sign in to the lab</title>\
         <style>body{{font:16px sans-serif;max-width:22em;margin:4em auto}}input,button{{font:inherit;width:100%;margin:.3em 0;padding:.4em}}</style>\
         <h1>Sign in</h1><p>The lab's users have their name and \u{201c}-in-the-lab\u{201d} as password.</p><p role=alert>{}</p>\
         <form method=post>{hidden}<label>Account <input name=username list=users value=\"{}\" required></label>\
         <datalist id=users>{users}</datalist><label>Password <input name=password type=password required></label>\
         <button>Sign in</button></form></html>",
        escaped(problem),
        escaped(&value("login_hint")),
    );
    Reply::text(200, "text/html; charset=utf-8", html)
}

fn complaint(text: &str) -> Reply {
    Reply::json(400, &json!({ "error": "invalid_request", "error_description": text }))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
