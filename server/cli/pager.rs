//! Long text on a terminal, page by page.

use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};

/// Writes a text to stdout: through `PAGER`, else `less`, when that is a terminal with fewer lines.
///
/// # Errors
/// The system's, where stdout cannot be written.
pub fn show(text: &str, page: bool) -> io::Result<()> {
    if page && is_long(text) && paged(text) {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

fn is_long(text: &str) -> bool {
    let size = terminal_size::terminal_size().filter(|_| io::stdout().is_terminal());
    size.is_some_and(|(_, height)| text.lines().count() >= usize::from(height.0))
}

/// Whether a pager took the text. One that is left early has seen enough.
fn paged(text: &str) -> bool {
    let wish = std::env::var("PAGER").unwrap_or_default();
    // As a shell reads it: a program and its arguments.
    let mut words = wish.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("less"));
    command.args(words).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        // Colours, no wait where it fits after all, long lines cut.
        command.env("LESS", "FRSX");
    }
    let Ok(mut child) = command.spawn() else {
        return false;
    };
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(text.as_bytes());
    }
    // The keys are the pager's until it ends.
    child.wait().is_ok_and(|status| status.code() != Some(127))
}
