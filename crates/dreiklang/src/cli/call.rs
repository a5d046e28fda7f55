//! `dreiklang call NUMBER`: a telephone of ours calls a number of a running server, says a tone, listens, and reports.

use anyhow::{Context as _, bail};
use dreiklang_lab::pstn::phone::{CallState, Config, Manner, Phone};
use std::{
    net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket},
    process::ExitCode,
    time::Duration,
};

/// Arguments of `call`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The number to dial, as the server knows it.
    number: String,
    /// Where the server takes calls.
    #[arg(long, default_value = "127.0.0.1:5060", value_name = "HOST:PORT")]
    server: String,
    /// The caller's number.
    #[arg(long, default_value = "+493012345678")]
    from: String,
    /// How long to talk after the call was answered, in seconds.
    #[arg(long, default_value_t = 5, value_name = "SECONDS")]
    talk: u64,
    /// How long to wait for an answer, in seconds.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    patience: u64,
    /// The tone to say, in Hz (200–3400).
    #[arg(long, default_value_t = 1230, value_parser = clap::value_parser!(u32).range(200..=3400))]
    tone: u32,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// Places the call. The exit code is 0 when it was answered and audio was heard.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let server = address_of(&args.server)?;
    let ip = way_to(server).with_context(|| format!("this machine has no way to {server}"))?;
    let config = Config { user: args.from.clone(), password: None, server, ip, hz: args.tone, manner: Manner::Busy };
    let phone = Phone::start(config).await.context("the telephone cannot be set up")?;
    let say = |text: &str| {
        if !args.json {
            eprintln!("{text}");
        }
    };
    say(&format!("calling {} at {server} …", args.number));
    phone.call(&args.number).await;
    let patience = Duration::from_secs(args.patience);
    let reached = phone.wait_for(patience, |state| matches!(state.call, CallState::Talking | CallState::Over { .. })).await;
    let answered = matches!(reached.as_ref().map(|state| &state.call), Some(CallState::Talking));
    let mut heard_ms = 0;
    let mut problem = None;
    match reached.map(|state| state.call) {
        Some(CallState::Talking) => {
            say("answered; talking …");
            let talk = Duration::from_secs(args.talk);
            if phone.wait_for(talk, |state| matches!(state.call, CallState::Over { .. })).await.is_some() {
                say("the far end hung up");
            }
            phone.hang_up().await;
            // Without a goodbye the far end would go on; it is given a moment.
            phone.wait_for(Duration::from_secs(5), |state| matches!(state.call, CallState::Over { .. })).await;
            heard_ms = *phone.audio().packets().borrow() * 20;
        }
        Some(CallState::Over { status, .. }) => {
            let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            problem = Some(format!("refused: {status}{}", advice(&status)));
        }
        _ => {
            phone.hang_up().await;
            problem = Some(format!("nobody answered within {} s; does a server take calls at {server}?", args.patience));
        }
    }
    let ok = answered && heard_ms > 0;
    if answered && heard_ms == 0 {
        problem =
            Some("answered, but no audio came; check the media ports in the firewall and media.advertised in the configuration".to_owned());
    }
    if args.json {
        println!("{}", serde_json::json!({ "ok": ok, "answered": answered, "heard_ms": heard_ms, "problem": problem }));
    } else if let Some(problem) = problem {
        println!("{problem}");
    } else {
        println!("answered; {:.1} s of audio heard", f64::from(u32::try_from(heard_ms).unwrap_or(u32::MAX)) / 1000.0);
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(super::exit::NEGATIVE) })
}

fn advice(status: &str) -> &'static str {
    match status {
        "404" => " (the server does not know this number: see its numbers)",
        "403" => " (the server does not know this machine: add its address to a trunk's sources)",
        "408" => " (no answer at all: is this the right address and port?)",
        "486" => " (busy: the queue is full)",
        "488" => " (no common audio format)",
        "503" => " (the server takes no calls at present)",
        _ => "",
    }
}

/// An address from `host:port`.
fn address_of(text: &str) -> anyhow::Result<SocketAddr> {
    let found =
        text.to_socket_addrs().with_context(|| format!("\"{text}\" is no address; write host:port, such as 127.0.0.1:5060"))?.next();
    match found {
        Some(address) => Ok(address),
        None => bail!("\"{text}\" has no address"),
    }
}

/// Our own address on the way to the server.
fn way_to(server: SocketAddr) -> std::io::Result<IpAddr> {
    let any: IpAddr = if server.is_ipv4() { IpAddr::from([0, 0, 0, 0]) } else { IpAddr::from([0_u16; 8]) };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
    socket.connect(server)?;
    Ok(socket.local_addr()?.ip())
}
