//! How a pass ended: what the helper says, and how its process did.

use std::path::Path;
use std::time::Duration;

use super::process::End;
use super::wire;
use crate::profile::Outcome;

/// What the helper says, corrected by how its process ended.
pub(super) fn outcome(
    end: &End,
    result: Option<&wire::Result>,
    deadline: Option<Duration>,
    place: Option<String>,
) -> Outcome {
    let said = result.map(|result| (result.partial, &result.outcome));
    outcome_of(end, said, deadline, place)
}

/// What the helper says, and whether amid the run, corrected by how its process ended.
pub(super) fn outcome_of(
    end: &End,
    said: Option<(bool, &Outcome)>,
    deadline: Option<Duration>,
    place: Option<String>,
) -> Outcome {
    let End::Ended(status) = end else {
        let seconds = deadline.unwrap_or_default().as_secs_f64();
        return match said {
            // It may have come to its end while we asked.
            Some((false, outcome)) => outcome.clone(),
            _ => Outcome::TimedOut { seconds },
        };
    };
    if let Some(signal) = signal_of(*status) {
        return Outcome::Killed { signal, place };
    }
    match said {
        Some((false, outcome)) => outcome.clone(),
        _ => Outcome::Exited {
            status: status.code().unwrap_or(1),
        },
    }
}

#[cfg(unix)]
fn signal_of(status: std::process::ExitStatus) -> Option<String> {
    use std::os::unix::process::ExitStatusExt;
    let number = status.signal()?;
    let name = nix::sys::signal::Signal::try_from(number);
    Some(name.map_or_else(|_| format!("signal {number}"), |signal| signal.to_string()))
}

#[cfg(not(unix))]
fn signal_of(_: std::process::ExitStatus) -> Option<String> {
    None
}

/// The innermost frame of a fatal signal, from what `faulthandler` left.
pub(super) fn crash_place(log: &Path, helper: &Path) -> Option<String> {
    let text = std::fs::read_to_string(log).ok()?;
    text.lines().find_map(|line| {
        let rest = line.trim_start().strip_prefix("File \"")?;
        let (file, rest) = rest.split_once("\", line ")?;

        (!Path::new(file).starts_with(helper)).then(|| format!("{file}:{rest}"))
    })
}
