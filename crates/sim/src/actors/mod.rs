//! Everybody around the engine, one file each. They act on the [`Stage`](crate::stage::Stage), and know of the engine what
//! people and machines would know.

mod administrator;
pub mod caller;
pub mod following;
mod incident;
pub mod line;
pub mod owner;
mod report;
mod service;
mod supervisor;
pub mod talk;
mod telephone;
pub mod worker;
pub mod writer;
