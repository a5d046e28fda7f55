//! Talks with agents: how long they took, holds and hand-overs.

use super::{figures, mean, ratio, span, whole};
use crate::{stats::View, time::Millis};

fn handle_time(view: &View<'_>) -> Millis {
    view.interval.talk + view.interval.hold + view.interval.wrap_up
}

figures! {
    talks: "Talks", Count, ALL, "talks with an agent that began", |v| whole(v.interval.talks);
    handled: "Handled", Count, ALL, "talks with an agent that ended, booked at their end", |v| whole(v.interval.handled);
    handle_time: "Handle time", Milliseconds, ALL, "Σ talk + Σ hold + Σ wrap-up; each booked when it ended, or where it passed in the spread view", |v| span(handle_time(v));
    average_handle_time: "Average handle time (AHT)", Milliseconds, ALL, "(Σ talk + Σ hold + Σ wrap-up) ÷ handled", |v| mean(handle_time(v), v.interval.handled);
    average_talk: "Average talk", Milliseconds, ALL, "Σ talk without hold ÷ handled", |v| mean(v.interval.talk, v.interval.handled);
    average_hold: "Average hold", Milliseconds, ALL, "Σ hold ÷ handled", |v| mean(v.interval.hold, v.interval.handled);
    average_wrap_up: "Average wrap-up (ACW)", Milliseconds, ALL, "Σ wrap-up, from the end of the talk to the end of the wrap-up ÷ handled", |v| mean(v.interval.wrap_up, v.interval.handled);
    hold_rate: "Hold rate", Share, ALL, "handled talks with hold ÷ handled", |v| ratio(v.interval.held, v.interval.handled);
    hold_abandoned: "Hold abandons", Count, ALL, "handled talks that ended because the customer hung up while on hold", |v| whole(v.interval.hold_abandoned);
    hold_abandon_rate: "Hold abandon rate", Share, ALL, "hold abandons ÷ handled talks with hold", |v| ratio(v.interval.hold_abandoned, v.interval.held);
    transfers: "Transfers", Count, ALL, "talks in which the customer was handed to a queue, agent or number, with or without asking first, and arrived there", |v| whole(v.interval.transfers);
    transfers_failed: "Failed transfers", Count, ALL, "hand-overs without asking first whose target did not take the customer", |v| whole(v.interval.transfers_failed);
    transfer_rate: "Transfer rate", Share, VISITED, "transfers ÷ answered", |v| ratio(v.interval.transfers, v.interval.answered);
    agent_transfer_rate: "Transfer rate", Share, AGENT, "transfers ÷ talks", |v| ratio(v.interval.transfers, v.interval.talks);
    consults: "Consults", Count, ALL, "consults that began in a talk", |v| whole(v.interval.consults);
    joined: "Conference parties", Count, ALL, "parties who joined talks as a third or further one", |v| whole(v.interval.joined);
    supervisions: "Supervisions", Count, ALL, "times somebody began to follow a talk: listening, whispering or barging in", |v| whole(v.interval.supervisions);
}
