//! Visits of queues: offered, answered, abandoned, flow-out, and how long they waited.

use super::{figures, mean, ratio, span, whole};
use crate::{
    queue::FlowOutReason as Reason,
    stats::{TeamsOutcome, Value, View},
};

fn left(view: &View<'_>, reason: Reason) -> Option<Value> {
    whole(view.interval.flow_outs.get(&reason).copied().unwrap_or_default())
}

fn teams(view: &View<'_>, outcome: TeamsOutcome) -> Option<Value> {
    view.interval.teams.get(&outcome).copied().map(Value::Whole)
}

figures! {
    conversations: "Conversations", Count, DIALED, "conversations that began", |v| whole(v.interval.conversations);
    entered: "Entered", Count, VISITED, "visits that began", |v| whole(v.interval.entered);
    offered: "Offered", Count, VISITED, "visits that ended = answered + abandoned + flow-out; who is moved to another queue is offered again there", |v| whole(v.interval.offered);
    answered: "Answered", Count, VISITED, "visits ended by an agent taking them, booked when taken", |v| whole(v.interval.answered);
    answered_in_time: "Answered in time", Count, VISITED, "answered within the threshold: the time the queue promised then, or the one asked for", |v| v.answered_in_time().map(Value::Whole);
    abandoned: "Abandoned", Count, VISITED, "visits ended by the caller hanging up, short abandons included", |v| whole(v.interval.abandoned);
    short_abandoned: "Short abandons", Count, VISITED, "abandoned within the queue's short-abandon time", |v| whole(v.interval.short_abandoned);
    flow_out: "Flow-out", Count, VISITED, "visits ended without agent and without the caller's doing = the sum of its reasons", |v| whole(v.interval.flow_out);
    flow_out_transferred: "Flow-out: moved", Count, VISITED, "flow-out because a person moved the caller elsewhere", |v| left(v, Reason::Transferred);
    flow_out_max_wait: "Flow-out: longest wait", Count, VISITED, "flow-out because the queue's longest wait was exceeded", |v| left(v, Reason::MaxWait);
    flow_out_timed_out: "Flow-out: timed out", Count, VISITED, "flow-out by a rule for long waits", |v| left(v, Reason::TimedOut);
    flow_out_overlong: "Flow-out: too many waiting", Count, VISITED, "flow-out by a rule for long queues", |v| left(v, Reason::Overlong);
    flow_out_estimated_wait: "Flow-out: estimated wait", Count, VISITED, "flow-out by a rule for long estimated waits", |v| left(v, Reason::EstimatedWait);
    flow_out_no_agents: "Flow-out: no agents", Count, VISITED, "flow-out because nobody was at work", |v| left(v, Reason::NoAgents);
    flow_out_closed: "Flow-out: closed", Count, VISITED, "flow-out because the queue was closed", |v| left(v, Reason::Closed);
    flow_out_key: "Flow-out: key", Count, VISITED, "flow-out because the caller pressed a key that leads out", |v| left(v, Reason::Key);
    flow_out_voicemail: "Flow-out: voicemail", Count, VISITED, "flow-out to a mailbox by rule or key", |v| left(v, Reason::Voicemail);
    flow_out_callback: "Flow-out: callback", Count, VISITED, "flow-out because the caller was promised to be called back, or asked for it", |v| left(v, Reason::Callback);
    flow_out_ended: "Flow-out: ended", Count, VISITED, "flow-out because a supervisor or administrator ended the call", |v| left(v, Reason::Ended);
    flow_out_queue_removed: "Flow-out: queue removed", Count, VISITED, "flow-out because the queue was removed", |v| left(v, Reason::QueueRemoved);
    flow_out_failure: "Flow-out: failure", Count, VISITED, "flow-out by a failure or restart of ours", |v| left(v, Reason::Failure);
    residual: "Residual", Count, VISITED, "|offered − answered − abandoned − flow-out|; anything but 0 is an error of ours", |v| whole(u64::try_from(v.interval.residual().unsigned_abs()).unwrap_or(u64::MAX));
    service_level: "Service level", Share, VISITED, "answered in time ÷ denominator: offered − short abandons, unless another one is asked for (answered; answered + abandoned with or without short abandons; offered)", |v| ratio(v.answered_in_time()?, v.denominator());
    service_level_asterisk: "Service level (Asterisk SL)", Share, VISITED, "answered in time ÷ answered", |v| ratio(v.answered_in_time()?, v.interval.answered);
    service_level_asterisk_2: "Service level (Asterisk SL2)", Share, VISITED, "(answered in time + abandoned within the same time) ÷ (answered + abandoned)", |v| ratio(v.answered_in_time()? + v.abandoned_in_time()?, v.interval.answered + v.interval.abandoned);
    abandon_rate: "Abandon rate", Share, VISITED, "abandoned ÷ offered", |v| ratio(v.interval.abandoned, v.interval.offered);
    abandon_rate_without_short: "Abandon rate without short abandons", Share, VISITED, "(abandoned − short abandons) ÷ (offered − short abandons)", |v| ratio(v.interval.abandoned.saturating_sub(v.interval.short_abandoned), v.interval.offered.saturating_sub(v.interval.short_abandoned));
    average_speed_of_answer: "Average speed of answer (ASA)", Milliseconds, VISITED, "Σ wait of answered, ringing of all offers included ÷ answered", |v| mean(v.interval.wait_answered, v.interval.answered);
    average_time_to_abandon: "Average time to abandon", Milliseconds, VISITED, "Σ wait of abandoned ÷ abandoned", |v| mean(v.interval.wait_abandoned, v.interval.abandoned);
    average_wait: "Average wait (AWT)", Milliseconds, VISITED, "Σ wait of all offered ÷ offered", |v| mean(v.interval.wait_all, v.interval.offered);
    longest_wait: "Longest wait (LWT)", Milliseconds, VISITED, "greatest wait of an offered visit; of those who wait at present, see the live state of the queue", |v| span(v.interval.longest_wait.0);
    first_contact_resolution: "First contact resolution (FCR)", Share, VISITED, "answered conversations whose caller did not call again within N days ÷ answered conversations older than N days with a caller's number; only told when N is given", |v| ratio(v.interval.first_contacts.saturating_sub(v.interval.called_again), v.interval.first_contacts);
    teams_abandoned: "Teams: Abandoned", Count, QUEUE, "visits that Teams' reports would call Abandoned", |v| teams(v, TeamsOutcome::Abandoned);
    teams_agent_answered_call: "Teams: Agent Answered (Call)", Count, QUEUE, "visits that Teams' reports would call Agent Answered (Call)", |v| teams(v, TeamsOutcome::AnsweredCall);
    teams_agent_answered_callback: "Teams: Agent Answered (Callback)", Count, QUEUE, "visits of callbacks that an agent took", |v| teams(v, TeamsOutcome::AnsweredCallback);
    teams_overflowed_application: "Teams: Overflowed (Application)", Count, QUEUE, "flow-out by length, led to a queue, flow or callback", |v| teams(v, TeamsOutcome::OverflowedApplication);
    teams_overflowed_disconnect: "Teams: Overflowed (Disconnect)", Count, QUEUE, "flow-out by length, let go", |v| teams(v, TeamsOutcome::OverflowedDisconnect);
    teams_overflowed_external: "Teams: Overflowed (External)", Count, QUEUE, "flow-out by length, led to a number outside", |v| teams(v, TeamsOutcome::OverflowedExternal);
    teams_overflowed_user: "Teams: Overflowed (User)", Count, QUEUE, "flow-out by length, led to an agent or person", |v| teams(v, TeamsOutcome::OverflowedUser);
    teams_overflowed_voicemail: "Teams: Overflowed (Voicemail)", Count, QUEUE, "flow-out by length, led to a mailbox", |v| teams(v, TeamsOutcome::OverflowedVoicemail);
    teams_timed_out_application: "Teams: Timed Out (Application)", Count, QUEUE, "flow-out by wait, led to a queue, flow or callback", |v| teams(v, TeamsOutcome::TimedOutApplication);
    teams_timed_out_disconnect: "Teams: Timed Out (Disconnect)", Count, QUEUE, "flow-out by wait, let go", |v| teams(v, TeamsOutcome::TimedOutDisconnect);
    teams_timed_out_external: "Teams: Timed Out (External)", Count, QUEUE, "flow-out by wait, led to a number outside", |v| teams(v, TeamsOutcome::TimedOutExternal);
    teams_timed_out_user: "Teams: Timed Out (User)", Count, QUEUE, "flow-out by wait, led to an agent or person", |v| teams(v, TeamsOutcome::TimedOutUser);
    teams_timed_out_voicemail: "Teams: Timed Out (Voicemail)", Count, QUEUE, "flow-out by wait, led to a mailbox", |v| teams(v, TeamsOutcome::TimedOutVoicemail);
    teams_no_agents_application: "Teams: No Agents (Application)", Count, QUEUE, "flow-out for lack of agents, led to a queue, flow or callback", |v| teams(v, TeamsOutcome::NoAgentsApplication);
    teams_no_agents_disconnect: "Teams: No Agents (Disconnect)", Count, QUEUE, "flow-out for lack of agents, let go", |v| teams(v, TeamsOutcome::NoAgentsDisconnect);
    teams_no_agents_external: "Teams: No Agents (External)", Count, QUEUE, "flow-out for lack of agents, led to a number outside", |v| teams(v, TeamsOutcome::NoAgentsExternal);
    teams_no_agents_user: "Teams: No Agents (User)", Count, QUEUE, "flow-out for lack of agents, led to an agent or person", |v| teams(v, TeamsOutcome::NoAgentsUser);
    teams_no_agents_voicemail: "Teams: No Agents (Voicemail)", Count, QUEUE, "flow-out for lack of agents, led to a mailbox", |v| teams(v, TeamsOutcome::NoAgentsVoicemail);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Interval, States, Terms};

    /// Fails to compile when there is a reason that has no figure yet.
    fn key(reason: Reason) -> &'static str {
        match reason {
            Reason::Transferred => "flow_out_transferred",
            Reason::MaxWait => "flow_out_max_wait",
            Reason::QueueRemoved => "flow_out_queue_removed",
            Reason::Failure => "flow_out_failure",
            Reason::Ended => "flow_out_ended",
            Reason::Overlong => "flow_out_overlong",
            Reason::TimedOut => "flow_out_timed_out",
            Reason::EstimatedWait => "flow_out_estimated_wait",
            Reason::NoAgents => "flow_out_no_agents",
            Reason::Closed => "flow_out_closed",
            Reason::Key => "flow_out_key",
            Reason::Voicemail => "flow_out_voicemail",
            Reason::Callback => "flow_out_callback",
        }
    }

    #[test]
    fn every_reason_to_leave_a_queue_has_its_figure() {
        let reasons = [
            Reason::Transferred,
            Reason::MaxWait,
            Reason::QueueRemoved,
            Reason::Failure,
            Reason::Ended,
            Reason::Overlong,
            Reason::TimedOut,
            Reason::EstimatedWait,
            Reason::NoAgents,
            Reason::Closed,
            Reason::Key,
            Reason::Voicemail,
            Reason::Callback,
        ];
        for reason in reasons {
            let interval = Interval { flow_outs: [(reason, 3)].into(), ..Interval::default() };
            let view = View { interval: &interval, states: &States::default(), terms: Terms::default() };
            assert_eq!(view.figures(crate::stats::Kind::Queue)[key(reason)], Value::Whole(3));
        }
    }

    #[test]
    fn every_outcome_of_teams_has_its_figure() {
        let interval = Interval { teams: TeamsOutcome::ALL.iter().map(|outcome| (*outcome, 1)).collect(), ..Interval::default() };
        let view = View { interval: &interval, states: &States::default(), terms: Terms::default() };
        for outcome in TeamsOutcome::ALL {
            let key = format!("teams_{}", outcome.as_str());
            assert_eq!(view.figures(crate::stats::Kind::Queue).get(key.as_str()), Some(&Value::Whole(1)), "{key}");
        }
    }
}
