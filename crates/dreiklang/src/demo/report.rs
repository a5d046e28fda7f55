//! What one call of the demo was like.

use serde::Serialize;
use std::path::PathBuf;

/// One call.
#[derive(Debug, Serialize)]
pub struct Call {
    /// Over which line.
    pub line: &'static str,
    /// The conversation's id.
    pub conversation_id: String,
    /// In which queue it waited.
    pub queue: String,
    /// How long.
    pub wait_ms: u64,
    /// Who answered.
    pub agent: String,
    /// Somebody answered.
    pub answered: bool,
    /// The agent's tone was found in what the caller received.
    pub caller_heard_agent: bool,
    /// The caller's tone was found in what the agent received.
    pub agent_heard_caller: bool,
    /// The recording, if there is one.
    pub recording: Option<Recording>,
}

/// A recording of it.
#[derive(Debug, Serialize)]
pub struct Recording {
    /// The file.
    pub path: PathBuf,
    /// Length of the audio.
    pub duration_ms: u64,
    /// Audio channels: caller left, agent right.
    pub channels: u8,
}

impl Call {
    /// A call of which nothing is known yet.
    pub fn new(line: &'static str) -> Call {
        Call {
            line,
            conversation_id: String::new(),
            queue: String::new(),
            wait_ms: 0,
            agent: String::new(),
            answered: false,
            caller_heard_agent: false,
            agent_heard_caller: false,
            recording: None,
        }
    }

    /// Whether everything went as it should.
    pub fn is_good(&self) -> bool {
        let recorded = self
            .recording
            .as_ref()
            .is_some_and(|recording| recording.channels == 2 && recording.duration_ms > 0 && recording.path.is_file());
        self.answered && self.caller_heard_agent && self.agent_heard_caller && recorded
    }

    /// For people.
    pub fn text(&self) -> String {
        let heard = |yes: bool| if yes { "heard" } else { "DID NOT HEAR" };
        let recording = self.recording.as_ref().map_or_else(
            || "NOT recorded".to_owned(),
            |recording| {
                format!(
                    "recorded: {} ({:.1} s, {} channels)",
                    recording.path.display(),
                    recording.duration_ms as f64 / 1000.0,
                    recording.channels
                )
            },
        );
        format!(
            "\nA call over {}\n  conversation {}\n  waited {:.1} s in the queue {}, answered by {}\n  the caller {} the agent, the agent {} the caller\n  {recording}\n",
            self.line,
            self.conversation_id,
            self.wait_ms as f64 / 1000.0,
            self.queue,
            self.agent,
            heard(self.caller_heard_agent),
            heard(self.agent_heard_caller),
        )
    }
}
