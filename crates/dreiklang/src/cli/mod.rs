//! The command line. Results go to standard output, everything else to standard error; `--json` prints one object for programs.

pub mod api;
pub mod apply;
pub mod backup;
pub mod call;
pub mod demo;
pub mod doctor;
pub mod export;
pub mod lab;
pub mod matrix;
pub mod progress;
pub mod restore;
pub mod serve;
pub mod simulate;
pub mod version;

use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// Exit codes, the same for every command.
pub mod exit {
    /// It could not be done; standard error says why.
    pub const FAILED: u8 = 1;
    /// It was done and the answer is no: a check failed, a call was not answered.
    pub const NEGATIVE: u8 = 3;
}

/// An open contact center for Microsoft Teams Phone.
#[derive(Debug, Parser)]
#[command(name = "dreiklang", version, about, propagate_version = true)]
pub struct Cli {
    /// Configuration file; without it the built-in values and DREIKLANG_… variables count.
    #[arg(long, short, global = true, env = "DREIKLANG_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(serve::Args),
    /// Run the server with a demo tenant, place a call, show what happened, and stay up.
    Demo(demo::Args),
    /// Place a call to a number of a running server and say what was heard.
    Call(call::Args),
    /// Try what is promised for each line with real calls, and say what was measured.
    Matrix(matrix::Args),
    /// Run Microsoft's side and the telephone network alone, for your own bot.
    Lab(lab::Args),
    /// Check the configuration, this machine and a running server, and say what to do.
    Doctor(doctor::Args),
    /// Write everything that is kept into one file, while the server runs or not.
    Backup(backup::Args),
    /// Put a backup into an empty data directory.
    Restore(restore::Args),
    /// Bring a tenant's configuration to what a document says.
    Apply(apply::Args),
    /// Print a tenant's configuration as a document.
    Export(export::Args),
    /// Run contact-center days on a virtual clock and look for what must never happen.
    Simulate(simulate::Args),
    /// Print the version.
    Version(version::Args),
}

impl Cli {
    /// Carries the command out.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.config;
        match self.command {
            Command::Serve(args) => serve::run(config.as_deref(), args).await,
            Command::Demo(args) => demo::run(args).await,
            Command::Call(args) => call::run(args).await,
            Command::Matrix(args) => matrix::run(args).await,
            Command::Lab(args) => lab::run(args).await,
            Command::Doctor(args) => doctor::run(config.as_deref(), args).await,
            Command::Backup(args) => backup::run(config.as_deref(), args).await,
            Command::Restore(args) => restore::run(config.as_deref(), args).await,
            Command::Apply(args) => apply::run(config.as_deref(), args).await,
            Command::Export(args) => export::run(config.as_deref(), args).await,
            Command::Simulate(args) => simulate::run_days(&args),
            Command::Version(args) => version::run(&args),
        }
    }
}
