//! The figures of a contact center: what each event books ([`Ledger`]), what is kept ([`Tally`]), and the formulas over it
//! ([`FIGURES`]). Whoever shows a figure, the reports, the simulation or a page, shows what this code says.

mod catalogue;
mod counter;
mod figure;
mod interval;
mod ledger;
mod live;
pub mod meter;
mod slot;
mod states;
mod tally;
mod teams;
mod waits;

pub use catalogue::{FIGURES, MISSING};
pub use counter::{Counter, Longest};
pub use figure::{Denominator, Figure, Missing, Terms, Unit, Value, View};
pub use interval::{Interval, Spent, Unbalanced, Writing};
pub use ledger::{Entry, Key, Known, Ledger};
pub use live::{LIVE, Live, oldest_waiting};
pub use meter::Metered;
pub use slot::{Clock, SLOT, Width, slot};
pub use states::{Present, States};
pub use tally::{Attribution, Books, Daybook, Kind, Subject, Tally};
pub use teams::{TeamsOutcome, TeamsTarget};
pub use waits::{THRESHOLDS, Waits};
