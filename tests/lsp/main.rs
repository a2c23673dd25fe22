//! The language server, seen by a client in the same process that takes nothing for granted.
#![allow(clippy::needless_pass_by_value, reason = "json!(…) is written at the call")]

mod client;
mod clients;
mod edits;
mod lifecycle;
mod process;
#[allow(dead_code, reason = "each test uses its own part")]
#[path = "../support/pythons.rs"]
mod pythons;
mod requests;
mod runs;
mod saved;
mod settings;
mod workspace;
