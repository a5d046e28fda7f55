//! Signing in and out, and who one is.

use crate::{
    api::{
        extract::Body,
        guard::{guard, open},
    },
    auth::{
        Permission, Principal, Proof, Role, password, secret,
        session::{ClientAddress, SessionSecret, is_own_origin, principal_of, set_cookie},
    },
    error::{Code, Problem},
    limits,
    state::{AppState, now},
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use dreiklang_core::{Actor, ids::TenantId, time::Millis};
use dreiklang_store::{AuditNote, Session, User};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{net::IpAddr, time::Instant};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Tenants tried for a sign-in that names none; people with the same user name in more of them have to say which.
const TENANTS_TRIED: usize = 4;

/// User name and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The tenant's id or name; needed only when the user name exists in several.
    #[serde(default)]
    pub tenant: Option<String>,
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: String,
}

/// Who one is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The tenant's id.
    pub tenant: String,
    /// The tenant's name.
    pub tenant_name: String,
    /// The user's or token's name.
    pub name: String,
    /// What one may be.
    pub roles: Vec<Role>,
    /// The agent one is, if any.
    pub agent: Option<String>,
    /// To be sent as `X-CSRF-Token` with everything that changes something; only for pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csrf_token: Option<String>,
}

/// A new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnPassword {
    /// The present one.
    pub present: String,
    /// The new one, at least twelve characters.
    pub new: String,
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(open(routes!(sign_in)))
        .routes(guard(Permission::SignedIn, routes!(sign_out)))
        .routes(guard(Permission::SignedIn, routes!(me)))
        .routes(guard(Permission::SignedIn, routes!(change_password)))
}

/// Signs a page in: sets a cookie.
#[utoipa::path(post, path = "/session", tag = "session", operation_id = "signIn", request_body = SignIn,
    responses((status = 200, description = "Signed in.", body = Me)))]
async fn sign_in(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Body(sign_in): Body<SignIn>,
) -> Result<Response, Problem> {
    if !is_own_origin(&state.config().http, &headers) {
        return Err(Problem::new(Code::CrossSite, "The request comes from a page of another origin."));
    }
    state.attempts().check(&sign_in.user, address, Instant::now())?;
    let candidates = candidates(&state, &sign_in).await?;
    let tenants: Vec<_> = candidates.iter().map(|user| user.tenant).collect();
    let Some(user) = recognize(&state, &sign_in, candidates).await? else {
        // Names that do not exist belong to no tenant, and are often passwords typed into the wrong field.
        for tenant in tenants {
            note_sign_in(&state, tenant, "sign_in.failed", &sign_in.user, address).await?;
        }
        state.attempts().failed(&sign_in.user, address, Instant::now());
        return Err(Problem::new(Code::WrongPassword, "There is no such user, or the password is another one."));
    };
    state.attempts().succeeded(&sign_in.user);
    let secret = secret::generate("");
    let now = now();
    let session = Session {
        hash: secret::hash(&secret),
        tenant: user.tenant,
        user: user.name.clone(),
        role: user.role.clone(),
        created_at: now,
        expires_at: now + Millis(limits::SESSION_LIFE.as_millis() as u64),
    };
    state.store().put_session(session).await?;
    note_sign_in(&state, user.tenant, "sign_in", &user.name, address).await?;
    let principal = principal_of(&user, secret::hash(&secret));
    let body = describe(&state, &principal, Some(&secret)).await?;
    Ok(([(header::SET_COOKIE, set_cookie(&state.config().http, &secret))], Json(body)).into_response())
}

async fn note_sign_in(state: &AppState, tenant: TenantId, action: &str, user: &str, address: IpAddr) -> Result<(), Problem> {
    let note = AuditNote {
        at: now(),
        actor: Actor::User(user.to_owned()),
        action: action.to_owned(),
        subject: user.to_owned(),
        detail: json!({ "address": address }),
    };
    state.store().audit(tenant, note).await?;
    Ok(())
}

/// Users that may be meant.
async fn candidates(state: &AppState, sign_in: &SignIn) -> Result<Vec<User>, Problem> {
    let mut users = state.store().users_named(&sign_in.user).await?;
    if let Some(wanted) = &sign_in.tenant {
        let mut tenants = Vec::new();
        for tenant in state.store().tenants(None).await? {
            if tenant.name == *wanted || tenant.id.to_string() == *wanted {
                tenants.push(tenant.id);
            }
        }
        users.retain(|user| tenants.contains(&user.tenant));
    }
    users.retain(|user| !user.disabled && user.password_hash.is_some());
    users.truncate(TENANTS_TRIED);
    Ok(users)
}

/// The candidate whose password it is.
async fn recognize(state: &AppState, sign_in: &SignIn, candidates: Vec<User>) -> Result<Option<User>, Problem> {
    if candidates.is_empty() {
        state.hasher().verify(&sign_in.password, None).await?;
        return Ok(None);
    }
    for user in candidates {
        if state.hasher().verify(&sign_in.password, user.password_hash.clone()).await? {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

/// Signs the page out. Does nothing for tokens.
#[utoipa::path(delete, path = "/session", tag = "session", operation_id = "signOut",
    responses((status = 204, description = "Signed out.")))]
async fn sign_out(State(state): State<AppState>, session: Option<Extension<SessionSecret>>) -> Result<Response, Problem> {
    if let Some(Extension(SessionSecret(value))) = session {
        state.store().delete_session(secret::hash(&value)).await?;
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, set_cookie(&state.config().http, ""))]).into_response())
}

/// Says who one is.
#[utoipa::path(get, path = "/me", tag = "session", operation_id = "getMe",
    responses((status = 200, description = "Oneself.", body = Me)))]
async fn me(State(state): State<AppState>, principal: Principal, session: Option<Extension<SessionSecret>>) -> Result<Json<Me>, Problem> {
    let secret = session.as_ref().map(|session| session.0.0.as_str());
    Ok(Json(describe(&state, &principal, secret).await?))
}

async fn describe(state: &AppState, principal: &Principal, secret: Option<&str>) -> Result<Me, Problem> {
    let tenant_name = match state.tenant(principal.tenant) {
        Ok(handle) => handle.read(|world| world.settings().name.clone()).await?,
        Err(problem) => return Err(problem),
    };
    Ok(Me {
        tenant: principal.tenant.to_string(),
        tenant_name,
        name: principal.name.clone(),
        roles: principal.roles.iter().copied().collect(),
        agent: principal.agent.map(|agent| agent.to_string()),
        csrf_token: secret.map(secret::csrf),
    })
}

/// Changes one's own password. Ends all other sessions, and this one.
#[utoipa::path(put, path = "/me/password", tag = "session", operation_id = "changeOwnPassword", request_body = OwnPassword,
    responses((status = 204, description = "Changed; sign in again.")))]
async fn change_password(
    State(state): State<AppState>,
    principal: Principal,
    ClientAddress(address): ClientAddress,
    Body(change): Body<OwnPassword>,
) -> Result<Response, Problem> {
    if principal.proof != Proof::Cookie {
        return Err(Problem::new(Code::NotAllowed, "A token has no password."));
    }
    state.attempts().check(&principal.name, address, Instant::now())?;
    let Some(mut user) = state.store().user(principal.tenant, &principal.name).await? else {
        return Err(Problem::not_found("user", &principal.name));
    };
    if !state.hasher().verify(&change.present, user.password_hash.clone()).await? {
        state.attempts().failed(&principal.name, address, Instant::now());
        return Err(Problem::new(Code::WrongPassword, "The present password is another one.").field("present"));
    }
    password::check(&user.name, &change.new)?;
    user.password_hash = Some(state.hasher().hash(&change.new).await?);
    state.store().put_user(user).await?;
    state.store().delete_sessions(principal.tenant, &principal.name).await?;
    crate::api::document::write::note(&state, &principal, "password.changed", &principal.name, json!({})).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, set_cookie(&state.config().http, ""))]).into_response())
}
