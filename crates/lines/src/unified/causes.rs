//! What the end of a call means in the core's words, and how the core's reasons are said to the service.

use dreiklang_core::{
    conversation::{Cause, CauseKind},
    output::RejectReason,
};
use dreiklang_microsoft::{Failure, Word, acs::event::ResultInformation};

/// Whether an invitation was taken back, by whomever.
pub fn is_called_off(result: &ResultInformation) -> bool {
    result.code == Some(487) && !matches!(result.sub_code, Some(10_004 | 540_487))
}

/// The core's view of why somebody is not, or not any more, in a call.
pub fn cause_of(result: Option<&ResultInformation>) -> Cause {
    let Some(result) = result else { return Cause { kind: CauseKind::FarEnd, detail: None } };
    let code = result.code.unwrap_or(0);
    let sub = result.sub_code.unwrap_or(0);
    let kind = match (code, sub) {
        // Declined, or hung up: 0/0 by a client, 0/560000 by the telephone network, 487/540487 before it was answered.
        (0, 5_000 | 5_300 | 7_000) => CauseKind::Ours,
        (0 | 200, _) => CauseKind::FarEnd,
        (487, 10_004) => CauseKind::NoAnswer,
        (487, _) => CauseKind::FarEnd,
        (603 | 607 | 608, _) => CauseKind::Declined,
        (403, 510_403) => CauseKind::Declined,
        (486 | 600, _) => CauseKind::Busy,
        // Its client was there, but did not finish setting up: wrong token, or asleep.
        (408, 10_057) => CauseKind::Unreachable,
        (408, _) => CauseKind::NoAnswer,
        (404 | 480 | 484 | 604, _) => CauseKind::Unreachable,
        (410, 301_004 | 301_005) => CauseKind::MediaLost,
        (410, _) => CauseKind::Unreachable,
        (500..=599, _) => CauseKind::Network,
        _ => CauseKind::Refused,
    };
    let mut detail = format!("{code}/{sub}");
    if let Some(sip) = result.sip_details.as_ref().and_then(|details| details.code).filter(|code| *code != 0) {
        detail.push_str(&format!("; SIP {sip}"));
    }
    if let Some(message) = result.message.as_ref().filter(|message| !message.is_empty()) {
        detail.push_str("; ");
        detail.extend(message.chars().take(120));
    }
    Cause { kind, detail: Some(detail) }
}

/// Why an operation that should have begun a leg did not.
pub fn cause_of_failure(failure: &Failure) -> Cause {
    let kind = match failure {
        Failure::Refused { status: 404 | 410, .. } => CauseKind::Unreachable,
        Failure::Refused { status: 429 | 500..=599, .. } => CauseKind::Network,
        Failure::Refused { .. } => CauseKind::Refused,
        Failure::NotTaken(_) => CauseKind::Network,
        Failure::Uncertain(_) => CauseKind::Timeout,
        Failure::Unreadable(_) | Failure::Impossible(_) => CauseKind::Failure,
    };
    Cause { kind, detail: Some(failure.to_string()) }
}

/// How the service is told why a call is not taken.
pub fn rejection_of(reason: RejectReason) -> Word {
    match reason {
        RejectReason::Busy | RejectReason::Draining => "busy",
        RejectReason::Blocked => "forbidden",
        RejectReason::UnknownNumber | RejectReason::Unavailable => "none",
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_codes_have_their_meaning() {
        let kind = |code: i64, sub: i64| {
            cause_of(Some(&ResultInformation { code: Some(code), sub_code: Some(sub), ..ResultInformation::default() })).kind
        };
        let known = [
            (0, 0, CauseKind::FarEnd),
            (0, 560_000, CauseKind::FarEnd),
            (0, 7_000, CauseKind::Ours),
            (487, 10_004, CauseKind::NoAnswer),
            (487, 540_487, CauseKind::FarEnd),
            (603, 0, CauseKind::Declined),
            (486, 560_486, CauseKind::Busy),
            (480, 10_037, CauseKind::Unreachable),
            (408, 10_057, CauseKind::Unreachable),
            (410, 301_005, CauseKind::MediaLost),
            (500, 9_999, CauseKind::Network),
            (403, 10_105, CauseKind::Refused),
        ];
        for (code, sub, expected) in known {
            assert_eq!(kind(code, sub), expected, "{code}/{sub}");
        }
        assert_eq!(cause_of(None).kind, CauseKind::FarEnd);
    }
}
