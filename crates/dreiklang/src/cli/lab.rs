//! `dreiklang lab`: Microsoft's side and the telephone network alone, for whoever develops a bot.

use anyhow::Context as _;
use dreiklang_lab::{Lab, Settings};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

/// Arguments of `lab`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address to listen on; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// Plain http instead of https; Microsoft's SDKs take it with access keys only.
    #[arg(long)]
    http: bool,
    /// Name by which it is reached; without it the address.
    #[arg(long, value_name = "NAME")]
    host_name: Option<String>,
    /// Where the certificate authority and keys are kept, so that they need be trusted once only.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Seed of ids, keys and chances.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A number with a resource account; can be given more than once.
    #[arg(long = "number", value_name = "E164", default_value = "+4930901820")]
    numbers: Vec<String>,
    /// A user with a contact-center client and a Teams client; can be given more than once.
    #[arg(long = "user", value_name = "NAME", default_values = ["anna", "ben", "clara"])]
    users: Vec<String>,
    /// One JSON object with everything a bot needs to know.
    #[arg(long)]
    json: bool,
}

/// Runs the lab until it is asked to stop.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let folder = args.data.unwrap_or_else(|| std::env::temp_dir().join("dreiklang-lab"));
    let settings = Settings {
        listen: args.listen,
        plain_http: args.http,
        host_name: args.host_name,
        data: Some(folder.clone()),
        seed: args.seed,
        ..Settings::default()
    };
    let started = Lab::start(settings).await;
    let lab = started.with_context(|| format!("cannot start the lab at {} with its data in {}", args.listen, folder.display()))?;
    for (index, number) in args.numbers.iter().enumerate() {
        lab.add_resource_account(&format!("Support {}", index + 1), number);
    }
    for (index, name) in args.users.iter().enumerate() {
        let agent = lab.add_agent(name);
        // Each with a tone of his own, so that one hears who it is.
        let hz = 600 + 60 * (index as u32 % 20);
        agent.contact_center.set_tone(hz);
        agent.teams.set_tone(hz);
    }
    let mut setup = lab.setup();
    if let Some(file) = lab.ca_file() {
        setup["caFile"] = serde_json::json!(file);
    }
    if args.json {
        println!("{setup}");
    } else {
        introduce(&lab, &setup);
    }
    super::serve::until_asked_to_stop().await?;
    eprintln!("stopping …");
    lab.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn introduce(lab: &Lab, setup: &serde_json::Value) {
    let text = |name: &str| setup[name].as_str().unwrap_or_default();
    println!("The lab is at {}  (its page: {}/lab/)", lab.url(), lab.url());
    match lab.ca_file() {
        Some(file) => println!("  trust            {}", file.display()),
        None => println!("  trust            nothing: plain http"),
    }
    println!("  connection       {}", text("connectionString"));
    println!("  tenant           {}", text("tenantId"));
    println!("  application      {}  secret {}", text("clientId"), text("clientSecret"));
    println!("  desks            {}", text("deskClientId"));
    println!("  resource         {}", text("resourceId"));
    for account in setup["resourceAccounts"].as_array().into_iter().flatten() {
        println!(
            "  number           {}  resource account {}",
            account["number"].as_str().unwrap_or_default(),
            account["id"].as_str().unwrap_or_default()
        );
    }
    for user in setup["users"].as_array().into_iter().flatten() {
        let field = |name: &str| user[name].as_str().unwrap_or_default().to_owned();
        println!("  user             {}  password {}", field("userPrincipalName"), field("password"));
    }
    println!("Subscribe your webhook: POST {}/lab/api/subscriptions {{\"url\": …}}. It stays up; Ctrl-C stops it.", lab.url());
}
