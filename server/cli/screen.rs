//! The terminal: what it can show, and the report on its way there.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anyhow::Context;
use tokio::sync::watch;

use super::{Format, Output, When};
use crate::attribute;
use crate::collect::calibrate;
use crate::explain::Thresholds;
use crate::explain::versions::Measured;
use crate::present::{html, json, terminal};
use crate::profile::Profile;
use crate::{project, store};

/// Width of a report that goes to no terminal.
const WIDTH: usize = 100;

/// One line on stderr.
pub fn say(message: &str) {
    let _ = writeln!(io::stderr(), "bytecost: {message}");
}

/// Whether the report can go where it is asked to, to be known before anything runs.
pub fn check(output: &Output) -> anyhow::Result<()> {
    if output.format == Format::Html && output.file.is_none() && io::stdout().is_terminal() {
        anyhow::bail!("an HTML report is not for a terminal: say where to write it with -o report.html");
    }
    Ok(())
}

/// Renders several measurements of one workload side by side; as JSON, a list of reports.
pub fn comparison(profiles: &[Profile], output: &Output) -> anyhow::Result<()> {
    let texts: Vec<_> = profiles
        .iter()
        .map(|profile| move |path: &str| text_of(profile, path))
        .collect();
    let costs: Vec<_> = profiles
        .iter()
        .zip(&texts)
        .map(|(profile, texts)| attribute::attribute(profile, texts))
        .collect();
    let measured: Vec<_> = profiles
        .iter()
        .zip(&costs)
        .map(|(profile, costs)| Measured { profile, costs })
        .collect();
    let text = match output.format {
        Format::Json => {
            let reports = measured.iter().map(|one| {
                let saves = calibrate::known(&one.profile.python.version);
                json::report(one.profile, one.costs, &saves)
            });
            serde_json::to_string(&reports.collect::<Vec<_>>())? + "\n"
        }
        Format::Html => anyhow::bail!(
            "an HTML report is of one interpreter: name one --python, or take --format text or json"
        ),
        Format::Text => {
            let thresholds = Thresholds {
                executions: output.min_executions,
                line_share: output.min_share / 100.0,
                saving_share: output.min_saving / 100.0,
                ignore: profiles.first().map(ignored).unwrap_or_default(),
                ..Thresholds::default()
            };
            terminal::versions::render(&measured, &thresholds, &style(output))
        }
    };
    write(&text, output)
}

/// Renders a profile as asked and writes it where asked.
pub fn report(profile: &Profile, output: &Output) -> anyhow::Result<()> {
    let texts = |path: &str| text_of(profile, path);
    let costs = attribute::attribute(profile, &texts);
    let thresholds = Thresholds {
        executions: output.min_executions,
        line_share: output.min_share / 100.0,
        saving_share: output.min_saving / 100.0,
        ignore: ignored(profile),
        saves: calibrate::known(&profile.python.version),
    };
    let text = match output.format {
        Format::Json => json::to_string(&json::report(profile, &costs, &thresholds.saves)),
        Format::Html => html::render(profile, &costs, &thresholds),
        Format::Text => terminal::render(profile, &costs, &thresholds, &style(output)),
    };
    let text = if text.ends_with('\n') { text } else { text + "\n" };
    write(&text, output)
}

fn ignored(profile: &Profile) -> Vec<String> {
    project::ignored(Path::new(&profile.root))
}

/// Where it was asked for.
fn write(text: &str, output: &Output) -> anyhow::Result<()> {
    put(text, output.file.as_deref())
}

/// Into a file, or to stdout.
pub fn put(text: &str, file: Option<&Path>) -> anyhow::Result<()> {
    if let Some(path) = file {
        return write_file(path, text.as_bytes());
    }
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .context("cannot write the report")
}

/// Writes a report to a file in one piece, or into whatever else is there: a device or a pipe, which
/// a new file must not take the place of.
pub fn write_file(path: &Path, report: &[u8]) -> anyhow::Result<()> {
    let is_special = std::fs::metadata(path).is_ok_and(|known| !known.is_file() && !known.is_dir());
    if !is_special {
        return Ok(store::write_atomically(path, report)?);
    }
    let mut target = std::fs::OpenOptions::new()
        .write(true)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    target
        .write_all(report)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The text a file had when it was measured: kept in the profile, or still on disk.
fn text_of(profile: &Profile, path: &str) -> Option<String> {
    let kept = profile
        .files
        .iter()
        .find(|file| file.path == path)
        .and_then(|file| file.text.clone());
    kept.or_else(|| std::fs::read_to_string(Path::new(&profile.root).join(path)).ok())
}

fn style(output: &Output) -> terminal::Style {
    style_of(output.file.is_none(), output.color, output.width, output.ascii)
}

/// How to write to stdout, or to a file.
pub fn style_of(to_stdout: bool, color: When, width: Option<u16>, ascii: bool) -> terminal::Style {
    let to_terminal = to_stdout && io::stdout().is_terminal();
    let color = match color {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            to_terminal && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
        }
    };
    let width = width
        .map(usize::from)
        .or_else(|| to_terminal.then(terminal_width).flatten())
        .unwrap_or(WIDTH);
    terminal::Style {
        color,
        width,
        ascii: ascii || to_terminal && !speaks_utf8(),
    }
}

fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// As POSIX has it: the first of these that is set decides.
fn speaks_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    cfg!(windows)
        || locale.is_some_and(|locale| locale.to_ascii_lowercase().replace('-', "").contains("utf8"))
}

/// Does some work that hears when the user wants it to end.
pub fn until_end_requested<T>(work: impl AsyncFnOnce(&mut watch::Receiver<bool>) -> T) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let done = runtime.block_on(async {
        let (cancel, mut cancelled) = watch::channel(false);
        tokio::spawn(async move {
            end_requested().await;
            cancel.send_replace(true);
            // Keeps the channel open.
            std::future::pending::<()>().await;
        });
        work(&mut cancelled).await
    });
    // A read of standard input may be waiting in a thread: it must not hold up the end.
    runtime.shutdown_background();
    Ok(done)
}

/// Ctrl-C, or the wish of whoever started us.
pub async fn end_requested() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut hangup)) =
            (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        else {
            let _ = tokio::signal::ctrl_c().await;
            return;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}
