//! Callbacks: how many were offered, asked for and kept, and how long that took. Who is promised one leaves the queue by
//! flow-out and is no abandon; when the callback stands in line, that is a visit of its own.

use super::{figures, mean, ratio, whole};

figures! {
    callbacks_offered: "Callbacks offered", Count, QUEUE, "waiting callers who were offered to be called back", |v| whole(v.interval.callbacks_offered);
    callbacks_requested: "Callbacks promised", Count, QUEUE, "callbacks that were asked for, on the telephone or by program; asking again is no further one", |v| whole(v.interval.callbacks_requested);
    callbacks_repeated: "Callbacks asked for again", Count, QUEUE, "times an open callback was asked for once more", |v| whole(v.interval.callbacks_repeated);
    callbacks_place_kept: "Callbacks with place kept", Count, QUEUE, "callbacks promised that stand in line since before they were asked for", |v| whole(v.interval.callbacks_place_kept);
    callback_attempts: "Callback attempts", Count, QUEUE, "times an agent took a callback and the customer was called", |v| whole(v.interval.callback_attempts);
    callbacks_connected: "Callbacks connected", Count, QUEUE, "callbacks that ended with customer and agent hearing each other", |v| whole(v.interval.callbacks_connected);
    callbacks_failed: "Callbacks failed", Count, QUEUE, "callbacks that ended because the customer could not be had as often as the queue tries, or nobody had time for too long", |v| whole(v.interval.callbacks_failed);
    callbacks_cancelled: "Callbacks cancelled", Count, QUEUE, "callbacks that somebody took back", |v| whole(v.interval.callbacks_cancelled);
    callbacks_overtaken: "Callbacks overtaken", Count, QUEUE, "callbacks that ended because the customer called again and was answered", |v| whole(v.interval.callbacks_overtaken);
    callback_success_rate: "Callback success rate", Share, QUEUE, "callbacks connected ÷ (connected + failed)", |v| ratio(v.interval.callbacks_connected, v.interval.callbacks_connected + v.interval.callbacks_failed);
    average_time_to_callback: "Average time to callback", Milliseconds, QUEUE, "Σ time from asking to hearing each other of callbacks connected ÷ callbacks connected; one for a later time counts from when it was asked for, too", |v| mean(v.interval.callback_time, v.interval.callbacks_connected);
}
