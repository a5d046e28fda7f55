//! Text to speech through the `espeak-ng` program, where it is installed: a process per text, never a shell.
//!
//! The text goes in through standard input (so that no text can be an option), a WAV file comes out. The process gets a
//! time limit and is killed, with whatever it may have started, when it does not keep it.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::PromptError;
use crate::limits;

/// Words a minute: a little slower than the program's own 175, for the telephone.
const WORDS_PER_MINUTE: &str = "150";

/// The voice for a language tag (BCP 47), if there is one.
pub(super) fn voice(language: &str) -> Option<&'static str> {
    let language = language.to_ascii_lowercase().replace('_', "-");
    match language.split('-').next() {
        Some("de") => Some("de"),
        Some("en") if language == "en-us" => Some("en-us"),
        Some("en") => Some("en-gb"),
        _ => None,
    }
}

/// Says `text`; the WAV file that came out.
pub(super) fn speak(engine: &Path, voice: &str, text: &str, time_limit: Duration) -> Result<Vec<u8>, PromptError> {
    // Control characters could be commands to the program.
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let mut command = Command::new(engine);
    command.args(["-v", voice, "-s", WORDS_PER_MINUTE, "--stdin", "--stdout"]);
    run(command, text.as_bytes(), time_limit)
}

/// What the program says about itself.
pub(super) fn version(engine: &Path, time_limit: Duration) -> Result<String, PromptError> {
    let mut command = Command::new(engine);
    command.arg("--version");
    run(command, &[], time_limit).map(|output| String::from_utf8_lossy(&output).trim().to_owned())
}

fn run(mut command: Command, input: &[u8], time_limit: Duration) -> Result<Vec<u8>, PromptError> {
    let deadline = Instant::now() + time_limit;
    let engine = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => PromptError::NoEngine { engine: engine.clone() },
        _ => PromptError::EngineFailed { engine: engine.clone(), complaint: error.to_string() },
    })?;
    let mut child = Running(child);
    if let Some(mut stdin) = child.0.stdin.take() {
        // A text fits into the pipe's buffer, so this cannot wait; a program that does not read says why it ended.
        let _ = stdin.write_all(input);
    }
    let output = child.0.stdout.take().map(|pipe| reading(pipe, limits::SPEECH_BYTES_MAX));
    let complaint = child.0.stderr.take().map(|pipe| reading(pipe, limits::SPEECH_COMPLAINT_BYTES_MAX));
    let timed_out = || PromptError::EngineTimeOut { engine: engine.clone(), seconds: time_limit.as_secs() };
    let output = received(output, deadline).ok_or_else(timed_out)?;
    if output.len() as u64 > limits::SPEECH_BYTES_MAX {
        return Err(PromptError::EngineFailed { engine, complaint: format!("more than {} bytes of audio", limits::SPEECH_BYTES_MAX) });
    }
    let status = child.wait_until(deadline).ok_or_else(timed_out)?;
    if status.success() {
        return Ok(output);
    }
    let complaint = received(complaint, deadline).unwrap_or_default();
    let complaint = format!("{status}: {}", String::from_utf8_lossy(&complaint).trim());
    Err(PromptError::EngineFailed { engine, complaint })
}

/// Reads a pipe to its end on a thread of its own, so that the wait can have a limit; one byte more than the limit says
/// that there was more.
fn reading(pipe: impl Read + Send + 'static, bytes_max: u64) -> Receiver<Vec<u8>> {
    let (sender, receiver) = sync_channel(1);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A broken pipe is the end of it as well.
        let _ = pipe.take(bytes_max + 1).read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

fn received(reading: Option<Receiver<Vec<u8>>>, deadline: Instant) -> Option<Vec<u8>> {
    reading?.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
}

/// A process that does not outlive us: killed with its group and reaped when dropped.
struct Running(Child);

impl Running {
    /// Waits for the end; `None` when it does not come in time.
    fn wait_until(&mut self, deadline: Instant) -> Option<ExitStatus> {
        // Without process descriptors (kernels before 5.3) a program that has closed its output is trusted to end.
        if let Ok(descriptor) = pidfd_open(Pid::from_child(&self.0), PidfdFlags::empty()) {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = left.try_into().ok()?;
            let ended = poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], Some(&left));
            if ended == Ok(0) {
                return None;
            }
        }
        self.0.wait().ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
            let _ = self.0.wait();
        }
    }
}
