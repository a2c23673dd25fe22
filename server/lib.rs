//! bytecost: what each line of Python costs in bytecode, and why.
//!
//! Data flows one way:
//!
//! ```text
//! collect ─┐
//!          ├→ profile → attribute (+ source) → explain (+ cpython tables) → present
//! dump  ───┘
//! ```
//!
//! `collect` runs things; from `profile` on everything is pure: no clock, no file system, no
//! process.

pub mod attribute;
pub mod bytecode;
pub mod cli;
pub mod collect;
pub mod cpython;
pub mod dump;
pub mod explain;
pub mod lsp;
#[allow(unsafe_code, reason = "the one module that may")]
pub mod os;
pub mod present;
pub mod profile;
pub mod project;
pub mod source;
pub mod stats;
pub mod store;
pub mod trace;
