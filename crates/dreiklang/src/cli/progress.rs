//! Progress of what takes long: a bar on a terminal, plain lines elsewhere, nothing where a program reads.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar for `total` steps of something; `quiet` shows nothing.
pub fn bar(total: u64, what: &str, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), target(quiet));
    if let Ok(style) = ProgressStyle::with_template("{msg:24} {bar:32} {percent:>3} % {eta:>5}") {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar
}

fn target(quiet: bool) -> ProgressDrawTarget {
    if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() }
}
