//! From facts to rows: what each event of the journal changes in the tables that reports read.
//!
//! Runs after the append, in the writer's spare time (see `sqlite/projector.rs`), each event exactly once and in order. Rows are
//! written so that an event that comes without the one it follows on (an old journal that was cut) still leaves a sensible row.

mod agent;
mod conversation;
pub(crate) mod figures;
mod queue;
mod talk;
mod written;

use crate::{
    failure::Failure,
    sqlite::column::{Count, Id},
};
use dreiklang_core::{
    Event, Stamped,
    config::Change,
    ids::{ActionId, ConversationId, TenantId},
};
use rusqlite::{Connection, OptionalExtension, Params, params};

/// Where an event belongs: passed to everything below.
pub(crate) struct Place<'a> {
    db: &'a Connection,
    tenant: TenantId,
    seq: u64,
    at: i64,
}

impl Place<'_> {
    fn run(&self, sql: &str, params: impl Params) -> Result<usize, Failure> {
        Ok(self.db.prepare_cached(sql)?.execute(params)?)
    }
}

/// Takes one event over.
pub(crate) fn apply(db: &Connection, tenant: TenantId, stamped: &Stamped) -> Result<(), Failure> {
    let place = Place { db, tenant, seq: stamped.seq, at: stamped.at.0 };
    let event = &stamped.event;
    trace(&place, event)?;
    match event {
        Event::Configured { change } => configured(&place, change),
        Event::ConversationStarted { conversation, line, direction, caller, dialed, .. } => {
            conversation::started(&place, *conversation, *line, *direction, caller, dialed)
        }
        Event::LegAdded { conversation, leg, role, line, direction, endpoint } => {
            conversation::leg_added(&place, *conversation, *leg, *role, *line, *direction, endpoint)
        }
        Event::LegRinging { conversation, leg } => conversation::leg_ringing(&place, *conversation, *leg),
        Event::LegConnected { conversation, leg, .. } => conversation::leg_connected(&place, *conversation, *leg),
        Event::LegEnded { conversation, leg, role, line, started_at, connected_at, termination, .. } => {
            let times = (started_at.0, connected_at.map(|at| at.0));
            conversation::leg_ended(&place, *conversation, *leg, *role, *line, times, termination)
        }
        Event::LegMeasured { conversation, leg, quality } => conversation::leg_measured(&place, *conversation, *leg, quality),
        Event::SegmentClosed { conversation, kind, from, to, queue, agent, .. } => {
            conversation::segment_closed(&place, *conversation, *kind, (from.0, to.0), *queue, *agent)
        }
        Event::ConversationEnded { conversation, termination, .. } => conversation::ended(&place, *conversation, termination),
        Event::RecordingStarted { conversation, recording, .. } => conversation::recording_started(&place, *conversation, *recording),
        Event::RecordingFinished { conversation, recording, path, duration, channels, .. } => {
            conversation::recording_finished(&place, *conversation, *recording, path, *duration, *channels)
        }
        Event::RecordingFailed { conversation, recording, reason } => {
            conversation::recording_failed(&place, *conversation, *recording, reason)
        }
        Event::VisitStarted { visit, conversation, queue, priority, skills, enqueued_at, .. } => {
            queue::visit_started(&place, *visit, *conversation, *queue, *priority, skills, *enqueued_at)
        }
        Event::VisitEnded { visit, conversation, queue, enqueued_at, outcome, wait, agent } => {
            queue::visit_ended(&place, *visit, *conversation, *queue, *enqueued_at, *outcome, *wait, *agent)
        }
        Event::OfferMade { offer, visit, conversation, queue, agent, leg, rings_until, .. } => {
            queue::offer_made(&place, *offer, *visit, *conversation, *queue, *agent, *leg, *rings_until)
        }
        Event::OfferEnded { offer, conversation, queue, agent, made_at, outcome } => {
            queue::offer_ended(&place, *offer, *conversation, *queue, *agent, *made_at, *outcome)
        }
        Event::TalkStarted { conversation, queue, agent, leg } => talk::started(&place, *conversation, *queue, *agent, *leg),
        Event::TalkEnded { conversation, queue, agent, leg, talk, hold } => {
            talk::ended(&place, *conversation, *queue, *agent, *leg, *talk, *hold)
        }
        Event::WrapUpEnded { agent, conversation, started_at, disposition, missing, .. } => {
            talk::wrap_up_ended(&place, *conversation, *agent, *started_at, (disposition.as_deref(), *missing))
        }
        Event::DispositionSet { agent, conversation, disposition, .. } => {
            talk::disposition_set(&place, *conversation, *agent, disposition.as_deref())
        }
        Event::DutyChanged { agent, duty, .. } => agent::changed(&place, *agent, |state| state.set_duty(*duty)),
        Event::AvailabilityChanged { agent, availability, .. } => {
            agent::changed(&place, *agent, |state| state.set_availability(availability))
        }
        Event::OccupationChanged { agent, occupation, .. } => agent::changed(&place, *agent, |state| state.set_occupation(occupation)),
        Event::WrittenOpened { .. }
        | Event::WrittenQueued { .. }
        | Event::WrittenUnqueued { .. }
        | Event::WrittenTaken { .. }
        | Event::WrittenReleased { .. }
        | Event::WrittenDisposed { .. }
        | Event::WrittenWrapUpEnded { .. }
        | Event::WrittenClosed { .. } => written::apply(&place, event),
        // For the trace only.
        Event::WrittenOffered { .. }
        | Event::WrittenOfferEnded { .. }
        | Event::WrittenWrapUpStarted { .. }
        | Event::LegHeld { .. }
        | Event::HoldStarted { .. }
        | Event::HoldEnded { .. }
        | Event::VisitEstimated { .. }
        | Event::EstimateMeasured { .. }
        | Event::PaceMeasured { .. }
        | Event::VisitOverflowed { .. }
        | Event::OverflowPassedOver { .. }
        | Event::Announced { .. }
        | Event::FarewellStarted { .. }
        | Event::VisitPulled { .. }
        | Event::Requeued { .. }
        | Event::QueueStaffed { .. }
        | Event::QueueClosed { .. }
        | Event::NoticeChanged { .. }
        | Event::HoursOverridden { .. }
        | Event::FlowEntered { .. }
        | Event::FlowStepped { .. }
        | Event::FlowWaiting { .. }
        | Event::FlowKeyed { .. }
        | Event::SurveyOffered { .. }
        | Event::SurveyAnswered { .. }
        | Event::FlowAskedAgain { .. }
        | Event::FlowSuspended { .. }
        | Event::FlowLeft { .. }
        | Event::LanguageChosen { .. }
        | Event::CallerListed { .. }
        | Event::PriorityChanged { .. }
        | Event::VisitWidened { .. }
        | Event::Decided { .. }
        | Event::TransferStarted { .. }
        | Event::TransferEnded { .. }
        | Event::MemberJoined { .. }
        | Event::MemberLeft { .. }
        | Event::SupervisionStarted { .. }
        | Event::SupervisionAnswered { .. }
        | Event::SupervisionChanged { .. }
        | Event::SupervisionEnded { .. }
        | Event::ConsultStarted { .. }
        | Event::CallbackOffered { .. }
        | Event::NumberTyped { .. }
        | Event::CallbackRequested { .. }
        | Event::CallbackRepeated { .. }
        | Event::CallbackRescheduled { .. }
        | Event::CallbackCalled { .. }
        | Event::CallbackMissed { .. }
        | Event::CallbackEnded { .. }
        | Event::MessageStarted { .. }
        | Event::MessageLeft { .. }
        | Event::MessageDiscarded { .. }
        | Event::MessageMarked { .. }
        | Event::MessageDeleted { .. }
        | Event::RecordingPaused { .. }
        | Event::RecordingResumed { .. }
        | Event::RecordingPauseFailed { .. }
        | Event::RecordingRefused { .. }
        | Event::ConsultCalled { .. }
        | Event::ConsultAnswered { .. }
        | Event::ConsultTurned { .. }
        | Event::ConsultEnded { .. }
        | Event::ConversationEnding { .. }
        | Event::WrapUpStarted { .. }
        | Event::WrapUpExtended { .. }
        | Event::OfferAnswered { .. }
        | Event::AgentPassedOver { .. }
        | Event::AgentsAskedAgain { .. }
        | Event::ReturnPlanned { .. }
        | Event::QueueSignIn { .. }
        | Event::ProfileChosen { .. }
        | Event::AvailabilityPlanned { .. }
        | Event::DutyPlanned { .. }
        | Event::ReachabilityChanged { .. }
        | Event::ActionRequested { .. }
        | Event::ActionSettled { .. }
        | Event::TookOver {}
        | Event::DrainChanged { .. } => Ok(()),
    }
}

fn configured(place: &Place<'_>, change: &Change) -> Result<(), Failure> {
    match change {
        Change::PutQueue(settings) => queue::configured(place, settings),
        Change::PutAgent(settings) => agent::configured(place, settings),
        // Names and promises stay: figures of the past still need them.
        Change::RemoveQueue(_) => Ok(()),
        Change::RemoveAgent(id) => agent::changed(place, *id, |state| state.set_duty(dreiklang_core::agent::Duty::SignedOut)),
        Change::PutSkill(_)
        | Change::PutNumber(_)
        | Change::PutFlow(_)
        | Change::PutTenant(_)
        | Change::PutCallerList(_)
        | Change::RemoveCallerList(_)
        | Change::PutService(_)
        | Change::RemoveService(_)
        | Change::PutHours(_)
        | Change::PutHolidays(_)
        | Change::RemoveHours(_)
        | Change::RemoveHolidays(_)
        | Change::RemoveSkill(_)
        | Change::RemoveFlow(_)
        | Change::RemoveNumber(_) => Ok(()),
    }
}

/// Notes the event with its conversation, if it has one.
fn trace(place: &Place<'_>, event: &Event) -> Result<(), Failure> {
    let Some(conversation) = conversation_of(place, event)? else {
        return Ok(());
    };
    let body = serde_json::to_string(event).map_err(|error| Failure::Internal { detail: error.to_string() })?;
    // The tag is the first field of what serde writes for a tagged enum.
    let kind = body.strip_prefix("{\"type\":\"").and_then(|rest| rest.split('"').next()).unwrap_or_default();
    place.run(
        "INSERT OR IGNORE INTO event (tenant, conversation, seq, at, type, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![Id(place.tenant), Id(conversation), Count(place.seq), place.at, kind, body],
    )?;
    Ok(())
}

fn conversation_of(place: &Place<'_>, event: &Event) -> Result<Option<ConversationId>, Failure> {
    Ok(match event {
        Event::ConversationStarted { conversation, .. }
        | Event::LegAdded { conversation, .. }
        | Event::LegRinging { conversation, .. }
        | Event::LegConnected { conversation, .. }
        | Event::LegHeld { conversation, .. }
        | Event::LegEnded { conversation, .. }
        | Event::LegMeasured { conversation, .. }
        | Event::SegmentClosed { conversation, .. }
        | Event::VisitStarted { conversation, .. }
        | Event::VisitEnded { conversation, .. }
        | Event::OfferMade { conversation, .. }
        | Event::OfferEnded { conversation, .. }
        | Event::OfferAnswered { conversation, .. }
        | Event::AgentPassedOver { conversation, .. }
        | Event::AgentsAskedAgain { conversation, .. }
        | Event::DispositionSet { conversation, .. }
        | Event::TalkStarted { conversation, .. }
        | Event::TalkEnded { conversation, .. }
        | Event::HoldStarted { conversation, .. }
        | Event::HoldEnded { conversation }
        | Event::VisitEstimated { conversation, .. }
        | Event::EstimateMeasured { conversation, .. }
        | Event::VisitOverflowed { conversation, .. }
        | Event::OverflowPassedOver { conversation, .. }
        | Event::Announced { conversation, .. }
        | Event::FarewellStarted { conversation, .. }
        | Event::VisitPulled { conversation, .. }
        | Event::Requeued { conversation, .. }
        | Event::FlowEntered { conversation, .. }
        | Event::FlowStepped { conversation, .. }
        | Event::FlowWaiting { conversation, .. }
        | Event::FlowKeyed { conversation, .. }
        | Event::SurveyOffered { conversation, .. }
        | Event::SurveyAnswered { conversation, .. }
        | Event::FlowAskedAgain { conversation, .. }
        | Event::FlowSuspended { conversation, .. }
        | Event::FlowLeft { conversation, .. }
        | Event::LanguageChosen { conversation, .. }
        | Event::CallerListed { conversation, .. }
        | Event::PriorityChanged { conversation, .. }
        | Event::VisitWidened { conversation, .. }
        | Event::Decided { conversation, .. }
        | Event::TransferStarted { conversation, .. }
        | Event::TransferEnded { conversation, .. }
        | Event::MemberJoined { conversation, .. }
        | Event::MemberLeft { conversation, .. }
        | Event::SupervisionStarted { conversation, .. }
        | Event::SupervisionAnswered { conversation, .. }
        | Event::SupervisionChanged { conversation, .. }
        | Event::SupervisionEnded { conversation, .. }
        | Event::ConsultStarted { conversation, .. }
        | Event::ConsultCalled { conversation, .. }
        | Event::ConsultAnswered { conversation, .. }
        | Event::ConsultTurned { conversation, .. }
        | Event::ConsultEnded { conversation, .. }
        | Event::CallbackOffered { conversation, .. }
        | Event::NumberTyped { conversation, .. }
        | Event::CallbackCalled { conversation, .. }
        | Event::CallbackMissed { conversation, .. }
        | Event::MessageStarted { conversation, .. }
        | Event::MessageLeft { conversation, .. }
        | Event::MessageDiscarded { conversation, .. }
        | Event::RecordingStarted { conversation, .. }
        | Event::RecordingPaused { conversation, .. }
        | Event::RecordingResumed { conversation, .. }
        | Event::RecordingPauseFailed { conversation, .. }
        | Event::RecordingRefused { conversation, .. }
        | Event::RecordingFinished { conversation, .. }
        | Event::RecordingFailed { conversation, .. }
        | Event::ConversationEnding { conversation, .. }
        | Event::ConversationEnded { conversation, .. }
        | Event::WrapUpStarted { conversation, .. }
        | Event::WrapUpExtended { conversation, .. }
        | Event::WrapUpEnded { conversation, .. }
        | Event::WrittenOpened { conversation, .. }
        | Event::WrittenQueued { conversation, .. }
        | Event::WrittenOffered { conversation, .. }
        | Event::WrittenOfferEnded { conversation, .. }
        | Event::WrittenUnqueued { conversation, .. }
        | Event::WrittenTaken { conversation, .. }
        | Event::WrittenReleased { conversation, .. }
        | Event::WrittenDisposed { conversation, .. }
        | Event::WrittenWrapUpStarted { conversation, .. }
        | Event::WrittenWrapUpEnded { conversation, .. }
        | Event::WrittenClosed { conversation, .. } => Some(*conversation),
        Event::ActionRequested { action, wish } => {
            let conversation = wish.conversation();
            if let Some(conversation) = conversation {
                place.run(
                    "INSERT OR REPLACE INTO open_action (tenant, action, conversation) VALUES (?1, ?2, ?3)",
                    params![Id(place.tenant), Id(*action), Id(conversation)],
                )?;
            }
            conversation
        }
        Event::CallbackRequested { conversation, .. }
        | Event::CallbackRepeated { conversation, .. }
        | Event::CallbackEnded { conversation, .. } => *conversation,
        Event::ActionSettled { action, .. } => settled(place, *action)?,
        Event::Configured { .. }
        | Event::CallbackRescheduled { .. }
        | Event::MessageMarked { .. }
        | Event::MessageDeleted { .. }
        | Event::PaceMeasured { .. }
        | Event::QueueStaffed { .. }
        | Event::QueueClosed { .. }
        | Event::NoticeChanged { .. }
        | Event::HoursOverridden { .. }
        | Event::DutyChanged { .. }
        | Event::AvailabilityChanged { .. }
        | Event::AvailabilityPlanned { .. }
        | Event::DutyPlanned { .. }
        | Event::ReachabilityChanged { .. }
        | Event::OccupationChanged { .. }
        | Event::QueueSignIn { .. }
        | Event::ProfileChosen { .. }
        | Event::ReturnPlanned { .. }
        | Event::TookOver {}
        | Event::DrainChanged { .. } => None,
    })
}

fn settled(place: &Place<'_>, action: ActionId) -> Result<Option<ConversationId>, Failure> {
    let mut statement = place.db.prepare_cached("DELETE FROM open_action WHERE tenant = ?1 AND action = ?2 RETURNING conversation")?;
    let conversation: Option<Id<ConversationId>> =
        statement.query_row(params![Id(place.tenant), Id(action)], |row| row.get(0)).optional()?;
    Ok(conversation.map(|id| id.0))
}
