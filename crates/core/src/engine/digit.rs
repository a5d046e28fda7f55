//! Keys: what pressing one means depends on where the customer is.

use super::Engine;
use crate::{conversation::SegmentKind, ids::LegId};

/// Keys a telephone has (ITU-T Q.23).
const KEYS: &str = "0123456789*#ABCD";

impl Engine {
    /// A key was pressed. A customer's means something where a place asks for keys; an agent's only confirms an offer.
    pub(super) fn digit(&mut self, leg: LegId, digit: char) {
        let Some(found) = self.world.conversation_of(leg) else { return };
        let id = found.id;
        if found.customer != Some(leg) {
            self.key_in_offer(id, leg, digit);
            return;
        }
        if !KEYS.contains(digit) {
            return;
        }
        let place = found.place();
        if self.private.is_beyond(id, digit, self.now) {
            return;
        }
        match place {
            Some(SegmentKind::Flow) => self.key_in_flow(id, digit),
            Some(SegmentKind::Queue) => self.key_in_queue(id, digit),
            Some(SegmentKind::Voicemail) => self.key_in_message(id, digit),
            Some(SegmentKind::Callback) => self.key_in_callback(id, digit),
            Some(
                SegmentKind::SetUp
                | SegmentKind::Greeting
                | SegmentKind::Talk
                | SegmentKind::Hold
                | SegmentKind::Transfer
                | SegmentKind::Dialing
                | SegmentKind::Ending,
            )
            | None => {}
        }
    }
}
