//! Local users, their sessions, and the tokens of programs. Secrets never come here, only what was made of them: password hashes
//! as text, and hashes of session and token secrets. Who may do what is decided by the server; a role is a word to us.

use crate::{document::PutError, failure::Failure, limits, sqlite::column::Id, store::Store};
use dreiklang_core::{
    ids::{AgentId, TenantId},
    time::Timestamp,
};
use rusqlite::{OptionalExtension, Row, params};

/// What is kept of the secret of a session or token: its SHA-256.
pub type SecretHash = [u8; 32];

/// A person who signs in with a password kept here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The tenant the person belongs to.
    pub tenant: TenantId,
    /// Typed in at sign-in; unique in the tenant.
    pub name: String,
    /// Shown to people.
    pub display_name: String,
    /// The password's hash with its parameters; `None` = cannot sign in with a password.
    pub password_hash: Option<String>,
    /// What the person may do; the server's word.
    pub role: String,
    /// The agent this person works as.
    pub agent: Option<AgentId>,
    /// May not sign in.
    pub disabled: bool,
    /// When the user was made.
    pub created_at: Timestamp,
}

/// A browser's signed-in state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What is kept of its secret.
    pub hash: SecretHash,
    /// The tenant.
    pub tenant: TenantId,
    /// The user's name.
    pub user: String,
    /// What the session may do.
    pub role: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A program's right to use the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The tenant.
    pub tenant: TenantId,
    /// Shown to people; unique in the tenant.
    pub name: String,
    /// What is kept of its secret.
    pub hash: SecretHash,
    /// What it may do.
    pub role: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; `None` = when it is removed.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, as far as [`Store::touch_token`] was told.
    pub last_used_at: Option<Timestamp>,
}

impl Store {
    /// Writes a user, new or changed (`created_at` of an existing one stays).
    pub async fn put_user(&self, user: User) -> Result<(), Failure> {
        self.sqlite()
            .write(0, None, move |db| {
                db.prepare_cached(
                    "INSERT INTO user (tenant, name, display_name, password_hash, role, agent, disabled, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                     ON CONFLICT (tenant, name) DO UPDATE SET display_name = excluded.display_name,
                         password_hash = excluded.password_hash, role = excluded.role, agent = excluded.agent, disabled = excluded.disabled",
                )?
                .execute(params![
                    Id(user.tenant),
                    user.name,
                    user.display_name,
                    user.password_hash,
                    user.role,
                    user.agent.map(Id),
                    user.disabled,
                    user.created_at.0
                ])?;
                Ok(())
            })
            .await
    }

    /// One user.
    pub async fn user(&self, tenant: TenantId, name: &str) -> Result<Option<User>, Failure> {
        let name = name.to_owned();
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached(&format!("SELECT {USER} FROM user WHERE tenant = ?1 AND name = ?2"))?;
                Ok(statement.query_row(params![Id(tenant), name], user).optional()?)
            })
            .await
    }

    /// The users of this name in all tenants, for a sign-in that does not say which tenant; at most a page.
    pub async fn users_named(&self, name: &str) -> Result<Vec<User>, Failure> {
        let name = name.to_owned();
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached(&format!("SELECT {USER} FROM user WHERE name = ?1 ORDER BY tenant LIMIT ?2"))?;
                let rows = statement.query_map(params![name, limits::PAGE_ROWS as i64], user)?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// A tenant's users by name, beginning after the name `after`; at most a page.
    pub async fn users(&self, tenant: TenantId, after: Option<&str>) -> Result<Vec<User>, Failure> {
        let after = after.unwrap_or_default().to_owned();
        self.sqlite()
            .read(move |db| {
                let mut statement =
                    db.prepare_cached(&format!("SELECT {USER} FROM user WHERE tenant = ?1 AND name > ?2 ORDER BY name LIMIT ?3"))?;
                let rows = statement.query_map(params![Id(tenant), after, limits::PAGE_ROWS as i64], user)?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Removes a user and ends the user's sessions; `false` when there was none.
    pub async fn delete_user(&self, tenant: TenantId, name: &str) -> Result<bool, Failure> {
        let name = name.to_owned();
        self.sqlite()
            .write(0, None, move |db| {
                db.prepare_cached("DELETE FROM session WHERE tenant = ?1 AND user = ?2")?.execute(params![Id(tenant), name])?;
                Ok(db.prepare_cached("DELETE FROM user WHERE tenant = ?1 AND name = ?2")?.execute(params![Id(tenant), name])? > 0)
            })
            .await
    }

    /// Begins a session, or prolongs the one with the same hash. Forgets sessions that ended before this one began.
    pub async fn put_session(&self, session: Session) -> Result<(), Failure> {
        self.sqlite()
            .write(0, None, move |db| {
                db.prepare_cached("DELETE FROM session WHERE expires_at <= ?1")?.execute([session.created_at.0])?;
                db.prepare_cached(
                    "INSERT INTO session (hash, tenant, user, role, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT (hash) DO UPDATE SET role = excluded.role, expires_at = excluded.expires_at",
                )?
                .execute(params![
                    session.hash,
                    Id(session.tenant),
                    session.user,
                    session.role,
                    session.created_at.0,
                    session.expires_at.0
                ])?;
                Ok(())
            })
            .await
    }

    /// The session of this hash, unless it has ended.
    pub async fn session(&self, hash: SecretHash, now: Timestamp) -> Result<Option<Session>, Failure> {
        self.sqlite()
            .read(move |db| {
                let mut statement = db.prepare_cached(
                    "SELECT hash, tenant, user, role, created_at, expires_at FROM session WHERE hash = ?1 AND expires_at > ?2",
                )?;
                let found = statement.query_row(params![hash, now.0], |row| {
                    Ok(Session {
                        hash: row.get(0)?,
                        tenant: row.get::<_, Id<TenantId>>(1)?.0,
                        user: row.get(2)?,
                        role: row.get(3)?,
                        created_at: Timestamp(row.get(4)?),
                        expires_at: Timestamp(row.get(5)?),
                    })
                });
                Ok(found.optional()?)
            })
            .await
    }

    /// Ends a session; `false` when there was none.
    pub async fn delete_session(&self, hash: SecretHash) -> Result<bool, Failure> {
        self.sqlite().write(0, None, move |db| Ok(db.prepare_cached("DELETE FROM session WHERE hash = ?1")?.execute([hash])? > 0)).await
    }

    /// Ends all sessions of a user (password changed, role changed), and returns how many.
    pub async fn delete_sessions(&self, tenant: TenantId, user: &str) -> Result<usize, Failure> {
        let user = user.to_owned();
        self.sqlite()
            .write(0, None, move |db| {
                Ok(db.prepare_cached("DELETE FROM session WHERE tenant = ?1 AND user = ?2")?.execute(params![Id(tenant), user])?)
            })
            .await
    }

    /// Makes a token.
    pub async fn create_token(&self, token: Token) -> Result<(), PutError> {
        self.sqlite()
            .write(0, None, move |db| {
                let taken = db
                    .prepare_cached("SELECT 1 FROM token WHERE tenant = ?1 AND name = ?2")?
                    .exists(params![Id(token.tenant), token.name])?;
                if taken {
                    return Err(PutError::NameTaken { name: token.name.clone() });
                }
                db.prepare_cached("INSERT INTO token (tenant, name, hash, role, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                    .execute(params![
                        Id(token.tenant),
                        token.name,
                        token.hash,
                        token.role,
                        token.created_at.0,
                        token.expires_at.map(|at| at.0)
                    ])?;
                Ok(())
            })
            .await
    }

    /// The token of this hash, unless it has ended.
    pub async fn token(&self, hash: SecretHash, now: Timestamp) -> Result<Option<Token>, Failure> {
        self.sqlite()
            .read(move |db| {
                let mut statement =
                    db.prepare_cached(&format!("SELECT {TOKEN} FROM token WHERE hash = ?1 AND (expires_at IS NULL OR expires_at > ?2)"))?;
                Ok(statement.query_row(params![hash, now.0], token).optional()?)
            })
            .await
    }

    /// A tenant's tokens by name, ended ones too; at most a page.
    pub async fn tokens(&self, tenant: TenantId, after: Option<&str>) -> Result<Vec<Token>, Failure> {
        let after = after.unwrap_or_default().to_owned();
        self.sqlite()
            .read(move |db| {
                let mut statement =
                    db.prepare_cached(&format!("SELECT {TOKEN} FROM token WHERE tenant = ?1 AND name > ?2 ORDER BY name LIMIT ?3"))?;
                let rows = statement.query_map(params![Id(tenant), after, limits::PAGE_ROWS as i64], token)?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Remembers that a token was used. A write: call it once a minute per token, not with every request.
    pub async fn touch_token(&self, hash: SecretHash, now: Timestamp) -> Result<(), Failure> {
        self.sqlite()
            .write(0, None, move |db| {
                db.prepare_cached("UPDATE token SET last_used_at = max(coalesce(last_used_at, 0), ?2) WHERE hash = ?1")?
                    .execute(params![hash, now.0])?;
                Ok(())
            })
            .await
    }

    /// Removes a token; `false` when there was none.
    pub async fn delete_token(&self, tenant: TenantId, name: &str) -> Result<bool, Failure> {
        let name = name.to_owned();
        self.sqlite()
            .write(0, None, move |db| {
                Ok(db.prepare_cached("DELETE FROM token WHERE tenant = ?1 AND name = ?2")?.execute(params![Id(tenant), name])? > 0)
            })
            .await
    }
}

const USER: &str = "tenant, name, display_name, password_hash, role, agent, disabled, created_at";

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        tenant: row.get::<_, Id<TenantId>>(0)?.0,
        name: row.get(1)?,
        display_name: row.get(2)?,
        password_hash: row.get(3)?,
        role: row.get(4)?,
        agent: row.get::<_, Option<Id<AgentId>>>(5)?.map(|id| id.0),
        disabled: row.get(6)?,
        created_at: Timestamp(row.get(7)?),
    })
}

const TOKEN: &str = "tenant, name, hash, role, created_at, expires_at, last_used_at";

fn token(row: &Row<'_>) -> rusqlite::Result<Token> {
    Ok(Token {
        tenant: row.get::<_, Id<TenantId>>(0)?.0,
        name: row.get(1)?,
        hash: row.get(2)?,
        role: row.get(3)?,
        created_at: Timestamp(row.get(4)?),
        expires_at: row.get::<_, Option<i64>>(5)?.map(Timestamp),
        last_used_at: row.get::<_, Option<i64>>(6)?.map(Timestamp),
    })
}
