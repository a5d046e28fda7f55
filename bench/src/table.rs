//! Markdown tables from rows: medians of runs that differ in nothing but chance.

use crate::row::{Row, median, show};
use anyhow::Context as _;
use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

/// Options of `table`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Files written with --out.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Prints the tables.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for path in &args.files {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            rows.push(Row::parse(line).with_context(|| format!("{} line {}", path.display(), index + 1))?);
        }
    }
    print!("{}", tables(&rows));
    Ok(())
}

/// Heading and figure of a column.
type Column = (&'static str, &'static str);

const SETUP: [Column; 8] = [
    ("Calls/s held", "calls_per_s"),
    ("CPU s per 1,000 calls", "top_cpu_s_per_1000"),
    ("p99 at that rate, ms", "top_connect_p99_ms"),
    ("p50 at half, ms", "half_connect_p50_ms"),
    ("p99 at half, ms", "half_connect_p99_ms"),
    ("RSS, MB", "peer_rss_mb"),
    ("Foreign CPU, %", "top_foreign_cpu_pct"),
    ("Load", "load_1m"),
];

const RATE: [Column; 8] = [
    ("Calls/s completed", "calls_per_s"),
    ("Failed, %", "failed_pct"),
    ("INVITE→200 p50, ms", "answer_p50_ms"),
    ("p99, ms", "answer_p99_ms"),
    ("→conversation p99, ms", "connect_p99_ms"),
    ("CPU s per 1,000 calls", "cpu_s_per_1000"),
    ("Foreign CPU, %", "foreign_cpu_pct"),
    ("Load", "load_1m"),
];

const MEDIA: [Column; 10] = [
    ("Loss, %", "loss_pct"),
    ("Delay p50, ms", "delay_p50_ms"),
    ("p99, ms", "delay_p99_ms"),
    ("Jitter p99, ms", "jitter_p99_ms"),
    ("CPU % per 100 calls", "cpu_pct_per_100"),
    ("µs per packet", "us_per_packet"),
    ("kB per call", "kb_per_call"),
    ("Generator CPU, %", "own_cpu_pct"),
    ("Foreign CPU, %", "foreign_cpu_pct"),
    ("Load", "load_1m"),
];

fn tables(rows: &[Row]) -> String {
    let mut text = String::new();
    let of_kind = |kind: &str, tag: &str| {
        rows.iter().filter(|row| row.text("kind") == kind && (tag.is_empty() || row.text("tag") == tag)).cloned().collect::<Vec<_>>()
    };
    table(&mut text, "Call set-up: the highest rate held", &of_kind("setup-result", ""), "Agents", "agents", &SETUP);
    table(&mut text, "Call set-up at fixed rates", &of_kind("setup", "fixed"), "Rate", "rate", &RATE);
    table(&mut text, "Bridged calls with audio", &of_kind("media", ""), "Calls", "calls", &MEDIA);
    text
}

/// One line per label and value of `key`, in the order of their first appearance and by value.
fn table(text: &mut String, heading: &str, rows: &[Row], key_heading: &str, key: &str, columns: &[Column]) {
    if rows.is_empty() {
        return;
    }
    let mut labels: Vec<&str> = Vec::new();
    for row in rows {
        if !labels.contains(&row.text("label")) {
            labels.push(row.text("label"));
        }
    }
    // Writing to a String cannot fail.
    let _ = write!(text, "### {heading}\n\n| Peer | {key_heading} | Runs held |");
    columns.iter().for_each(|(heading, _)| text.push_str(&format!(" {heading} |")));
    text.push_str("\n|---|---|---|");
    columns.iter().for_each(|_| text.push_str("---|"));
    text.push('\n');
    for label in labels {
        let mut groups: BTreeMap<u64, Vec<&Row>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.text("label") == label) {
            // Rates have at most three digits after the point.
            groups.entry((row.get(key).unwrap_or_default() * 1e3).round() as u64).or_default().push(row);
        }
        for (value, group) in groups {
            let held = group.iter().filter(|row| row.is_held()).count();
            let _ = write!(text, "| {label} | {} | {held} of {} |", value as f64 / 1e3, group.len());
            for (_, name) in columns {
                let _ = write!(text, " {} |", show(median(group.iter().filter_map(|row| row.get(name)))));
            }
            text.push('\n');
        }
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_the_same_load_become_one_line_with_their_medians() {
        let row = |label: &str, calls: u64, loss: f64, held: bool| {
            let mut row = Row::new("media", label, "run");
            row.set("calls", calls).number("loss_pct", loss).set("held", held);
            row
        };
        let rows = [
            row("b", 200, 0.5, false),
            row("b", 100, 0.0, true),
            row("a", 100, 3.0, false),
            row("b", 200, 0.1, true),
            row("b", 200, 0.2, true),
        ];
        let text = tables(&rows);
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("| a") || line.starts_with("| b")).collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("| b | 100 | 1 of 1 | 0 | – |"), "{}", lines[0]);
        assert!(lines[1].starts_with("| b | 200 | 2 of 3 | 0.20 |"), "{}", lines[1]);
        assert!(lines[2].starts_with("| a | 100 | 0 of 1 | 3.00 |"), "{}", lines[2]);
        assert!(!text.contains("set-up"));
    }
}
