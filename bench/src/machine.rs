//! What the operating system knows of the peer, of us, and of everybody else on the machine.
//!
//! CPU time comes from `/proc/PID/stat` in ticks of 10 ms, so a measurement takes seconds, not milliseconds. "Foreign" is
//! CPU time of neither the peer nor us: the figure that says whether a measurement is worth anything.

use std::{fs, time::Instant};

/// Ticks per second of the times in `/proc`: fixed by the kernel's interface to programs (USER_HZ), whatever its own clock is.
const TICKS_PER_S: f64 = 100.0;

/// Deepest process tree that is followed; a peer is a server with at most a few helpers.
const TREE_MAX: usize = 256;

/// The processes of a peer, by those that were started.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    roots: Vec<u32>,
}

impl Peer {
    /// The peer with these processes and their children; none when it runs elsewhere.
    pub fn new(roots: Vec<u32>) -> Peer {
        Peer { roots }
    }

    /// Whether any process of it can be watched.
    pub fn is_known(&self) -> bool {
        !self.roots.is_empty()
    }

    /// Whether all its processes live.
    pub fn is_alive(&self) -> bool {
        self.roots.iter().all(|pid| ticks_of(*pid).is_some())
    }

    /// Processes with their children at this moment.
    fn tree(&self) -> Vec<u32> {
        let mut tree = self.roots.clone();
        let mut next = 0;
        while next < tree.len() && tree.len() < TREE_MAX {
            let tasks = fs::read_dir(format!("/proc/{}/task", tree[next])).into_iter().flatten().flatten();
            for task in tasks {
                let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
                for child in children.split_whitespace().filter_map(|pid| pid.parse().ok()) {
                    if !tree.contains(&child) {
                        tree.push(child);
                    }
                }
            }
            next += 1;
        }
        tree
    }

    /// Resident memory in kB; `None` when unknown.
    pub fn resident_kb(&self) -> Option<u64> {
        self.is_known().then(|| self.tree().into_iter().filter_map(resident_kb_of).sum())
    }
}

fn ticks_of(pid: u32) -> Option<u64> {
    parse_ticks(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// User and system time from a `stat` line. The name in parentheses may contain anything, so counting begins after it.
fn parse_ticks(stat: &str) -> Option<u64> {
    let after_name = &stat[stat.rfind(')')? + 1..];
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn resident_kb_of(pid: u32) -> Option<u64> {
    parse_resident_kb(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

fn parse_resident_kb(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok())
}

/// Busy and stolen ticks of all cores together, from the first line of `/proc/stat`.
fn parse_machine(stat: &str) -> Option<(u64, u64)> {
    let fields: Vec<u64> =
        stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().take(8).filter_map(|field| field.parse().ok()).collect();
    let [user, nice, system, _idle, _wait, interrupt, soft, stolen] = fields[..] else { return None };
    Some((user + nice + system + interrupt + soft + stolen, stolen))
}

/// The load average of the last minute.
pub fn load_1m() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

/// Cores of the machine, whichever of them we may use.
pub fn cores() -> usize {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu ")).count()
}

/// Counters at one moment.
pub struct Snapshot {
    at: Instant,
    peer: u64,
    own: u64,
    busy: u64,
    stolen: u64,
    resident_kb: Option<u64>,
}

/// What happened between two snapshots. Percentages are of one core.
#[derive(Clone, Debug)]
pub struct Usage {
    /// Length in seconds.
    pub seconds: f64,
    /// CPU seconds of the peer; `None` when it cannot be watched.
    pub peer_cpu_s: Option<f64>,
    /// Our CPU.
    pub own_cpu_pct: f64,
    /// CPU of everybody else.
    pub foreign_cpu_pct: f64,
    /// CPU that the hypervisor gave to somebody else.
    pub stolen_pct: f64,
    /// Resident memory of the peer at the end, in kB.
    pub resident_kb: Option<u64>,
}

impl Usage {
    /// CPU of the peer in percent of one core.
    pub fn peer_cpu_pct(&self) -> Option<f64> {
        self.peer_cpu_s.map(|cpu| cpu / self.seconds * 100.0)
    }
}

impl Snapshot {
    /// The counters now.
    pub fn take(peer: &Peer) -> Snapshot {
        let (busy, stolen) = fs::read_to_string("/proc/stat").ok().and_then(|text| parse_machine(&text)).unwrap_or_default();
        Snapshot {
            at: Instant::now(),
            peer: peer.tree().into_iter().filter_map(ticks_of).sum(),
            own: ticks_of(std::process::id()).unwrap_or_default(),
            busy,
            stolen,
            resident_kb: peer.resident_kb(),
        }
    }

    /// What happened from this snapshot to a later one.
    pub fn until(&self, later: &Snapshot) -> Usage {
        let seconds = later.at.duration_since(self.at).as_secs_f64().max(1e-3);
        let between = |before: u64, after: u64| after.saturating_sub(before) as f64 / TICKS_PER_S;
        let (peer, own) = (between(self.peer, later.peer), between(self.own, later.own));
        let foreign = (between(self.busy, later.busy) - peer - own).max(0.0);
        Usage {
            seconds,
            peer_cpu_s: self.resident_kb.map(|_| peer),
            own_cpu_pct: own / seconds * 100.0,
            foreign_cpu_pct: foreign / seconds * 100.0,
            stolen_pct: between(self.stolen, later.stolen) / seconds * 100.0,
            resident_kb: later.resident_kb,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let line = "4242 (my (odd) name) S 1 4242 4242 0 -1 4194560 1000 0 0 0 731 269 0 0 20 0 9 0 100 1 2 3";
        assert_eq!(parse_ticks(line), Some(1_000));
        assert_eq!(parse_ticks("4242 (x"), None);
    }

    #[test]
    fn idle_and_waiting_time_do_not_count_as_busy() {
        assert_eq!(parse_machine("cpu  10 20 30 4000 500 6 7 8 0 0\ncpu0 1 2\n"), Some((81, 8)));
        assert_eq!(parse_machine("intr 1"), None);
    }

    #[test]
    fn resident_memory_is_read_in_kilobytes() {
        assert_eq!(parse_resident_kb("Name:\tx\nVmHWM:\t  999 kB\nVmRSS:\t  1234 kB\n"), Some(1_234));
    }

    #[test]
    fn our_own_process_can_be_watched() {
        let own = Peer::new(vec![std::process::id()]);
        assert!(own.is_alive());
        assert!(own.resident_kb().unwrap() > 100);
        let usage = Snapshot::take(&own).until(&Snapshot::take(&own));
        assert!(usage.peer_cpu_s.is_some());
    }

    #[test]
    fn a_peer_elsewhere_has_no_figures() {
        let peer = Peer::default();
        assert!(Snapshot::take(&peer).until(&Snapshot::take(&peer)).peer_cpu_s.is_none());
        assert!(!Peer::new(vec![u32::MAX]).is_alive());
    }
}
