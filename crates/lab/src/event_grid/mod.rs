//! Event Grid: subscribers, their validation, and how events reach them: retries, duplicates, any order.

use crate::{dice::Dice, faults::Fortune};
use serde::Serialize;
use serde_json::{Value, json};

/// Waits between deliveries, in ms: the ladder Event Grid documents.
pub const RETRIES_MS: &[u64] = &[10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000, 43_200_000];
/// Subscriptions kept.
const SUBSCRIPTIONS_MAX: usize = 100;

/// How far a subscription is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Provisioning {
    /// The handshake was answered.
    Succeeded,
    /// The address from the handshake is still to be fetched.
    AwaitingManualAction,
    /// The handshake failed.
    Failed,
}

/// Somebody who wants events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Where events go.
    pub url: String,
    /// Whether they go.
    pub provisioning: Provisioning,
    /// Deliveries tried at most.
    pub max_attempts: u32,
    /// How long an event is tried, in ms.
    pub ttl_ms: u64,
    /// Event types; all when empty.
    pub event_types: Vec<String>,
    #[serde(skip)]
    pub(crate) code: String,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Subscriptions {
    pub(crate) list: Vec<Subscription>,
}

/// What an endpoint's answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Done,
    Retry,
    /// Is not tried again: dead-lettered or dropped.
    Never,
}

/// By the status of the answer; none is a connection that failed.
pub(crate) fn outcome(status: Option<u16>) -> Delivery {
    match status {
        Some(200..=204) => Delivery::Done,
        Some(400 | 401 | 403 | 413) => Delivery::Never,
        _ => Delivery::Retry,
    }
}

impl Subscriptions {
    /// A subscription that has to be validated, and the event that asks for it.
    pub(crate) fn begin(
        &mut self,
        dice: &mut Dice,
        url: &str,
        attempts: u32,
        ttl_ms: u64,
        types: &[String],
        base: &str,
    ) -> Result<(Subscription, Value), String> {
        if self.list.len() >= SUBSCRIPTIONS_MAX {
            return Err(format!("there are {SUBSCRIPTIONS_MAX} subscriptions already"));
        }
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(format!("`{url}` is not an address of a web service"));
        }
        let subscription = Subscription {
            id: dice.guid(),
            url: url.to_owned(),
            provisioning: Provisioning::AwaitingManualAction,
            max_attempts: attempts.clamp(1, 30),
            ttl_ms,
            event_types: types.to_vec(),
            code: dice.guid().to_uppercase(),
        };
        let event = json!([{
            "id": dice.guid(),
            "topic": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/lab/providers/Microsoft.Communication/communicationServices/dreiklang-lab",
            "subject": "",
            "data": {
                "validationCode": subscription.code,
                "validationUrl": format!("{base}/lab/event-grid/validate?id={}&code={}", subscription.id, subscription.code),
            },
            "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
            "eventTime": jiff::Timestamp::now().to_string(),
            "metadataVersion": "1",
            "dataVersion": "2",
        }]);
        self.list.push(subscription.clone());
        Ok((subscription, event))
    }

    /// The handshake was answered: with what, if at all.
    pub(crate) fn validated(&mut self, id: &str, status: Option<u16>, answer: &Value) -> Option<Provisioning> {
        let subscription = self.list.iter_mut().find(|subscription| subscription.id == id)?;
        // An endpoint may fetch the address before it answers.
        if subscription.provisioning != Provisioning::Succeeded {
            subscription.provisioning = match status {
                Some(200) if answer["validationResponse"] == subscription.code.as_str() => Provisioning::Succeeded,
                Some(200) => Provisioning::AwaitingManualAction,
                _ => Provisioning::Failed,
            };
        }
        Some(subscription.provisioning)
    }

    /// The address from the handshake was fetched.
    pub(crate) fn validate_by_hand(&mut self, id: &str, code: &str) -> bool {
        let found = self.list.iter_mut().find(|subscription| subscription.id == id && subscription.code == code);
        found.map(|subscription| subscription.provisioning = Provisioning::Succeeded).is_some()
    }

    /// Who gets an event.
    pub(crate) fn for_event(&self, event: &Value) -> Vec<Subscription> {
        let kind = event["eventType"].as_str().unwrap_or_default();
        let wants = |subscription: &&Subscription| {
            subscription.provisioning == Provisioning::Succeeded
                && (subscription.event_types.is_empty() || subscription.event_types.iter().any(|wanted| wanted == kind))
        };
        self.list.iter().filter(wants).cloned().collect()
    }
}

/// One event on its way to one subscriber.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) subscription: Subscription,
    pub(crate) event: Value,
    pub(crate) fortune: Fortune,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriber_gets_events_once_it_is_validated() {
        let mut subscriptions = Subscriptions::default();
        let mut dice = Dice::new(1);
        let types = ["Microsoft.Communication.IncomingCall".to_owned()];
        let (first, event) = subscriptions.begin(&mut dice, "https://a", 2, 60_000, &types, "https://lab").unwrap();
        let code = event[0]["data"]["validationCode"].clone();
        let incoming = json!({ "eventType": "Microsoft.Communication.IncomingCall" });
        assert!(subscriptions.for_event(&incoming).is_empty());
        assert_eq!(
            subscriptions.validated(&first.id, Some(202), &json!({ "validationResponse": code })),
            Some(Provisioning::Failed),
            "202 is not enough"
        );
        assert_eq!(subscriptions.validated(&first.id, Some(200), &json!({ "validationResponse": code })), Some(Provisioning::Succeeded));
        assert_eq!(subscriptions.for_event(&incoming).len(), 1);
        assert!(subscriptions.for_event(&json!({ "eventType": "other" })).is_empty());

        let (second, _) = subscriptions.begin(&mut dice, "https://b", 2, 60_000, &[], "https://lab").unwrap();
        assert_eq!(subscriptions.validated(&second.id, Some(200), &Value::Null), Some(Provisioning::AwaitingManualAction));
        assert!(!subscriptions.validate_by_hand(&second.id, "wrong"));
        assert!(subscriptions.validate_by_hand(&second.id, &second.code));
        assert_eq!(subscriptions.for_event(&json!({ "eventType": "other" })).len(), 1);
        assert!(subscriptions.begin(&mut dice, "ftp://c", 1, 1, &[], "").is_err());
    }

    #[test]
    fn answers_decide_whether_an_event_is_tried_again() {
        assert_eq!(outcome(Some(202)), Delivery::Done);
        assert_eq!(outcome(Some(500)), Delivery::Retry);
        assert_eq!(outcome(None), Delivery::Retry);
        assert_eq!(outcome(Some(401)), Delivery::Never);
    }
}
