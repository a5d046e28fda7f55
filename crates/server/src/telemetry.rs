//! Logs: where they go, in which shape, and what is kept out of them.
//!
//! Callers' numbers and names are wrapped in [`Pii`] wherever they may reach a log line, and are redacted unless the operator
//! asked for them.

use crate::config::{Log, LogFormat};
use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

/// Whether [`Pii`] shows what it holds. Process-wide, because log lines are written everywhere.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// Logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter cannot be read.
    #[error("log.filter is not a filter")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// It was set up before.
    #[error("logging was set up already")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Sets up logging to standard error for the whole process. Once only.
///
/// # Errors
/// See [`LogError`].
pub fn init(log: &Log) -> Result<(), LogError> {
    SHOWN.store(log.pii, Ordering::Relaxed);
    let registry = tracing_subscriber::registry().with(EnvFilter::try_new(&log.filter)?);
    match log.format {
        LogFormat::Pretty => {
            let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).compact();
            registry.with(lines).try_init()?;
        }
        LogFormat::Json => {
            let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).json().flatten_event(true).with_current_span(false);
            registry.with(lines).try_init()?;
        }
    }
    Ok(())
}

/// Something about a person: a number, a name, a text. Shows itself only when the operator asked for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pii<T>(pub T);

impl<T: fmt::Display> fmt::Display for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if SHOWN.load(Ordering::Relaxed) { self.0.fmt(f) } else { f.write_str("‹redacted›") }
    }
}

impl<T: fmt::Debug> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if SHOWN.load(Ordering::Relaxed) { self.0.fmt(f) } else { f.write_str("‹redacted›") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_number_is_not_shown_by_default() {
        let number = Pii("+4930123456");
        assert_eq!(format!("{number} {number:?}"), "‹redacted› ‹redacted›");
    }
}
