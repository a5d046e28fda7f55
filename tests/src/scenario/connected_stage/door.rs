//! The program's time, moved by hand, and its state at every moment.

use crate::wait::{self, SOON};
use anyhow::{Context, Result, ensure};
use dreiklang_core::World;
use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// The connection over which a program that rehearses is told the time (`hand` of the server).
pub struct Door {
    stream: BufReader<TcpStream>,
}

impl Door {
    pub fn open(address: SocketAddr) -> Result<Door> {
        let begin = Instant::now();
        let stream = loop {
            match TcpStream::connect(address) {
                Ok(stream) => break stream,
                // It may answer requests a moment before it listens here.
                Err(_) if begin.elapsed() < SOON => wait::a_moment(),
                Err(problem) => return Err(problem).context("the program does not rehearse; is it built for release?"),
            }
        };
        stream.set_read_timeout(Some(SOON))?;
        Ok(Door { stream: BufReader::new(stream) })
    }

    /// Lets time pass, with everything that is due meanwhile done; returns how things stand then.
    pub fn pass(&mut self, time: Duration) -> Result<World> {
        self.stream.get_mut().write_all(format!("{}\n", time.as_millis()).as_bytes())?;
        let mut line = String::new();
        ensure!(self.stream.read_line(&mut line)? > 0, "the program is gone");
        serde_json::from_str(&line).context("the program's state is not one that the core knows")
    }
}
