//! Whatever happens, in whatever order: random days in a contact center keep every promise of the design.

mod day;
mod history;
mod promises;
