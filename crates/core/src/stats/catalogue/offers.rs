//! Offers: how often an agent's telephone rang, and what came of it.

use super::{figures, ratio, whole};

figures! {
    offers: "Offers", Count, ALL, "offers that ended, one for each attempt, those taken back included", |v| whole(v.interval.offers);
    offers_accepted: "Accepted offers", Count, ALL, "offers an agent took", |v| whole(v.interval.offers_accepted);
    offers_no_answer: "Not answered offers (RONA)", Count, ALL, "offers that rang out; one for each attempt, so one caller may count several times", |v| whole(v.interval.offers_no_answer);
    offers_declined: "Declined offers", Count, ALL, "offers an agent refused", |v| whole(v.interval.offers_declined);
    offers_unreachable: "Unreachable offers", Count, ALL, "offers that found the telephone busy or out of reach", |v| whole(v.interval.offers_unreachable);
    offers_withdrawn: "Withdrawn offers", Count, ALL, "offers taken back because the caller left or somebody else took the call", |v| whole(v.interval.offers_withdrawn);
    answer_rate: "Agent answer rate", Share, ALL, "accepted ÷ routed, where routed = offers − withdrawn", |v| ratio(v.interval.offers_accepted, v.interval.offers.saturating_sub(v.interval.offers_withdrawn));
    no_answer_rate: "Non-response rate (RONA)", Share, ALL, "not answered ÷ routed, where routed = offers − withdrawn", |v| ratio(v.interval.offers_no_answer, v.interval.offers.saturating_sub(v.interval.offers_withdrawn));
}
