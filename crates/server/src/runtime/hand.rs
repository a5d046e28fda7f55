//! Time moved by hand, for rehearsals of what takes minutes: owners of a process that is told to so read this clock in place of
//! the machine's. Telephones and audio keep real time, and so does everything else.
//!
//! Only builds for development listen for it ([`attend`]), and only where the environment says where ([`ADDRESS`]).

use super::{Tenants, clock::Clock};
use dreiklang_core::{Action, World, time::Timestamp};
use std::{net::SocketAddr, sync::OnceLock, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::Instant,
};

/// The variable that says where to listen: an address on loopback.
pub const ADDRESS: &str = "REHEARSAL_OF_DREIKLANG";

/// How long lines may take to do what they were asked before time moves on all the same: some wishes wait for people.
const LINES_WITHIN: Duration = Duration::from_secs(3);
/// Time between two looks at whether they did.
const LOOK_EVERY: Duration = Duration::from_millis(5);

static HAND: OnceLock<Hand> = OnceLock::new();

/// A clock's hand.
#[derive(Debug)]
pub struct Hand {
    at_ms: watch::Sender<i64>,
}

impl Hand {
    /// The one of this process, if there is one.
    pub(super) fn of_this_process() -> Option<&'static Hand> {
        HAND.get()
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp(*self.at_ms.borrow())
    }

    /// Forward, never back.
    pub(super) fn move_to(&self, at: Timestamp) {
        self.at_ms.send_if_modified(|ms| {
            let moves = at.0 > *ms;
            *ms = at.0.max(*ms);
            moves
        });
    }

    pub(super) async fn reached(&self, at: Timestamp) {
        // The sender lives as long as the process.
        let _ = self.at_ms.subscribe().wait_for(|ms| *ms >= at.0).await;
    }
}

/// Stops this process's time at the present moment. To be called before anything else of the runtime.
pub fn stop_time() {
    let _ = HAND.set(Hand { at_ms: watch::Sender::new(Clock::new().now().0) });
}

/// Moves time as it is told over this address, for ever. Each line is a number of milliseconds; its answer is the first tenant's
/// world after them, in one line.
///
/// # Errors
/// When the address cannot be listened at.
pub async fn attend(address: SocketAddr, tenants: Tenants) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        // A conversation that breaks is the other side's loss.
        let _ = converse(stream, &tenants).await;
    }
}

async fn converse(stream: TcpStream, tenants: &Tenants) -> Option<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    while let Some(line) = lines.next_line().await.ok()? {
        let mut answer = advance(tenants, line.trim().parse().ok()?).await?;
        answer.push(b'\n');
        writer.write_all(&answer).await.ok()?;
    }
    Some(())
}

/// Goes from one due moment to the next, so that nothing is late.
async fn advance(tenants: &Tenants, ms: i64) -> Option<Vec<u8>> {
    let hand = Hand::of_this_process()?;
    let tenant = tenants.all().into_iter().next()?;
    let until = Timestamp(hand.now().0 + ms);
    let mut patience = Instant::now() + LINES_WITHIN;
    loop {
        let (is_busy, due) = tenant.read(|world| (is_busy(world), world.timers().next().map(|(due, _)| due))).await.ok()?;
        if is_busy {
            if Instant::now() < patience {
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            let open = tenant.read(|world| format!("{:?}", world.pending())).await.ok()?;
            tracing::warn!(open, "lines take long; time goes on");
        }
        match due.filter(|due| *due <= until) {
            Some(due) => hand.move_to(due),
            None if hand.now() < until => hand.move_to(until),
            None => return tenant.read(|world| serde_json::to_vec(world).ok()).await.ok()?,
        }
        patience = Instant::now() + LINES_WITHIN;
    }
}

/// Whether a line still has something to do that it was asked for. What is played is over when it is, and services take their time.
fn is_busy(world: &World) -> bool {
    world.pending().iter().any(|(_, action)| !matches!(action, Action::AskService { .. } | Action::Play { .. }))
        || world.conversations().flat_map(|found| &found.legs).any(|leg| leg.ending)
}
