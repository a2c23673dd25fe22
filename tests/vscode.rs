//! The VS Code extension: its manifest, its pure parts, and the packaged `.vsix` in a real VS Code.
//!
//! `tests/rigs/install-vscode` gets the editor. Screenshots are kept in `tests/artifacts/vscode/`.

#[path = "vscode/manifest.rs"]
mod manifest;
