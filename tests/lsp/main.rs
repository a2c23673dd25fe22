//! The language server, seen by a client in the same process that takes nothing for granted.

mod client;
mod clients;
mod edits;
#[path = "../support/pythons.rs"]
mod pythons;
mod lifecycle;
mod process;
mod runs;
mod saved;
mod settings;
mod workspace;
