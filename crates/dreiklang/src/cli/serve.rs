//! `dreiklang serve`.

use crate::compose;
use anyhow::Context as _;
use dreiklang_server::config::Config;
use std::{path::Path, process::ExitCode, time::Duration};
use tokio::signal::unix::{SignalKind, signal};

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print the configuration in effect and stop.
    #[arg(long)]
    print_config: bool,
    /// When asked to stop: how long calls may go on, in seconds. A second request to stop ends them at once.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    drain: u64,
}

/// Runs until SIGTERM or Ctrl-C.
pub async fn run(path: Option<&Path>, args: Args) -> anyhow::Result<ExitCode> {
    let config = Config::load(path)?;
    if args.print_config {
        print!("{}", config.print());
        return Ok(ExitCode::SUCCESS);
    }
    let product = compose::start(&config).await?;
    println!("{}", product.introduction());
    until_asked_to_stop().await?;
    eprintln!("no new calls are taken; present ones may go on for {} s (ask again to stop at once) …", args.drain);
    let stopping = product.stop(Duration::from_secs(args.drain));
    tokio::pin!(stopping);
    tokio::select! {
        () = &mut stopping => {}
        result = until_asked_to_stop() => {
            result?;
            eprintln!("stopping at once …");
            product.hurry();
            stopping.await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits for SIGTERM or Ctrl-C.
pub async fn until_asked_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        _ = terminate.recv() => {}
        result = tokio::signal::ctrl_c() => result.context("cannot listen for Ctrl-C")?,
    }
    Ok(())
}
