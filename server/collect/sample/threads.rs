//! The threads of another process that have a Python thread state.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::Error;
use super::attach::Runtime;
use super::memory::{Memory, word};
use super::stack::{Frame, Seen, Stack};
use super::tree::Counts;

/// More interpreters or threads are a sign of a list that changed while it was read.
const MOST: usize = 4096;

/// A thread and what is needed to look at it.
#[derive(Debug)]
pub struct Thread {
    /// Address of its state.
    pub state: u64,
    /// Its number, as it knows it.
    native: u64,
    /// Reads its frames.
    pub stack: Stack,
    /// Samples in a row that found it off the processor.
    pub idle: u32,
    /// What was seen of it last, not counted yet.
    pub last: Last,
    /// None until it was looked at once: it may have ended by the time they are open.
    files: Option<Files>,
}

/// What the system tells of a thread.
#[derive(Debug)]
struct Files {
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
    /// It was never looked at.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.files.is_none()
    }

    /// How long it has been ready to run without a processor, in ns since it began
    /// (`Documentation/scheduler/sched-stats.rst`); none where the system does not tell.
    #[must_use]
    pub fn delayed(&self) -> Option<u64> {
        let mut bytes = [0; 64];
        let read = self
            .files
            .as_ref()?
            .schedule
            .as_ref()?
            .read_at(&mut bytes, 0)
            .ok()?;
        let text = std::str::from_utf8(&bytes[..read]).ok()?;
        text.split(' ').nth(1)?.parse().ok()
    }

    /// What it does, by what the system says.
    #[must_use]
    pub fn activity(&self) -> Activity {
        let mut bytes = [0; 512];
        let stat = self.files.as_ref().and_then(|files| files.stat.as_ref());
        let read = stat
            .and_then(|stat| stat.read_at(&mut bytes, 0).ok())
            .unwrap_or(0);
        // `PID (NAME) STATE …`; a name may hold anything.
        let name_end = bytes[..read].iter().rposition(|&byte| byte == b')');
        let fields = &bytes[name_end.map_or(read, |end| read.min(end + 2))..read];
        match fields.first() {
            Some(b'R') => Activity::Running(processor(fields)),
            Some(b'S' | b'D' | b'I' | b'P') => Activity::Waiting,
            Some(b'T' | b't') => Activity::Stopped,
            _ => Activity::Ended,
        }
    }
}

/// What a thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// It is on a processor or could be: this one, where the system tells.
    Running(Option<usize>),
    /// It sleeps, or waits for something.
    Waiting,
    /// A debugger or a signal stopped it.
    Stopped,
    /// It is no more.
    Ended,
}

/// Field 39 of what the system says of a thread, of which the third is the first here (`proc_pid_stat(5)`).
fn processor(fields: &[u8]) -> Option<usize> {
    let field = fields.split(|&byte| byte == b' ').nth(39 - 3)?;
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// All threads, kept up to date.
#[derive(Debug)]
pub struct Census {
    memory: Memory,
    /// Known threads.
    pub threads: Vec<Thread>,
    /// Those that have ended.
    gone: Vec<Thread>,
    /// Where frames were of threads that have ended, by the address of their state.
    learned: HashMap<u64, Stack>,
    /// Of each interpreter: its address, and what thread was added to it last: the address of its state,
    /// where another one may be by now, and its number.
    newest: Vec<(u64, (u64, u64))>,
    /// The process has numbers of its own for its threads, as in a container.
    is_inside: bool,
}

impl Census {
    /// Of a process; [`Census::refresh`] looks for its threads.
    #[must_use]
    pub fn of(memory: Memory) -> Self {
        let folder = PathBuf::from(format!("/proc/{}", memory.pid()));
        Self {
            memory,
            threads: Vec::new(),
            gone: Vec::new(),
            learned: HashMap::new(),
            newest: Vec::new(),
            // A number for each namespace, from ours to its own (`proc_pid_status(5)`).
            is_inside: numbers(&folder).is_some_and(|numbers| numbers.len() > 1),
        }
    }

    /// Looks all threads up; those known already are kept.
    ///
    /// # Errors
    /// [`Error::Denied`] and [`Error::NoProcess`].
    pub fn refresh(&mut self, runtime: &Runtime) -> Result<(), Error> {
        let offsets = &runtime.offsets;
        self.newest.clear();
        let mut found = Vec::new();
        let mut interpreter = self.link(runtime.address.wrapping_add(offsets.interpreters_head))?;
        while interpreter != 0 && self.newest.len() < MOST {
            let newest = self.walk(runtime, interpreter, &mut found, |_, _| false)?;
            self.newest.push((interpreter, newest));
            interpreter = self.link(interpreter.wrapping_add(offsets.interpreter_next))?;
        }
        let is_there = |thread: &mut Thread| {
            let is_it = |known: &New| (known.state, known.native) == (thread.state, thread.native);
            found.iter().any(is_it)
        };
        let gone = self.threads.extract_if(.., |thread| !is_there(thread));
        self.gone.extend(gone);
        self.add(found);
        Ok(())
    }

    /// A thread is no more.
    pub fn remove(&mut self, index: usize) {
        self.gone.push(self.threads.swap_remove(index));
    }

    /// One that has ended since the last time; what was learned of where its frames are goes to the next one
    /// whose state is in the same place: interpreters use that again.
    pub fn next_gone(&mut self) -> Option<Last> {
        let thread = self.gone.pop()?;
        if self.learned.len() >= MOST {
            self.learned.clear();
        }
        self.learned.insert(thread.state, thread.stack);
        Some(thread.last)
    }

    /// Looks for threads that have come since: a thread may live for less than a millisecond. Interpreters
    /// put a new one before the others (`add_threadstate` in `Python/pystate.c`).
    ///
    /// # Errors
    /// [`Error::Denied`] and [`Error::NoProcess`].
    pub fn arrivals(&mut self, runtime: &Runtime) -> Result<(), Error> {
        let mut found = Vec::new();
        for index in 0..self.newest.len() {
            let (interpreter, (state, native)) = self.newest[index];
            let words = [
                (interpreter.wrapping_add(runtime.offsets.threads_head), 8),
                (state.wrapping_add(runtime.offsets.native_thread_id), 8),
            ];
            let mut read = [0; 16];
            let is_whole = match self.memory.read_pieces(&words, &mut read) {
                Ok(length) => length == read.len(),
                Err(Error::Unreadable { .. }) => false,
                Err(error) => return Err(error),
            };
            if !is_whole || word(&read, 0) != Some(state) || word(&read, 8) != Some(native) {
                let is_known = |state, native| {
                    self.threads
                        .iter()
                        .any(|one| (one.state, one.native) == (state, native))
                };
                self.newest[index].1 = self.walk(runtime, interpreter, &mut found, is_known)?;
            }
        }
        self.add(found);
        Ok(())
    }

    /// Threads of an interpreter up to one that is known; the state and the number of the newest, or 0 when one
    /// has not begun yet and is to be looked for again.
    fn walk(
        &self,
        runtime: &Runtime,
        interpreter: u64,
        found: &mut Vec<New>,
        is_known: impl Fn(u64, u64) -> bool,
    ) -> Result<(u64, u64), Error> {
        let offsets = &runtime.offsets;
        let mut state = self.link(interpreter.wrapping_add(offsets.threads_head))?;
        let (mut newest, mut all_began) = (None, true);
        while state != 0 && found.len() < MOST {
            let native = self.link(state.wrapping_add(offsets.native_thread_id))?;
            newest.get_or_insert((state, native));
            if native == 0 {
                all_began = false;
            } else if is_known(state, native) {
                break;
            } else {
                found.push(New {
                    interpreter,
                    state,
                    native,
                });
            }
            state = self.link(state.wrapping_add(offsets.thread_next))?;
        }
        Ok(newest.filter(|_| all_began).unwrap_or_default())
    }

    fn add(&mut self, found: Vec<New>) {
        for new in found {
            let is_it = |thread: &Thread| (thread.state, thread.native) == (new.state, new.native);
            if !self.threads.iter().any(is_it) {
                let stack = match self.learned.remove(&new.state) {
                    Some(stack) => stack.of_next(new.interpreter, new.native),
                    None => Stack::new(new.interpreter, new.state, new.native),
                };
                self.threads.push(Thread {
                    state: new.state,
                    native: new.native,
                    stack,
                    idle: 0,
                    last: Last::default(),
                    files: None,
                });
            }
        }
    }

    /// What an address holds; 0 when it holds nothing any more.
    fn link(&self, address: u64) -> Result<u64, Error> {
        match self.memory.word(address) {
            Err(Error::Unreadable { .. }) => Ok(0),
            other => other,
        }
    }

    /// Opens what the system tells of a thread.
    pub fn open(&mut self, index: usize) {
        let pid = self.memory.pid();
        let thread = &mut self.threads[index];
        let task = if self.is_inside {
            Tasks::of(pid).of_thread(thread.native)
        } else {
            thread.native
        };
        let open = |name: &str| File::open(format!("/proc/{pid}/task/{task}/{name}")).ok();
        thread.files = Some(Files {
            stat: open("stat"),
            schedule: open("schedstat"),
        });
    }
}

/// A thread that was not known.
struct New {
    interpreter: u64,
    state: u64,
    native: u64,
}

/// What the system calls the threads of a process here: in a container they have other numbers.
struct Tasks(HashMap<u64, u64>);

impl Tasks {
    fn of(pid: i32) -> Self {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
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
