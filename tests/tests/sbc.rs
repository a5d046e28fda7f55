//! A session border controller that is not ours stands between us and the telephone network: mutual TLS, encrypted audio.

use anyhow::{Context, Result};
use dreiklang_lab::{
    direct_routing::certificates::{Authority, Issued},
    pstn::phone::{Config, Phone},
};
use dreiklang_tests::{
    baresip::{Baresip, Setup},
    contact_center::{ContactCenter, NUMBER},
    kamailio::{self, Kamailio},
    ports,
    server::Server,
    teams::at_once,
    tone_files::{AGENT_HZ, CALLER_HZ, SECOND_AGENT_HZ},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Ada, an agent behind the border controller.
const ADA: &str = "+493070002";

/// A contact center, and a border controller with two telephones behind it.
struct Bordered {
    center: ContactCenter,
    kamailio: Kamailio,
    caller: Baresip,
    ada: Baresip,
    _folder: TempDir,
}

/// What the border controller shows.
enum Shows {
    /// The certificate we expect.
    Its,
    /// One for another name.
    AnotherName,
    /// One that somebody made who is no authority of ours.
    AForgedOne,
}

impl Bordered {
    async fn open(shows: Shows) -> Result<Bordered> {
        let folder = TempDir::with_prefix("dreiklang-sbc-")?;
        let authority = Authority::new(folder.path(), "authority")?;
        let own = authority.issue_for_both_ends(&["127.0.0.1"])?;
        let address = ports::free_address()?;
        let configuration = format!(
            "tls = \"{address}\"\ntls_certificate = {:?}\ntls_key = {:?}\ntls_authorities = {:?}\n",
            own.certificate.display().to_string(),
            own.key.display().to_string(),
            authority.file().display().to_string()
        );
        let server = Server::start_with(TempDir::with_prefix("dreiklang-")?, &configuration).await?;
        let mut center = ContactCenter::open_on(server, json!({}), &[], "optional").await?;
        let ada = Baresip::start(Setup::new(ADA, AGENT_HZ).encrypting()).await?;
        let caller = Baresip::start(Setup::new("+4930555111", CALLER_HZ).encrypting()).await?;
        let shown = shown(&shows, &authority, folder.path())?;
        let setup = kamailio::Setup { own: shown, authority: authority.file().to_owned(), center: address, telephone: ada.address };
        let kamailio = Kamailio::start(&setup).await?;
        let trunk = json!({
            "name": "SBC",
            "peers": [{ "address": format!("localhost:{}", kamailio.tls.port()), "transport": "tls" }],
            "identified_by": "certificate",
            "media_encryption": "required",
            "health_interval_s": 5,
        });
        center.create("trunks", trunk).await?;
        let tenant = json!({ "name": "Tests", "caller_number": NUMBER, "outbound_line": "connected", "not_ready_reasons": ["break"] });
        center.request(reqwest::Method::POST, "configuration", Some(json!({ "tenant": tenant }))).await?;
        center.hire_by_number("ada", ADA).await?;
        Ok(Bordered { center, kamailio, caller, ada, _folder: folder })
    }

    /// Waits until the trunk is up or down.
    async fn wait_for_health(&self, up: bool) -> Result<()> {
        let holds = |status: &Value| {
            let peers = status["peers"].as_array().map(Vec::as_slice).unwrap_or_default();
            peers.iter().any(|peer| peer["trunk"] == "SBC" && peer["up"] == up && (up || peer["detail"] != "not checked"))
        };
        self.center.wait_for("status", "the health of the border controller", holds).await.with_context(|| self.kamailio.log())?;
        Ok(())
    }

    /// The caller calls the queue by way of the border controller.
    async fn call(&mut self) -> Result<()> {
        let uri = format!("sip:{NUMBER}@{}", self.kamailio.udp);
        self.caller.dial(&uri).await
    }

    /// Caller and Ada hear each other.
    async fn hear_each_other(&self) -> Result<()> {
        self.caller.wait_until_hears(&[AGENT_HZ]).await.with_context(|| self.kamailio.log())?;
        self.ada.wait_until_hears(&[CALLER_HZ]).await.with_context(|| self.kamailio.log())
    }
}

fn shown(shows: &Shows, authority: &Authority, folder: &std::path::Path) -> Result<Issued> {
    Ok(match shows {
        Shows::Its => authority.issue_for_both_ends(&["localhost"])?,
        Shows::AnotherName => authority.issue_for_both_ends(&["other.example"])?,
        Shows::AForgedOne => Authority::new(folder, "forger")?.issue_for_both_ends(&["localhost"])?,
    })
}

#[tokio::test]
async fn calls_come_and_go_by_the_border_controller_and_both_sides_hear_each_other() -> Result<()> {
    let mut side = Bordered::open(Shows::Its).await?;
    side.wait_for_health(true).await?;
    side.center.make_ready("ada").await?;
    side.call().await?;
    side.ada.wait_for("CALL_ESTABLISHED").await?;
    side.hear_each_other().await?;
    side.caller.hold().await?;
    side.caller.wait_until_silent().await?;
    side.caller.resume().await?;
    side.hear_each_other().await?;
    side.caller.hang_up().await?;
    side.ada.wait_for("CALL_CLOSED").await?;
    let both = |conversation: &Value| {
        let legs = conversation["legs"].as_array().map(Vec::as_slice).unwrap_or_default();
        legs.len() == 2 && legs.iter().all(|leg| leg["quality"]["encrypted"] == true && leg["quality"]["key_exposed"] == false)
    };
    let conversation = side.center.wait_for_conversation("both legs to be encrypted", both).await?;
    assert_eq!(conversation["outcome"], "answered", "{conversation:#}");
    Ok(())
}

#[tokio::test]
async fn a_call_outlives_a_restart_of_the_border_controller() -> Result<()> {
    let mut side = Bordered::open(Shows::Its).await?;
    side.wait_for_health(true).await?;
    side.center.make_ready("ada").await?;
    side.call().await?;
    side.hear_each_other().await?;
    side.kamailio.stop();
    side.wait_for_health(false).await?;
    side.hear_each_other().await?;
    side.kamailio.start_again().await?;
    side.wait_for_health(true).await?;
    // Both ends of the call are told over connections that are made anew.
    side.caller.hang_up().await?;
    side.ada.wait_for("CALL_CLOSED").await?;
    let conversation = side.center.ended_conversation().await?;
    assert_eq!(conversation["outcome"], "answered", "{conversation:#}");
    Ok(())
}

/// A border controller that shows this is not believed, in neither direction.
async fn is_not_let_in(shows: Shows) -> Result<()> {
    let mut side = Bordered::open(shows).await?;
    side.wait_for_health(false).await?;
    side.call().await?;
    let closed = side.caller.wait_for("CALL_CLOSED").await?;
    let reason = closed.body["param"].to_string();
    // Either we refuse the call, or the border controller cannot even connect.
    assert!(["403", "477", "500", "503"].iter().any(|status| reason.contains(status)), "{reason}\n{}", side.kamailio.log());

    // Somebody who may call gets no agent by that way either.
    let carrier = json!({ "name": "Carrier", "sources": ["127.0.0.2"], "health_interval_s": 0 });
    side.center.create("trunks", carrier).await?;
    let server = side.center.server.sip;
    let user = "+4930555222".to_owned();
    let config = Config { user, password: None, server, ip: [127, 0, 0, 2].into(), hz: SECOND_AGENT_HZ, manner: at_once() };
    let neighbor = Phone::start(config).await?;
    side.center.make_ready("ada").await?;
    neighbor.call(NUMBER).await;
    side.center.wait_for_agent("ada", "not ready", |state| state["availability"]["state"] == "not_ready").await?;
    let live = side.center.request(reqwest::Method::GET, "conversations", None).await?;
    assert_eq!(live["items"].as_array().map(Vec::len), Some(1), "there is the neighbor's call alone: {live:#}");
    assert!(side.ada.heard()?.is_empty(), "her telephone never rang");
    Ok(())
}

#[tokio::test]
async fn a_border_controller_with_a_forged_certificate_is_not_let_in() -> Result<()> {
    is_not_let_in(Shows::AForgedOne).await
}

#[tokio::test]
async fn a_border_controller_with_a_certificate_for_another_name_is_not_let_in() -> Result<()> {
    is_not_let_in(Shows::AnotherName).await
}
