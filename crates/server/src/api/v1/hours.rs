//! Opening hours beside their documents: whether it is open now, the switch by hand, and calendars that are taken over.

use crate::{
    api::{
        document::{Document, holidays::Holidays, write},
        extract::{Body, IfMatch, id},
        guard::guard,
        v1::documents::tagged,
    },
    auth::{Permission as P, Principal},
    error::{Code, Problem},
    http::no_content,
    state::{AppState, now},
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use dreiklang_core::{
    Command,
    hours::{Because, Switch, import},
    ids::HoursId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Whether it is open, why, and until when.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoursState {
    /// Open, or closed.
    pub open: bool,
    /// What decides it: `weekly`, `exception`, `holiday` or `switched`.
    pub because: &'static str,
    /// The exception's or the holiday's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it will be the other way round; absent when that is more than a year ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// How the switch stands.
    pub switch: HoursSwitch,
}

/// How the switch stands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum HoursSwitch {
    /// The hours decide.
    Automatic,
    /// Closed whatever the hours say.
    ForcedClosed {
        /// When the hours decide again; absent: when somebody switches back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<i64>,
    },
    /// Open whatever the hours say.
    ForcedOpen {
        /// When the hours decide again; absent: when somebody switches back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<i64>,
    },
}

impl From<HoursSwitch> for Switch {
    fn from(switch: HoursSwitch) -> Switch {
        match switch {
            HoursSwitch::Automatic => Switch::Automatic,
            HoursSwitch::ForcedClosed { until } => Switch::ForcedClosed { until: until.map(Timestamp) },
            HoursSwitch::ForcedOpen { until } => Switch::ForcedOpen { until: until.map(Timestamp) },
        }
    }
}

impl From<Switch> for HoursSwitch {
    fn from(switch: Switch) -> HoursSwitch {
        let millis = |until: Option<Timestamp>| until.map(|until| until.0);
        match switch {
            Switch::Automatic => HoursSwitch::Automatic,
            Switch::ForcedClosed { until } => HoursSwitch::ForcedClosed { until: millis(until) },
            Switch::ForcedOpen { until } => HoursSwitch::ForcedOpen { until: millis(until) },
        }
    }
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(guard(P::ReadConfiguration, routes!(state)))
        .routes(guard(P::ControlAnyConversation, routes!(switch)))
        .routes(guard(P::WriteConfiguration, routes!(take_over_calendar)))
}

/// Says whether it is open now, why, and until when.
#[utoipa::path(get, path = "/hours/{id}/state", tag = "hours", operation_id = "getHoursState",
    params(("id" = String, Path, description = "Which.")), responses((status = 200, description = "The state.", body = HoursState)))]
async fn state(State(state): State<AppState>, principal: Principal, Path(text): Path<String>) -> Result<Json<HoursState>, Problem> {
    let hours: HoursId = id("opening hours", &text)?;
    let at = now();
    let look = move |world: &dreiklang_core::World| {
        let found = world.is_open(hours, at)?;
        Some((found, world.hours_override(hours).map_or(Switch::Automatic, |standing| standing.switch)))
    };
    let (found, switch) = state.tenant(principal.tenant)?.read(look).await?.ok_or_else(|| Problem::not_found("opening hours", text))?;
    let (because, name) = match found.because {
        Because::Weekly => ("weekly", None),
        Because::Exception { name } => ("exception", Some(name)),
        Because::Holiday { name } => ("holiday", Some(name)),
        Because::Switched { .. } => ("switched", None),
    };
    Ok(Json(HoursState { open: found.open, because, name, until: found.until.map(|until| until.0), switch: switch.into() }))
}

/// Opens or closes against the clock, or lets the clock decide again.
#[utoipa::path(put, path = "/hours/{id}/switch", tag = "hours", operation_id = "switchHours", request_body = HoursSwitch,
    params(("id" = String, Path, description = "Which.")), responses((status = 204, description = "Done.")))]
async fn switch(
    State(state): State<AppState>,
    principal: Principal,
    Path(text): Path<String>,
    Body(switch): Body<HoursSwitch>,
) -> Result<StatusCode, Problem> {
    let hours: HoursId = id("opening hours", &text)?;
    let command = Command::SetHoursOverride { hours, to: switch.into() };
    state.tenant(principal.tenant)?.command(principal.actor(None), command).await?;
    Ok(no_content())
}

/// Takes the days of a set of holidays from a calendar: whole-day events of an iCalendar file (RFC 5545). Days that were in the
/// set before and are not in the calendar are gone.
#[utoipa::path(put, path = "/holidays/{id}/calendar", tag = "holidays", operation_id = "importHolidays",
    request_body(content((String = "text/calendar"))),
    params(("id" = String, Path, description = "Which."), ("If-Match" = String, Header, description = "The `ETag` this change builds on, or `*`.")),
    responses((status = 200, description = "They are in effect.", body = Document<Holidays>)))]
async fn take_over_calendar(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    if_match: IfMatch,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().unwrap_or_default().trim() != "text/calendar" {
        return Err(Problem::new(Code::UnsupportedBody, "Send the calendar as text/calendar."));
    }
    let text = str::from_utf8(&body).map_err(|_| Problem::new(Code::Malformed, "The calendar is not UTF-8."))?;
    let days = import(text).map_err(|error| Problem::invalid("calendar", format!("The calendar cannot be taken over: {error}.")))?;
    let present = write::read::<Holidays>(&state, principal.tenant, &id).await?;
    let body = Holidays { days: days.into_iter().map(Into::into).collect(), ..present.body };
    Ok(tagged(StatusCode::OK, write::put(&state, &principal, Some((&id, if_match)), body).await?, None))
}
