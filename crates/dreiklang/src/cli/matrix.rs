//! `dreiklang matrix`: what is promised for each line, tried with real calls.

use crate::matrix::{self, Report, Settings, connected};
use anyhow::Context as _;
use std::{path::PathBuf, process::ExitCode};

/// Arguments of `matrix`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this line.
    #[arg(long, value_enum)]
    line: Option<Line>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
    /// Where the trials keep their data; each run uses a fresh folder in it.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Lines that can be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Line {
    /// SIP and RTP.
    Connected,
}

/// Tries every row. The exit code is 0 only if none failed.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let parent = args.data.unwrap_or_else(|| std::env::temp_dir().join("dreiklang-matrix"));
    let folder = parent.join(format!("{}-{}", jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S"), std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}; name another place with --data", folder.display()))?;
    let settings = Settings { data: folder.clone(), quiet: args.json };
    let cells = match args.line {
        Some(Line::Connected) | None => connected::run(&settings).await?,
    };
    let report: Report = matrix::Report::of(cells);
    if args.json {
        println!("{}", serde_json::to_string(&report).context("the report is not JSON")?);
    } else {
        println!("{}", report.text());
    }
    if report.failed > 0 {
        eprintln!("what was written down is kept in {}", folder.display());
        return Ok(ExitCode::from(super::exit::NEGATIVE));
    }
    // Recordings of tones; nobody misses them.
    let _ = std::fs::remove_dir_all(&folder);
    Ok(ExitCode::SUCCESS)
}
