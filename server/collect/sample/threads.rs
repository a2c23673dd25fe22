//! The threads of another process that have a Python thread state.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::Error;
use super::attach::Runtime;
use super::memory::Memory;
use super::stack::{Frame, Seen, Stack};
use super::tree::Counts;

/// More interpreters or threads are a sign of a list that changed while it was read.
const MOST: usize = 4096;

/// A thread and what is needed to look at it.
#[derive(Debug)]
pub struct Thread {
    /// Address of its state.
    pub state: u64,
    /// Reads its frames.
    pub stack: Stack,
    /// Samples in a row that found it off the processor.
    pub idle: u32,
    /// What was seen of it last, not counted yet.
    pub last: Last,
    stat: Option<File>,
    schedule: Option<File>,
}

/// Samples in a row that found a thread in the same place.
#[derive(Debug)]
pub struct Last {
    /// Its frames, innermost first.
    pub frames: Vec<Frame>,
    /// What was read of them.
    pub seen: Seen,
    /// How many samples.
    pub counts: Counts,
    /// [`Thread::delayed`] at the first.
    pub delayed: Option<u64>,
    /// When that was.
    pub began: Instant,
}

impl Default for Last {
    fn default() -> Self {
        Self {
            frames: Vec::new(),
            seen: Seen::Nothing,
            counts: Counts::default(),
            delayed: None,
            began: Instant::now(),
        }
    }
}

impl Thread {
    /// How long it has been ready to run without a processor, in ns since it began
    /// (`Documentation/scheduler/sched-stats.rst`); none where the system does not tell.
    #[must_use]
    pub fn delayed(&self) -> Option<u64> {
        let mut bytes = [0; 64];
        let read = self.schedule.as_ref()?.read_at(&mut bytes, 0).ok()?;
        let text = std::str::from_utf8(&bytes[..read]).ok()?;
        text.split(' ').nth(1)?.parse().ok()
    }

    /// Whether it runs or could run; none when it is gone or stopped by a debugger.
    #[must_use]
    pub fn is_running(&self) -> Option<bool> {
        let mut bytes = [0; 128];
        let read = self.stat.as_ref()?.read_at(&mut bytes, 0).ok()?;
        // `PID (NAME) STATE …`; a name may hold anything.
        let name_end = bytes[..read].iter().rposition(|&byte| byte == b')')?;
        match bytes.get(name_end + 2)? {
            b'R' => Some(true),
            b'S' | b'D' | b'I' | b'P' => Some(false),
            _ => None,
        }
    }
}

/// Looks all threads up; those known already are kept.
///
/// # Errors
/// [`Error::Denied`] and [`Error::NoProcess`].
pub fn refresh(memory: Memory, runtime: &Runtime, threads: &mut Vec<Thread>) -> Result<(), Error> {
    let offsets = &runtime.offsets;
    let mut found: Vec<(u64, u64, u64)> = Vec::new();
    let link = |address: u64| match memory.word(address) {
        Err(Error::Unreadable { .. }) => Ok(0),
        other => other,
    };
    let mut interpreter = link(runtime.address.wrapping_add(offsets.interpreters_head))?;
    let mut interpreters = 0;
    while interpreter != 0 && interpreters < MOST {
        interpreters += 1;
        let mut thread = link(interpreter.wrapping_add(offsets.threads_head))?;
        while thread != 0 && found.len() < MOST {
            let native = link(thread.wrapping_add(offsets.native_thread_id))?;
            if native != 0 {
                found.push((interpreter, thread, native));
            }
            thread = link(thread.wrapping_add(offsets.thread_next))?;
        }
        interpreter = link(interpreter.wrapping_add(offsets.interpreter_next))?;
    }
    threads.retain(|thread| found.iter().any(|known| known.1 == thread.state));
    found.retain(|new| threads.iter().all(|thread| thread.state != new.1));
    if !found.is_empty() {
        let tasks = Tasks::of(memory.pid());
        for (interpreter, state, native) in found {
            let task = tasks.of_thread(native);
            let open = |name: &str| File::open(format!("/proc/{}/task/{task}/{name}", memory.pid())).ok();
            threads.push(Thread {
                state,
                stack: Stack::new(interpreter, state, native),
                idle: 0,
                last: Last::default(),
                stat: open("stat"),
                schedule: open("schedstat"),
            });
        }
    }
    Ok(())
}

/// What the system calls the threads of a process here: in a container they have other numbers.
struct Tasks(HashMap<u64, u64>);

impl Tasks {
    fn of(pid: i32) -> Self {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        // A number for each namespace, from ours to its own (`proc_pid_status(5)`).
        let is_inside = numbers(&folder).is_some_and(|numbers| numbers.len() > 1);
        let tasks = std::fs::read_dir(folder.join("task")).ok().filter(|_| is_inside);
        let tasks = tasks.into_iter().flatten().flatten();
        let known = tasks.filter_map(|task| {
            let numbers = numbers(&task.path())?;
            Some((*numbers.last()?, *numbers.first()?))
        });
        Self(known.collect())
    }

    fn of_thread(&self, native: u64) -> u64 {
        self.0.get(&native).copied().unwrap_or(native)
    }
}

/// The numbers of a process or thread by its folder in `/proc`, outermost namespace first.
fn numbers(folder: &Path) -> Option<Vec<u64>> {
    let status = std::fs::read_to_string(folder.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    line.split_whitespace()
        .map(|number| number.parse().ok())
        .collect()
}
