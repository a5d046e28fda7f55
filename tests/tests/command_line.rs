//! The command line as operators meet it: what it prints, how it ends, and what it says when something is wrong.

use anyhow::{Context as _, Result, ensure};
use dreiklang_tests::{
    contact_center::ContactCenter,
    ports,
    server::{Server, program},
};
use serde_json::{Value, json};
use std::{
    path::Path,
    process::{Output, Stdio},
};
use tempfile::TempDir;
use tokio::process::Command;

/// Runs the program in an empty folder.
async fn run(folder: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(program()?);
    Ok(command.args(arguments).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true).output().await?)
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn demo_does_the_main_job_and_prints_one_object() -> Result<()> {
    let folder = TempDir::new()?;
    let output = run(folder.path(), &["demo", "--once", "--json", "--data", "demo"]).await?;
    ensure!(output.status.success(), "{}: {}", output.status, complaint(&output));
    let printed: Value = serde_json::from_slice(&output.stdout).context("one JSON object and nothing else")?;
    assert_eq!(printed["ok"], true, "{printed:#}");
    let call = &printed["calls"][0];
    assert_eq!(call["line"], "connected");
    assert!(call["conversation_id"].as_str().is_some_and(|id| id.starts_with("cnv_")), "{call:#}");
    for fact in ["answered", "caller_heard_agent", "agent_heard_caller"] {
        assert_eq!(call[fact], true, "{fact}: {call:#}");
    }
    let recording = &call["recording"];
    assert_eq!(recording["channels"], 2);
    let path = folder.path().join(recording["path"].as_str().context("a path")?);
    let wav = dreiklang_media::wav::Wav::parse(&std::fs::read(path)?)?;
    assert_eq!(wav.channels.len(), 2);
    let said = recording["duration_ms"].as_u64().context("a duration")?;
    assert!(said > 1_000 && wav.duration_ms().abs_diff(said) <= 20, "{said} against {}", wav.duration_ms());
    Ok(())
}

#[tokio::test]
async fn the_matrix_shows_every_row_that_exists_and_hides_none() -> Result<()> {
    let folder = TempDir::new()?;
    let output = run(folder.path(), &["matrix", "--line", "connected", "--json", "--data", "matrix"]).await?;
    let printed: Value = serde_json::from_slice(&output.stdout).with_context(|| complaint(&output))?;
    assert_eq!(printed["failed"], 0, "{printed:#}");
    ensure!(output.status.success(), "{}: {}", output.status, complaint(&output));
    let cells = printed["cells"].as_array().context("cells")?;
    let rows: Vec<u64> = cells.iter().filter_map(|cell| cell["row"].as_u64()).collect();
    assert_eq!(rows, (1..=14).collect::<Vec<_>>());
    let later: Vec<u64> = cells.iter().filter(|cell| cell["verdict"] == "later").filter_map(|cell| cell["row"].as_u64()).collect();
    assert_eq!(later, [4, 12, 13]);
    for cell in cells {
        assert_eq!(cell["line"], "connected");
        let measured = cell["measured"].as_object().context("measured")?;
        assert_eq!(measured.is_empty(), cell["verdict"] == "later", "{cell:#}");
        assert!(cell["how"].as_str().is_some_and(|how| !how.is_empty()), "{cell:#}");
    }
    Ok(())
}

#[tokio::test]
async fn a_taken_address_is_named_with_advice() -> Result<()> {
    let folder = TempDir::new()?;
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?;
    std::fs::write(folder.path().join("d.toml"), format!("[http]\nlisten = \"{address}\"\n[connected]\nenabled = false\n"))?;
    let output = run(folder.path(), &["--config", "d.toml", "serve"]).await?;
    assert_eq!(output.status.code(), Some(1));
    let said = complaint(&output);
    assert!(said.contains(&address.to_string()) && said.contains("choose another address"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_taken_telephone_address_is_named_with_advice() -> Result<()> {
    let folder = TempDir::new()?;
    let taken = std::net::UdpSocket::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?;
    let http = ports::free_address()?;
    std::fs::write(
        folder.path().join("d.toml"),
        format!("[http]\nlisten = \"{http}\"\n[connected]\nudp = \"{address}\"\ntcp = \"off\"\n"),
    )?;
    let output = run(folder.path(), &["--config", "d.toml", "serve"]).await?;
    assert_eq!(output.status.code(), Some(1));
    let said = complaint(&output);
    assert!(said.contains(&address.to_string()), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_broken_configuration_is_named_by_file_and_line() -> Result<()> {
    let folder = TempDir::new()?;
    for (text, wanted) in [
        ("[http]\nlisten = \"nowhere\"\n", "line 2"),
        ("[http]\nlisten = \"127.0.0.1:1\"\ncolour = \"blue\"\n", "line 3"),
        ("[media]\nport_first = 20001\n", "media.port_first"),
        ("[http\n", "line 1"),
    ] {
        std::fs::write(folder.path().join("d.toml"), text)?;
        let output = run(folder.path(), &["--config", "d.toml", "serve"]).await?;
        assert_eq!(output.status.code(), Some(1), "{text}");
        let said = complaint(&output);
        assert!(said.contains("d.toml") || said.contains(wanted), "{said}");
        assert!(said.contains(wanted), "{text}: {said}");
    }
    let output = run(folder.path(), &["--config", "missing.toml", "serve"]).await?;
    assert!(complaint(&output).contains("missing.toml"), "{}", complaint(&output));
    Ok(())
}

#[tokio::test]
async fn two_servers_never_share_a_store() -> Result<()> {
    let server = Server::start().await?;
    let data = server.folder().join("data");
    let folder = TempDir::new()?;
    let http = ports::free_address()?;
    let text = format!("data_directory = {:?}\n[http]\nlisten = \"{http}\"\n[connected]\nenabled = false\n", data.display().to_string());
    std::fs::write(folder.path().join("d.toml"), text)?;
    let output = run(folder.path(), &["--config", "d.toml", "serve"]).await?;
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("in use by another process"), "{}", complaint(&output));
    server.stop().await
}

#[tokio::test]
async fn doctor_says_what_is_wrong_and_what_to_do() -> Result<()> {
    let folder = TempDir::new()?;
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let text = format!("[http]\nlisten = \"{}\"\n[connected]\nudp = \"127.0.0.1:0\"\ntcp = \"off\"\n", taken.local_addr()?);
    std::fs::write(folder.path().join("d.toml"), text)?;
    let output = run(folder.path(), &["--config", "d.toml", "doctor", "--json"]).await?;
    assert_eq!(output.status.code(), Some(3), "{}", complaint(&output));
    let found: Value = serde_json::from_slice(&output.stdout)?;
    let findings = found["findings"].as_array().context("findings")?;
    let http = findings.iter().find(|finding| finding["check"] == "http").context("the address is checked")?;
    assert_eq!(http["verdict"], "bad");
    assert!(http["remedy"].is_string());
    Ok(())
}

#[tokio::test]
async fn a_call_to_nowhere_ends_with_advice() -> Result<()> {
    let folder = TempDir::new()?;
    let center = ContactCenter::open(json!({}), &[]).await?;
    let server = center.server.sip.to_string();
    let output = run(folder.path(), &["call", "+4930000", "--server", &server]).await?;
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("404") && said.contains("numbers"), "{said}");
    let output = run(folder.path(), &["call", "+4930000", "--server", "no such place"]).await?;
    assert_eq!(output.status.code(), Some(1));
    Ok(())
}

#[tokio::test]
async fn what_is_applied_is_exported_and_applying_it_again_changes_nothing() -> Result<()> {
    let server = Server::start().await?;
    let document = "version = 1\n[[queues]]\nname = \"Sales\"\n[[agents]]\nname = \"Ada\"\nendpoint = { kind = \"desk\", value = \"ada\" }\nqueues = [\"Sales\"]\n\
        [[phones]]\nuser = \"ada\"\nagent = \"Ada\"\npassword = \"a-secret-of-ada\"\n[[numbers]]\nnumber = \"+493012\"\ntarget = { kind = \"queue\", id = \"Sales\" }\n";
    let said = server.apply(document).await?;
    assert!(said.contains("+ queue \"Sales\"") && said.contains("4 changed"), "{said}");
    let exported = server.command(&["export"]).await?;
    assert!(exported.contains("Sales") && !exported.contains("a-secret-of-ada"), "{exported}");
    let said = server.apply(&exported).await?;
    assert!(said.starts_with("0 changed"), "{said}");
    let wrong = server.apply("version = 1\n[[numbers]]\nnumber = \"+49301\"\ntarget = { kind = \"queue\", id = \"Nowhere\" }\n").await;
    let said = format!("{:#}", wrong.err().context("an unknown queue is refused")?);
    assert!(said.contains("Nowhere"), "{said}");
    server.stop().await
}

#[tokio::test]
async fn a_backup_of_a_running_server_is_restored_elsewhere() -> Result<()> {
    let server = Server::start().await?;
    server.apply("version = 1\n[[queues]]\nname = \"Kept\"\n").await?;
    let folder = TempDir::new()?;
    let archive = folder.path().join("kept.tar.gz").display().to_string();
    server.command(&["backup", &archive, "--json"]).await?;
    let refused = server.command(&["backup", &archive]).await;
    assert!(format!("{:#}", refused.err().context("an existing file is not overwritten")?).contains("exists"));
    server.stop().await?;

    let (http, sip) = (ports::free_address()?, ports::free_address()?);
    let text = format!(
        "data_directory = \"new\"\n[http]\nlisten = \"{http}\"\nsecure_cookies = false\n[connected]\nudp = \"{sip}\"\ntcp = \"off\"\n"
    );
    std::fs::write(folder.path().join("dreiklang.toml"), text)?;
    let restored = run(folder.path(), &["--config", "dreiklang.toml", "restore", &archive]).await?;
    ensure!(restored.status.success(), "{}", complaint(&restored));
    let again = run(folder.path(), &["--config", "dreiklang.toml", "restore", &archive]).await?;
    assert!(complaint(&again).contains("holds a database already"), "{}", complaint(&again));
    let cut = folder.path().join("cut.tar.gz");
    let whole = std::fs::read(&archive)?;
    std::fs::write(&cut, &whole[..whole.len() / 2])?;
    std::fs::write(folder.path().join("e.toml"), "data_directory = \"other\"\n")?;
    let broken = run(folder.path(), &["--config", "e.toml", "restore", &cut.display().to_string(), "--dry-run"]).await?;
    assert_eq!(broken.status.code(), Some(1));
    assert!(!folder.path().join("other/dreiklang.db").exists(), "nothing of a broken archive stays");
    let listed = Server::start_in(folder, http, sip).await?;
    let exported = listed.command(&["export"]).await?;
    assert!(exported.contains("Kept"), "{exported}");
    listed.stop().await
}
