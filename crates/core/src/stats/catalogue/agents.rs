//! Agents' time. Every millisecond signed in is in exactly one state, and always booked where it passed.

use super::{figures, ratio, span};

figures! {
    signed_in_ms: "Signed in", Milliseconds, AGENT, "time signed in, or still busy after signing out = off duty + idle + offered + talking + writing + consulting + supervising + wrap-up + not ready", |v| span(v.states.signed_in);
    off_duty_ms: "Off duty", Milliseconds, AGENT, "time signed in with nothing to do, but not on duty", |v| span(v.states.off_duty);
    on_duty_ms: "On duty", Milliseconds, AGENT, "signed in − off duty", |v| span(v.states.signed_in - v.states.off_duty);
    idle_ms: "Idle", Milliseconds, AGENT, "time on duty, ready, with nothing to do", |v| span(v.states.idle);
    offered_ms: "Offered", Milliseconds, AGENT, "time an offer rang", |v| span(v.states.offered);
    talking_ms: "Talking", Milliseconds, AGENT, "time in conversations, holds included", |v| span(v.states.talking);
    writing_ms: "Writing", Milliseconds, AGENT, "time without a call, but with conversations in writing to answer or to finish notes about", |v| span(v.states.writing);
    consulting_ms: "Consulting", Milliseconds, AGENT, "time asking somebody while the customer is on hold, or being asked", |v| span(v.states.consulting);
    supervising_ms: "Supervising", Milliseconds, AGENT, "time following the talk of somebody else, or called for that", |v| span(v.states.supervising);
    wrap_up_ms: "Wrap-up", Milliseconds, AGENT, "time finishing notes", |v| span(v.states.wrap_up);
    not_ready_total_ms: "Not ready", Milliseconds, AGENT, "Σ over reasons of time on duty with nothing to do, but not ready", |v| span(v.states.not_ready_total());
    occupancy: "Occupancy", Share, AGENT, "handling ÷ (handling + idle), where handling = talking + writing + consulting + wrap-up", |v| ratio(v.states.handling().0, (v.states.handling() + v.states.idle).0);
    occupancy_on_queue: "Occupancy of time on queue", Share, AGENT, "handling ÷ (handling + idle + offered), where handling = talking + writing + consulting + wrap-up", |v| ratio(v.states.handling().0, (v.states.handling() + v.states.idle + v.states.offered).0);
    utilization: "Utilization", Share, AGENT, "(talking + writing + consulting + wrap-up) ÷ signed in", |v| ratio(v.states.handling().0, v.states.signed_in.0);
    not_ready_share: "Share of time not ready", Share, AGENT, "not ready ÷ signed in", |v| ratio(v.states.not_ready_total().0, v.states.signed_in.0);
}
