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

pub mod collect;
pub mod profile;
pub mod source;
