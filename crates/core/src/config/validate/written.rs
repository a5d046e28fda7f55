//! Whether what queues and agents say about conversations in writing holds together.

use super::{check_span, invalid};
use crate::{
    agent,
    limits::{RING_MIN, WRITTEN_AT_ONCE, WRITTEN_RING_MAX, WRITTEN_WITHIN_MAX},
    refusal::Refusal,
    time::Millis,
    written::{Channel, WrittenRules},
};

pub(super) fn check_rules(rules: &WrittenRules) -> Result<(), Refusal> {
    check_span("queue.written.ring", rules.ring, RING_MIN, WRITTEN_RING_MAX)?;
    for channel in Channel::ALL {
        check_span(&format!("queue.written.{}_within", channel.as_str()), rules.within(channel), Millis(1), WRITTEN_WITHIN_MAX)?;
    }
    Ok(())
}

pub(super) fn check_channels(settings: &agent::Settings) -> Result<(), Refusal> {
    match settings.channels.iter().find(|(_, share)| !(1..=WRITTEN_AT_ONCE).contains(&share.at_once)) {
        Some((channel, _)) => invalid(
            &format!("agent.channels.{}.at_once", channel.as_str()),
            format!("must be from 1 to {WRITTEN_AT_ONCE}; leave the channel out for an agent who takes nothing of it"),
        ),
        None => Ok(()),
    }
}
