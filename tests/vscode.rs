//! The VS Code extension: its manifest, its pure parts, and the packaged `.vsix` in a real VS Code.
//!
//! `tests/rigs/install-vscode` gets the editor. Screenshots are kept in `tests/artifacts/vscode/`.

#[cfg(target_os = "linux")]
#[path = "vscode/extension.rs"]
mod extension;
#[path = "vscode/manifest.rs"]
mod manifest;
#[cfg(target_os = "linux")]
mod support;
