//! How good predicted waits (EWT) were: place in the line × work per answer ÷ agents able to serve, see `queue::Pace`.

use super::{figures, mean, ratio, whole};

figures! {
    estimates: "Predicted waits (EWT)", Count, QUEUE, "answered visits whose wait was predicted when they began", |v| whole(v.interval.estimates);
    estimates_held_share: "Predictions that held", Share, QUEUE, "predicted waits that lay within the predicted range ÷ predicted waits", |v| ratio(v.interval.estimates_held, v.interval.estimates);
    estimate_error: "Mean error of predictions", Milliseconds, QUEUE, "Σ |wait − likely wait| ÷ predicted waits", |v| mean(v.interval.estimate_short + v.interval.estimate_long, v.interval.estimates);
    estimate_bias: "Bias of predictions", Milliseconds, QUEUE, "(Σ wait − Σ likely wait) ÷ predicted waits; above 0 when callers wait longer than they were told", |v| {
        let bias = v.interval.estimate_short.0 as f64 - v.interval.estimate_long.0 as f64;
        (v.interval.estimates > 0).then(|| crate::stats::Value::Part(bias / v.interval.estimates as f64))
    };
}
