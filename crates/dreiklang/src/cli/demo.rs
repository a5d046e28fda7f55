//! `dreiklang demo`: the product with a demo tenant and a telephone network of its own.

use crate::demo::{self, Settings};
use anyhow::Context as _;
use std::{net::IpAddr, path::PathBuf, process::ExitCode};

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Place the call, print what happened, stop.
    #[arg(long)]
    once: bool,
    /// One JSON object. Log lines go to standard error.
    #[arg(long)]
    json: bool,
    /// Where the demo keeps its data; each start uses a fresh folder in it.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address to listen on; 0.0.0.0 lets telephones in the network sign in too.
    #[arg(long, default_value = "127.0.0.1")]
    bind: IpAddr,
    /// Port of the pages; 0 takes any free one, and a taken one is replaced by a free one.
    #[arg(long, default_value_t = 8080)]
    http_port: u16,
    /// Port telephones sign in at; 0 takes any free one, and a taken one is replaced by a free one.
    #[arg(long, default_value_t = 5060)]
    phone_port: u16,
}

/// Runs the demo. The exit code is 0 only if the call went as it should, heard both ways and recorded.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let parent = args.data.unwrap_or_else(|| std::env::temp_dir().join("dreiklang-demo"));
    let folder = parent.join(format!("{}-{}", jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S"), std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}; name another place with --data", folder.display()))?;
    let settings = Settings {
        data: folder,
        bind: args.bind,
        http_port: if args.once { 0 } else { args.http_port },
        phone_port: if args.once { 0 } else { args.phone_port },
        quiet: args.json,
    };
    let demo = demo::Demo::start(settings).await?;
    let outcome = demo.place_call().await;
    let ok = outcome.as_ref().is_ok_and(demo::report::Call::is_good);
    match &outcome {
        Ok(call) if args.json => println!("{}", serde_json::json!({ "ok": ok, "calls": [call] })),
        Ok(call) => println!("{}", call.text()),
        Err(error) if args.json => println!("{}", serde_json::json!({ "ok": false, "calls": [], "problem": format!("{error:#}") })),
        Err(error) => println!("The call did not go as it should: {error:#}"),
    }
    if args.once {
        demo.stop().await;
        return Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(super::exit::NEGATIVE) });
    }
    demo.introduce();
    super::serve::until_asked_to_stop().await?;
    eprintln!("stopping …");
    demo.stop().await;
    Ok(ExitCode::SUCCESS)
}
