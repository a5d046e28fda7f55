//! Those who look for somebody to call through: the usual scanner (SIPVicious) learns nothing.

use anyhow::{Context, Result};
use dreiklang_tests::{
    baresip::{Baresip, Setup},
    contact_center::ContactCenter,
    ports,
    server::Server,
    tone_files::AGENT_HZ,
    wait::SOON,
};
use serde_json::json;
use std::{net::SocketAddr, process::Stdio};
use tempfile::TempDir;
use tokio::{process::Command, time::timeout};

/// What a scanner says when it is through and knows nothing.
const NOTHING: &str = "found nothing";

/// Runs one of the scanners, and returns everything it says.
async fn scan(program: &str, arguments: &[&str], target: SocketAddr) -> Result<String> {
    // It keeps what it finds in its home folder.
    let home = TempDir::with_prefix("scanner-")?;
    let mut command = Command::new(program);
    command
        .args(["-p", &target.port().to_string(), "-P", &ports::free()?.to_string(), "-b", "127.0.0.1", "-x", "127.0.0.1"])
        .args(arguments)
        .arg(target.ip().to_string())
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(SOON, command.output()).await.with_context(|| format!("{program} does not end"))?;
    let output = output.with_context(|| format!("cannot start {program}; ./test installs it (Debian package sipvicious)"))?;
    Ok([output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat())
}

/// A contact center that has a telephone, and a trunk to somewhere else.
async fn center() -> Result<ContactCenter> {
    let center = ContactCenter::open_on(Server::start().await?, json!({}), &["100"], "optional").await?;
    center.create("trunks", json!({ "name": "Carrier", "sources": ["192.0.2.1"], "health_interval_s": 0 })).await?;
    Ok(center)
}

/// Scans with each of these methods at the same time; nothing is found.
async fn finds_nothing(program: &str, more: &[&str]) -> Result<()> {
    let center = center().await?;
    let [options, invite, register] = ["OPTIONS", "INVITE", "REGISTER"].map(|method| [&["-m", method], more].concat());
    let target = center.server.sip;
    let (options, invite, register) =
        tokio::try_join!(scan(program, &options, target), scan(program, &invite, target), scan(program, &register, target))?;
    for said in [options, invite, register] {
        assert!(said.contains(NOTHING) && !said.contains("Dreiklang"), "{program}: {said}\n{}", center.server.log());
    }
    Ok(())
}

#[tokio::test]
async fn who_scans_for_servers_finds_none() -> Result<()> {
    finds_nothing("svmap", &[]).await
}

#[tokio::test]
async fn who_scans_for_telephones_finds_none() -> Result<()> {
    finds_nothing("svwar", &["-e", "98-102", "--force"]).await
}

#[tokio::test]
async fn a_scanner_finds_who_answers() -> Result<()> {
    // The rig: without this, a scanner that cannot scan would pass.
    let telephone = Baresip::start(Setup::new("100", AGENT_HZ)).await?;
    let said = scan("svmap", &["-m", "OPTIONS"], telephone.address).await?;
    assert!(said.contains(&telephone.address.to_string()), "{said}");
    Ok(())
}
