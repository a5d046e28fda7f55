//! Pure code has no clock, socket, file, environment, thread or chance of its own.
//!
//! Decides by the names that stand in the source. Test code is exempt: a test may well start from the real clock.

use super::{
    Finding,
    repository::{Repository, TextFile},
};

const RULE: &str = "purity";

/// What must not be named: the segments, whether they have to be the start of the path, and what to do instead.
const BANNED: &[(&[&str], bool, &str)] = &[
    (&["Instant", "now"], false, CLOCK),
    (&["SystemTime"], false, CLOCK),
    (&["UNIX_EPOCH"], false, CLOCK),
    (&["Timestamp", "now"], false, CLOCK),
    (&["Zoned", "now"], false, CLOCK),
    (&["TimeZone", "system"], false, CLOCK),
    (&["TimeZone", "get"], false, ZONES),
    (&["tz", "db"], false, ZONES),
    (&["Utc", "now"], false, CLOCK),
    (&["Local", "now"], false, CLOCK),
    (&["std", "fs"], true, FILES),
    (&["fs"], true, FILES),
    (&["File", "open"], false, FILES),
    (&["File", "create"], false, FILES),
    (&["std", "env"], true, ENVIRONMENT),
    (&["env"], true, ENVIRONMENT),
    (&["std", "process"], true, ENVIRONMENT),
    (&["std", "thread"], true, THREADS),
    (&["thread", "spawn"], false, THREADS),
    (&["thread", "sleep"], false, THREADS),
    (&["thread_local"], false, THREADS),
    (&["tokio"], true, THREADS),
    (&["mpsc"], false, THREADS),
    (&["UdpSocket"], false, SOCKETS),
    (&["TcpStream"], false, SOCKETS),
    (&["TcpListener"], false, SOCKETS),
    (&["UnixStream"], false, SOCKETS),
    (&["UnixDatagram"], false, SOCKETS),
    (&["ToSocketAddrs"], false, SOCKETS),
    (&["socket2"], true, SOCKETS),
    (&["rustix"], true, SOCKETS),
    (&["mio"], true, SOCKETS),
    (&["getrandom"], true, CHANCE),
    (&["rand"], true, CHANCE),
    (&["RandomState"], false, CHANCE),
    (&["Uuid", "new_v4"], false, CHANCE),
    (&["Uuid", "now_v7"], false, CHANCE),
];

const CLOCK: &str = "time is a parameter here: take `now` from the caller";
const FILES: &str = "files belong to the caller: take the bytes as a parameter";
const ENVIRONMENT: &str = "settings are handed in: take them as parameters";
const ZONES: &str = "zone files of the machine differ from those of the next: use the data that is built in";
const THREADS: &str = "who drives this code owns threads and tasks: return what has to be done instead";
const SOCKETS: &str = "sockets belong to the caller: take and return bytes";
const CHANCE: &str = "chance is a parameter here: take the random value or a seeded source from the caller";

/// Modules of the media crate that decide; the others move packets and may own sockets and threads.
const DECIDING_MEDIA: &[&str] = &[
    "rtp",
    "rtcp",
    "dtmf",
    "codec",
    "quality",
    "tone",
    "reception",
    "wav/resample",
    "engine/latch",
    "engine/outgoing",
    "engine/pace",
    "engine/play",
    "engine/tally",
];

/// All pure files.
pub fn check(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in repository.product_rust().filter(|(file, _)| is_pure(file)) {
        let mut last = (0, "");
        for (line, path) in rust.paths() {
            let Some(advice) = banned(&path).filter(|_| !rust.is_test(line)) else { continue };
            // One finding per line and advice: `std::thread::spawn` matches twice.
            if (line, advice) != last {
                findings.push(Finding::new(&file.path, line, RULE, format!("`{}`: {advice}", path.join("::"))));
            }
            last = (line, advice);
        }
    }
    findings
}

fn is_pure(file: &TextFile) -> bool {
    let within = |krate: &str| file.path.strip_prefix(&format!("crates/{krate}/src/"));
    let media = |rest: &str| DECIDING_MEDIA.iter().any(|module| rest.strip_prefix(module).is_some_and(|rest| rest.starts_with(['.', '/'])));
    within("core").is_some()
        || within("sip").is_some_and(|rest| !rest.starts_with("transport/") && rest != "transport.rs")
        || within("media").is_some_and(media)
}

fn banned(path: &[String]) -> Option<&'static str> {
    let matches = |segments: &[&str], at_start: bool| {
        let mut windows = path.windows(segments.len());
        let same = |window: &[String]| window.iter().zip(segments).all(|(a, b)| a == b);
        // A single name as a path of its own is a variable; only as the head of a longer path is it a module.
        let alone = path.len() == 1 && at_start;
        !alone && if at_start { windows.next().is_some_and(same) } else { windows.any(same) }
    };
    BANNED.iter().find(|(segments, at_start, _)| matches(segments, *at_start)).map(|&(_, _, advice)| advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&Repository::of(&[(path, text)])).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn clocks_files_threads_sockets_and_chance_are_found_in_the_core() {
        let text = "use std::{\n  fs,\n  net::UdpSocket,\n};\nfn f() {\n  Instant::now();\n  std::thread::spawn(g);\n  Uuid::new_v4();\n}";
        assert_eq!(lines("crates/core/src/engine.rs", text), [2, 3, 6, 7, 8]);
    }

    #[test]
    fn instants_as_parameters_and_addresses_are_fine() {
        let text = "use std::{net::IpAddr, time::{Duration, Instant}};\nfn f(now: Instant, env: u8, fs: u8) -> Instant { now + env }";
        assert!(lines("crates/sip/src/timer.rs", text).is_empty());
    }

    #[test]
    fn comments_and_tests_may_name_the_clock() {
        let text = "//! Never calls Instant::now.\nfn f() {}\n#[cfg(test)]\nmod tests {\n    fn g() { Instant::now(); }\n}";
        assert!(lines("crates/core/src/timer.rs", text).is_empty());
    }

    #[test]
    fn transports_and_media_threads_may_own_sockets_and_their_neighbors_may_not() {
        let text = "use tokio::net::UdpSocket;";
        assert!(lines("crates/sip/src/transport/udp.rs", text).is_empty());
        assert!(lines("crates/media/src/engine/shard.rs", text).is_empty());
        assert_eq!(lines("crates/sip/src/endpoint.rs", text), [1]);
        assert_eq!(lines("crates/media/src/rtp/packet.rs", text), [1]);
        assert_eq!(lines("crates/media/src/codec.rs", text), [1]);
    }
}
