//! Whether a queue's rules for its agents hold together, and the codes that queues and tenants have.

use super::{check_name, check_span, check_token, invalid};
use crate::{
    limits::{AFTER_MISS, DISPOSITIONS, MISSES_IN_A_ROW, WRAP_UP_MAX},
    queue::{Allowance, Disposition, MissRules, OnMiss, Settings, WrapUpRules},
    refusal::Refusal,
    time::Millis,
};
use std::collections::BTreeSet;

pub(super) fn check(settings: &Settings) -> Result<(), Refusal> {
    check_missed(&settings.agents.missed)?;
    check_wrap_up(settings.wrap_up, &settings.agents.wrap_up)
}

fn check_missed(rules: &MissRules) -> Result<(), Refusal> {
    for (name, rule) in
        [("no_answer", rules.no_answer), ("declined", rules.declined), ("busy", rules.busy), ("unreachable", rules.unreachable)]
    {
        if let OnMiss::NotReadyAfter { misses } = rule
            && !(2..=MISSES_IN_A_ROW).contains(&misses)
        {
            let field = format!("queue.agents.missed.{name}.misses");
            return invalid(&field, format!("must be from 2 to {MISSES_IN_A_ROW}; for one choose not_ready"));
        }
    }
    for (field, after) in [("queue.agents.missed.ready_again", rules.ready_again), ("queue.agents.missed.ask_again", rules.ask_again)] {
        if let Some(after) = after {
            check_span(field, after, *AFTER_MISS.start(), *AFTER_MISS.end())?;
        }
    }
    Ok(())
}

fn check_wrap_up(allowance: Allowance, rules: &WrapUpRules) -> Result<(), Refusal> {
    let least = Millis::from_secs(1);
    if let Some(extension) = rules.extension {
        if !matches!(allowance, Allowance::Timed { duration } if duration >= least) {
            return invalid("queue.agents.wrap_up.extension", "lengthens timed wrap-up only; let wrap-up be timed".to_owned());
        }
        check_span("queue.agents.wrap_up.extension", extension, least, WRAP_UP_MAX)?;
    }
    if let Some(longest) = rules.longest {
        if allowance != Allowance::UntilFinished {
            let problem = "is for wrap-up that lasts until it is finished; timed wrap-up has its duration".to_owned();
            return invalid("queue.agents.wrap_up.longest", problem);
        }
        check_span("queue.agents.wrap_up.longest", longest, least, WRAP_UP_MAX)?;
    }
    if rules.required && matches!(allowance, Allowance::None | Allowance::Timed { duration: Millis(0) }) {
        return invalid("queue.agents.wrap_up.required", "needs wrap-up in which it can be said; allow some".to_owned());
    }
    check_dispositions("queue.agents.wrap_up.dispositions", &rules.dispositions)
}

pub(super) fn check_dispositions(field: &str, dispositions: &[Disposition]) -> Result<(), Refusal> {
    if dispositions.len() > DISPOSITIONS {
        return invalid(field, format!("holds more than {DISPOSITIONS}"));
    }
    let mut seen = BTreeSet::new();
    for disposition in dispositions {
        check_token(&format!("{field}.code"), &disposition.code)?;
        check_name(&format!("{field}.label"), &disposition.label)?;
        if !seen.insert(&disposition.code) {
            return invalid(field, format!("names {} twice", disposition.code));
        }
    }
    Ok(())
}
