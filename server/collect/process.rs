//! One helper process: started in a group of its own, watched, ended in time, always reaped.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop};
use tokio::sync::watch;

use super::output::Output;
use super::stdin::Input;

/// How long a process may take to write its result when its time is up.
const GRACE: Duration = Duration::from_secs(5);
/// How long an interrupted group may take to end by itself.
const LAST_WORDS: Duration = Duration::from_millis(300);
const TICK: Duration = Duration::from_millis(100);

/// What to start.
pub struct Command<'a> {
    /// The interpreter.
    pub python: &'a Path,
    /// Its arguments.
    pub arguments: Vec<PathBuf>,
    /// Variables to set.
    pub environment: &'a [(String, String)],
    /// Where the target's output goes.
    pub output: &'a Output,
    /// The folder it starts in, if not ours.
    pub directory: Option<&'a Path>,
    /// Wall time after which the process is asked to stop.
    pub deadline: Option<Duration>,
    /// Told the number of the process as soon as it has one.
    pub started: Option<Box<dyn FnOnce(i32) + 'a>>,
}

/// How a process ended.
#[derive(Debug)]
pub enum End {
    /// By itself.
    Ended(ExitStatus),
    /// We stopped it when its time was up.
    Stopped,
    /// The user cancelled.
    Cancelled,
}

/// Runs a process to its end. `tick` is called about ten times a second.
///
/// # Errors
/// The system's, when the process cannot be started or waited for.
pub async fn run(
    mut command: Command<'_>,
    input: &mut Input,
    cancelled: &mut watch::Receiver<bool>,
    tick: &mut dyn FnMut(),
) -> std::io::Result<End> {
    let mut child = spawn(&command, input)?;
    input.feed(child.stdin().take());
    let readers = command.output.read(&mut *child);
    let id = child.id();
    if let (Some(tell), Some(id)) = (command.started.take(), id.and_then(|id| i32::try_from(id).ok())) {
        tell(id);
    }
    let started = Instant::now();
    let mut asked = None;
    let end = loop {
        tokio::select! {
            status = child.wait() => break End::Ended(status?),
            () = wanted(cancelled) => break End::Cancelled,
            () = tokio::time::sleep(TICK) => tick(),
        }
        match (asked, command.deadline) {
            (None, Some(deadline)) if started.elapsed() >= deadline => {
                ask_to_stop(id);
                asked = Some(Instant::now());
            }
            (Some(since), _) if since.elapsed() >= GRACE => break End::Stopped,
            _ => {}
        }
    };
    let end = match end {
        End::Ended(_) if asked.is_some() => End::Stopped,
        End::Cancelled => {
            interrupt(id);
            let _ = tokio::time::timeout(LAST_WORDS, child.wait()).await;
            End::Cancelled
        }
        end => end,
    };
    // What the target left running in its group goes with it.
    let _ = child.start_kill();
    let _ = tokio::time::timeout(LAST_WORDS, child.wait()).await;
    readers.finish(LAST_WORDS).await;
    Ok(end)
}

/// Completes when the user has cancelled; never, when nobody can any more.
async fn wanted(cancelled: &mut watch::Receiver<bool>) {
    if cancelled.wait_for(|&cancelled| cancelled).await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn spawn(command: &Command, input: &mut Input) -> std::io::Result<Box<dyn ChildWrapper>> {
    let stdin = input.stdio()?;
    let mut wrapped = CommandWrap::with_new(command.python, |process| {
        process
            .args(&command.arguments)
            .stdin(stdin)
            .stdout(command.output.stdio())
            .stderr(command.output.stdio());
        if let Some(directory) = command.directory {
            process.current_dir(directory);
        }
        // It would ask for commands after the target.
        process.env_remove("PYTHONINSPECT");
        process.envs(command.environment.iter().map(|(name, value)| (name, value)));
        crate::os::die_with_parent(process.as_std_mut());
    });
    #[cfg(unix)]
    wrapped.wrap(process_wrap::tokio::ProcessGroup::leader());
    #[cfg(windows)]
    wrapped.wrap(process_wrap::tokio::JobObject);
    wrapped.wrap(KillOnDrop);
    wrapped.spawn()
}

/// The helper writes its result when it gets this signal.
#[cfg(unix)]
fn ask_to_stop(id: Option<u32>) {
    use nix::sys::signal::{Signal, kill};
    if let Some(id) = pid(id) {
        let _ = kill(id, Signal::SIGXCPU);
    }
}

#[cfg(unix)]
fn interrupt(id: Option<u32>) {
    use nix::sys::signal::{Signal, killpg};
    if let Some(id) = pid(id) {
        let _ = killpg(id, Signal::SIGINT);
    }
}

#[cfg(unix)]
fn pid(id: Option<u32>) -> Option<nix::unistd::Pid> {
    i32::try_from(id?).ok().map(nix::unistd::Pid::from_raw)
}

#[cfg(not(unix))]
fn ask_to_stop(_: Option<u32>) {}

#[cfg(not(unix))]
fn interrupt(_: Option<u32>) {}
