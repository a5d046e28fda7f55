//! The demo: the real server with a tenant of its own, and people with telephones who call, answer, talk and listen.
//!
//! Real signalling and audio over loopback; the only thing that is not real is who is speaking.
//!
//! # Layout
//!
//! `mod` (from nothing to a running demo) → `tenant.toml` (what is set up) → `report` (what a call was like).

pub mod report;

use crate::{
    compose::{self, Product},
    facts,
};
use anyhow::{Context as _, anyhow, bail};
use dreiklang_core::{
    Actor, Command, Event,
    agent::{Availability, Duty},
    ids::{AgentId, ConversationId},
    queue::Outcome,
};
use dreiklang_lab::pstn::phone::{CallState, Config as PhoneConfig, Manner, Phone};
use dreiklang_server::config::Config;
use report::{Call, Recording};
use std::{
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
    path::PathBuf,
    time::Duration,
};

/// What is set up, in the form `dreiklang apply` takes.
const TENANT: &str = include_str!("tenant.toml");
/// The number callers dial.
const NUMBER: &str = "+49301234500";
/// Who calls.
const CALLER: &str = "+4915112345678";
/// Tones of the people. Far from each other, from hold music and from call progress tones.
const CALLER_HZ: u32 = 1_230;
const AGENT_TONES_HZ: [u32; 2] = [620, 1_700];
/// User name, password, agent's name: as in `tenant.toml`.
const AGENTS: [(&str, &str, &str); 2] = [("anna", "anna-demo-phone", "Anna"), ("ben", "ben-demo-phone", "Ben")];
/// How long each step of the call may take.
const STEP: Duration = Duration::from_secs(20);
/// How long the two talk.
const TALK: Duration = Duration::from_secs(3);

/// How the demo runs.
pub struct Settings {
    /// Empty folder for its data.
    pub data: PathBuf,
    /// Address to listen on.
    pub bind: IpAddr,
    /// Port of the pages.
    pub http_port: u16,
    /// Port telephones sign in at.
    pub phone_port: u16,
    /// Nothing but the result is printed.
    pub quiet: bool,
}

/// A running demo.
pub struct Demo {
    product: Product,
    agents: Vec<Phone>,
    phone_address: SocketAddr,
    lab_ip: IpAddr,
    quiet: bool,
}

impl Demo {
    /// Starts the server, sets the tenant up, plugs the agents' telephones in and makes the agents ready.
    pub async fn start(settings: Settings) -> anyhow::Result<Demo> {
        let say = |text: &str| {
            if !settings.quiet {
                eprintln!("{text}");
            }
        };
        let http = free_port(settings.bind, settings.http_port, settings.quiet);
        let phones = free_port(settings.bind, settings.phone_port, settings.quiet);
        let mut config = Config { data_directory: settings.data.clone(), ..Config::default() };
        config.http.listen = SocketAddr::new(settings.bind, http);
        config.http.secure_cookies = false;
        config.connected.udp = Some(SocketAddr::new(settings.bind, phones));
        config.connected.tcp = Some(SocketAddr::new(settings.bind, phones));
        config.log.filter = if settings.quiet { "error".to_owned() } else { "warn".to_owned() };
        say("starting the server …");
        let product = compose::start(&config).await?;
        say("setting up the demo tenant …");
        product.apply(TENANT).await.context("the demo tenant cannot be set up")?;
        let listening = product.phone_address().ok_or_else(|| anyhow!("the Connected line listens nowhere"))?;
        let lab_ip = if settings.bind.is_unspecified() { IpAddr::from([127, 0, 0, 1]) } else { settings.bind };
        let phone_address = SocketAddr::new(lab_ip, listening.port());
        say("plugging in the agents' telephones …");
        let mut agents = Vec::new();
        for ((user, password, _), hz) in AGENTS.iter().zip(AGENT_TONES_HZ) {
            let config = PhoneConfig {
                user: (*user).to_owned(),
                password: Some((*password).to_owned()),
                server: phone_address,
                ip: lab_ip,
                hz,
                manner: Manner::Answer { after: Duration::from_millis(800) },
            };
            let phone = Phone::start(config).await.with_context(|| format!("the telephone of {user} cannot be set up"))?;
            let state = phone.wait_for(STEP, |state| state.signed_in || state.sign_in_problem.is_some()).await;
            match state {
                Some(state) if state.signed_in => agents.push(phone),
                Some(state) => bail!("the telephone of {user} cannot sign in: {}", state.sign_in_problem.unwrap_or_default()),
                None => bail!("the telephone of {user} got no answer from {phone_address}"),
            }
        }
        let demo = Demo { product, agents, phone_address, lab_ip, quiet: settings.quiet };
        for (_, _, name) in AGENTS {
            demo.make_ready(name).await?;
        }
        Ok(demo)
    }

    async fn agent_named(&self, name: &'static str) -> anyhow::Result<AgentId> {
        let find =
            move |world: &dreiklang_core::World| world.agents().find(|agent| agent.settings.name == name).map(|agent| agent.settings.id);
        self.product.tenant.read(find).await?.ok_or_else(|| anyhow!("there is no agent {name}"))
    }

    async fn make_ready(&self, name: &'static str) -> anyhow::Result<()> {
        let agent = self.agent_named(name).await?;
        let by = Actor::Agent(agent);
        self.product.tenant.command(by.clone(), Command::SetDuty { agent, duty: Duty::OnDuty }).await?;
        self.product.tenant.command(by, Command::SetAvailability { agent, availability: Availability::Ready }).await?;
        Ok(())
    }

    /// Lets somebody call, be answered, talk and hang up, and says what it was like.
    pub async fn place_call(&self) -> anyhow::Result<Call> {
        let mut commits = self.product.tenant.commits();
        let config = PhoneConfig {
            user: CALLER.to_owned(),
            password: None,
            server: self.phone_address,
            ip: self.lab_ip,
            hz: CALLER_HZ,
            manner: Manner::Busy,
        };
        let caller = Phone::start(config).await.context("the caller's telephone cannot be set up")?;
        if !self.quiet {
            eprintln!("{CALLER} calls {NUMBER} …");
        }
        caller.call(NUMBER).await;
        let mut call = Call::new("connected");
        let mut conversation = None;
        let answered = facts::next(&mut commits, STEP, |event| {
            match event {
                Event::ConversationStarted { conversation: id, .. } => conversation = Some(*id),
                Event::VisitEnded { outcome: Outcome::Answered, wait, queue, agent, .. } => return Some(Ok((*wait, *queue, *agent))),
                Event::ConversationEnded { termination, .. } => return Some(Err(anyhow!("the call ended early: {termination:?}"))),
                _ => {}
            }
            None
        })
        .await
        .context("nobody answered")??;
        let conversation: ConversationId = conversation.ok_or_else(|| anyhow!("no conversation began"))?;
        let (wait, queue, agent) = answered;
        let (queue_name, agent_name) = self
            .product
            .tenant
            .read(move |world| {
                let queue = world.queue(queue).map(|queue| queue.settings.name.clone());
                let agent = agent.and_then(|agent| world.agent(agent)).map(|agent| agent.settings.name.clone());
                (queue.unwrap_or_default(), agent.unwrap_or_default())
            })
            .await?;
        call.conversation_id = conversation.to_string();
        call.answered = true;
        call.wait_ms = wait.0;
        call.queue = queue_name;
        let index = AGENTS
            .iter()
            .position(|(_, _, name)| *name == agent_name)
            .ok_or_else(|| anyhow!("answered by {agent_name}, who has no telephone here"))?;
        call.agent = agent_name;
        let agent_phone = &self.agents[index];
        let (caller_hears, agent_hears) =
            tokio::join!(caller.audio().wait_to_hear(AGENT_TONES_HZ[index], STEP), agent_phone.audio().wait_to_hear(CALLER_HZ, STEP));
        call.caller_heard_agent = caller_hears;
        call.agent_heard_caller = agent_hears;
        // They talk for a while, unless one of them loses the call.
        caller.wait_for(TALK, |state| matches!(state.call, CallState::Over { .. })).await;
        caller.hang_up().await;
        let recording = facts::next(&mut commits, STEP, |event| match event {
            Event::RecordingFinished { conversation: id, path, duration, channels, .. } if *id == conversation => {
                Some(Ok(Recording { path: self.product.recordings().join(path), duration_ms: duration.0, channels: *channels }))
            }
            Event::RecordingFailed { conversation: id, reason, .. } if *id == conversation => {
                Some(Err(anyhow!("the recording failed: {reason}")))
            }
            _ => None,
        })
        .await
        .context("no recording was finished")??;
        call.recording = Some(recording);
        Ok(call)
    }

    /// Prints what one can do now.
    pub fn introduce(&self) {
        println!("{}", self.product.introduction());
        println!(
            "Telephones sign in at {} (datagrams or TCP) as anna or ben, password anna-demo-phone or ben-demo-phone;\n\
             sign the built-in ones out by doing so. Call {NUMBER} with: dreiklang call {NUMBER} --server {}",
            self.phone_address, self.phone_address
        );
        println!("The demo stays up until Ctrl-C.");
    }

    /// Stops everything.
    pub async fn stop(self) {
        self.product.stop(Duration::ZERO).await;
    }
}

/// The wanted port if it is free for datagrams and streams, else any free one.
fn free_port(ip: IpAddr, wanted: u16, quiet: bool) -> u16 {
    let address = SocketAddr::new(ip, wanted);
    if wanted == 0 || (TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()) {
        return wanted;
    }
    if !quiet {
        eprintln!("port {wanted} is taken; using another one");
    }
    0
}
