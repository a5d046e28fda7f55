//! People and programs that may use the interface.

use crate::{
    api::{
        document::write::{check_name, note},
        extract::{Body, Page, PageQuery, Query, id},
        guard::guard,
    },
    auth::{
        Permission as P, Principal, Role, first, password, secret,
        session::{roles_from, roles_to},
    },
    error::{Code, Problem},
    limits,
    state::{AppState, now},
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use dreiklang_core::{ids::AgentId, time::Timestamp};
use dreiklang_store as store;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A person who may sign in.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    /// Typed in at sign-in; unique.
    pub name: String,
    /// Shown to people.
    pub display_name: String,
    /// What the person may be.
    pub roles: Vec<Role>,
    /// Id of the agent this person works as.
    pub agent: Option<String>,
    /// May not sign in.
    pub disabled: bool,
    /// When it was made.
    pub created_at: i64,
}

/// A new person.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Typed in at sign-in; unique.
    pub name: String,
    /// Shown to people; the name when left out.
    #[serde(default)]
    pub display_name: Option<String>,
    /// What the person may be.
    pub roles: BTreeSet<Role>,
    /// Id of the agent this person works as.
    #[serde(default)]
    pub agent: Option<String>,
    /// At least twelve characters; made up and answered once when left out.
    #[serde(default)]
    pub password: Option<String>,
}

/// What a person is changed to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Shown to people.
    pub display_name: String,
    /// What the person may be.
    pub roles: BTreeSet<Role>,
    /// Id of the agent this person works as.
    #[serde(default)]
    pub agent: Option<String>,
    /// May not sign in.
    #[serde(default)]
    pub disabled: bool,
}

/// A person just made, or with a new password.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserWithPassword {
    /// The person.
    #[serde(flatten)]
    pub user: User,
    /// The password that was made up; shown only this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// A password given by an administrator.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenPassword {
    /// At least twelve characters; made up and answered once when left out.
    #[serde(default)]
    pub password: Option<String>,
}

/// A program's right to use the interface.
#[derive(Debug, Serialize, ToSchema)]
pub struct Token {
    /// Unique.
    pub name: String,
    /// What it may be.
    pub roles: Vec<Role>,
    /// When it was made.
    pub created_at: i64,
    /// When it ends; absent: when it is removed.
    pub expires_at: Option<i64>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<i64>,
}

/// A new token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Unique.
    pub name: String,
    /// What it may be.
    pub roles: BTreeSet<Role>,
    /// When it ends; absent: when it is removed.
    #[serde(default)]
    pub expires_at: Option<i64>,
}

/// A token just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenWithSecret {
    /// The token.
    #[serde(flatten)]
    pub token: Token,
    /// To be sent as `Authorization: Bearer …`; shown only this once.
    pub secret: String,
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ReadSetup, routes!(list_users)))
        .routes(guard(P::ManageUsers, routes!(create_user)))
        .routes(guard(P::ReadSetup, routes!(read_user)))
        .routes(guard(P::ManageUsers, routes!(change_user)))
        .routes(guard(P::ManageUsers, routes!(remove_user)))
        .routes(guard(P::ManageUsers, routes!(give_password)))
        .routes(guard(P::ReadSetup, routes!(list_tokens)))
        .routes(guard(P::ManageUsers, routes!(create_token)))
        .routes(guard(P::ManageUsers, routes!(remove_token)))
}

fn shown(user: store::User) -> User {
    User {
        roles: roles_from(&user.role).into_iter().collect(),
        name: user.name,
        display_name: user.display_name,
        agent: user.agent.map(|agent| agent.to_string()),
        disabled: user.disabled,
        created_at: user.created_at.0,
    }
}

fn shown_token(token: store::Token) -> Token {
    Token {
        roles: roles_from(&token.role).into_iter().collect(),
        name: token.name,
        created_at: token.created_at.0,
        expires_at: token.expires_at.map(|at| at.0),
        last_used_at: token.last_used_at.map(|at| at.0),
    }
}

/// Lists the people who may sign in.
#[utoipa::path(get, path = "/users", tag = "users", operation_id = "listUsers", params(PageQuery),
    responses((status = 200, description = "A page.", body = Page<User>)))]
async fn list_users(State(state): State<AppState>, principal: Principal, Query(query): Query<PageQuery>) -> Result<Page<User>, Problem> {
    let users = state.store().users(principal.tenant, query.cursor.as_deref()).await?;
    Ok(Page::cut(users.into_iter().map(shown).collect(), query.rows()?, |user| user.name.clone()))
}

/// Creates a person who may sign in.
#[utoipa::path(post, path = "/users", tag = "users", operation_id = "createUser", request_body = NewUser,
    responses((status = 201, description = "Created.", body = UserWithPassword)))]
async fn create_user(State(state): State<AppState>, principal: Principal, Body(new): Body<NewUser>) -> Result<Response, Problem> {
    check_user_name(&new.name)?;
    check_roles(&new.roles)?;
    let writer = state.writer(principal.tenant);
    let _turn = writer.lock().await;
    if state.store().user(principal.tenant, &new.name).await?.is_some() {
        return Err(Problem::new(Code::NameTaken, format!("\"{}\" is taken.", new.name)).field("name"));
    }
    let (hash, made_up) = chosen_password(&state, &new.name, new.password).await?;
    let user = store::User {
        tenant: principal.tenant,
        display_name: new.display_name.unwrap_or_else(|| new.name.clone()),
        name: new.name,
        password_hash: Some(hash),
        role: roles_to(&new.roles),
        agent: agent_of(&state, &principal, new.agent.as_deref(), &new.roles).await?,
        disabled: false,
        created_at: now(),
    };
    check_name(&user.display_name)?;
    state.store().put_user(user.clone()).await?;
    note(&state, &principal, "user.created", &user.name, json!({ "roles": new.roles })).await?;
    Ok((StatusCode::CREATED, Json(UserWithPassword { user: shown(user), password: made_up })).into_response())
}

/// Reads a person.
#[utoipa::path(get, path = "/users/{name}", tag = "users", operation_id = "getUser", params(("name" = String, Path, description = "Who.")),
    responses((status = 200, description = "The person.", body = User)))]
async fn read_user(State(state): State<AppState>, principal: Principal, Path(name): Path<String>) -> Result<Json<User>, Problem> {
    Ok(Json(shown(present(&state, &principal, &name).await?)))
}

/// Changes a person. Takes effect at once, also for those signed in.
#[utoipa::path(put, path = "/users/{name}", tag = "users", operation_id = "changeUser", request_body = UserChange,
    params(("name" = String, Path, description = "Who.")), responses((status = 200, description = "Changed.", body = User)))]
async fn change_user(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
    Body(change): Body<UserChange>,
) -> Result<Json<User>, Problem> {
    check_roles(&change.roles)?;
    check_name(&change.display_name)?;
    let writer = state.writer(principal.tenant);
    let _turn = writer.lock().await;
    let mut user = present(&state, &principal, &name).await?;
    if change.disabled || !change.roles.contains(&Role::Administrator) {
        keep_an_administrator(&state, &principal, &user).await?;
    }
    user.agent = agent_of(&state, &principal, change.agent.as_deref(), &change.roles).await?;
    user.display_name = change.display_name;
    user.role = roles_to(&change.roles);
    user.disabled = change.disabled;
    state.store().put_user(user.clone()).await?;
    if user.disabled {
        state.store().delete_sessions(principal.tenant, &name).await?;
    }
    note(&state, &principal, "user.changed", &name, json!({ "roles": change.roles, "disabled": change.disabled })).await?;
    Ok(Json(shown(user)))
}

/// Removes a person and ends their sessions.
#[utoipa::path(delete, path = "/users/{name}", tag = "users", operation_id = "deleteUser", params(("name" = String, Path, description = "Who.")),
    responses((status = 204, description = "Gone.")))]
async fn remove_user(State(state): State<AppState>, principal: Principal, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    let writer = state.writer(principal.tenant);
    let _turn = writer.lock().await;
    let user = present(&state, &principal, &name).await?;
    keep_an_administrator(&state, &principal, &user).await?;
    state.store().delete_user(principal.tenant, &name).await?;
    note(&state, &principal, "user.removed", &name, json!({})).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a person a new password and ends their sessions.
#[utoipa::path(put, path = "/users/{name}/password", tag = "users", operation_id = "givePassword", request_body = GivenPassword,
    params(("name" = String, Path, description = "Who.")), responses((status = 200, description = "Changed.", body = UserWithPassword)))]
async fn give_password(
    State(state): State<AppState>,
    principal: Principal,
    Path(name): Path<String>,
    Body(given): Body<GivenPassword>,
) -> Result<Json<UserWithPassword>, Problem> {
    let mut user = present(&state, &principal, &name).await?;
    let (hash, made_up) = chosen_password(&state, &name, given.password).await?;
    user.password_hash = Some(hash);
    state.store().put_user(user.clone()).await?;
    state.store().delete_sessions(principal.tenant, &name).await?;
    note(&state, &principal, "password.given", &name, json!({})).await?;
    Ok(Json(UserWithPassword { user: shown(user), password: made_up }))
}

/// Lists the tokens of programs.
#[utoipa::path(get, path = "/tokens", tag = "tokens", operation_id = "listTokens", params(PageQuery),
    responses((status = 200, description = "A page.", body = Page<Token>)))]
async fn list_tokens(State(state): State<AppState>, principal: Principal, Query(query): Query<PageQuery>) -> Result<Page<Token>, Problem> {
    let tokens = state.store().tokens(principal.tenant, query.cursor.as_deref()).await?;
    Ok(Page::cut(tokens.into_iter().map(shown_token).collect(), query.rows()?, |token| token.name.clone()))
}

/// Creates a token for a program.
#[utoipa::path(post, path = "/tokens", tag = "tokens", operation_id = "createToken", request_body = NewToken,
    responses((status = 201, description = "Created; keep the secret, it is not shown again.", body = TokenWithSecret)))]
async fn create_token(State(state): State<AppState>, principal: Principal, Body(new): Body<NewToken>) -> Result<Response, Problem> {
    check_name(&new.name)?;
    check_roles(&new.roles)?;
    if new.roles.contains(&Role::Agent) {
        return Err(Problem::invalid("roles", "A token is nobody's desk; the role agent is for people. Use program."));
    }
    if new.expires_at.is_some_and(|at| at <= now().0) {
        return Err(Problem::invalid("expires_at", "This time has passed."));
    }
    if count_tokens(&state, &principal).await? >= limits::TOKENS_PER_TENANT {
        return Err(Problem::new(Code::LimitReached, format!("A tenant has at most {} tokens.", limits::TOKENS_PER_TENANT)));
    }
    let (token, secret) = make_token(state.store(), principal.tenant, &new.name, &new.roles, new.expires_at.map(Timestamp)).await?;
    note(&state, &principal, "token.created", &new.name, json!({ "roles": new.roles })).await?;
    Ok((StatusCode::CREATED, Json(TokenWithSecret { token: shown_token(token), secret })).into_response())
}

/// Makes a token and returns its secret; for the command line too.
///
/// # Errors
/// When the name is taken or the store fails.
pub async fn make_token(
    store: &store::Store,
    tenant: dreiklang_core::ids::TenantId,
    name: &str,
    roles: &BTreeSet<Role>,
    expires_at: Option<Timestamp>,
) -> Result<(store::Token, String), Problem> {
    let secret = secret::generate(secret::TOKEN_PREFIX);
    let token = store::Token {
        tenant,
        name: name.to_owned(),
        hash: secret::hash(&secret),
        role: roles_to(roles),
        created_at: now(),
        expires_at,
        last_used_at: None,
    };
    store.create_token(token.clone()).await?;
    Ok((token, secret))
}

/// Removes a token; it ends at once.
#[utoipa::path(delete, path = "/tokens/{name}", tag = "tokens", operation_id = "deleteToken", params(("name" = String, Path, description = "Which.")),
    responses((status = 204, description = "Gone.")))]
async fn remove_token(State(state): State<AppState>, principal: Principal, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    if !state.store().delete_token(principal.tenant, &name).await? {
        return Err(Problem::not_found("token", name));
    }
    note(&state, &principal, "token.removed", &name, json!({})).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn present(state: &AppState, principal: &Principal, name: &str) -> Result<store::User, Problem> {
    state.store().user(principal.tenant, name).await?.ok_or_else(|| Problem::not_found("user", name))
}

async fn chosen_password(state: &AppState, name: &str, given: Option<String>) -> Result<(String, Option<String>), Problem> {
    match given {
        Some(given) => {
            password::check(name, &given)?;
            Ok((state.hasher().hash(&given).await?, None))
        }
        None => {
            let made_up = password::generate();
            Ok((state.hasher().hash(&made_up).await?, Some(made_up)))
        }
    }
}

/// The agent a person works as; the role agent and the agent belong together.
async fn agent_of(
    state: &AppState,
    principal: &Principal,
    agent: Option<&str>,
    roles: &BTreeSet<Role>,
) -> Result<Option<AgentId>, Problem> {
    let Some(text) = agent else {
        if roles.contains(&Role::Agent) {
            return Err(Problem::invalid("agent", "Somebody with the role agent needs an agent; create it first and give its id."));
        }
        return Ok(None);
    };
    let agent: AgentId = id("agent", text).map_err(|problem| problem.field("agent"))?;
    if state.store().get(principal.tenant, "agent", text).await?.is_none() {
        return Err(Problem::invalid("agent", format!("There is no agent {agent}.")));
    }
    Ok(Some(agent))
}

async fn keep_an_administrator(state: &AppState, principal: &Principal, user: &store::User) -> Result<(), Problem> {
    let is_administrator = roles_from(&user.role).contains(&Role::Administrator);
    if is_administrator && first::count_administrators(state.store(), principal.tenant, Some(&user.name)).await? == 0 {
        return Err(Problem::new(
            Code::LastAdministrator,
            "Nobody could administer the tenant any more; make somebody else administrator first.",
        ));
    }
    Ok(())
}

async fn count_tokens(state: &AppState, principal: &Principal) -> Result<usize, Problem> {
    let mut count = 0;
    let mut after: Option<String> = None;
    loop {
        let page = state.store().tokens(principal.tenant, after.as_deref()).await?;
        let Some(last) = page.last() else { return Ok(count) };
        after = Some(last.name.clone());
        count += page.len();
    }
}

fn check_user_name(name: &str) -> Result<(), Problem> {
    check_name(name)?;
    if name.contains(char::is_whitespace) || name.contains(['/', '?', '#', '%']) {
        return Err(Problem::invalid("name", "A user name has no spaces and none of / ? # %."));
    }
    Ok(())
}

fn check_roles(roles: &BTreeSet<Role>) -> Result<(), Problem> {
    if roles.is_empty() {
        return Err(Problem::invalid("roles", "At least one role is needed."));
    }
    Ok(())
}
