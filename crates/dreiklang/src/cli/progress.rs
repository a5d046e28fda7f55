//! Progress of what takes long: a bar on a terminal, plain lines elsewhere, nothing where a program reads.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{io::IsTerminal, time::Duration};

/// A bar for `total` steps of something; `quiet` shows nothing.
pub fn bar(total: u64, what: &str, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), target(quiet));
    if let Ok(style) = ProgressStyle::with_template("{msg:24} {bar:32} {percent:>3} % {eta:>5}") {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar
}

/// A sign of life for something of unknown length.
pub fn spinner(what: &str, quiet: bool) -> ProgressBar {
    let spinner = ProgressBar::with_draw_target(None, target(quiet));
    spinner.set_message(what.to_owned());
    if !quiet && !std::io::stderr().is_terminal() {
        eprintln!("{what} …");
    }
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}

fn target(quiet: bool) -> ProgressDrawTarget {
    if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() }
}
