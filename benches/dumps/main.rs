//! How fast dumps are read, as ratios within one run.
//!
//!     SUMMARIZE_STATS=.../Tools/scripts/summarize_stats.py cargo bench --bench dumps
//!
//! Raw pystats against CPython's summary script (of a source tree of 3.13, run by `python3.13`), logs of
//! `PYTHON_LLTRACE=5` in bytes a second and with the memory it takes, Tachyon's binary form against its
//! own `replay` (`python3.15`). The least of several rounds counts.

#[path = "../../tests/support/packed.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod packed;

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytecost::dump::{self, Content};
use packed::fixture;

/// Rounds of what is timed.
const ROUNDS: usize = 5;
/// Files of counters.
const FILES: usize = 200;
/// Bytes of a log.
const LOG: u64 = 1 << 30;
/// How often the samples of a dump are repeated.
const REPEATS: usize = 400;

fn least(rounds: usize, mut work: impl FnMut()) -> Duration {
    let times = (0..rounds).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    times.min().unwrap()
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    pystats(&folder.path().join("pystats"));
    log();
    for what in ["app-opcodes", "app-plain"] {
        tachyon(folder.path(), what);
    }
}

/// All files, to the last table.
fn pystats(folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    let seeds: Vec<_> = (1..=3)
        .map(|number| fixture(&format!("pystats/3.13.5-app-jit-3proc-{number}.txt")))
        .collect();
    let mut bytes = 0;
    for number in 0..FILES {
        let seed = &seeds[number % seeds.len()];
        bytes += seed.len();
        std::fs::write(folder.join(format!("{number:040x}.txt")), seed).unwrap();
    }
    let own = least(ROUNDS, || {
        let done = Command::new(env!("CARGO_BIN_EXE_bytecost"))
            .args(["stats", "--format", "markdown"])
            .arg(folder)
            .stdout(Stdio::null())
            .status();
        assert!(done.unwrap().success());
    });
    let mb = bytes as f64 / 1e6;
    print!(
        "pystats: {FILES} files, {mb:.0} MB: {:.3} s, {:.0} MB/s",
        own.as_secs_f64(),
        mb / own.as_secs_f64()
    );
    let Some(script) = std::env::var_os("SUMMARIZE_STATS") else {
        println!(" (SUMMARIZE_STATS is not set: no ratio)");
        return;
    };
    let theirs = least(2, || {
        let done = Command::new("python3.13")
            .arg(&script)
            .arg(folder)
            .stdout(Stdio::null())
            .status();
        assert!(done.unwrap().success(), "{}", script.display());
    });
    println!(
        "; the summary script {:.2} s: {:.0} times as fast",
        theirs.as_secs_f64(),
        theirs.as_secs_f64() / own.as_secs_f64()
    );
}

/// The same text again and again.
struct Again {
    text: Vec<u8>,
    at: usize,
    left: u64,
}

impl Read for Again {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer
            .len()
            .min(self.text.len() - self.at)
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        buffer[..length].copy_from_slice(&self.text[self.at..self.at + length]);
        self.at = (self.at + length) % self.text.len();
        self.left -= length as u64;
        Ok(length)
    }
}

/// Most memory this process had, KB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

fn log() {
    for name in [
        "3.13.5-traced-L5-one-module.log",
        "3.15.0-traced-L5-one-module.log",
    ] {
        let text = fixture(&format!("lltrace/{name}"));
        let read = |bytes: u64| {
            let log = Again {
                text: text.clone(),
                at: 0,
                left: bytes,
            };
            let dump = dump::read(name, log).unwrap();
            assert!(matches!(dump.content, Content::JitLog(_)));
        };
        read(1 << 20);
        let before = peak();
        let time = least(3, || read(LOG));
        println!(
            "LLTRACE 5, {name}: {:.0} MB/s over {} MB, {} KB more memory than for 1 MB",
            LOG as f64 / 1e6 / time.as_secs_f64(),
            LOG >> 20,
            peak().saturating_sub(before)
        );
    }
}

/// A file with the samples of another many times over: stacks are differences to the one before, and the
/// first of all begins with a whole one.
fn repeated(bytes: &[u8]) -> Vec<u8> {
    let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let place = |at: usize| usize::try_from(word(at)).unwrap();
    let (strings, frames) = (place(40), place(48));
    let samples = &bytes[64..strings];
    let more = (samples.len() * (REPEATS - 1)) as u64;
    let mut out = bytes[..64].to_vec();
    out[28..36].copy_from_slice(&(word(28) * REPEATS as u64).to_le_bytes());
    out[40..48].copy_from_slice(&(strings as u64 + more).to_le_bytes());
    out[48..56].copy_from_slice(&(frames as u64 + more).to_le_bytes());
    for _ in 0..REPEATS {
        out.extend_from_slice(samples);
    }
    out.extend_from_slice(&bytes[strings..bytes.len() - 32]);
    // The footer has the counts of strings and frames, and its own place.
    let mut footer = bytes[bytes.len() - 32..].to_vec();
    let length = out.len() as u64 + 32;
    footer[8..16].copy_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&footer);
    out
}

fn tachyon(folder: &Path, what: &str) {
    let bytes = repeated(&fixture(&format!("tachyon/3.15.0-{what}.tach")));
    let path = folder.join("large.tach");
    std::fs::write(&path, &bytes).unwrap();
    let show = least(ROUNDS, || {
        let dump = dump::read("large.tach", std::fs::File::open(&path).unwrap()).unwrap();
        assert!(dump.problems.is_empty(), "{:?}", dump.problems);
    });
    let replay = |path: &Path| {
        least(3, || {
            let done = Command::new("python3.15")
                .args(["-m", "profiling.sampling", "replay", "--collapsed", "-o"])
                .arg(folder.join("out.txt"))
                .arg(path)
                .stdout(Stdio::null())
                .status();
            assert!(done.unwrap().success());
        })
    };
    let small = folder.join("small.tach");
    std::fs::write(&small, fixture("tachyon/3.15.0-spin-opcodes.tach")).unwrap();
    let (all, start) = (replay(&path), replay(&small));
    // Without what its interpreter takes to start.
    let theirs = all.saturating_sub(start);
    println!(
        "Tachyon, {what}: {:.1} MB in {:.3} s; replay {:.2} s without its start of {:.2} s: {:.0} times as fast",
        bytes.len() as f64 / 1e6,
        show.as_secs_f64(),
        theirs.as_secs_f64(),
        start.as_secs_f64(),
        theirs.as_secs_f64() / show.as_secs_f64()
    );
}
