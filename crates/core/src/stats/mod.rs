//! The figures of a contact center: counters folded from events, and the formulas over them.

mod interval;
mod kpi;

pub use interval::Interval;
pub use kpi::{FORMULAS, Figures, Formula, Unbalanced, Unit};
