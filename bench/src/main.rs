//! `dreiklang-bench`: a load generator that takes a peer's address, so that Dreiklang and any other back-to-back user agent or
//! queue can be measured in the same run, on the same machine, with the same calls.
//!
//! # Layout
//!
//! `target` (options all commands share, and what is built from them) → `setup` (calls per second) and `media` (calls at the
//! same time) → `row` (what is printed of a run) → `table` (Markdown from many rows). They drive `sip` (callers and answerers)
//! and `audio` (packets), watch the machine through `machine`, and gather durations in `histogram`.
#![forbid(unsafe_code)]

mod audio;
mod histogram;
mod machine;
mod media;
mod row;
mod setup;
mod sip;
mod table;
mod target;
mod timers;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Measures call set-up and audio of a SIP peer.
#[derive(Parser)]
#[command(name = "dreiklang-bench", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Calls per second: callers call a number, agents' telephones or one address answer at once.
    Setup(setup::Args),
    /// Calls at the same time with audio both ways: loss, delay, jitter, and what they cost.
    Media(media::Args),
    /// Print rows written with --out as Markdown tables.
    Table(table::Args),
}

/// Exit code when a measurement was made and the peer did not hold the load.
const NOT_HELD: u8 = 3;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Setup(args) => setup::run(&args),
        Command::Media(args) => media::run(&args),
        Command::Table(args) => table::run(&args).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(NOT_HELD),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
