//! Where the trials take place: the product, its agents' telephones, and somebody outside.

use crate::{
    compose::{self, Product},
    facts,
    matrix::Settings,
};
use anyhow::{Context as _, anyhow, bail, ensure};
use dreiklang_core::{
    Actor, Command, Event, World,
    agent::{Availability, Duty},
    ids::{AgentId, ConversationId},
};
use dreiklang_lab::pstn::phone::{CallState, Config as PhoneConfig, Manner, Phone};
use dreiklang_server::{config::Config, runtime::Commit};
use dreiklang_store::report::details::ConversationDetails;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    time::{Duration, Instant},
};
use tokio::sync::broadcast;

/// Leads to the queue Support.
pub const SUPPORT: &str = "+49301000";
/// Anna's own.
pub const ANNA: &str = "+49301001";
/// Leads to a queue in which nobody works.
pub const NIGHT: &str = "+49301002";
/// Somebody speaks, and that is all.
pub const WORDS: &str = "+49301003";
/// Somebody outside.
pub const OUTSIDE: &str = "+4940111222";
/// Tones of the people, far from each other and from music and call progress.
pub const CALLER_HZ: u32 = 1_230;
pub const ANNA_HZ: u32 = 620;
pub const BEN_HZ: u32 = 1_700;
pub const SUE_HZ: u32 = 2_150;
pub const OUTSIDE_HZ: u32 = 2_700;
/// Whom one can hear.
const TONES_HZ: [u32; 5] = [CALLER_HZ, ANNA_HZ, BEN_HZ, SUE_HZ, OUTSIDE_HZ];
/// How long each step may take.
pub const STEP: Duration = Duration::from_secs(20);

const TENANT: &str = include_str!("tenant.toml");
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The product and its people.
pub struct Stage {
    config: Config,
    pub product: Product,
    pub anna: Phone,
    pub ben: Phone,
    pub sue: Phone,
    /// Where calls to outside end.
    pub outside: Phone,
    /// From nothing to taking calls.
    pub started_ms: u64,
    /// The conversation of the first trial.
    pub first: Option<ConversationId>,
}

/// A caller who talks to Anna.
pub struct Talk {
    pub caller: Phone,
    pub conversation: ConversationId,
    /// From dialing to hearing the agent.
    pub setup_ms: u64,
    facts: broadcast::Receiver<Commit>,
}

impl Stage {
    /// Starts the product, sets it up and plugs the telephones in.
    pub async fn open(settings: &Settings) -> anyhow::Result<Stage> {
        let mut config = Config { data_directory: settings.data.clone(), ..Config::default() };
        let any = SocketAddr::new(HERE, 0);
        config.http.listen = any;
        (config.connected.udp, config.connected.tcp) = (Some(any), Some(any));
        config.log.filter = "error".to_owned();
        let began = Instant::now();
        let product = compose::start(&config).await?;
        let started_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let server = product.phone_address().ok_or_else(|| anyhow!("the Connected line listens nowhere"))?;
        let outside = phone(server, OUTSIDE, None, OUTSIDE_HZ, Manner::Answer { after: Duration::from_millis(200) }).await?;
        // Nobody listens there any more once it is known which port was free.
        let nowhere = TcpListener::bind(any)?.local_addr()?;
        let tenant = TENANT.replace("{outside}", &outside.address().to_string()).replace("{nowhere}", &nowhere.to_string());
        product.apply(&tenant).await.context("the trials cannot be set up")?;
        let (anna, ben, sue) =
            (desk(server, "anna", ANNA_HZ).await?, desk(server, "ben", BEN_HZ).await?, desk(server, "sue", SUE_HZ).await?);
        let stage = Stage { config, product, anna, ben, sue, outside, started_ms, first: None };
        for name in ["Anna", "Sue"] {
            stage.set_duty(name, Duty::OnDuty).await?;
        }
        let agent = stage.agent("Anna").await?;
        stage.ask(Actor::Agent(agent), Command::SetAvailability { agent, availability: Availability::Ready }).await?;
        Ok(stage)
    }

    /// Stops the product and starts it again on what it has written down. Says how long it took until it was ready.
    pub async fn restart(&mut self) -> anyhow::Result<u64> {
        self.product.stop(Duration::ZERO).await;
        let began = Instant::now();
        self.product = compose::start_again(&self.config).await?;
        Ok(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    pub async fn ask(&self, by: Actor, command: Command) -> anyhow::Result<()> {
        let said = format!("{command:?}");
        self.product.tenant.command(by, command).await.map_err(|refusal| anyhow!("{said} is refused: {refusal}"))
    }

    pub async fn agent(&self, name: &'static str) -> anyhow::Result<AgentId> {
        let find = move |world: &World| world.agents().find(|agent| agent.settings.name == name).map(|agent| agent.settings.id);
        self.product.tenant.read(find).await?.ok_or_else(|| anyhow!("there is no agent {name}"))
    }

    pub async fn set_duty(&self, name: &'static str, duty: Duty) -> anyhow::Result<()> {
        let agent = self.agent(name).await?;
        self.ask(Actor::Agent(agent), Command::SetDuty { agent, duty }).await
    }

    /// Lets Ben work or not; whoever works is ready.
    pub async fn ben_works(&self, works: bool) -> anyhow::Result<()> {
        if !works {
            return self.set_duty("Ben", Duty::SignedOut).await;
        }
        self.set_duty("Ben", Duty::OnDuty).await?;
        let agent = self.agent("Ben").await?;
        self.ask(Actor::Agent(agent), Command::SetAvailability { agent, availability: Availability::Ready }).await
    }

    /// A telephone outside that calls.
    pub async fn caller(&self) -> anyhow::Result<Phone> {
        let server = self.product.phone_address().ok_or_else(|| anyhow!("the Connected line listens nowhere"))?;
        phone(server, "+4915112345678", None, CALLER_HZ, Manner::Busy).await
    }

    pub fn facts(&self) -> broadcast::Receiver<Commit> {
        self.product.tenant.commits()
    }

    /// Somebody calls `number` and talks to Anna, each hearing the other.
    pub async fn talk(&self, number: &str) -> anyhow::Result<Talk> {
        let mut facts = self.facts();
        let caller = self.caller().await?;
        let began = Instant::now();
        caller.call(number).await;
        let conversation = facts::next(&mut facts, STEP, |event| match event {
            Event::ConversationStarted { conversation, .. } => Some(*conversation),
            _ => None,
        });
        let conversation = conversation.await.context("the call did not arrive")?;
        hears(&caller, &[ANNA_HZ]).await.context("the caller does not hear the agent")?;
        let setup_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        hears(&self.anna, &[CALLER_HZ]).await.context("the agent does not hear the caller")?;
        Ok(Talk { caller, conversation, setup_ms, facts })
    }

    /// Everything about a conversation, once it is over and all its legs with it.
    pub async fn over(&self, mut talk: Talk) -> anyhow::Result<ConversationDetails> {
        talk.caller.hang_up().await;
        let conversation = talk.conversation;
        facts::next(&mut talk.facts, STEP, |event| match event {
            Event::ConversationEnded { conversation: ended, .. } => (*ended == conversation).then_some(()),
            _ => None,
        })
        .await
        .context("the call does not end")?;
        self.idle().await?;
        self.details(conversation).await
    }

    /// Waits until nobody has anything to do, and no recording is open.
    pub async fn idle(&self) -> anyhow::Result<()> {
        let mut facts = self.facts();
        let quiet = |world: &World| {
            world.conversations().len() == 0 && world.agents().all(|agent| agent.leg.is_none()) && world.recordings().len() == 0
        };
        let search = async {
            while !self.product.tenant.read(quiet).await? {
                if let Err(broadcast::error::RecvError::Closed) = facts.recv().await {
                    bail!("the server stopped");
                }
            }
            Ok(())
        };
        tokio::time::timeout(STEP, search).await.map_err(|_| anyhow!("somebody or something is still busy after {} s", STEP.as_secs()))?
    }

    /// Everything that is known of a conversation by now.
    pub async fn details(&self, conversation: ConversationId) -> anyhow::Result<ConversationDetails> {
        let tenant = self.product.tenant.tenant();
        let seq = self.product.tenant.read(World::version).await?;
        let store = self.product.state.store();
        store.wait_projected(tenant, seq).await?;
        store.conversation(tenant, conversation).await?.ok_or_else(|| anyhow!("the conversation is not in the reports"))
    }
}

impl crate::matrix::Stage for Stage {
    async fn recover(&mut self) {
        let open = |world: &World| world.conversations().map(|found| found.id).collect::<Vec<_>>();
        for conversation in self.product.tenant.read(open).await.unwrap_or_default() {
            // It may have ended meanwhile.
            let _ = self.ask(Actor::System, Command::HangUp { conversation }).await;
        }
        // What is wrong with the stage is seen by the next trial.
        let _ = self.ben_works(false).await;
        let _ = self.idle().await;
    }
}

/// Waits until somebody hears just these.
pub async fn hears(phone: &Phone, wanted: &[u32]) -> anyhow::Result<()> {
    let mut packets = phone.audio().packets();
    let mut wanted = wanted.to_vec();
    wanted.sort_unstable();
    let listening = async {
        loop {
            let mut heard = phone.audio().hears(&TONES_HZ);
            heard.sort_unstable();
            if heard == wanted {
                return true;
            }
            if packets.changed().await.is_err() {
                return false;
            }
        }
    };
    let heard = tokio::time::timeout(STEP, listening).await.unwrap_or(false);
    ensure!(heard, "heard are the tones {:?}, wanted are {wanted:?}", phone.audio().hears(&TONES_HZ));
    Ok(())
}

/// Waits until the telephone is in no call.
pub async fn hung_up(phone: &Phone) -> anyhow::Result<()> {
    let over = phone.wait_for(STEP, |state| matches!(state.call, CallState::Over { .. } | CallState::Idle)).await;
    over.map(|_| ()).ok_or_else(|| anyhow!("the telephone is still in a call"))
}

async fn desk(server: SocketAddr, user: &str, hz: u32) -> anyhow::Result<Phone> {
    let password = format!("{user}-trial-phone");
    let phone = phone(server, user, Some(password), hz, Manner::Answer { after: Duration::from_millis(200) }).await?;
    match phone.wait_for(STEP, |state| state.signed_in || state.sign_in_problem.is_some()).await {
        Some(state) if state.signed_in => Ok(phone),
        Some(state) => bail!("the telephone of {user} cannot sign in: {}", state.sign_in_problem.unwrap_or_default()),
        None => bail!("the telephone of {user} got no answer from {server}"),
    }
}

async fn phone(server: SocketAddr, user: &str, password: Option<String>, hz: u32, manner: Manner) -> anyhow::Result<Phone> {
    let config = PhoneConfig { user: user.to_owned(), password, server, ip: HERE, hz, manner };
    Phone::start(config).await.with_context(|| format!("the telephone of {user} cannot be set up"))
}
