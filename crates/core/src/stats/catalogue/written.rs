//! Conversations in writing, channel by channel. They are in none of the other figures: a mail that waits two hours says nothing about
//! how callers are served.

use super::{figures, mean, ratio, span, whole};
use crate::{
    stats::{View, interval::Writing},
    written::Channel,
};

fn of(view: &View<'_>, channel: Channel) -> Writing {
    view.interval.written.get(&channel).cloned().unwrap_or_default()
}

figures! {
    chat_entered: "Chats that came", Count, QUEUE, "stays of chats in a queue that began", |v| whole(of(v, Channel::Chat).entered);
    chat_offered: "Offered chats", Count, QUEUE, "stays of chats in a queue that ended: taken + abandoned + flow-out", |v| whole(of(v, Channel::Chat).offered);
    chat_answered: "Taken chats", Count, WRITTEN, "chats an agent took", |v| whole(of(v, Channel::Chat).answered);
    chat_abandoned: "Abandoned chats", Count, QUEUE, "stays of chats that the customer ended", |v| whole(of(v, Channel::Chat).abandoned);
    chat_flow_out: "Flow-out of chats", Count, QUEUE, "stays of chats that ended without agent and without the customer's doing", |v| whole(of(v, Channel::Chat).flow_out);
    chat_service_level: "Chat service level", Share, QUEUE, "chats taken within what the queue promises for the channel ÷ offered chats", |v| ratio(of(v, Channel::Chat).answered_in_time, of(v, Channel::Chat).offered);
    chat_average_wait: "Average wait of chats", Milliseconds, WRITTEN, "Σ wait of taken chats ÷ taken chats", |v| mean(of(v, Channel::Chat).wait_answered, of(v, Channel::Chat).answered);
    chat_longest_wait: "Longest wait of chats", Milliseconds, QUEUE, "longest wait of a stay of chats that ended", |v| span(of(v, Channel::Chat).longest_wait.0);
    chat_handled: "Handled chats", Count, WRITTEN, "times an agent had one of the chats and has it no longer, closed or moved", |v| whole(of(v, Channel::Chat).handled);
    chat_average_handle_time: "Average handle time of chats", Milliseconds, WRITTEN, "(Σ time with the agent + Σ notes) ÷ handled chats; chats that an agent has at the same time count in full each", |v| mean(of(v, Channel::Chat).handling + of(v, Channel::Chat).wrap_up, of(v, Channel::Chat).handled);
    chat_moved: "Moved chats", Count, WRITTEN, "handled chats that went back to a queue", |v| whole(of(v, Channel::Chat).moved);
    chat_offers: "Offers of chats", Count, WRITTEN, "offers of chats that ended, one for each attempt, those taken back included", |v| whole(of(v, Channel::Chat).offers);
    chat_offers_missed: "Missed offers of chats", Count, WRITTEN, "offers of chats that nobody took in time, or that were declined", |v| whole(of(v, Channel::Chat).offers_no_answer + of(v, Channel::Chat).offers_declined);
    email_entered: "Mails that came", Count, QUEUE, "stays of mails in a queue that began", |v| whole(of(v, Channel::Email).entered);
    email_offered: "Offered mails", Count, QUEUE, "stays of mails in a queue that ended: taken + abandoned + flow-out", |v| whole(of(v, Channel::Email).offered);
    email_answered: "Taken mails", Count, WRITTEN, "mails an agent took", |v| whole(of(v, Channel::Email).answered);
    email_abandoned: "Abandoned mails", Count, QUEUE, "stays of mails that the customer ended", |v| whole(of(v, Channel::Email).abandoned);
    email_flow_out: "Flow-out of mails", Count, QUEUE, "stays of mails that ended without agent and without the customer's doing", |v| whole(of(v, Channel::Email).flow_out);
    email_service_level: "Mail service level", Share, QUEUE, "mails taken within what the queue promises for the channel ÷ offered mails", |v| ratio(of(v, Channel::Email).answered_in_time, of(v, Channel::Email).offered);
    email_average_wait: "Average wait of mails", Milliseconds, WRITTEN, "Σ wait of taken mails ÷ taken mails", |v| mean(of(v, Channel::Email).wait_answered, of(v, Channel::Email).answered);
    email_longest_wait: "Longest wait of mails", Milliseconds, QUEUE, "longest wait of a stay of mails that ended", |v| span(of(v, Channel::Email).longest_wait.0);
    email_handled: "Handled mails", Count, WRITTEN, "times an agent had one of the mails and has it no longer, closed or moved", |v| whole(of(v, Channel::Email).handled);
    email_average_handle_time: "Average handle time of mails", Milliseconds, WRITTEN, "(Σ time with the agent + Σ notes) ÷ handled mails; mails that an agent has at the same time count in full each", |v| mean(of(v, Channel::Email).handling + of(v, Channel::Email).wrap_up, of(v, Channel::Email).handled);
    email_moved: "Moved mails", Count, WRITTEN, "handled mails that went back to a queue", |v| whole(of(v, Channel::Email).moved);
    email_offers: "Offers of mails", Count, WRITTEN, "offers of mails that ended, one for each attempt, those taken back included", |v| whole(of(v, Channel::Email).offers);
    email_offers_missed: "Missed offers of mails", Count, WRITTEN, "offers of mails that nobody took in time, or that were declined", |v| whole(of(v, Channel::Email).offers_no_answer + of(v, Channel::Email).offers_declined);
    task_entered: "Tasks that came", Count, QUEUE, "stays of tasks in a queue that began", |v| whole(of(v, Channel::Task).entered);
    task_offered: "Offered tasks", Count, QUEUE, "stays of tasks in a queue that ended: taken + abandoned + flow-out", |v| whole(of(v, Channel::Task).offered);
    task_answered: "Taken tasks", Count, WRITTEN, "tasks an agent took", |v| whole(of(v, Channel::Task).answered);
    task_abandoned: "Abandoned tasks", Count, QUEUE, "stays of tasks that the customer ended", |v| whole(of(v, Channel::Task).abandoned);
    task_flow_out: "Flow-out of tasks", Count, QUEUE, "stays of tasks that ended without agent and without the customer's doing", |v| whole(of(v, Channel::Task).flow_out);
    task_service_level: "Task service level", Share, QUEUE, "tasks taken within what the queue promises for the channel ÷ offered tasks", |v| ratio(of(v, Channel::Task).answered_in_time, of(v, Channel::Task).offered);
    task_average_wait: "Average wait of tasks", Milliseconds, WRITTEN, "Σ wait of taken tasks ÷ taken tasks", |v| mean(of(v, Channel::Task).wait_answered, of(v, Channel::Task).answered);
    task_longest_wait: "Longest wait of tasks", Milliseconds, QUEUE, "longest wait of a stay of tasks that ended", |v| span(of(v, Channel::Task).longest_wait.0);
    task_handled: "Handled tasks", Count, WRITTEN, "times an agent had one of the tasks and has it no longer, closed or moved", |v| whole(of(v, Channel::Task).handled);
    task_average_handle_time: "Average handle time of tasks", Milliseconds, WRITTEN, "(Σ time with the agent + Σ notes) ÷ handled tasks; tasks that an agent has at the same time count in full each", |v| mean(of(v, Channel::Task).handling + of(v, Channel::Task).wrap_up, of(v, Channel::Task).handled);
    task_moved: "Moved tasks", Count, WRITTEN, "handled tasks that went back to a queue", |v| whole(of(v, Channel::Task).moved);
    task_offers: "Offers of tasks", Count, WRITTEN, "offers of tasks that ended, one for each attempt, those taken back included", |v| whole(of(v, Channel::Task).offers);
    task_offers_missed: "Missed offers of tasks", Count, WRITTEN, "offers of tasks that nobody took in time, or that were declined", |v| whole(of(v, Channel::Task).offers_no_answer + of(v, Channel::Task).offers_declined);
}
