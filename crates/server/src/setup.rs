//! What has to be told to whom when a process starts, and when what is set up changes.

use crate::{
    api::document::{
        agent::Agent,
        caller_list::CallerList,
        connection::Connection,
        flow::Flow,
        holidays::Holidays,
        hours::Hours,
        kind::Kind,
        number::Number,
        phone::Phone,
        queue::Queue,
        service::Service,
        skill::Skill,
        tenant::{OutboundRules, Tenant},
        trunk::Trunk,
        write,
    },
    error::Problem,
    runtime::TenantHandle,
    state::AppState,
};
use dreiklang_core::{World, config::Change, flow, ids::TenantId, queue};
use dreiklang_lines::connected::directory::TenantEntries;
use dreiklang_store::{NewDocument, PutError, Store};
use std::collections::{BTreeMap, BTreeSet};

/// The installation's tenants; makes one with this name when there is none.
///
/// # Errors
/// When the store fails.
pub async fn ensure_tenant(store: &Store, name: &str) -> Result<Vec<dreiklang_store::Tenant>, PutError> {
    let mut found = Vec::new();
    loop {
        let after = found.last().map(|tenant: &dreiklang_store::Tenant| tenant.name.clone());
        let page = store.tenants(after.as_deref()).await?;
        if !page.is_empty() {
            found.extend(page);
            continue;
        }
        if !found.is_empty() {
            return Ok(found);
        }
        store.put_tenant(TenantId(uuid::Uuid::now_v7().as_u128()), name).await?;
    }
}

/// Makes the owner of a tenant agree with the store, and tells the lines. To be called for every tenant before calls are
/// expected: a process may have died between storing a document and taking it over.
///
/// # Errors
/// When the store fails or the tenant has no owner.
pub async fn prepare(state: &AppState, tenant: TenantId) -> Result<(), Problem> {
    let writer = state.writer(tenant);
    let _turn = writer.lock().await;
    first_settings(state, tenant).await?;
    agree(state, tenant).await?;
    tell_lines(state, tenant).await
}

/// Brings the owner to what the store says. The caller holds the tenant's writer.
///
/// # Errors
/// When the store fails or the tenant has no owner.
pub(crate) async fn agree(state: &AppState, tenant: TenantId) -> Result<(), Problem> {
    let handle = state.tenant(tenant)?;
    let wanted = wanted(state.store(), tenant).await?;
    let changes = handle.read(move |world| differences(world, wanted)).await?;
    take_over(&handle, changes).await
}

/// A new tenant gets its settings, so that there is a document to change.
async fn first_settings(state: &AppState, tenant: TenantId) -> Result<(), Problem> {
    let id = tenant.to_string();
    if state.store().get(tenant, Tenant::KIND, &id).await?.is_some() {
        return Ok(());
    }
    let mut after: Option<String> = None;
    let name = loop {
        let tenants = state.store().tenants(after.as_deref()).await?;
        let Some(last) = tenants.last() else { break id.clone() };
        after = Some(last.name.clone());
        if let Some(found) = tenants.iter().find(|found| found.id == tenant) {
            break found.name.clone();
        }
    };
    let settings = Tenant {
        name: name.clone(),
        caller_number: None,
        outbound_line: None,
        not_ready_reasons: Vec::new(),
        dispositions: Vec::new(),
        outbound: OutboundRules::default(),
    };
    let body = serde_json::to_value(&settings).map_err(|error| Problem::failure(&error))?;
    let document = NewDocument { kind: Tenant::KIND.to_owned(), id, name: Some(name), expected_version: Some(0), body };
    state.store().put(tenant, document).await?;
    Ok(())
}

/// What the core should know, in an order in which every reference is there before it is used.
async fn wanted(store: &Store, tenant: TenantId) -> Result<Vec<Change>, Problem> {
    let mut wanted = Vec::new();
    collect::<Tenant>(store, tenant, &mut wanted).await?;
    collect::<Skill>(store, tenant, &mut wanted).await?;
    collect::<Holidays>(store, tenant, &mut wanted).await?;
    collect::<Hours>(store, tenant, &mut wanted).await?;
    collect::<Agent>(store, tenant, &mut wanted).await?;
    collect::<Service>(store, tenant, &mut wanted).await?;
    collect::<Flow>(store, tenant, &mut wanted).await?;
    collect::<Queue>(store, tenant, &mut wanted).await?;
    collect::<CallerList>(store, tenant, &mut wanted).await?;
    collect::<Number>(store, tenant, &mut wanted).await?;
    Ok(wanted)
}

async fn collect<K: Kind>(store: &Store, tenant: TenantId, wanted: &mut Vec<Change>) -> Result<(), Problem> {
    for document in write::all::<K>(store, tenant).await? {
        wanted.extend(document.body.change(&document.id)?);
    }
    Ok(())
}

/// What has to change in the world to agree with the documents: additions and changes first, then removals, users before used.
fn differences(world: &World, wanted: Vec<Change>) -> Vec<Change> {
    let mut kept = BTreeSet::new();
    // Queues, agents and flows name each other, so those that are missing are told twice: bare at first.
    let bare = |change: &Change| match change {
        Change::PutQueue(queue) if world.queue(queue.id).is_none() => Some(Change::PutQueue(queue::Settings::new(queue.id, &queue.name))),
        Change::PutFlow(flow) if world.flow(flow.id).is_none() => {
            Some(Change::PutFlow(Box::new(flow::Flow::announced(flow.id, &flow.name))))
        }
        _ => None,
    };
    let mut changes: Vec<Change> = wanted.iter().filter_map(bare).collect();
    for change in wanted {
        let same = match &change {
            Change::PutTenant(settings) => world.settings() == settings,
            Change::PutSkill(skill) => {
                kept.insert(skill.id.to_string());
                world.skill(skill.id) == Some(skill)
            }
            Change::PutQueue(queue) => {
                kept.insert(queue.id.to_string());
                world.queue(queue.id).is_some_and(|present| present.settings == *queue)
            }
            Change::PutAgent(agent) => {
                kept.insert(agent.id.to_string());
                world.agent(agent.id).is_some_and(|present| present.settings == *agent && !present.retiring)
            }
            Change::PutHolidays(holidays) => {
                kept.insert(holidays.id.to_string());
                world.holiday_set(holidays.id) == Some(holidays)
            }
            Change::PutHours(hours) => {
                kept.insert(hours.id.to_string());
                world.hours_of(hours.id) == Some(hours.as_ref())
            }
            Change::PutCallerList(list) => {
                kept.insert(list.id.to_string());
                world.caller_list(list.id) == Some(list.as_ref())
            }
            Change::PutService(service) => {
                kept.insert(service.id.to_string());
                world.service(service.id) == Some(service)
            }
            Change::PutFlow(flow) => {
                kept.insert(flow.id.to_string());
                world.flow(flow.id).is_some_and(|(_, present)| *present == **flow)
            }
            Change::PutNumber(number) => {
                kept.insert(number.id.to_string());
                world.number(number.id) == Some(number)
            }
            _ => true,
        };
        if !same {
            changes.push(change);
        }
    }
    let gone = |id: String| !kept.contains(&id);
    // Those that go together may name each other too.
    let flows = world.flows().filter(|(id, ..)| gone(id.to_string()));
    changes.extend(flows.map(|(id, _, flow)| Change::PutFlow(Box::new(flow::Flow::announced(id, &flow.name)))));
    let queues = world.queues().filter(|queue| gone(queue.settings.id.to_string()));
    changes.extend(queues.map(|queue| Change::PutQueue(queue::Settings::new(queue.settings.id, &queue.settings.name))));
    changes.extend(world.numbers().filter(|number| gone(number.id.to_string())).map(|number| Change::RemoveNumber(number.id)));
    changes.extend(world.caller_lists().filter(|list| gone(list.id.to_string())).map(|list| Change::RemoveCallerList(list.id)));
    changes.extend(world.flows().map(|(id, ..)| id).filter(|id| gone(id.to_string())).map(Change::RemoveFlow));
    changes.extend(world.services().filter(|service| gone(service.id.to_string())).map(|service| Change::RemoveService(service.id)));
    changes.extend(
        world
            .agents()
            .filter(|agent| !agent.retiring && gone(agent.settings.id.to_string()))
            .map(|agent| Change::RemoveAgent(agent.settings.id)),
    );
    changes.extend(world.queues().filter(|queue| gone(queue.settings.id.to_string())).map(|queue| Change::RemoveQueue(queue.settings.id)));
    changes.extend(world.hours().filter(|hours| gone(hours.id.to_string())).map(|hours| Change::RemoveHours(hours.id)));
    changes.extend(world.holidays().filter(|set| gone(set.id.to_string())).map(|set| Change::RemoveHolidays(set.id)));
    changes.extend(world.skills().filter(|skill| gone(skill.id.to_string())).map(|skill| Change::RemoveSkill(skill.id)));
    changes
}

async fn take_over(handle: &TenantHandle, mut changes: Vec<Change>) -> Result<(), Problem> {
    if !changes.is_empty() {
        tracing::info!(tenant = %handle.tenant(), documents = changes.len(), "the owner takes over documents it had missed");
    }
    while let Err((index, error)) = write::configure_all(handle, changes.clone()).await {
        match error {
            crate::runtime::CommandError::Refused(refusal) => {
                // Better to serve with one document less than not at all.
                tracing::error!(tenant = %handle.tenant(), code = refusal.code(), %refusal, "a stored document does not hold together and is not in effect");
                changes.drain(..=index);
            }
            unavailable => return Err(unavailable.into()),
        }
    }
    Ok(())
}

/// What the Connected line has to know of a tenant.
///
/// # Errors
/// When the store fails.
pub async fn entries(store: &Store, tenant: TenantId) -> Result<TenantEntries, Problem> {
    let trunks = write::all::<Trunk>(store, tenant).await?;
    let phones = write::all::<Phone>(store, tenant).await?;
    let numbers = write::all::<Number>(store, tenant).await?;
    let mut by_id = BTreeMap::new();
    for trunk in trunks {
        // Ids grow with time: the oldest trunk is tried first.
        by_id.insert(trunk.id, trunk.body.to_line());
    }
    Ok(TenantEntries {
        trunks: by_id.into_values().collect(),
        phones: phones.iter().map(|phone| phone.body.to_line()).collect::<Result<_, _>>()?,
        numbers: numbers
            .into_iter()
            .filter(|number| number.body.line == crate::api::document::agent::Line::Connected)
            .map(|number| number.body.number)
            .collect(),
    })
}

/// Tells the lines of a tenant what they have to know.
///
/// # Errors
/// When the store fails.
pub async fn tell_lines(state: &AppState, tenant: TenantId) -> Result<(), Problem> {
    if let Some(connected) = state.runtime().lines().connected() {
        connected.set_directory(tenant, entries(state.store(), tenant).await?).await;
    }
    if let Some(unified) = state.runtime().lines().unified() {
        let connections = write::all::<Connection>(state.store(), tenant).await?;
        let connections = connections.iter().map(|connection| connection.body.to_line(&connection.id)).collect();
        for problem in unified.set_connections(tenant, connections).await {
            tracing::error!(%tenant, code = "LINE-021", problem, "a connection to Microsoft cannot be used");
        }
    }
    Ok(())
}
