//! Sound on the lab's grid: 20 ms at 16 kHz. What a person says, and what a person has heard.

use dreiklang_media::{tone, wav};
use std::{f64::consts::TAU, sync::Arc};

/// Samples per second of everything in a call.
pub(crate) const RATE_HZ: u32 = 16_000;
/// Length of a step of the grid.
pub(crate) const FRAME_MS: u64 = 20;
/// Samples in a step.
pub(crate) const FRAME: usize = 320;
/// Samples kept of what somebody heard: three seconds, a whole number of steps.
const KEPT_SAMPLES: usize = 150 * FRAME;
/// The last half second is judged when asked what is heard now.
const JUDGED_SAMPLES: usize = 8_000;
/// Level of a person's tone: a sixth of full scale.
const TONE_LEVEL: f64 = 5_200.0;

/// One step of sound.
pub(crate) type Frame = [i16; FRAME];

/// A sum of sounds, clipped when it is heard.
pub(crate) type Sum = [i32; FRAME];

/// What somebody says.
#[derive(Clone, Debug)]
pub(crate) enum Voice {
    Silence,
    /// A whole number of periods, again and again.
    Tone {
        periods: Arc<[i16]>,
        at: usize,
    },
    Samples {
        samples: Arc<[i16]>,
        at: usize,
        repeat: bool,
    },
}

impl Voice {
    pub(crate) fn tone(hz: u32) -> Voice {
        if hz == 0 {
            return Voice::Silence;
        }
        // A whole number of hertz repeats itself within a second, mostly much sooner.
        let length = RATE_HZ / common_divisor(hz, RATE_HZ);
        let step = TAU * f64::from(hz) / f64::from(RATE_HZ);
        Voice::Tone { periods: (0..length).map(|index| ((f64::from(index) * step).sin() * TONE_LEVEL) as i16).collect(), at: 0 }
    }

    /// Puts the next step into the frame; false when there is nothing (any more).
    pub(crate) fn next(&mut self, frame: &mut Frame) -> bool {
        match self {
            Voice::Silence => false,
            Voice::Tone { periods, at } => {
                let mut filled = 0;
                while filled < FRAME {
                    let piece = &periods[*at..periods.len().min(*at + FRAME - filled)];
                    frame[filled..filled + piece.len()].copy_from_slice(piece);
                    filled += piece.len();
                    *at = (*at + piece.len()) % periods.len();
                }
                true
            }
            Voice::Samples { samples, at, repeat } => {
                if *at >= samples.len() {
                    if !*repeat || samples.is_empty() {
                        *self = Voice::Silence;
                        return false;
                    }
                    *at = 0;
                }
                let piece = &samples[*at..samples.len().min(*at + FRAME)];
                frame[..piece.len()].copy_from_slice(piece);
                frame[piece.len()..].fill(0);
                *at += FRAME;
                true
            }
        }
    }
}

/// The last seconds of what somebody heard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ear {
    /// Grows to what is kept, then goes round.
    kept: Vec<i16>,
    /// Where the oldest step begins, once it goes round.
    oldest: usize,
}

impl Ear {
    pub(crate) fn hear(&mut self, frame: &Frame) {
        if self.kept.len() < KEPT_SAMPLES {
            self.kept.extend_from_slice(frame);
        } else {
            self.kept[self.oldest..self.oldest + FRAME].copy_from_slice(frame);
            self.oldest = (self.oldest + FRAME) % KEPT_SAMPLES;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
        self.oldest = 0;
    }

    /// Which of these tones the last half second contains.
    pub(crate) fn tones(&self, candidates_hz: &[u32]) -> Vec<u32> {
        // Tones of the telephone's band survive a coarse halving of the rate.
        let halved: Vec<i16> = self.lately().chunks_exact(2).map(|pair| ((i32::from(pair[0]) + i32::from(pair[1])) / 2) as i16).collect();
        tone::heard(&halved, candidates_hz)
    }

    /// Loudness of the last half second, dBFS; -infinity for silence.
    pub(crate) fn level_dbfs(&self) -> f64 {
        tone::level_dbfs(&self.lately())
    }

    pub(crate) fn samples(&self) -> Vec<i16> {
        [&self.kept[self.oldest..], &self.kept[..self.oldest]].concat()
    }

    fn lately(&self) -> Vec<i16> {
        let mut samples = self.samples();
        samples.drain(..samples.len().saturating_sub(JUDGED_SAMPLES));
        samples
    }
}

fn common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// Adds a frame to a sum.
pub(crate) fn add(sum: &mut Sum, frame: &Frame) {
    for (total, sample) in sum.iter_mut().zip(frame) {
        *total += i32::from(*sample);
    }
}

/// What is heard of a sum without one of its parts.
pub(crate) fn without(sum: &Sum, own: Option<&Frame>) -> Frame {
    let mut frame = [0; FRAME];
    for (index, sample) in frame.iter_mut().enumerate() {
        let total = sum[index] - own.map_or(0, |own| i32::from(own[index]));
        *sample = total.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
    }
    frame
}

/// The samples of a WAV file, mixed to one channel and brought to the grid's rate.
pub(crate) fn from_wav(bytes: &[u8]) -> Result<Vec<i16>, String> {
    let wav = wav::Wav::parse(bytes).map_err(|error| error.to_string())?;
    let mixed = match wav.channels.as_slice() {
        [one] => one.clone(),
        channels => {
            let sample = |index: usize| channels.iter().map(|channel| i32::from(channel[index])).sum::<i32>() / channels.len() as i32;
            (0..wav.len()).map(|index| sample(index) as i16).collect()
        }
    };
    Ok(wav::resample(&mixed, wav.rate_hz, RATE_HZ))
}

/// A steady tone as samples.
pub(crate) fn beep(hz: u32, ms: u64) -> Vec<i16> {
    let mut voice = Voice::tone(hz);
    let mut frame = [0; FRAME];
    (0..ms / FRAME_MS)
        .flat_map(|_| {
            voice.next(&mut frame);
            frame
        })
        .collect()
}

/// From 16 kHz to 24 kHz and back, for streams that want it: linear, which a voice survives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Converter {
    last: i16,
}

impl Converter {
    /// 320 samples at 16 kHz become 480 at 24 kHz.
    pub(crate) fn up(&mut self, frame: &Frame) -> Vec<i16> {
        let mut out = Vec::with_capacity(FRAME * 3 / 2);
        let at = |index: usize, last: i16| if index == 0 { f64::from(last) } else { f64::from(frame[index - 1]) };
        for step in 0..FRAME * 3 / 2 {
            let place = step as f64 * 2.0 / 3.0;
            let (index, part) = (place as usize, place.fract());
            out.push((at(index, self.last) * (1.0 - part) + f64::from(frame[index]) * part) as i16);
        }
        self.last = frame[FRAME - 1];
        out
    }
}

/// Every third sample of 24 kHz gives way: 16 kHz.
pub(crate) fn down(samples: &[i16]) -> Vec<i16> {
    let mean = |a: i16, b: i16| ((i32::from(a) + i32::from(b)) / 2) as i16;
    samples.chunks_exact(3).flat_map(|three| [three[0], mean(three[1], three[2])]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ear_tells_the_tones_it_heard_lately() {
        let (mut voice, mut other, mut ear) = (Voice::tone(440), Voice::tone(620), Ear::default());
        let (mut one, mut two) = ([0; FRAME], [0; FRAME]);
        for _ in 0..30 {
            voice.next(&mut one);
            other.next(&mut two);
            let mut sum = [0; FRAME];
            add(&mut sum, &one);
            add(&mut sum, &two);
            ear.hear(&without(&sum, None));
        }
        assert_eq!(ear.tones(&[440, 620, 800]), [440, 620]);
        for _ in 0..30 {
            ear.hear(&[0; FRAME]);
        }
        assert!(ear.tones(&[440, 620]).is_empty());
        assert!(ear.level_dbfs() < -90.0);
    }

    #[test]
    fn an_ear_keeps_the_last_three_seconds_in_their_order() {
        let mut ear = Ear::default();
        for number in 0..160 {
            ear.hear(&[number; FRAME]);
        }
        let samples = ear.samples();
        assert_eq!((samples.len(), samples[0], samples[KEPT_SAMPLES - 1]), (KEPT_SAMPLES, 10, 159));
        assert!(samples.is_sorted());
    }

    #[test]
    fn a_tone_survives_the_way_to_24_khz_and_back() {
        let (mut converter, mut voice, mut ear) = (Converter::default(), Voice::tone(1_000), Ear::default());
        let mut frame = [0; FRAME];
        for _ in 0..30 {
            voice.next(&mut frame);
            let up = converter.up(&frame);
            assert_eq!(up.len(), 480);
            frame.copy_from_slice(&down(&up));
            ear.hear(&frame);
        }
        assert_eq!(ear.tones(&[1_000, 1_500]), [1_000]);
    }

    #[test]
    fn a_file_is_said_once_or_again_and_again() {
        let samples: Arc<[i16]> = vec![7; FRAME + 1].into();
        let (mut once, mut again) =
            (Voice::Samples { samples: Arc::clone(&samples), at: 0, repeat: false }, Voice::Samples { samples, at: 0, repeat: true });
        let mut frame = [0; FRAME];
        let told = |voice: &mut Voice, frame: &mut Frame| (0..3).map(|_| voice.next(frame)).collect::<Vec<_>>();
        assert_eq!(told(&mut once, &mut frame), [true, true, false]);
        assert_eq!(told(&mut again, &mut frame), [true, true, true]);
    }
}
