//! Asking services of organizations on behalf of call flows: the core says what to ask, this says it over HTTP and brings back the
//! answer.
//!
//! What goes wrong is an answer too, so that no flow waits for longer than it has to; the flow's own clock decides in the end, so
//! an answer that comes too late does no harm.
//!
//! # Layout
//!
//! `address` (where services may be), `request` (from the core's words to HTTP and back).

pub mod address;
mod request;

use crate::{
    api::document::{kind::Document, service::Service},
    limits,
    runtime::{Tenants, handle::Request},
};
use dreiklang_core::{
    Input,
    flow::ServiceRequest,
    ids::{ActionId, ServiceId, TenantId},
    output::ActionFailure,
};
use dreiklang_store::Store;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Where services may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// In private networks too, and there over plain HTTP.
    pub allow_private: bool,
    /// On this machine and its link too, and there over plain HTTP.
    pub allow_local: bool,
}

/// Asks services. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Services {
    store: Store,
    tenants: Tenants,
    rules: Rules,
    places: Arc<Semaphore>,
}

impl Services {
    pub fn new(store: Store, tenants: Tenants, rules: Rules) -> Services {
        Services { store, tenants, rules, places: Arc::new(Semaphore::new(limits::SERVICES_AT_ONCE)) }
    }

    /// Asks, and hands the answer to the tenant's owner. Returns what is to be answered instead when there is no room.
    pub fn submit(&self, tenant: TenantId, action: ActionId, service: ServiceId, request: ServiceRequest) -> Result<(), Box<Input>> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            let detail = format!("more than {} questions to services are open", limits::SERVICES_AT_ONCE);
            return Err(Box::new(Input::ActionFailed { action, failure: failure("SERVICE-003", detail) }));
        };
        let services = self.clone();
        tokio::spawn(async move {
            let limit = std::time::Duration::from_millis(request.limit.0) + limits::SERVICE_MARGIN;
            let late = || Err(failure("SERVICE-002", "it did not answer in time".to_owned()));
            let asked = tokio::time::timeout(limit, services.ask(tenant, action, service, &request)).await;
            let input = match asked.unwrap_or_else(|_| late()) {
                Ok(answer) => Input::ServiceAnswered { action, answer },
                Err(failure) => {
                    tracing::info!(%tenant, %service, code = failure.code, detail = failure.detail, "a service could not be asked");
                    Input::ActionFailed { action, failure }
                }
            };
            drop(place);
            if let Some(handle) = services.tenants.get(tenant) {
                // Without an owner, the next one asks again.
                let _ = handle.requests.send(Request::Input(input)).await;
            }
        });
        Ok(())
    }

    async fn ask(
        &self,
        tenant: TenantId,
        action: ActionId,
        service: ServiceId,
        request: &ServiceRequest,
    ) -> Result<dreiklang_core::flow::ServiceAnswer, ActionFailure> {
        let unknown = |detail: String| failure("SERVICE-001", detail);
        let stored = self.store.get(tenant, "service", &service.to_string()).await.map_err(|error| unknown(error.to_string()))?;
        let stored = stored.ok_or_else(|| unknown("it is not set up any more".to_owned()))?;
        let document = Document::<Service>::from_store(stored).map_err(|problem| unknown(problem.to_string()))?;
        request::ask(&document.body, action, request, self.rules).await
    }
}

fn failure(code: &str, detail: String) -> ActionFailure {
    ActionFailure { code: code.to_owned(), detail }
}
