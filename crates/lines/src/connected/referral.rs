//! Transfers that somebody in Teams begins: the call Teams asks for goes back to Teams, word for word.
//!
//! Teams' REFER names its target by words that mean something to Teams alone, so the target is never read, only handed back
//! (Microsoft's "Direct Routing - SIP protocol", transfers). The core is told of a person outside with a name made of it; when
//! it calls that person, the remembered words are used. The old call lives until the new one is decided, because Teams drops
//! the transfer when it ends earlier.

use super::{driver::Driver, limits, teams::Teams};
use dreiklang_core::{
    Input,
    ids::{ConversationId, LegId},
};
use dreiklang_sip::{
    call::replaces::Replaces,
    event::CallId,
    message::{NameAddr, Uri},
};
use std::time::Instant;

/// A transfer that Teams has asked for and that is not dialed yet.
pub(super) struct Referral {
    /// The call it was asked for in.
    pub call: CallId,
    /// The trunk of that call.
    pub teams: Teams,
    /// The person the core calls in its place.
    pub name: String,
    /// Where Teams wants the call.
    pub uri: Uri,
    /// What has to come back with it.
    pub headers: Vec<(String, String)>,
    /// The core lets the transfer happen.
    accepted: bool,
    /// Forgotten then.
    until: Instant,
}

impl Driver {
    /// Teams asks for a transfer of this leg.
    pub(super) fn on_teams_refer(
        &mut self,
        now: Instant,
        id: LegId,
        refer_to: &str,
        referred_by: Option<String>,
        replaces: Option<Replaces>,
    ) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let call = leg.call;
        let (Some(teams), Some(conversation)) = (leg.teams.clone(), leg.conversation) else {
            return self.endpoint.answer_refer(now, call, Err(403));
        };
        let Ok(target) = NameAddr::parse(refer_to) else {
            return self.endpoint.answer_refer(now, call, Err(400));
        };
        if leg.transfer_asked || self.referrals.contains_key(&conversation) {
            return self.endpoint.answer_refer(now, call, Err(491));
        }
        leg.transfer_asked = true;
        let tenant = leg.tenant;
        let mut uri = target.uri;
        uri.headers = None;
        let mut headers: Vec<(String, String)> = referred_by.map(|value| ("Referred-By".to_owned(), value)).into_iter().collect();
        if let Some(Replaces { call_id, to_tag, from_tag, early_only }) = replaces {
            let early = if early_only { ";early-only" } else { "" };
            headers.push(("Replaces".to_owned(), format!("{call_id};to-tag={to_tag};from-tag={from_tag}{early}")));
        }
        let name = name_of(&uri, &teams.fqdn);
        tracing::info!(leg = %id, "Teams asks for a transfer");
        let until = now + limits::REFERRAL_DIALED;
        self.referrals.insert(conversation, Referral { call, teams, name: name.clone(), uri, headers, accepted: false, until });
        self.tell(tenant, Input::TransferRequested { leg: id, target: name });
    }

    /// The core has decided on Teams' wish for a transfer. `None` when this leg has none.
    pub(super) fn answer_teams_refer(&mut self, now: Instant, call: CallId, accepted: bool) -> Option<()> {
        let (conversation, referral) = self.referrals.iter_mut().find(|(_, referral)| referral.call == call)?;
        let conversation = *conversation;
        if accepted {
            referral.accepted = true;
            // With it goes the first report, "100 Trying".
            self.endpoint.answer_refer(now, call, Ok(()));
        } else {
            self.referrals.remove(&conversation);
            self.endpoint.answer_refer(now, call, Err(603));
        }
        Some(())
    }

    /// Whether the call has to live on for the sake of a transfer that was asked for in it. A wish that nobody has granted is
    /// forgotten.
    pub(super) fn keeps_for_referral(&mut self, call: CallId) -> bool {
        self.referrals.retain(|_, referral| referral.call != call || referral.accepted);
        self.referrals.values().any(|referral| referral.call == call)
    }

    /// The transfer that a call to this person carries out.
    pub(super) fn take_referral(&mut self, conversation: ConversationId, name: &str) -> Option<Referral> {
        let referral = self.referrals.remove(&conversation)?;
        if referral.name == name {
            return Some(referral);
        }
        // The core calls somebody else meanwhile; the old call must not wait for ever.
        self.end_referral(Instant::now(), referral.call, 480);
        None
    }

    /// Tells Teams how its transfer went, and lets the old call go.
    pub(super) fn end_referral(&mut self, now: Instant, call: CallId, status: u16) {
        self.endpoint.notify_refer(now, call, status, "");
        // The BYE waits until Teams has taken the report.
        self.endpoint.hang_up(now, call, None);
    }

    pub(super) fn referrals_wake(&self) -> Option<Instant> {
        self.referrals.values().map(|referral| referral.until).min()
    }

    /// Lets go of transfers that nobody dials: the customer has hung up.
    pub(super) fn referrals_on_time(&mut self, now: Instant) {
        let over: Vec<ConversationId> =
            self.referrals.iter().filter(|(_, referral)| referral.until <= now).map(|(conversation, _)| *conversation).collect();
        for conversation in over {
            let Some(referral) = self.referrals.remove(&conversation) else { continue };
            match self.legs.of_call(referral.call) {
                // The core never decided: the talk goes on as it was.
                Some(leg) => {
                    if let Some(leg) = self.legs.get_mut(leg) {
                        leg.transfer_asked = false;
                    }
                    self.endpoint.answer_refer(now, referral.call, Err(500));
                }
                None => self.end_referral(now, referral.call, 480),
            }
        }
    }
}

/// Teams' target as a sign-in name: the person's id in the directory where Teams says it, else the number or name.
fn name_of(uri: &Uri, fqdn: &str) -> String {
    let id = uri.params.get("x-m").and_then(|id| id.rsplit(':').next());
    let name: String =
        id.or(uri.user.as_deref()).unwrap_or_default().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
    let name = if name.is_empty() { "transfer".to_owned() } else { name };
    format!("{name}@{fqdn}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_of_teams_has_a_name_people_can_look_up() {
        let name = |uri: &str| name_of(&Uri::parse(uri).unwrap(), "sbc.contoso.example");
        assert_eq!(name("sip:sip.example:5061;transport=tls;x-m=8:orgid:dfcba638-1"), "dfcba638-1@sbc.contoso.example");
        assert_eq!(name("sip:+4930123@sip.example"), "4930123@sbc.contoso.example");
        assert_eq!(name("sip:sip.example"), "transfer@sbc.contoso.example");
    }
}
