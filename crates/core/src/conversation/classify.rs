//! How ends are classified: from what a line says, what we wanted, and whose leg it was.

use super::{Cause, CauseKind, Direction, Leg, Role, SegmentKind, Termination, TerminationReason as Reason, TerminationResult as Doing};
use crate::output::HangUpReason;

const fn end(result: Doing, reason: Reason) -> Termination {
    Termination { result, reason }
}

/// How a leg ended.
///
/// A leg that we had told to end is classified by our reason, whatever the line says: who was faster must not matter.
pub fn leg_termination(leg: &Leg, place: Option<SegmentKind>, cause: &Cause) -> Termination {
    if leg.ending {
        return match leg.ending_reason.unwrap_or(HangUpReason::Normal) {
            HangUpReason::Normal => end(Doing::Success, Reason::HungUp),
            HangUpReason::AnsweredElsewhere => end(Doing::Success, Reason::AnsweredElsewhere),
            HangUpReason::NoAnswer => end(party(leg.role), Reason::NoAnswer),
            HangUpReason::CallerGone => end(Doing::Caller, Reason::Withdrawn),
            HangUpReason::Transferred => end(Doing::Success, Reason::Transferred),
            HangUpReason::Failure => end(Doing::Us, Reason::Failure),
        };
    }
    match cause.kind {
        CauseKind::FarEnd => match leg.role {
            Role::Customer if leg.direction == Direction::Outbound && leg.connected_at.is_none() => end(Doing::Caller, Reason::Declined),
            Role::Customer if has_talked(place) => end(Doing::Caller, Reason::HungUp),
            Role::Customer => end(Doing::Caller, Reason::Abandoned),
            Role::Agent(_) | Role::External if leg.connected_at.is_some() => end(party(leg.role), Reason::HungUp),
            Role::Agent(_) | Role::External => end(party(leg.role), Reason::Declined),
        },
        CauseKind::Ours => end(Doing::Us, Reason::Failure),
        CauseKind::Busy => end(party(leg.role), Reason::Busy),
        CauseKind::Declined => end(party(leg.role), Reason::Declined),
        CauseKind::NoAnswer => end(party(leg.role), Reason::NoAnswer),
        CauseKind::Unreachable => end(Doing::Upstream, Reason::Unreachable),
        CauseKind::Refused => end(Doing::Upstream, Reason::Refused),
        CauseKind::Timeout => end(Doing::Upstream, Reason::Timeout),
        CauseKind::Network => end(Doing::Upstream, Reason::NetworkFailure),
        CauseKind::MediaLost => end(Doing::Upstream, Reason::MediaLost),
        CauseKind::Failure => end(Doing::Us, Reason::Failure),
    }
}

fn has_talked(place: Option<SegmentKind>) -> bool {
    matches!(place, Some(SegmentKind::Talk | SegmentKind::Hold | SegmentKind::Transfer | SegmentKind::Voicemail))
}

fn party(role: Role) -> Doing {
    match role {
        Role::Customer => Doing::Caller,
        Role::Agent(_) => Doing::Agent,
        Role::External => Doing::Upstream,
    }
}
