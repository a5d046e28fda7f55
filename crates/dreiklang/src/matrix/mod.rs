//! What is promised for each line, tried with real calls: fourteen rows, each with what was measured.
//!
//! # Layout
//!
//! `mod` (rows, verdicts, the table) → `connected` (the rows over the Connected line).
//!
//! A row that cannot be shown is `failed` with the reason, and the others go on. `later` is what does not exist yet; it is never
//! said of something that was tried.

pub mod connected;

use serde::Serialize;
use serde_json::{Map, Value};
use std::{future::Future, path::PathBuf, pin::Pin, time::Instant};

/// The rows, by number from 1.
pub const ROWS: [&str; 14] = [
    "Way to the telephone network",
    "Operation",
    "Text to speech",
    "AI listens in",
    "Ring only the contact-center client",
    "Call statistics",
    "Transfers traced",
    "Billed by use",
    "Voicemail",
    "Live access to a call",
    "Recording",
    "Chat, other channels",
    "Teams users find the contact center",
    "Agents with a number of their own",
];

/// How a line does what a row asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The line itself does it.
    Native,
    /// It was tried and did not work.
    Failed,
    /// It does not exist yet.
    Later,
}

/// One row over one line.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    /// Which row, from 1.
    pub row: usize,
    /// Which line.
    pub line: &'static str,
    /// How it is done.
    pub verdict: Verdict,
    /// In words; for a failure, what went wrong.
    pub how: String,
    /// What was measured, by name; times in milliseconds.
    pub measured: Map<String, Value>,
}

/// The table.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Cells that failed.
    pub failed: usize,
    /// All cells.
    pub cells: Vec<Cell>,
}

/// What a trial has shown: how, and what was measured.
pub struct Shown {
    how: &'static str,
    measured: Map<String, Value>,
}

impl Shown {
    /// Shown in this way.
    pub fn by(how: &'static str) -> Shown {
        Shown { how, measured: Map::new() }
    }

    /// With one more figure.
    pub fn and(mut self, name: &str, value: impl Into<Value>) -> Shown {
        self.measured.insert(name.to_owned(), value.into());
        self
    }
}

/// One trial under way.
pub type Trial<'a> = Pin<Box<dyn Future<Output = anyhow::Result<Shown>> + Send + 'a>>;

/// What can be said of a row.
pub enum Try<S> {
    /// This has to work.
    Now(for<'a> fn(&'a mut S) -> Trial<'a>),
    /// It does not exist yet, and why.
    Later(&'static str),
}

/// Where trials of a line take place.
pub trait Stage {
    /// After a trial that failed: ends what it has left, so that the next one can be tried.
    fn recover(&mut self) -> impl Future<Output = ()> + Send;
}

/// Where the trials take place, and who is told how far they are.
pub struct Settings {
    /// Empty folder for the product's data.
    pub data: PathBuf,
    /// Nothing but the result is printed.
    pub quiet: bool,
}

impl Report {
    /// Of these cells.
    pub fn of(cells: Vec<Cell>) -> Report {
        let failed = cells.iter().filter(|cell| cell.verdict == Verdict::Failed).count();
        Report { failed, cells }
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for cell in &self.cells {
            let verdict = match cell.verdict {
                Verdict::Native => "native",
                Verdict::Failed => "FAILED",
                Verdict::Later => "later",
            };
            let title = ROWS.get(cell.row.wrapping_sub(1)).copied().unwrap_or_default();
            text.push_str(&format!("{:>2}  {:<10} {:<10} {title}\n      {}\n", cell.row, cell.line, verdict, cell.how));
            if !cell.measured.is_empty() {
                let figures: Vec<String> = cell.measured.iter().map(|(name, value)| format!("{name} {value}")).collect();
                text.push_str(&format!("      {}\n", figures.join(", ")));
            }
        }
        text.push_str(&match self.failed {
            0 => "All that exists works.".to_owned(),
            1 => "1 row failed.".to_owned(),
            count => format!("{count} rows failed."),
        });
        text
    }
}

/// Tries the rows one after the other.
pub async fn try_rows<S: Stage>(line: &'static str, stage: &mut S, rows: &[(usize, Try<S>)], quiet: bool) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (row, attempt) in rows {
        let (verdict, how, measured) = match attempt {
            Try::Later(why) => (Verdict::Later, (*why).to_owned(), Map::new()),
            Try::Now(trial) => {
                if !quiet {
                    eprintln!("{row:>2}  {} …", ROWS.get(row.wrapping_sub(1)).copied().unwrap_or_default());
                }
                let began = Instant::now();
                match trial(stage).await {
                    Ok(shown) => {
                        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                        (Verdict::Native, shown.how.to_owned(), shown.and("took_ms", took).measured)
                    }
                    Err(problem) => {
                        stage.recover().await;
                        (Verdict::Failed, format!("{problem:#}"), Map::new())
                    }
                }
            }
        };
        cells.push(Cell { row: *row, line, verdict, how, measured });
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[derive(Default)]
    struct Counted {
        tried: u32,
        recovered: u32,
    }

    impl Stage for Counted {
        async fn recover(&mut self) {
            self.recovered += 1;
        }
    }

    fn works(stage: &mut Counted) -> Trial<'_> {
        Box::pin(async move {
            stage.tried += 1;
            Ok(Shown::by("well").and("tones", 2))
        })
    }

    fn fails(stage: &mut Counted) -> Trial<'_> {
        Box::pin(async move {
            stage.tried += 1;
            bail!("nobody answered")
        })
    }

    #[tokio::test]
    async fn a_row_that_fails_says_why_and_the_others_are_tried() {
        let mut stage = Counted::default();
        let rows = [(9, Try::Now(fails as _)), (10, Try::Now(works as _)), (12, Try::Later("not yet"))];
        let report = Report::of(try_rows("connected", &mut stage, &rows, true).await);
        assert_eq!((stage.tried, stage.recovered, report.failed), (2, 1, 1));
        let verdicts: Vec<Verdict> = report.cells.iter().map(|cell| cell.verdict).collect();
        assert_eq!(verdicts, [Verdict::Failed, Verdict::Native, Verdict::Later]);
        assert_eq!(report.cells[0].how, "nobody answered");
        assert_eq!(report.cells[1].measured["tones"], 2);
        let text = report.text();
        assert!(text.contains("FAILED     Voicemail") && text.ends_with("1 row failed."), "{text}");
    }
}
