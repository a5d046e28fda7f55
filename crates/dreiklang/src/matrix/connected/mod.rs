//! The rows over the Connected line: the product in this process, and people with real telephones around it.
//!
//! # Layout
//!
//! `stage` (product and people) → `network` (rows 1, 2, 5, 14: who is reached, and how) → `sound` (rows 3, 9, 10, 11: what is
//! heard and recorded) → `records` (rows 6, 7, 8: what is known afterwards).

mod network;
mod records;
mod sound;
mod stage;

use super::{Cell, Settings, Try, try_rows};
use stage::Stage;
use std::time::Duration;

/// In the order in which they are tried: the restart comes last.
const ROWS: [(usize, Try<Stage>); 14] = [
    (1, Try::Now(network::way_to_the_network)),
    (3, Try::Now(sound::text_to_speech)),
    (4, Try::Later("live audio of each party is not yet given to transcription and assist")),
    (5, Try::Now(network::ring_only_the_client)),
    (6, Try::Now(records::statistics)),
    (7, Try::Now(records::transfers_traced)),
    (8, Try::Now(records::metered)),
    (9, Try::Now(sound::voicemail)),
    (10, Try::Now(sound::live_access)),
    (11, Try::Now(sound::recording)),
    (12, Try::Later("conversations are calls so far; chat and mail come with the lines that carry them")),
    (13, Try::Later("queues and agents are not yet published where Teams users search")),
    (14, Try::Now(network::own_number)),
    (2, Try::Now(network::operation)),
];

/// Tries every row.
///
/// # Errors
/// When the product or the telephones cannot be started at all.
pub async fn run(settings: &Settings) -> anyhow::Result<Vec<Cell>> {
    let mut stage = Stage::open(settings).await?;
    let mut cells = try_rows("connected", &mut stage, &ROWS, settings.quiet).await;
    stage.product.stop(Duration::ZERO).await;
    cells.sort_by_key(|cell| cell.row);
    Ok(cells)
}
