//! Connections in use, by the id that Microsoft's requests name.

use super::settings::Connection;
use dreiklang_core::ids::TenantId;
use dreiklang_microsoft::{Transport, acs::Client, webhook::Verifier};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// A connection, ready to be used.
pub(super) struct Ready {
    pub tenant: TenantId,
    pub settings: Connection,
    pub client: Client,
    pub verifier: Verifier,
}

/// All of them. Cheap to clone; clones are the same.
#[derive(Clone, Default)]
pub(super) struct Registry {
    ready: Arc<RwLock<HashMap<String, Arc<Ready>>>>,
}

impl Registry {
    /// The connection of this id.
    pub fn get(&self, id: &str) -> Option<Arc<Ready>> {
        self.ready.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// The tenant's connection that has this number, else its first.
    pub fn of(&self, tenant: TenantId, number: Option<&str>) -> Option<Arc<Ready>> {
        let ready = self.ready.read().unwrap_or_else(PoisonError::into_inner);
        let mut own: Vec<&Arc<Ready>> = ready.values().filter(|one| one.tenant == tenant).collect();
        own.sort_by(|one, other| one.settings.id.cmp(&other.settings.id));
        let has = |one: &&&Arc<Ready>| one.settings.accounts.iter().any(|account| Some(account.number.as_str()) == number);
        own.iter().find(has).or(own.first()).map(|one| Arc::clone(one))
    }

    /// Replaces a tenant's connections. One whose settings are the same keeps its tokens and keys. Returns what is wrong with those
    /// that cannot be used.
    pub fn set(&self, transport: &Transport, tenant: TenantId, connections: Vec<Connection>) -> Vec<String> {
        let mut ready = self.ready.write().unwrap_or_else(PoisonError::into_inner);
        let former: HashMap<String, Arc<Ready>> = ready.extract_if(|_, one| one.tenant == tenant).collect();
        let mut problems = Vec::new();
        for settings in connections {
            if let Some(same) = former.get(&settings.id).filter(|one| one.settings == settings) {
                ready.insert(settings.id.clone(), Arc::clone(same));
                continue;
            }
            let client = settings.client().and_then(|client| Client::new(transport.clone(), client).map_err(|error| error.to_string()));
            match client {
                Ok(client) => {
                    let verifier = Verifier::new(transport.clone(), &settings.discovery, &settings.issuer, &settings.resource);
                    ready.insert(settings.id.clone(), Arc::new(Ready { tenant, settings, client, verifier }));
                }
                Err(problem) => problems.push(problem),
            }
        }
        problems
    }
}
