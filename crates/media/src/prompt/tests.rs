//! Prompts as a whole: what callers would hear.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::tone::{heard, level_dbfs, sines};
use crate::wav::{Encoding, encode};

struct Bench {
    library: Library,
    directory: tempfile::TempDir,
}

impl Bench {
    /// A library whose speech program is `engine`, or the real one.
    fn new(engine: Option<&str>, change: impl FnOnce(&mut Config)) -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::new(directory.path().join("cache"));
        if let Some(script) = engine {
            config.engine = directory.path().join("engine");
            std::fs::write(&config.engine, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&config.engine, std::fs::Permissions::from_mode(0o700)).unwrap();
        }
        change(&mut config);
        Bench { library: Library::open(config).unwrap(), directory }
    }

    /// A library whose speech program counts its calls and says the same tone each time.
    fn with_tone(change: impl FnOnce(&mut Config)) -> Bench {
        let bench = Bench::new(Some("cat >> \"$0.said\"; echo >> \"$0.said\"; cat \"$0.wav\""), change);
        std::fs::write(bench.directory.path().join("engine.wav"), wav_of(&sines(&[1_230], -30.0, 1_000))).unwrap();
        bench
    }

    fn said(&self) -> Vec<String> {
        let said = std::fs::read_to_string(self.directory.path().join("engine.said")).unwrap_or_default();
        said.lines().map(str::to_owned).collect()
    }

    fn cached(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.directory.path().join("cache")).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }
}

fn wav_of(samples: &[i16]) -> Vec<u8> {
    encode(&[samples], 8_000, Encoding::Pcm16)
}

#[test]
fn a_prompt_has_the_same_audio_in_both_codecs_and_whole_frames() {
    let samples = sines(&[620], -20.0, 505);
    let prompt = Prompt::from_samples(&samples);
    assert_eq!((prompt.frames(), prompt.duration_ms()), (26, 520));
    for codec in Codec::ALL {
        let heard_samples = prompt.samples(codec);
        assert_eq!(heard(&heard_samples, &[620, 1_230]), [620]);
        assert_eq!(prompt.frame(codec, 25).unwrap()[40..], [codec.silence(); 120]);
        assert!(prompt.frame(codec, 26).is_none());
    }
    assert_eq!(Prompt::from_samples(&[]).frames(), 0);
}

#[test]
fn a_file_of_any_loudness_and_rate_becomes_a_prompt() {
    let bench = Bench::new(None, |_| {});
    let step = std::f64::consts::TAU * 620.0 / 44_100.0;
    let quiet: Vec<i16> = (0..44_100).map(|n| (500.0 * (step * f64::from(n)).sin()) as i16).collect();
    let path = bench.directory.path().join("quiet.wav");
    std::fs::write(&path, encode(&[&quiet, &quiet], 44_100, Encoding::Pcm16)).unwrap();
    let prompt = bench.library.from_file(&path).unwrap();
    assert_eq!(prompt.duration_ms(), 1_000);
    let audio = prompt.samples(Codec::Pcma);
    assert_eq!(heard(&audio, &[440, 620, 1_230]), [620]);
    assert!((level_dbfs(&audio) - LOUDNESS_DBFS).abs() < 0.5, "{}", level_dbfs(&audio));
    assert!(Arc::ptr_eq(&prompt, &bench.library.from_file(&path).unwrap()), "made once");
}

#[test]
fn what_cannot_be_a_prompt_is_refused_with_its_reason() {
    let bench = Bench::with_tone(|_| {});
    let library = &bench.library;
    let reason = |result: Result<Arc<Prompt>, PromptError>| result.unwrap_err().to_string();
    assert!(reason(library.from_wav(b"ID3 music")).contains("not a WAV file"));
    assert_eq!(reason(library.from_wav(&wav_of(&[]))), "the prompt has no audio");
    let long = encode(&[&vec![0; 4_000 * 601]], 4_000, Encoding::G711(Codec::Pcma));
    assert_eq!(reason(library.from_wav(&long)), "the prompt is 601 s long; 600 s are allowed");
    assert!(reason(library.from_file(&bench.directory.path().join("none.wav"))).contains("cannot be read"));
    assert_eq!(reason(library.speak(" \n", "de")), "the text of the prompt is empty");
    assert!(reason(library.speak(&"ä".repeat(2_001), "de")).contains("2001 characters; 2000 are allowed"));
    assert!(reason(library.speak("bonjour", "fr")).contains("\"fr\""));
    assert!(bench.said().is_empty());
    assert!(library.speak(&"ä".repeat(2_000), "de").is_ok());
}

#[test]
fn a_text_is_spoken_once_and_found_again_after_a_restart() {
    let bench = Bench::with_tone(|_| {});
    let first = bench.library.speak("Guten Tag", "de-DE").unwrap();
    assert_eq!(heard(&first.samples(Codec::Pcmu), &[620, 1_230]), [1_230]);
    assert!((level_dbfs(&first.samples(Codec::Pcmu)) - LOUDNESS_DBFS).abs() < 0.5);
    assert!(Arc::ptr_eq(&first, &bench.library.speak("  Guten Tag ", "de").unwrap()));
    assert_eq!(bench.said(), ["Guten Tag"]);
    // Another voice is another prompt.
    bench.library.speak("Guten Tag", "en").unwrap();
    assert_eq!(bench.said().len(), 2);

    let mut config = Config::new(bench.directory.path().join("cache"));
    config.engine = "/nonexistent".into();
    let restarted = Library::open(config).unwrap();
    assert_eq!(restarted.speak("Guten Tag", "de").unwrap(), first);
    assert!(matches!(restarted.speak("Auf Wiederhören", "de"), Err(PromptError::NoEngine { .. })));
}

#[test]
fn no_text_can_be_an_option_or_a_command() {
    let bench = Bench::with_tone(|_| {});
    let texts = ["--version", "-w /tmp/x", "$(touch x); `touch y` | \"'"];
    for text in texts {
        bench.library.speak(text, "en").unwrap();
    }
    assert_eq!(bench.said(), texts);
    bench.library.speak("one\ntwo\u{7}", "en").unwrap();
    assert_eq!(bench.said()[3], "one two ");
}

#[test]
fn a_damaged_file_in_the_cache_is_made_anew() {
    let bench = Bench::with_tone(|_| {});
    let first = bench.library.speak("Guten Tag", "de").unwrap();
    let [path] = &bench.cached()[..] else { panic!("{:?}", bench.cached()) };
    let whole = std::fs::read(path).unwrap();
    for damaged in [&whole[..whole.len() - 100], b"", b"not a prompt at all"] {
        std::fs::write(path, damaged).unwrap();
        let mut config = Config::new(bench.directory.path().join("cache"));
        config.engine = bench.directory.path().join("engine");
        let library = Library::open(config).unwrap();
        assert_eq!(library.speak("Guten Tag", "de").unwrap(), first);
        assert_eq!(std::fs::read(path).unwrap(), whole);
    }
}

#[test]
fn the_cache_forgets_what_was_not_used_for_longest() {
    // One second takes 16,058 bytes: room for three.
    let bench = Bench::with_tone(|config| config.cache_bytes_max = 50_000);
    let old = |path: &PathBuf, seconds: u64| {
        let file = std::fs::File::options().append(true).open(path).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    };
    let mut known: Vec<PathBuf> = Vec::new();
    for (index, text) in ["one", "two", "three"].into_iter().enumerate() {
        bench.library.speak(text, "en").unwrap();
        let new = bench.cached().into_iter().find(|path| !known.contains(path)).unwrap();
        old(&new, 1_000 - index as u64 * 100);
        known.push(new);
    }
    let part = bench.directory.path().join("cache/left.1-1.part");
    std::fs::write(&part, b"half").unwrap();
    old(&part, 4_000);
    // A new process uses the oldest, so the second becomes the one to go.
    let mut config = Config::new(bench.directory.path().join("cache"));
    config.engine = "/nonexistent".into();
    Library::open(config).unwrap().speak("one", "en").unwrap();
    bench.library.speak("four", "en").unwrap();
    let left = bench.cached();
    assert_eq!(left.len(), 3);
    assert!(left.contains(&known[0]) && !left.contains(&known[1]) && left.contains(&known[2]));
    assert!(!part.exists());
}

#[test]
fn a_program_that_does_not_end_is_killed_with_what_it_started() {
    // The second process holds the pipes open as well.
    let script = "echo $$ > \"$0.pid\"; sleep 1000 & sleep 1000";
    let bench = Bench::new(Some(script), |config| config.time_limit = Duration::from_secs(1));
    let start = Instant::now();
    let error = bench.library.speak("Guten Tag", "de").unwrap_err();
    assert!(error.to_string().ends_with("engine was stopped after 1 s"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
    let pid = std::fs::read_to_string(bench.directory.path().join("engine.pid")).unwrap();
    assert!(!std::path::Path::new("/proc").join(pid.trim()).exists());
    // One that closes its output and stays is no better.
    let bench = Bench::new(Some("exec >&- 2>&-; sleep 1000"), |config| config.time_limit = Duration::from_secs(1));
    assert!(matches!(bench.library.speak("Guten Tag", "de"), Err(PromptError::EngineTimeOut { seconds: 1, .. })));
}

#[test]
fn a_program_that_fails_is_quoted() {
    let bench = Bench::new(Some("echo 'no such voice' >&2; exit 3"), |_| {});
    let error = bench.library.speak("Guten Tag", "de").unwrap_err().to_string();
    assert!(error.contains("exit status: 3: no such voice"), "{error}");
    let bench = Bench::new(Some("echo nonsense"), |_| {});
    let error = bench.library.speak("Guten Tag", "de").unwrap_err().to_string();
    assert!(error.contains("not a WAV file"), "{error}");
    let bench = Bench::new(Some("exec cat /dev/zero"), |_| {});
    let error = bench.library.speak("Guten Tag", "de").unwrap_err().to_string();
    assert!(error.contains("more than 33554432 bytes"), "{error}");
    assert!(bench.cached().is_empty());
}

#[test]
fn the_installed_speech_program_speaks_or_its_absence_is_said_clearly() {
    let bench = Bench::new(None, |_| {});
    match bench.library.engine_version() {
        Ok(version) => {
            assert!(version.contains("eSpeak"), "{version}");
            let text = "Alle Plätze sind belegt. Bitte warten Sie.";
            let german = bench.library.speak(text, "de").unwrap();
            let english = bench.library.speak(text, "en-US").unwrap();
            assert_ne!(german, english);
            for prompt in [german, english] {
                assert!((1_500..8_000).contains(&prompt.duration_ms()), "{prompt:?}");
                let level = level_dbfs(&prompt.samples(Codec::Pcma));
                assert!((-30.0..-20.0).contains(&level), "{level}");
            }
        }
        Err(PromptError::NoEngine { engine }) => {
            assert_eq!(engine, "espeak-ng");
            let error = bench.library.speak("Guten Tag", "de").unwrap_err().to_string();
            assert!(error.contains("espeak-ng is not installed"), "{error}");
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn tones_have_the_cadence_of_the_german_network() {
    let cases = [(Builtin::Ringback, 1_000, 5_000), (Builtin::Busy, 480, 960), (Builtin::Congestion, 240, 480)];
    for (builtin, on_ms, round_ms) in cases {
        let prompt = builtin.prompt();
        assert_eq!(prompt.duration_ms(), round_ms);
        let samples = prompt.samples(Codec::Pcmu);
        let (tone, pause) = samples.split_at(on_ms * 8);
        let level = crate::tone::tone_dbfs(tone, 425.0);
        assert!((level - LOUDNESS_DBFS).abs() < 1.0, "{builtin:?} {level}");
        assert!(level_dbfs(pause) < -70.0);
    }
    assert_eq!(heard(&Builtin::Beep.prompt().samples(Codec::Pcma), &[425, 850]), [850]);
    for builtin in Builtin::ALL {
        assert_eq!(Builtin::from_name(builtin.name()), Some(builtin));
        assert!(Arc::ptr_eq(&builtin.prompt(), &builtin.prompt()));
    }
    assert_eq!(Builtin::HoldMusic.prompt().frames(), 1_500);
}
