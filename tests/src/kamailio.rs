//! A session border controller that is not ours: Kamailio, between us (mutual TLS) and telephones (datagrams).
//!
//! Decides how it is configured: what comes encrypted goes to one telephone, what comes in datagrams goes to us. Audio goes past
//! it. It stays in the way of every call (Record-Route), and keeps nothing of a call but its transactions, so that a call goes
//! on when it is started again.

use crate::{
    ports,
    wait::{self, SOON},
};
use anyhow::{Context, Result, ensure};
use dreiklang_lab::direct_routing::certificates::Issued;
use std::{
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// Where it is and whom it knows.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its certificate, for both ends of a connection.
    pub own: Issued,
    /// Whose certificates it believes.
    pub authority: std::path::PathBuf,
    /// Our encrypted end.
    pub center: SocketAddr,
    /// The telephone that gets our calls.
    pub telephone: SocketAddr,
}

/// A running Kamailio. It ends with the value.
pub struct Kamailio {
    /// Where it takes datagrams.
    pub udp: SocketAddr,
    /// Where it takes encrypted streams.
    pub tls: SocketAddr,
    folder: TempDir,
    child: Option<Child>,
}

impl Kamailio {
    /// Starts it, and returns when it takes connections.
    pub async fn start(setup: &Setup) -> Result<Kamailio> {
        let folder = TempDir::with_prefix("kamailio-")?;
        let (udp, tls) = (ports::free_address()?, ports::free_address()?);
        std::fs::write(folder.path().join("tls.cfg"), certificates(setup))?;
        std::fs::write(folder.path().join("kamailio.cfg"), config(setup, folder.path(), udp, tls))?;
        let mut kamailio = Kamailio { udp, tls, folder, child: None };
        kamailio.start_again().await?;
        Ok(kamailio)
    }

    /// Starts it at the same place after [`Kamailio::stop`].
    pub async fn start_again(&mut self) -> Result<()> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log"))?;
        let child = Command::new("kamailio")
            // In the foreground, with its log on standard error, and little memory.
            .args(["-DD", "-E", "-m", "32", "-M", "4", "-f"])
            .arg(self.folder.path().join("kamailio.cfg"))
            .arg("-Y")
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start kamailio; ./test installs it (Debian packages kamailio and kamailio-tls-modules)")?;
        self.child = Some(child);
        let tls = self.tls;
        let child = &mut self.child;
        let mut ended = false;
        let up = wait::until("kamailio to take connections", SOON, async || {
            ended = child.as_mut().is_some_and(|child| child.try_wait().is_ok_and(|status| status.is_some()));
            (ended || TcpStream::connect(tls).await.is_ok()).then_some(())
        });
        up.await.with_context(|| self.log())?;
        ensure!(!ended, "kamailio ended at once\n{}", self.log());
        Ok(())
    }

    /// Ends it, with all its connections.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // Its main process ends the others; killed, it would leave them behind.
        let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        let _ = child.wait();
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        let log = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
        format!("kamailio's log:\n{}", String::from_utf8_lossy(&log))
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        self.stop();
    }
}

fn certificates(setup: &Setup) -> String {
    let section = |name: &str| {
        format!(
            "[{name}:default]\nmethod = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\nprivate_key = {}\ncertificate = {}\nca_list = {}\n",
            setup.own.key.display(),
            setup.own.certificate.display(),
            setup.authority.display()
        )
    };
    section("server") + &section("client")
}

fn config(setup: &Setup, folder: &Path, udp: SocketAddr, tls: SocketAddr) -> String {
    let Setup { center, telephone, .. } = setup;
    let tls_config = folder.join("tls.cfg");
    format!(
        r#"#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=1
enable_tls=yes
auto_aliases=no
dns=no
rev_dns=no
tcp_connection_lifetime=3605
listen=udp:{udp}
listen=tls:{tls}
alias="localhost:{tls_port}"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "tls.so"
modparam("tls", "config", "{tls_config}")
modparam("rr", "enable_full_lr", 1)

request_route {{
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  force_rport();
  if (has_totag()) {{
    if (loose_route()) {{ route(RELAY); }}
    if (is_method("ACK")) {{ if (t_check_trans()) {{ route(RELAY); }} exit; }}
    sl_send_reply("404", "Not here");
    exit;
  }}
  if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
  if (is_method("CANCEL")) {{ if (t_check_trans()) {{ route(RELAY); }} exit; }}
  t_check_trans();
  if (!is_method("INVITE")) {{ sl_send_reply("405", "Method Not Allowed"); exit; }}
  record_route();
  if ($proto == "tls") {{ $du = "sip:{telephone}"; }} else {{ $du = "sip:{center};transport=tls"; }}
  route(RELAY);
}}

route[RELAY] {{ if (!t_relay()) {{ sl_reply_error(); }} exit; }}
"#,
        tls_port = tls.port(),
        tls_config = tls_config.display()
    )
}
