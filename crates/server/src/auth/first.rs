//! The first administrator: without one nobody could ever sign in.

use super::{Role, password, session::roles_to};
use crate::{error::Problem, state::now};
use dreiklang_core::ids::TenantId;
use dreiklang_store::{Store, User};
use std::collections::BTreeSet;

/// Name of the first administrator.
pub const NAME: &str = "admin";

/// What the caller has to show to the operator, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstAdministrator {
    /// To sign in with.
    pub user: String,
    /// To sign in with; kept nowhere.
    pub password: String,
}

/// Makes an administrator when the tenant has none; `None` when there is one. `password` is made up when it is not given.
///
/// # Errors
/// When the given password is not acceptable, or the store fails.
pub async fn ensure(store: &Store, tenant: TenantId, given: Option<String>) -> Result<Option<FirstAdministrator>, Problem> {
    if count_administrators(store, tenant, None).await? > 0 {
        return Ok(None);
    }
    set_administrator(store, tenant, NAME, given).await.map(Some)
}

/// Makes or changes an administrator, whatever there is; the way in when all passwords are lost. For the command line.
///
/// # Errors
/// As [`ensure`].
pub async fn set_administrator(store: &Store, tenant: TenantId, name: &str, given: Option<String>) -> Result<FirstAdministrator, Problem> {
    let secret = match given {
        Some(given) => {
            password::check(name, &given)?;
            given
        }
        None => password::generate(),
    };
    let existing = store.user(tenant, name).await?;
    let mut roles = existing.as_ref().map(|user| super::session::roles_from(&user.role)).unwrap_or_default();
    roles.insert(Role::Administrator);
    let user = User {
        tenant,
        name: name.to_owned(),
        display_name: existing.as_ref().map_or_else(|| "Administrator".to_owned(), |user| user.display_name.clone()),
        password_hash: Some(password::hash_now(&secret)?),
        role: roles_to(&BTreeSet::from_iter(roles)),
        agent: existing.as_ref().and_then(|user| user.agent),
        disabled: false,
        created_at: now(),
    };
    store.put_user(user).await?;
    store.delete_sessions(tenant, name).await?;
    Ok(FirstAdministrator { user: name.to_owned(), password: secret })
}

/// Administrators who can sign in, leaving one user out.
pub(crate) async fn count_administrators(store: &Store, tenant: TenantId, but: Option<&str>) -> Result<usize, Problem> {
    let mut count = 0;
    let mut after: Option<String> = None;
    loop {
        let users = store.users(tenant, after.as_deref()).await?;
        let Some(last) = users.last() else { return Ok(count) };
        after = Some(last.name.clone());
        count += users
            .iter()
            .filter(|user| Some(user.name.as_str()) != but && !user.disabled && user.password_hash.is_some())
            .filter(|user| super::session::roles_from(&user.role).contains(&Role::Administrator))
            .count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_administrator_is_made_once() {
        let store = Store::in_memory().unwrap();
        let tenant = TenantId(1);
        let first = ensure(&store, tenant, None).await.unwrap().expect("there was none");
        assert_eq!(first.user, NAME);
        assert!(password::check(NAME, &first.password).is_ok());
        assert_eq!(ensure(&store, tenant, None).await.unwrap(), None);
        let reset = set_administrator(&store, tenant, NAME, Some("three words of mine".into())).await.unwrap();
        assert_eq!(reset.password, "three words of mine");
        assert_eq!(count_administrators(&store, tenant, None).await.unwrap(), 1);
        assert_eq!(count_administrators(&store, tenant, Some(NAME)).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_weak_first_password_is_refused() {
        let store = Store::in_memory().unwrap();
        assert_eq!(ensure(&store, TenantId(1), Some("short".into())).await.unwrap_err().code(), "AUTH-006");
    }
}
