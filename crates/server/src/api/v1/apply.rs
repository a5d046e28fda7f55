//! Everything that is set up as one document: exported, compared and applied.
//!
//! References are names, so that a document fits another installation. Secrets are never exported; where a document leaves one out, the
//! present one stays. Applying twice changes nothing the second time. Either everything is applied or nothing.

use crate::{
    api::{
        document::{
            Document, Kind,
            agent::Agent,
            caller_list::CallerList,
            connection::Connection,
            flow::Flow,
            holidays::Holidays,
            hours::Hours,
            number::Number,
            phone::Phone,
            queue::Queue,
            reference::{Names, Reference},
            service::Service,
            skill::Skill,
            tenant::Tenant,
            trunk::Trunk,
            webhook::Webhook,
            write::{self, Step},
        },
        extract::Query,
        guard::guard,
    },
    auth::{Permission as P, Principal, secret},
    error::{Code, Problem},
    limits,
    state::AppState,
};
use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use dreiklang_core::ids::TenantId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Version of the document's form.
const VERSION: u32 = 1;

/// Everything that is set up. What is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// Version of this form: 1.
    #[serde(default = "version")]
    pub version: u32,
    /// The tenant's own settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Tenant>,
    /// Skills.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<Skill>,
    /// Sets of holidays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holidays>,
    /// Opening hours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<Hours>,
    /// Queues.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<Queue>,
    /// Agents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<Agent>,
    /// Lists of callers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caller_lists: Vec<CallerList>,
    /// Services that call flows ask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// Call flows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<Flow>,
    /// Numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<Number>,
    /// Trunks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trunks: Vec<Trunk>,
    /// Connections to Microsoft.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<Connection>,
    /// Telephones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<Phone>,
    /// Webhooks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Webhook>,
}

fn version() -> u32 {
    VERSION
}

/// What applying changed, or would change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Applied {
    /// Nothing was changed, this only says what would be.
    pub dry_run: bool,
    /// Every document that differs, in the order in which they are written.
    pub changes: Vec<Change>,
    /// Documents that are as they should be.
    pub unchanged: usize,
}

/// One document that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// `create`, `change` or `remove`.
    pub action: String,
    /// The kind, such as `queue`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What differs, field by field: before and after.
    #[schema(value_type = Object)]
    pub fields: BTreeMap<String, [Value; 2]>,
}

/// How to apply.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ApplyQuery {
    /// Only say what would change.
    #[serde(default)]
    pub dry_run: bool,
    /// Remove documents that the configuration does not name.
    #[serde(default)]
    pub prune: bool,
}

/// In which form to export.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ExportQuery {
    /// `json` or `toml`.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    pub format: Format,
}

/// A form of writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON.
    #[default]
    Json,
    /// TOML.
    Toml,
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ReadSetup, routes!(export_configuration)))
        .routes(guard(P::WriteConfiguration, routes!(apply_configuration)))
}

/// Exports everything that is set up, without secrets.
#[utoipa::path(get, path = "/configuration", tag = "configuration", operation_id = "exportConfiguration", params(ExportQuery),
    responses((status = 200, description = "The configuration.", content((Configuration = "application/json"), (String = "application/toml")))))]
async fn export_configuration(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let configuration = export(&state, principal.tenant).await?;
    Ok(match query.format {
        Format::Json => Json(configuration).into_response(),
        Format::Toml => {
            let text = toml::to_string_pretty(&configuration).map_err(|error| Problem::failure(&error))?;
            ([(header::CONTENT_TYPE, "application/toml")], text).into_response()
        }
    })
}

/// Applies a configuration, or says what it would change.
#[utoipa::path(post, path = "/configuration", tag = "configuration", operation_id = "applyConfiguration", params(ApplyQuery),
    request_body(content((Configuration = "application/json"), (String = "application/toml"))),
    responses((status = 200, description = "What was changed, or would be.", body = Applied)))]
async fn apply_configuration(
    State(state): State<AppState>,
    principal: Principal,
    Query(query): Query<ApplyQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Applied>, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let configuration = match kind {
        "application/json" => serde_json::from_slice(&body).map_err(|error| Problem::new(Code::Malformed, error.to_string()))?,
        "application/toml" => {
            let text = str::from_utf8(&body).map_err(|_| Problem::new(Code::Malformed, "The body is not UTF-8."))?;
            toml::from_str(text).map_err(|error| Problem::new(Code::Malformed, error.to_string()))?
        }
        _ => return Err(Problem::new(Code::UnsupportedBody, "Send the configuration as application/json or application/toml.")),
    };
    Ok(Json(apply(&state, &principal, configuration, query.dry_run, query.prune).await?))
}

/// Everything that is set up, without secrets, with names for references.
///
/// # Errors
/// When the store fails.
pub async fn export(state: &AppState, tenant: TenantId) -> Result<Configuration, Problem> {
    let present = Present::read(state, tenant).await?;
    let names = present.names();
    Ok(Configuration {
        version: VERSION,
        tenant: shown(present.tenant, &names).pop(),
        skills: shown(present.skills, &names),
        holidays: shown(present.holidays, &names),
        hours: shown(present.hours, &names),
        queues: shown(present.queues, &names),
        agents: shown(present.agents, &names),
        caller_lists: shown(present.caller_lists, &names),
        services: shown(present.services, &names),
        flows: shown(present.flows, &names),
        numbers: shown(present.numbers, &names),
        trunks: shown(present.trunks, &names),
        connections: shown(present.connections, &names),
        phones: shown(present.phones, &names),
        webhooks: shown(present.webhooks, &names),
    })
}

fn shown<K: Kind>(documents: Vec<Document<K>>, names: &Names) -> Vec<K> {
    let mut bodies: Vec<K> = documents
        .into_iter()
        .map(|mut document| {
            document.body.hide_secrets();
            names.to_names(document.body.references());
            document.body
        })
        .collect();
    bodies.sort_by(|one, other| one.name().cmp(other.name()));
    bodies
}

/// Applies a configuration on somebody's behalf. With `dry_run` it only says what would change; with `prune` documents that the
/// configuration does not name are removed.
///
/// # Errors
/// When something in it is not acceptable; then nothing is changed.
pub async fn apply(
    state: &AppState,
    principal: &Principal,
    mut wanted: Configuration,
    dry_run: bool,
    prune: bool,
) -> Result<Applied, Problem> {
    if wanted.version != VERSION {
        return Err(Problem::invalid("version", format!("This program reads version {VERSION}.")));
    }
    let tenant = principal.tenant;
    let writer = state.writer(tenant);
    let _turn = writer.lock().await;
    let present = Present::read(state, tenant).await?;
    if let Some(settings) = &wanted.tenant
        && present.tenant.is_empty()
    {
        return Err(Problem::new(Code::Unavailable, format!("The tenant \"{}\" is not set up yet.", settings.name)));
    }
    let mut names = present.names();
    let mut plan = Plan { steps: Vec::new(), changes: Vec::new(), unchanged: 0, prune };
    // What does not exist yet gets its id first, so that others can name it.
    let ids = NewIds::of(&wanted, &mut names);
    plan.put(state, tenant, &names, &ids, &present.tenant, wanted.tenant.take().into_iter().collect()).await?;
    plan.put(state, tenant, &names, &ids, &present.skills, wanted.skills.clone()).await?;
    plan.put(state, tenant, &names, &ids, &present.holidays, wanted.holidays.clone()).await?;
    plan.put(state, tenant, &names, &ids, &present.hours, wanted.hours.clone()).await?;
    plan.put(state, tenant, &names, &ids, &present.agents, wanted.agents.clone()).await?;
    plan.put(state, tenant, &names, &ids, &present.services, wanted.services.clone()).await?;
    // New flows are whole before those that are there already lead to them.
    let (known, new): (Vec<Flow>, Vec<Flow>) =
        wanted.flows.iter().cloned().partition(|flow| present.flows.iter().any(|document| document.body.name == flow.name));
    plan.put(state, tenant, &names, &ids, &present.flows, new.into_iter().chain(known).collect()).await?;
    plan.put(state, tenant, &names, &ids, &present.queues, wanted.queues.clone()).await?;
    plan.put(state, tenant, &names, &ids, &present.caller_lists, wanted.caller_lists.clone()).await?;
    plan.put(state, tenant, &names, &ids, &present.numbers, wanted.numbers.clone()).await?;
    plan.put(state, tenant, &names, &ids, &present.trunks, wanted.trunks.clone()).await?;
    plan.put(state, tenant, &names, &ids, &present.connections, wanted.connections.clone()).await?;
    plan.put(state, tenant, &names, &ids, &present.phones, wanted.phones.clone()).await?;
    plan.put(state, tenant, &names, &ids, &present.webhooks, wanted.webhooks.clone()).await?;
    // Users go before what they use.
    plan.remove(&present.webhooks, &wanted.webhooks)?;
    plan.remove(&present.phones, &wanted.phones)?;
    plan.remove(&present.connections, &wanted.connections)?;
    plan.remove(&present.trunks, &wanted.trunks)?;
    plan.remove(&present.numbers, &wanted.numbers)?;
    plan.remove(&present.caller_lists, &wanted.caller_lists)?;
    plan.remove(&present.flows, &wanted.flows)?;
    plan.remove(&present.services, &wanted.services)?;
    plan.remove(&present.agents, &wanted.agents)?;
    plan.remove(&present.queues, &wanted.queues)?;
    plan.remove(&present.hours, &wanted.hours)?;
    plan.remove(&present.holidays, &wanted.holidays)?;
    plan.remove(&present.skills, &wanted.skills)?;
    if let Err((index, problem)) = write::validate(&state.tenant(tenant)?, write::changes_of(&plan.steps)).await {
        return Err(match index.and_then(|index| plan.steps.get(index)) {
            Some(step) => problem.within(&format!("{} \"{}\"", step.kind, step.name)),
            None => problem,
        });
    }
    if !dry_run && !plan.steps.is_empty() {
        write::execute(state, principal, plan.steps).await?;
    }
    Ok(Applied { dry_run, changes: plan.changes, unchanged: plan.unchanged })
}

/// Everything that is set up, with secrets.
struct Present {
    tenant: Vec<Document<Tenant>>,
    skills: Vec<Document<Skill>>,
    holidays: Vec<Document<Holidays>>,
    hours: Vec<Document<Hours>>,
    queues: Vec<Document<Queue>>,
    agents: Vec<Document<Agent>>,
    caller_lists: Vec<Document<CallerList>>,
    services: Vec<Document<Service>>,
    flows: Vec<Document<Flow>>,
    numbers: Vec<Document<Number>>,
    trunks: Vec<Document<Trunk>>,
    connections: Vec<Document<Connection>>,
    phones: Vec<Document<Phone>>,
    webhooks: Vec<Document<Webhook>>,
}

impl Present {
    async fn read(state: &AppState, tenant: TenantId) -> Result<Present, Problem> {
        let store = state.store();
        Ok(Present {
            tenant: write::all(store, tenant).await?,
            skills: write::all(store, tenant).await?,
            holidays: write::all(store, tenant).await?,
            hours: write::all(store, tenant).await?,
            queues: write::all(store, tenant).await?,
            agents: write::all(store, tenant).await?,
            caller_lists: write::all(store, tenant).await?,
            services: write::all(store, tenant).await?,
            flows: write::all(store, tenant).await?,
            numbers: write::all(store, tenant).await?,
            trunks: write::all(store, tenant).await?,
            connections: write::all(store, tenant).await?,
            phones: write::all(store, tenant).await?,
            webhooks: write::all(store, tenant).await?,
        })
    }

    fn names(&self) -> Names {
        let mut names = Names::default();
        self.skills.iter().for_each(|document| names.add(Reference::Skill, &document.id, document.body.name()));
        self.holidays.iter().for_each(|document| names.add(Reference::Holidays, &document.id, document.body.name()));
        self.hours.iter().for_each(|document| names.add(Reference::Hours, &document.id, document.body.name()));
        self.queues.iter().for_each(|document| names.add(Reference::Queue, &document.id, document.body.name()));
        self.agents.iter().for_each(|document| names.add(Reference::Agent, &document.id, document.body.name()));
        self.services.iter().for_each(|document| names.add(Reference::Service, &document.id, document.body.name()));
        self.flows.iter().for_each(|document| names.add(Reference::Flow, &document.id, document.body.name()));
        names
    }
}

/// Ids of what does not exist yet.
struct NewIds(BTreeMap<(&'static str, String), String>);

impl NewIds {
    fn of(wanted: &Configuration, names: &mut Names) -> NewIds {
        let mut ids = BTreeMap::new();
        let mut make = |reference: Reference, name: &str| {
            if names.id(reference, name).is_none() {
                let id = secret::new_id(reference.prefix());
                names.add(reference, &id, name);
                ids.insert((reference.kind(), name.to_owned()), id);
            }
        };
        wanted.skills.iter().for_each(|skill| make(Reference::Skill, &skill.name));
        wanted.holidays.iter().for_each(|holidays| make(Reference::Holidays, &holidays.name));
        wanted.hours.iter().for_each(|hours| make(Reference::Hours, &hours.name));
        wanted.queues.iter().for_each(|queue| make(Reference::Queue, &queue.name));
        wanted.agents.iter().for_each(|agent| make(Reference::Agent, &agent.name));
        wanted.services.iter().for_each(|service| make(Reference::Service, &service.name));
        wanted.flows.iter().for_each(|flow| make(Reference::Flow, &flow.name));
        NewIds(ids)
    }

    fn get<K: Kind>(&self, name: &str) -> String {
        self.0.get(&(K::KIND, name.to_owned())).cloned().unwrap_or_else(|| secret::new_id(K::PREFIX))
    }
}

struct Plan {
    steps: Vec<Step>,
    changes: Vec<Change>,
    unchanged: usize,
    prune: bool,
}

impl Plan {
    async fn put<K: Kind>(
        &mut self,
        state: &AppState,
        tenant: TenantId,
        names: &Names,
        ids: &NewIds,
        present: &[Document<K>],
        wanted: Vec<K>,
    ) -> Result<(), Problem> {
        let mut seen = BTreeSet::new();
        for mut body in wanted {
            let place = format!("{} \"{}\"", K::KIND, body.name());
            if !seen.insert(body.name().to_owned()) {
                return Err(Problem::invalid(&place, "It is named twice."));
            }
            // There is only one tenant document, whatever its name.
            let former = present.iter().find(|document| K::KIND == Tenant::KIND || document.body.name() == body.name());
            names.to_ids(body.references()).map_err(|problem| problem.within(&place))?;
            body.keep_secrets(former.map(|former| &former.body));
            if former.is_some_and(|former| former.body == body) {
                self.unchanged += 1;
                continue;
            }
            check::<K>(state, tenant, names, &body).await.map_err(|problem| problem.within(&place))?;
            let id = former.map_or_else(|| ids.get::<K>(body.name()), |former| former.id.clone());
            self.changes.push(Change {
                action: if former.is_some() { "change" } else { "create" }.to_owned(),
                kind: K::KIND.to_owned(),
                name: body.name().to_owned(),
                fields: differences(former.map(|former| &former.body), &body, names)?,
            });
            self.steps.push(Step {
                kind: K::KIND,
                expected: Some(former.map_or(0, |former| former.version)),
                name: body.name().to_owned(),
                announcement: if former.is_none() { body.announcement(&id)? } else { None },
                change: body.change(&id)?,
                body: Some(serde_json::to_value(&body).map_err(|error| Problem::failure(&error))?),
                id,
            });
        }
        if present.len() + seen.len() > limits::DOCUMENTS_APPLIED {
            return Err(Problem::new(
                Code::LimitReached,
                format!("A configuration has at most {} documents of a kind.", limits::DOCUMENTS_APPLIED),
            ));
        }
        Ok(())
    }

    fn remove<K: Kind>(&mut self, present: &[Document<K>], wanted: &[K]) -> Result<(), Problem> {
        if !self.prune {
            return Ok(());
        }
        let named: BTreeSet<&str> = wanted.iter().map(Kind::name).collect();
        for document in present.iter().filter(|document| !named.contains(document.body.name())) {
            self.changes.push(Change {
                action: "remove".to_owned(),
                kind: K::KIND.to_owned(),
                name: document.body.name().to_owned(),
                fields: BTreeMap::new(),
            });
            self.steps.push(Step {
                kind: K::KIND,
                id: document.id.clone(),
                name: document.body.name().to_owned(),
                expected: Some(document.version),
                body: None,
                // Those that go together may name each other too.
                announcement: document.body.announcement(&document.id)?,
                change: K::removal(&document.id)?,
            });
        }
        Ok(())
    }
}

/// As for a single document, except that an agent may come with the same configuration as the telephone.
async fn check<K: Kind>(state: &AppState, tenant: TenantId, names: &Names, body: &K) -> Result<(), Problem> {
    let any: &(dyn std::any::Any + Send + Sync) = body;
    match any.downcast_ref::<Phone>() {
        Some(phone) if names.has(&phone.agent) => {
            phone.check()?;
            write::taken_elsewhere(state, tenant, &phone.user).await
        }
        _ => write::check(state, tenant, body).await,
    }
}

/// Fields that differ, without secrets and with names for references.
fn differences<K: Kind>(former: Option<&K>, body: &K, names: &Names) -> Result<BTreeMap<String, [Value; 2]>, Problem> {
    let plain = |body: &K| -> Result<Value, Problem> {
        let mut body = body.clone();
        body.hide_secrets();
        names.to_names(body.references());
        serde_json::to_value(&body).map_err(|error| Problem::failure(&error))
    };
    let before = former.map(plain).transpose()?.unwrap_or_default();
    let after = plain(body)?;
    let mut fields = BTreeMap::new();
    let keys: BTreeSet<&String> = before.as_object().into_iter().chain(after.as_object()).flat_map(|object| object.keys()).collect();
    for key in keys {
        let (before, after) = (before.get(key).cloned().unwrap_or_default(), after.get(key).cloned().unwrap_or_default());
        if before != after {
            fields.insert(key.clone(), [before, after]);
        }
    }
    if fields.is_empty() && former.is_some() {
        // Only a secret differs, and that is not shown.
        fields.insert("secret".to_owned(), [Value::from("…"), Value::from("changed")]);
    }
    Ok(fields)
}
