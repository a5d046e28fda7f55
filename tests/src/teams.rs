//! A contact center in the role of the session border controller that Teams knows, and the lab's Teams at its other end.
//!
//! Decides names, numbers and tones; what people in Teams do is the test's matter. All three data centres are on this machine:
//! the first by a name, the others by addresses of their own.

use crate::{
    contact_center::{ContactCenter, NUMBER},
    ports,
    server::Server,
    tone_files::{AGENT_HZ, CALLER_HZ, SECOND_AGENT_HZ},
    wait::SOON,
};
use anyhow::{Context, Result, ensure};
use dreiklang_lab::{
    direct_routing::{
        self, DirectRouting, Gateway,
        certificates::Authority,
        person::{Person, Profile, State},
    },
    pstn::phone::{CallState, Manner},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tempfile::TempDir;

/// The name Teams knows us by.
pub const FQDN: &str = "sbc.contoso.example";
/// Ann, who calls.
pub const ANN: &str = "+493070001";
/// Ada, an agent in Teams.
pub const ADA: &str = "+493070002";
/// Ben, a colleague in Teams.
pub const BEN: &str = "+493070003";
/// What the voicemail of Teams sounds like.
pub const VOICEMAIL_HZ: u32 = 1_700;

/// A contact center with a trunk to Teams.
pub struct TeamsCenter {
    /// The contact center; Ada is an agent in it.
    pub center: ContactCenter,
    /// Teams.
    pub teams: DirectRouting,
    /// Who issued all certificates.
    pub authority: Authority,
    /// Where we take encrypted calls.
    pub address: SocketAddr,
    folder: TempDir,
}

impl TeamsCenter {
    /// Sets everything up and waits until both sides have answered each other's pings.
    pub async fn open() -> Result<TeamsCenter> {
        TeamsCenter::open_as(FQDN).await
    }

    /// The same with a certificate for another name.
    pub async fn open_as(certified: &str) -> Result<TeamsCenter> {
        let folder = TempDir::with_prefix("dreiklang-teams-")?;
        let authority = Authority::new(folder.path(), "authority")?;
        let own = authority.issue(&[certified])?;
        let address = ports::free_address()?;
        let configuration = format!(
            "tls = \"{address}\"\ntls_certificate = {:?}\ntls_key = {:?}\ntls_authorities = {:?}\n",
            own.certificate.display().to_string(),
            own.key.display().to_string(),
            authority.file().display().to_string()
        );
        let server = Server::start_with(TempDir::with_prefix("dreiklang-")?, &configuration).await?;
        let mut center = ContactCenter::open_on(server, json!({}), &[], "optional").await?;
        let person = |number: &str, name: &str, hz| Profile {
            number: number.to_owned(),
            sign_in: format!("{name}@contoso.example"),
            object_id: format!("00000000-aaaa-4000-8000-{name:0>12}"),
            hz,
            manner: at_once(),
        };
        let config = direct_routing::Config {
            gateway: Gateway { fqdn: FQDN.to_owned(), address },
            proxies: vec![
                ("localhost".to_owned(), [127, 0, 0, 1].into()),
                ("127.0.0.2".to_owned(), [127, 0, 0, 2].into()),
                ("127.0.0.3".to_owned(), [127, 0, 0, 3].into()),
            ],
            people: vec![person(ANN, "ann", CALLER_HZ), person(ADA, "ada", AGENT_HZ), person(BEN, "ben", SECOND_AGENT_HZ)],
            voicemail_hz: VOICEMAIL_HZ,
        };
        let teams = DirectRouting::start(config, &authority).await?;
        let peers: Vec<Value> = teams.addresses().iter().map(|address| json!({ "address": address, "transport": "tls" })).collect();
        let trunk =
            json!({ "name": "Teams", "dialect": "teams", "fqdn": FQDN, "peers": peers, "prefixes": ["+493070"], "health_interval_s": 5 });
        center.create("trunks", trunk).await?;
        let tenant = json!({ "name": "Tests", "caller_number": NUMBER, "outbound_line": "connected", "not_ready_reasons": ["break"] });
        center.request(Method::POST, "configuration", Some(json!({ "tenant": tenant }))).await?;
        center.hire_by_number("ada", ADA).await?;
        Ok(TeamsCenter { center, teams, authority, address, folder })
    }

    /// Waits until the trunk's peers are up or down as given, in order.
    pub async fn wait_for_health(&self, wanted: [bool; 3]) -> Result<Value> {
        let addresses = self.teams.addresses();
        let holds = |status: &Value| {
            let peers = status["peers"].as_array().map(Vec::as_slice).unwrap_or_default();
            let up = |address: &String| peers.iter().find(|peer| peer["peer"] == json!(address)).and_then(|peer| peer["up"].as_bool());
            addresses.iter().map(up).eq(wanted.map(Some))
        };
        self.center.wait_for("status", "the health of the data centres", holds).await
    }

    /// A person in Teams.
    pub fn person(&self, number: &str) -> Result<&Person> {
        self.teams.person(number).with_context(|| format!("nobody in Teams has {number}"))
    }

    /// Ann calls the queue and talks to Ada.
    pub async fn talk(&self) -> Result<(&Person, &Person)> {
        let (ann, ada) = (self.person(ANN)?, self.person(ADA)?);
        self.center.make_ready("ada").await?;
        ann.call(NUMBER).await;
        self.hear(ann, AGENT_HZ).await?;
        self.hear(ada, CALLER_HZ).await?;
        Ok((ann, ada))
    }

    /// Waits until somebody hears a tone.
    pub async fn hear(&self, person: &Person, hz: u32) -> Result<()> {
        let who = &person.profile().sign_in;
        let heard = person.audio().wait_to_hear(hz, SOON).await;
        ensure!(
            heard,
            "{who} should hear {hz} Hz; {:?}\n{:?}\n{}",
            person.state().borrow(),
            self.teams.violations(),
            self.center.server.log()
        );
        Ok(())
    }

    /// Waits until somebody's state is as wanted.
    pub async fn wait_for(&self, person: &Person, what: &str, wanted: impl Fn(&State) -> bool) -> Result<State> {
        let found = person.wait_for(SOON, wanted).await;
        found.with_context(|| {
            let state = person.state().borrow().clone();
            format!("{} should be {what}; {state:?}\n{:?}\n{}", person.profile().sign_in, self.teams.violations(), self.center.server.log())
        })
    }

    /// Checks that Teams has nothing to complain about.
    pub fn check(&self) -> Result<()> {
        let violations = self.teams.violations();
        ensure!(violations.is_empty(), "{violations:#?}\n{}", self.center.server.log());
        Ok(())
    }

    /// A folder for files of the test.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

/// Answers without hesitation.
pub fn at_once() -> Manner {
    Manner::Answer { after: Duration::ZERO }
}

/// Whether the last call is over.
pub fn is_over(state: &State) -> bool {
    matches!(state.call, CallState::Over { .. })
}
