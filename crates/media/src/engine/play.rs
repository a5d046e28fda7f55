//! A prompt on its way to a listener: which frame comes next.

use std::sync::Arc;

use crate::codec::{Codec, Frame};
use crate::engine::Repeat;
use crate::ids::PlayId;
use crate::prompt::Prompt;

pub(super) struct Play {
    prompt: Arc<Prompt>,
    pub id: PlayId,
    repeat: Repeat,
    next: usize,
    /// Whether the last step's frame was sent, so that the next one follows it without a gap.
    pub continues: bool,
}

impl Play {
    pub fn new(prompt: Arc<Prompt>, id: PlayId, repeat: Repeat) -> Play {
        Play { prompt, id, repeat, next: 0, continues: false }
    }

    /// The frame of this step of 20 ms, or `None` when the prompt is over.
    pub fn step(&mut self, codec: Codec) -> Option<&Frame> {
        if self.repeat == Repeat::Forever && self.next >= self.prompt.frames() {
            self.next = 0;
        }
        let frame = self.prompt.frame(codec, self.next)?;
        self.next += 1;
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(samples: usize, repeat: Repeat) -> Play {
        Play::new(Arc::new(Prompt::from_samples(&vec![1_000; samples])), PlayId(1), repeat)
    }

    #[test]
    fn a_prompt_is_over_after_its_last_frame_and_music_never() {
        let mut once = play(400, Repeat::Once);
        assert_eq!(std::iter::from_fn(|| once.step(Codec::Pcma).map(|_| ())).count(), 3);
        let mut forever = play(400, Repeat::Forever);
        assert!((0..100).all(|_| forever.step(Codec::Pcmu).is_some()));
    }

    #[test]
    fn a_prompt_without_a_frame_is_over_at_once_even_when_repeated() {
        assert!(play(0, Repeat::Once).step(Codec::Pcmu).is_none());
        assert!(play(0, Repeat::Forever).step(Codec::Pcmu).is_none());
    }
}
