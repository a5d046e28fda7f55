//! Whether a mailbox can take messages as it is set up, and whether it may be removed.

use super::{check_announcement, check_span, invalid, waiting};
use crate::{
    config::{Destination, Mailbox},
    limits::{MESSAGE_KEEP_MAX, MESSAGE_MAX, MESSAGES_PER_MAILBOX},
    refusal::Refusal,
    time::Millis,
    voicemail::{MailboxRules, MessageState},
    world::World,
};

pub(super) fn check(field: &str, rules: &MailboxRules) -> Result<(), Refusal> {
    if let Some(greeting) = &rules.greeting {
        check_announcement(&format!("{field}.greeting"), greeting)?;
    }
    check_span(&format!("{field}.longest"), rules.longest, Millis::from_secs(5), MESSAGE_MAX)?;
    check_span(&format!("{field}.shortest"), rules.shortest, Millis::default(), rules.longest)?;
    check_span(&format!("{field}.keep"), rules.keep, Millis::from_secs(3_600), MESSAGE_KEEP_MAX)?;
    if !(1..=MESSAGES_PER_MAILBOX).contains(&rules.most) {
        return invalid(&format!("{field}.most"), format!("must be from 1 to {MESSAGES_PER_MAILBOX}"));
    }
    Ok(())
}

/// Whether the mailbox may disappear: no rule leads there, and it holds no message that nobody has heard.
pub(super) fn unused(world: &World, mailbox: Mailbox, field: &str) -> Result<(), Refusal> {
    waiting::unnamed(world, &Destination::Voicemail(mailbox), field)?;
    match world.messages().of(mailbox).filter(|message| message.state == MessageState::New).count() {
        0 => Ok(()),
        unheard => invalid(field, format!("has {unheard} messages that nobody has heard; hear or delete them first")),
    }
}
