//! The progress bar, on stderr when that is a terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use crate::collect::{self, Progress};
use crate::profile::WorkloadKind;

/// Draws how far a run is. Draws nothing while the target may be writing to the same terminal.
pub struct Bar {
    bar: Option<ProgressBar>,
    repeats: bool,
}

impl Bar {
    /// A bar for a workload of this kind.
    #[must_use]
    pub fn new(kind: WorkloadKind, quiet: bool) -> Self {
        let visible = !quiet && std::io::stderr().is_terminal();
        let bar = visible.then(|| {
            let bar = ProgressBar::new(1000);
            let style = ProgressStyle::with_template("{prefix} {bar:24} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style.progress_chars("━━╌"));
            bar
        });
        Self {
            bar,
            repeats: matches!(kind, WorkloadKind::Call | WorkloadKind::Doctest),
        }
    }

    /// Shows the state of a run.
    pub fn show(&self, progress: Progress) {
        let Some(bar) = &self.bar else { return };
        // Only the first call of the first pass writes; a script may do so until its end.
        let silent = progress.number > 1 || self.repeats && progress.calls > 0;
        if !silent {
            return;
        }
        bar.set_prefix(format!(
            "{} ({}/{})",
            collect::name(progress.pass),
            progress.number,
            progress.passes
        ));
        let elapsed = progress.elapsed.as_secs_f64();
        let mut message = format!("{elapsed:.1} s");
        if let Some(fraction) = progress.fraction {
            bar.set_position(permille(fraction));
            if fraction > 0.02 {
                message = format!("{message}, {:.1} s left", (elapsed / fraction - elapsed).max(0.0));
            }
        } else {
            bar.set_position(0);
        }
        if progress.calls > 1 {
            message = format!("{message}, {} calls", progress.calls);
        }
        bar.set_message(message);
    }

    /// Removes the bar.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=1000"
)]
fn permille(fraction: f64) -> u64 {
    (fraction.clamp(0.0, 1.0) * 1000.0) as u64
}
