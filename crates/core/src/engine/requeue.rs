//! Re-queue: the customer of a talk goes back into a queue, with the time waited before where that is wanted.

use super::{Engine, agent::wrong_state, talk::AfterTalk};
use crate::{
    conversation::Conversation,
    ids::{ConversationId, QueueId},
    input::{Actor, TransferTarget},
    output::{Event, HangUpReason},
    queue::Request,
    refusal::Refusal,
    time::Timestamp,
};

impl Engine {
    pub(super) fn requeue(&mut self, by: Actor, id: ConversationId, queue: Option<QueueId>, keep_wait: bool) -> Result<(), Refusal> {
        let Some(found) = self.world.conversations.get(&id) else { return Err(wrong_state("the conversation is over")) };
        if found.talk.is_none() {
            return Err(wrong_state("there is no talk whose customer could go back into a queue; a waiting customer can be transferred"));
        }
        let Some(queue) = queue.or(found.last_queue) else {
            let problem = "is needed: this customer has been in no queue yet".to_owned();
            return Err(Refusal::Invalid { field: "queue".to_owned(), problem });
        };
        self.check_transfer(id, &TransferTarget::Queue(queue))?;
        self.emit(Event::Requeued { conversation: id, queue, keep_wait, by });
        self.end_talk(id, Some(HangUpReason::Transferred), AfterTalk::WrapUp);
        let Some(found) = self.world.conversations.get(&id) else { return Ok(()) };
        let since = Timestamp(self.now.0.saturating_sub_unsigned(found.waited.0));
        let request = Conversation::request(found);
        // Rules for those who enter have let this customer pass once; a long queue is no reason to turn away who comes back.
        let request = Request { preferred: None, in_line_since: keep_wait.then_some(since), returning: true, ..request };
        self.enqueue(id, queue, request);
        Ok(())
    }
}
