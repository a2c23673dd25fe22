//! `bytecost lsp`.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::{TARGET_FAILED, screen};
use crate::lsp;

/// Says how much is logged, as `RUST_LOG` does elsewhere.
const LOG: &str = "BYTECOST_LOG";

/// Serves the editor that started this process. 0 after an orderly end, 1 after any other.
pub fn lsp() -> anyhow::Result<u8> {
    // Standard output belongs to the protocol.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env(LOG).unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    if std::io::stdin().is_terminal() {
        screen::say("this is for editors: it speaks the Language Server Protocol on standard input");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let orderly = runtime.block_on(lsp::serve(
        tokio::io::stdin(),
        tokio::io::stdout(),
        screen::end_requested(),
    ));
    // A read of standard input waits in a thread: it must not hold up the end.
    runtime.shutdown_background();
    Ok(if orderly { 0 } else { TARGET_FAILED })
}
