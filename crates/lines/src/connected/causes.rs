//! What the end of a call means in the core's words, and how the core's reasons are said to the network.

use super::teams;
use dreiklang_core::{
    conversation::{Cause, CauseKind},
    output::{HangUpReason, RejectReason},
};
use dreiklang_sip::event::{Cause as Ended, CauseKind as EndKind};

/// The core's view of why a call ended.
pub fn cause_of(ended: &Ended) -> Cause {
    let kind = match ended.kind {
        EndKind::RemoteHangUp | EndKind::Canceled => CauseKind::FarEnd,
        EndKind::Local => CauseKind::Ours,
        EndKind::NoAnswer => CauseKind::NoAnswer,
        EndKind::Timeout | EndKind::NoAck => CauseKind::Timeout,
        EndKind::TransportError | EndKind::SessionExpired | EndKind::Lost => CauseKind::Network,
        EndKind::Overloaded => CauseKind::Failure,
        EndKind::Rejected => rejection(ended.status.unwrap_or(0)),
    };
    let status = ended.status.map(|status| status.to_string());
    let detail = match (status, &ended.reason) {
        (Some(status), Some(reason)) => Some(format!("{status}; {reason}")),
        (Some(status), None) => Some(status),
        (None, Some(reason)) => Some(reason.clone()),
        (None, None) => None,
    };
    Cause { kind, detail }
}

/// The same for a call by way of Teams, whose refusals mean something more.
pub fn cause_of_teams(ended: &Ended) -> Cause {
    let mut cause = cause_of(ended);
    let hint = ended.status.filter(|_| ended.kind == EndKind::Rejected).and_then(teams::hint);
    if let (Some(detail), Some(hint)) = (&mut cause.detail, hint) {
        detail.push_str("; ");
        detail.push_str(hint);
    }
    cause
}

/// RFC 3261 §21.4–21.6; 486 and 600 are a busy telephone, 603 and 403 a person or rule that said no, 480 and 404 nobody there.
fn rejection(status: u16) -> CauseKind {
    match status {
        486 | 600 => CauseKind::Busy,
        603 | 607 | 608 => CauseKind::Declined,
        408 => CauseKind::NoAnswer,
        404 | 410 | 480 | 484 | 604 | 301 | 302 | 305 | 380 => CauseKind::Unreachable,
        500..=599 => CauseKind::Network,
        _ => CauseKind::Refused,
    }
}

/// Status, phrase and extra headers of a refusal.
pub fn rejection_of(reason: RejectReason) -> (u16, &'static str, Vec<(String, String)>) {
    match reason {
        RejectReason::UnknownNumber => (404, "Not Found", Vec::new()),
        RejectReason::Busy => (486, "Busy Here", Vec::new()),
        // A trunk takes 503 as "try the next address", which is right when this node is stopping.
        RejectReason::Draining => (503, "Service Unavailable", vec![("Retry-After".to_owned(), "30".to_owned())]),
        // RFC 3261 §21.6.2: nobody here wants this call, whatever other address is tried.
        RejectReason::Blocked => (603, "Decline", Vec::new()),
        RejectReason::Unavailable => (480, "Temporarily Unavailable", Vec::new()),
    }
}

/// The value of the Reason header (RFC 3326), where it helps the other side.
pub fn reason_header(reason: HangUpReason) -> Option<&'static str> {
    match reason {
        // Cause 200 keeps telephones from showing a missed call (RFC 3326 §2).
        HangUpReason::AnsweredElsewhere => Some("SIP;cause=200;text=\"Call completed elsewhere\""),
        HangUpReason::NoAnswer => Some("Q.850;cause=19;text=\"No answer\""),
        HangUpReason::Failure => Some("Q.850;cause=41;text=\"Temporary failure\""),
        HangUpReason::Normal | HangUpReason::CallerGone | HangUpReason::Transferred => Some("Q.850;cause=16;text=\"Normal call clearing\""),
    }
}
