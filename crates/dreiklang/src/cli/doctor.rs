//! `dreiklang doctor`: looks at the configuration, this machine and a running server, and says what to do.

use super::exit;
use dreiklang_server::config::Config;
use serde::Serialize;
use std::{
    net::{SocketAddr, TcpListener, UdpSocket},
    path::Path,
    process::ExitCode,
    time::Duration,
};

/// How long the running server may take to answer a check.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// Free space below which recordings would soon stop.
const FREE_BYTES_WANTED: u64 = 2 << 30;
/// Open files needed for a hundred calls: four sockets each and some.
const OPEN_FILES_WANTED: u64 = 1_024;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// As it should be.
    Good,
    /// Works, with something missing.
    Warning,
    /// Does not work.
    Bad,
}

#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

/// Runs every check. The exit code is 0 unless one is bad.
pub async fn run(path: Option<&Path>, args: Args) -> anyhow::Result<ExitCode> {
    let mut findings = Vec::new();
    match Config::load(path) {
        Err(error) => findings.push(bad("configuration", error.to_string(), "correct the file or variable named")),
        Ok(config) => {
            let source = path.map_or_else(|| "built-in values and DREIKLANG_… variables".to_owned(), |path| path.display().to_string());
            findings.push(good("configuration", source));
            let running = look_at_server(&config, &mut findings).await;
            look_at_disk(&config, &mut findings);
            look_at_machine(&config, running, &mut findings);
        }
    }
    let ok = findings.iter().all(|finding| finding.verdict != Verdict::Bad);
    if args.json {
        println!("{}", serde_json::json!({ "ok": ok, "findings": findings }));
    } else {
        for finding in &findings {
            let mark = match finding.verdict {
                Verdict::Good => "✓",
                Verdict::Warning => "!",
                Verdict::Bad => "✗",
            };
            println!("{mark} {:16} {}", finding.check, finding.found);
            if let Some(remedy) = &finding.remedy {
                println!("  {:16} → {remedy}", "");
            }
        }
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(exit::NEGATIVE) })
}

fn good(check: &'static str, found: impl Into<String>) -> Finding {
    Finding { check, verdict: Verdict::Good, found: found.into(), remedy: None }
}

fn warning(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding { check, verdict: Verdict::Warning, found: found.into(), remedy: Some(remedy.into()) }
}

fn bad(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding { check, verdict: Verdict::Bad, found: found.into(), remedy: Some(remedy.into()) }
}

/// Whether a server runs with this configuration, and how it feels.
async fn look_at_server(config: &Config, findings: &mut Vec<Finding>) -> bool {
    let address = config.http.admin_listen.unwrap_or(config.http.listen);
    let host = if address.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], address.port())) } else { address };
    let client = reqwest::Client::builder().timeout(ANSWER_WITHIN).no_proxy().build();
    let Ok(client) = client else { return false };
    let answer = client.get(format!("http://{host}/readyz")).send().await;
    match answer {
        Err(_) => {
            findings.push(warning("server", format!("nothing answers at {address}"), "start it with: dreiklang serve"));
            false
        }
        Ok(answer) if answer.status().is_success() => {
            findings.push(good("server", format!("ready at {address}")));
            true
        }
        Ok(answer) => {
            let status = answer.status();
            let text = answer.text().await.unwrap_or_default();
            let text: String = text.chars().take(500).collect();
            findings.push(bad("server", format!("answers {status} at {address}: {text}"), "see the reasons it gives, and its log"));
            true
        }
    }
}

fn look_at_disk(config: &Config, findings: &mut Vec<Finding>) {
    let data = &config.data_directory;
    if let Err(error) = std::fs::create_dir_all(data) {
        findings.push(bad(
            "data directory",
            format!("{} cannot be created: {error}", data.display()),
            "create it and give it to the user that runs the server",
        ));
        return;
    }
    let probe = data.join(".doctor");
    match std::fs::write(&probe, b"written by dreiklang doctor").and_then(|()| std::fs::remove_file(&probe)) {
        Ok(()) => findings.push(good("data directory", format!("{} can be written", data.display()))),
        Err(error) => {
            findings.push(bad(
                "data directory",
                format!("{} cannot be written: {error}", data.display()),
                "give it to the user that runs the server, or free some space",
            ));
        }
    }
    match dreiklang_server::machine::free_bytes(data) {
        Ok(free) if free < FREE_BYTES_WANTED => {
            let found = format!("{} MB free for {}", free >> 20, data.display());
            findings.push(warning(
                "disk space",
                found,
                "make room: a recorded hour takes 58 MB, and recordings stop before the disk is full",
            ));
        }
        Ok(free) => findings.push(good("disk space", format!("{} GB free", free >> 30))),
        Err(error) => findings.push(warning("disk space", format!("cannot be told: {error}"), "look at it with df")),
    }
}

fn look_at_machine(config: &Config, running: bool, findings: &mut Vec<Finding>) {
    if !running {
        look_at_ports(config, findings);
    }
    let ports = u32::from(config.media.port_last).saturating_sub(u32::from(config.media.port_first)) + 1;
    findings.push(good(
        "audio ports",
        format!("{}–{} (UDP, open them in the firewall): {} calls at once", config.media.port_first, config.media.port_last, ports / 4),
    ));
    match std::process::Command::new("espeak-ng").arg("--version").output() {
        Ok(output) if output.status.success() => {
            let version = String::from_utf8_lossy(&output.stdout);
            findings.push(good("text to speech", version.lines().next().unwrap_or("espeak-ng").trim().to_owned()));
        }
        _ => findings.push(warning(
            "text to speech",
            "espeak-ng is not installed; spoken texts are skipped",
            "apt-get install espeak-ng, or use prompts from files",
        )),
    }
    match dreiklang_server::machine::open_files_limit() {
        Some(limit) if limit < OPEN_FILES_WANTED => {
            findings.push(warning(
                "open files",
                format!("at most {limit}"),
                "raise the limit (LimitNOFILE in the systemd unit, or ulimit -n): each call takes four",
            ));
        }
        Some(limit) => findings.push(good("open files", format!("at most {limit}: {} calls", limit / 4))),
        None => findings.push(warning("open files", "the limit cannot be told", "see ulimit -n")),
    }
}

fn look_at_ports(config: &Config, findings: &mut Vec<Finding>) {
    let connected = &config.connected;
    let mut wanted = vec![("http", config.http.listen, false)];
    if connected.enabled {
        wanted.extend(connected.udp.map(|address| ("telephones (UDP)", address, true)));
        wanted.extend(connected.tcp.map(|address| ("telephones (TCP)", address, false)));
        wanted.extend(connected.tls.map(|address| ("telephones (TLS)", address, false)));
    }
    for (check, address, datagrams) in wanted {
        let result = if datagrams { UdpSocket::bind(address).map(drop) } else { TcpListener::bind(address).map(drop) };
        findings.push(match result {
            Ok(()) => good(check, format!("{address} is free")),
            Err(error) => bad(
                check,
                format!("{address} cannot be used: {error}"),
                "stop what uses it (ss -tulpn shows it), or choose another address in the configuration",
            ),
        });
    }
}
