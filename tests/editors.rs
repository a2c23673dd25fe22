//! The server as its users meet it: real Neovim and real Helix in a terminal of 120×40 cells.
//!
//! `tests/rigs/install-editors` gets the editors. Screens are kept in `tests/artifacts/editors/`.
#![cfg(unix)]

#[path = "editors/helix.rs"]
mod helix;
#[path = "editors/hints.rs"]
mod hints;
#[path = "editors/neovim.rs"]
mod neovim;
#[path = "editors/project.rs"]
mod project;
#[path = "editors/screen.rs"]
mod screen;
mod support;
