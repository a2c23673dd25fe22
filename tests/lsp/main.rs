//! The language server, seen by a client in the same process that takes nothing for granted.

mod client;
mod clients;
mod edits;
mod lifecycle;
mod process;
#[path = "../support/pythons.rs"]
mod pythons;
mod runs;
mod saved;
mod settings;
mod workspace;
