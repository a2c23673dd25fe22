//! The sampler: reads from outside where a running interpreter is, without stopping it and without
//! anything in it that helps.
//!
//! Linux only: it reads `/proc` and another process's memory. What the interpreter keeps where is
//! known from its version's table ([`crate::cpython::Memory`]).

#[cfg(target_os = "linux")]
mod ahead;
#[cfg(target_os = "linux")]
pub mod attach;
#[cfg(target_os = "linux")]
mod clock;
#[cfg(target_os = "linux")]
pub mod elf;
#[cfg(target_os = "linux")]
mod frame;
#[cfg(target_os = "linux")]
pub mod memory;
#[cfg(target_os = "linux")]
pub mod objects;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod seat;
#[cfg(target_os = "linux")]
mod sites;
#[cfg(target_os = "linux")]
mod stack;
#[cfg(target_os = "linux")]
mod threads;
mod tree;

use std::path::PathBuf;

pub use tree::{Counts, Node, ROOT, Tree};

/// Samples a second, if nothing else is said.
pub const RATE: u32 = 5_000;

/// Why a process cannot be sampled, or not any longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The system allows no look at it.
    #[error("process {pid} may not be read")]
    Denied {
        /// The process.
        pid: i32,
    },
    /// There is none.
    #[error("there is no process {pid}")]
    NoProcess {
        /// Its number.
        pid: i32,
    },
    /// No interpreter in it.
    #[error("process {pid} has no CPython 3.11 or newer in it")]
    NoPython {
        /// The process.
        pid: i32,
    },
    /// An interpreter whose memory is not known.
    #[error("bytecost does not know where CPython {minor} keeps its state")]
    UnknownVersion {
        /// `major.minor`.
        minor: String,
    },
    /// An address without memory, or with other things in it than there should be.
    #[error("nothing useful at address {address:#x}")]
    Unreadable {
        /// The address.
        address: u64,
    },
    /// Not this system.
    #[error("sampling needs Linux")]
    Platform,
}

/// What to sample.
#[derive(Debug, Clone)]
pub struct Options {
    /// The process.
    pub pid: i32,
    /// Samples a second.
    pub rate: u32,
    /// A file whose first byte says when: see [`Window`]. None for always.
    pub window: Option<PathBuf>,
    /// Code of files whose names start so is not the target's.
    pub harness: Vec<String>,
    /// Read the live bytecode of what was seen, too.
    pub bytecode: bool,
}

/// What the helper writes into the first byte of its window file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The interpreter is starting.
    Starting,
    /// It runs the helper.
    Ready,
    /// It runs the target to warm up: what is seen does not count.
    Warming,
    /// It runs the target.
    Open,
}

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    /// Times the process was looked at while it ran the target.
    pub ticks: u64,
    /// How long it did so, in ns.
    pub window_ns: u64,
    /// The interpreter; none when there was none to be seen.
    pub snapshot: Option<Snapshot>,
    /// Code objects that were seen.
    pub codes: Vec<Code>,
    /// Where, and from where.
    pub tree: Tree,
    /// Where, for samples whose callers could not all be followed.
    pub inner: Tree,
    /// Samples that were of no use: the frame was being made or taken apart.
    pub torn: u64,
    /// Samples of threads that were ready to run and had no processor: not counted.
    pub preempted: u64,
    /// Samples in the helper's own code.
    pub harness: u64,
    /// Most threads with Python code at once.
    pub threads: usize,
    /// Live opcodes by code object and offset, with how often each was seen.
    pub opcodes: std::collections::HashMap<(u32, u32), std::collections::BTreeMap<u8, u64>>,
}

impl Samples {
    /// How many found the target's code, whatever it was doing.
    #[must_use]
    pub fn found(&self) -> u64 {
        let nodes = self.tree.nodes.iter().chain(&self.inner.nodes);
        nodes.map(|node| node.counts.all()).sum()
    }
}

/// A code object that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// `id()` of it.
    pub address: u64,
    /// `co_filename`.
    pub filename: String,
    /// `co_qualname`.
    pub qualname: String,
    /// `co_firstlineno`.
    pub first_line: u32,
    /// What it held at the end, if that was wanted and could be read.
    pub live: Option<Live>,
}

/// The content of a code object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// `_co_code_adaptive`.
    pub bytecode: Vec<u8>,
    /// `co_linetable`.
    pub lines: Vec<u8>,
}

/// The interpreter that was sampled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// `major.minor`.
    pub minor: String,
    /// `major.minor.micro` with a release-level suffix.
    pub version: String,
    /// A build without the global interpreter lock.
    pub free_threaded: bool,
}

/// Whether a process can be sampled.
///
/// # Errors
/// Why not.
pub fn check(pid: i32) -> Result<(), Error> {
    #[cfg(target_os = "linux")]
    return attach::attach(memory::Memory::of(pid)).map(|_| ());
    #[cfg(not(target_os = "linux"))]
    {
        let _ = pid;
        Err(Error::Platform)
    }
}

/// A sampler at work, on a thread of its own.
#[derive(Debug)]
pub struct Sampler {
    #[cfg(target_os = "linux")]
    stop: std::sync::Arc<std::sync::atomic::AtomicBool>,
    #[cfg(target_os = "linux")]
    thread: std::thread::JoinHandle<Result<Samples, Error>>,
}

impl Sampler {
    /// Starts to sample.
    #[must_use]
    #[cfg(target_os = "linux")]
    pub fn start(options: Options) -> Self {
        let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let asked = stop.clone();
        let thread = std::thread::spawn(move || run::run(&options, &asked));
        Self { stop, thread }
    }

    /// Ends; what was seen.
    ///
    /// # Errors
    /// See [`Error`].
    #[cfg(target_os = "linux")]
    pub fn finish(self) -> Result<Samples, Error> {
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        self.thread.join().unwrap_or(Err(Error::Platform))
    }

    /// Starts to sample; not here.
    #[must_use]
    #[cfg(not(target_os = "linux"))]
    pub fn start(_: Options) -> Self {
        Self {}
    }

    /// Ends; what was seen: nothing.
    ///
    /// # Errors
    /// [`Error::Platform`].
    #[cfg(not(target_os = "linux"))]
    pub fn finish(self) -> Result<Samples, Error> {
        Err(Error::Platform)
    }
}
