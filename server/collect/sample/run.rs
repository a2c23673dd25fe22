//! The sampler's loop.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::attach::{self, Runtime};
use super::clock::Clock;
use super::memory::Memory;
use super::objects::{CodeObject, Objects};
use super::seat::Seat;
use super::sites::{Site, Sites};
use super::stack::{Codes, Frame, Seen};
use super::threads::{Activity, Census, Last, Thread};
use super::tree::Counts;
use super::{Code, Error, Live, Options, Samples, Snapshot, Window};

/// Pause while there is nothing to sample.
const PAUSE: Duration = Duration::from_millis(1);
/// The list of threads is read again after so many ticks.
const REFRESH: u64 = 32;
/// A thread found idle so often in a row is looked at in every `1 / SELDOM` tick, by chance, and
/// counted as often more.
const IDLE: u32 = 32;
const SELDOM: u64 = 8;
/// Reads of a thread before a sample is given up.
const TRIES: usize = 4;
/// Frames that a call makes at once: that of a class's `__init__`, and one around it (3.13+,
/// `CALL_ALLOC_AND_ENTER_INIT` in `Python/bytecodes.c`).
const MOST_UNBEGUN: usize = 2;
/// How long a process may take to become an interpreter.
const START: Duration = Duration::from_secs(30);
/// From so many samples of no use on, something is wrong.
const FEWEST_LOST: u64 = 100;
const TAG_OF_TORN: u32 = u32::MAX;

pub(super) fn run(options: &Options, stop: &AtomicBool) -> Result<Samples, Error> {
    crate::os::sleep_precisely();
    let memory = Memory::of(options.pid);
    let window = options.window.as_ref().and_then(|path| File::open(path).ok());
    let Some(runtime) = attached(memory, window.as_ref(), stop)? else {
        return Ok(Samples::default());
    };
    let interval = Duration::from_secs_f64(1.0 / f64::from(options.rate.max(1)));
    let mut loop_ = Loop {
        memory,
        runtime: &runtime,
        harness: &options.harness,
        samples: Samples::default(),
        objects: Vec::new(),
        known: HashMap::new(),
        sites: Sites::of(&runtime.minor()),
        copies: HashMap::new(),
        executed: HashMap::new(),
        frames: Vec::new(),
        bytecode: options.bytecode,
        seat: Seat::of_this_thread(),
    };
    let mut census = Census::of(memory);
    let mut clock = Clock::new(interval);
    let mut since = None;
    let mut is_warming = false;
    while !stop.load(Ordering::Relaxed) {
        let now = state(window.as_ref());
        if now == Window::Warming {
            is_warming = true;
        } else if std::mem::take(&mut is_warming) {
            loop_.forget(&mut census.threads);
        }
        match now {
            Window::Open => {
                since.get_or_insert_with(Instant::now);
            }
            Window::Warming => {}
            Window::Starting | Window::Ready => {
                loop_.close(&mut since, &mut census.threads);
                std::thread::sleep(PAUSE);
                clock = Clock::new(interval);
                continue;
            }
        }
        match loop_.tick(&mut census, &mut clock) {
            Ok(()) => {}
            Err(Error::NoProcess { .. }) => break,
            Err(error) => return Err(error),
        }
        clock.wait();
    }
    if is_warming {
        loop_.forget(&mut census.threads);
    }
    loop_.close(&mut since, &mut census.threads);
    if loop_.is_lost() {
        return Err(Error::UnknownVersion {
            minor: if runtime.free_threaded {
                format!("{} without the global interpreter lock", runtime.minor())
            } else {
                runtime.minor()
            },
        });
    }
    Ok(loop_.finish())
}

/// What the helper says it does.
fn state(window: Option<&File>) -> Window {
    let Some(file) = window else { return Window::Open };
    let mut byte = [0];
    match (file.read_at(&mut byte, 0), byte[0]) {
        (Ok(1), b'1') => Window::Ready,
        (Ok(1), b'2') => Window::Open,
        (Ok(1), b'3') => Window::Warming,
        _ => Window::Starting,
    }
}

/// The interpreter, as soon as there is one; none when asked to stop before.
fn attached(memory: Memory, window: Option<&File>, stop: &AtomicBool) -> Result<Option<Runtime>, Error> {
    let began = Instant::now();
    if window.is_some() {
        while state(window) == Window::Starting {
            if stop.load(Ordering::Relaxed) || began.elapsed() > START {
                return Ok(None);
            }
            std::thread::sleep(PAUSE);
        }
    }
    attach::attach(memory).map(Some)
}

struct Loop<'a> {
    memory: Memory,
    runtime: &'a Runtime,
    harness: &'a [String],
    samples: Samples,
    objects: Vec<CodeObject>,
    /// Index of code objects by address; [`TAG_OF_TORN`] for what is none.
    known: HashMap<u64, u32>,
    sites: Sites,
    /// Where threads have copies of a code object's bytecode.
    copies: HashMap<u32, Vec<u64>>,
    /// Samples by code object and where the bytecode began that was executed.
    executed: HashMap<(u32, u64), u64>,
    frames: Vec<Frame>,
    /// Read live bytecode at the end.
    bytecode: bool,
    seat: Seat,
}

impl<'a> Loop<'a> {
    /// What was seen so far does not count; where to look is known from it.
    fn forget(&mut self, threads: &mut [Thread]) {
        self.samples = Samples::default();
        self.executed.clear();
        for thread in threads {
            thread.last = Last::default();
        }
    }

    /// The window has closed.
    fn close(&mut self, since: &mut Option<Instant>, threads: &mut [Thread]) {
        if let Some(since) = since.take() {
            self.samples.window_ns += u64::try_from(since.elapsed().as_nanos()).unwrap_or(0);
            for thread in threads {
                let delayed = thread.delayed();
                self.settle(&std::mem::take(&mut thread.last), delayed);
            }
        }
    }

    fn tick(&mut self, census: &mut Census, clock: &mut Clock) -> Result<(), Error> {
        if census.threads.is_empty() {
            census.refresh(self.runtime)?;
        } else {
            census.arrivals(self.runtime)?;
        }
        self.samples.ticks += 1;
        self.samples.threads = self.samples.threads.max(census.threads.len());
        let mut index = 0;
        while index < census.threads.len() {
            let weight = if census.threads[index].idle < IDLE {
                1
            } else {
                SELDOM
            };
            if weight > 1 && clock.chance() * SELDOM as f64 >= 1.0 {
                index += 1;
                continue;
            }
            if self.look(census, index, weight)? {
                index += 1;
            } else {
                census.remove(index);
            }
        }
        self.seat.keep_off();
        // Only now: who reads what a thread writes holds it up.
        if self.samples.ticks.is_multiple_of(REFRESH) {
            census.refresh(self.runtime)?;
        }
        while let Some(last) = census.next_gone() {
            self.settle(&last, None);
        }
        Ok(())
    }

    /// Looks at one thread; whether it is still there.
    fn look(&mut self, census: &mut Census, index: usize, weight: u64) -> Result<bool, Error> {
        let thread = &mut census.threads[index];
        let is_new = thread.is_new();
        let mut activity = thread.activity();
        if !is_new && matches!(activity, Activity::Stopped | Activity::Ended) {
            return Ok(false);
        }
        let mut frames = std::mem::take(&mut self.frames);
        let mut seen = Ok(Seen::Nothing);
        for _ in 0..TRIES {
            let (memory, runtime) = (self.memory, self.runtime);
            seen = thread.stack.read(memory, runtime, self, &mut frames);
            // Frames came and went while they were read: a moment later they will be others.
            if self.begin_with_begun(&mut frames) || !matches!(seen, Ok(Seen::Inner | Seen::Whole)) {
                break;
            }
        }
        if is_new {
            census.open(index);
            activity = census.threads[index].activity();
            if activity == Activity::Stopped {
                self.frames = frames;
                return Ok(false);
            }
        }
        let thread = &mut census.threads[index];
        // One that has ended since it was read ran.
        let is_running = activity != Activity::Waiting;
        if let Activity::Running(Some(processor)) = activity {
            self.seat.take(processor);
        }
        thread.idle = if is_running {
            0
        } else {
            thread.idle.saturating_add(1)
        };
        let mut counts = Counts::default();
        *match (is_running, thread.stack.collecting) {
            (false, _) => &mut counts.waiting,
            (true, true) => &mut counts.collecting,
            (true, false) => &mut counts.running,
        } = weight;
        let seen = seen?;
        if seen == Seen::Inner && frames.is_empty() {
            self.samples.torn += 1;
            self.frames = frames;
            return Ok(true);
        }
        if thread.last.frames == frames && thread.last.seen == seen {
            thread.last.counts.add(counts);
        } else {
            let delayed = thread.delayed();
            self.settle(&std::mem::take(&mut thread.last), delayed);
            thread.last = Last {
                frames: frames.clone(),
                seen,
                counts,
                delayed,
                began: Instant::now(),
            };
        }
        self.frames = frames;
        Ok(seen != Seen::Gone)
    }

    /// Leaves out innermost frames that are being made: their code is written, and their instruction still
    /// that of whoever was in the same place before. The caller executes its call until it is written, too.
    /// False when no frame near is at an instruction.
    fn begin_with_begun(&mut self, frames: &mut Vec<Frame>) -> bool {
        let innermost = frames.iter().take(MOST_UNBEGUN + 1);
        let begun = innermost
            .map(|frame| self.place(frame))
            .position(|place| place.is_some());
        frames.drain(..begun.unwrap_or(0));
        begun.is_some()
    }

    /// Counts the samples that found a thread in one place, without those for which it was ready to
    /// run but had no processor.
    fn settle(&mut self, last: &Last, delayed: Option<u64>) {
        if last.frames.is_empty() {
            return;
        }
        let mut counts = last.counts;
        let waited = delayed
            .zip(last.delayed)
            .map_or(0, |(now, then)| now.saturating_sub(then));
        // The sampler too may have had no processor: what it missed cannot be left out again.
        let elapsed = last.began.elapsed().as_nanos().max(1) as f64;
        // It waits for a processor only while it does not sleep.
        let awake = elapsed * counts.running as f64 / counts.all().max(1) as f64;
        let part = if awake > 0.0 { waited as f64 / awake } else { 0.0 };
        let without = left_out(counts.running, part);
        counts.running -= without;
        self.samples.preempted += without;
        self.count(&last.frames, last.seen, counts);
    }

    fn count(&mut self, frames: &[Frame], seen: Seen, counts: Counts) {
        let Some(top) = self.place(&frames[0]) else {
            self.samples.torn += 1;
            return;
        };
        if counts.all() == 0 {
            return;
        }
        if self.is_harness(top.0) {
            self.samples.harness += counts.all();
            return;
        }
        let mut path = vec![top];
        if seen == Seen::Whole {
            for frame in &frames[1..] {
                let Some(place) = self.place(frame) else { continue };
                if self.is_harness(place.0) {
                    break;
                }
                path.push(place);
            }
        }
        let tree = if seen == Seen::Whole {
            &mut self.samples.tree
        } else {
            &mut self.samples.inner
        };
        tree.add(path.iter().rev().copied(), counts);
        if self.bytecode && self.runtime.offsets.code_copies.is_some() {
            let start = frames[0].instruction.wrapping_sub(u64::from(top.1));
            *self.executed.entry((top.0, start)).or_default() += counts.all();
        }
        let mut opcode = [0];
        if self.memory.read(frames[0].instruction, &mut opcode).is_ok() {
            let seen: &mut BTreeMap<u8, u64> = self.samples.opcodes.entry(top).or_default();
            *seen.entry(opcode[0]).or_default() += counts.all();
        }
    }

    /// Code object and offset of a frame; none when it is no frame.
    fn place(&mut self, frame: &Frame) -> Option<(u32, u32)> {
        let code = self.code(frame.code);
        Some((code, self.offset(code, frame)?))
    }

    fn is_harness(&self, code: u32) -> bool {
        let Some(object) = self.objects.get(code as usize) else {
            return false;
        };
        self.harness
            .iter()
            .any(|prefix| object.filename.starts_with(prefix.as_str()))
    }

    /// Index of a code object, or [`TAG_OF_TORN`].
    fn code(&mut self, address: u64) -> u32 {
        if let Some(&index) = self.known.get(&address) {
            return index;
        }
        let objects = self.objects();
        let index = match objects.code(address) {
            Ok(object) => {
                self.objects.push(object);
                u32::try_from(self.objects.len() - 1).unwrap_or(TAG_OF_TORN)
            }
            Err(_) => return TAG_OF_TORN,
        };
        self.known.insert(address, index);
        index
    }

    /// Offset of a frame's instruction; none when it is not in its code.
    fn offset(&mut self, code: u32, frame: &Frame) -> Option<u32> {
        let length = self.objects.get(code as usize)?.length;
        let from = |start: u64| {
            let offset = frame.instruction.wrapping_sub(start);
            // Before the first instruction: a frame that has not begun (3.11, 3.12).
            if offset == 2_u64.wrapping_neg() {
                return Some(0);
            }
            (offset < length && offset.is_multiple_of(2)).then(|| u32::try_from(offset).ok())?
        };
        let offsets = &self.runtime.offsets;
        if let Some(offset) = from(frame.code.wrapping_add(offsets.code_adaptive)) {
            return Some(offset);
        }
        offsets.code_copies?;
        let known =
            |copies: &HashMap<u32, Vec<u64>>| copies.get(&code)?.iter().find_map(|&start| from(start));
        if let Some(offset) = known(&self.copies) {
            return Some(offset);
        }
        let objects = self.objects();
        self.copies.insert(code, objects.copies(frame.code).ok()?);
        known(&self.copies)
    }

    /// Reads objects of the interpreter.
    fn objects(&self) -> Objects<'a> {
        Objects {
            memory: self.memory,
            runtime: self.runtime,
        }
    }

    /// Whether frames are not where they should be: nearly nothing that was read made sense.
    fn is_lost(&self) -> bool {
        let samples = &self.samples;
        samples.torn >= FEWEST_LOST && samples.torn / 4 > samples.found() + samples.harness
    }

    fn finish(mut self) -> Samples {
        let objects = self.objects();
        // The copy that was executed most; one that only called others has no samples of its own.
        let own = |object: &CodeObject| object.address.wrapping_add(self.runtime.offsets.code_adaptive);
        let mut most: HashMap<u32, (u64, u64)> = HashMap::new();
        for (&(code, start), &samples) in &self.executed {
            let found = most.entry(code).or_default();
            *found = (*found).max((samples, start));
        }
        let live = |index: usize, object: &CodeObject| {
            let executed = u32::try_from(index).ok().and_then(|index| most.get(&index));
            let start = executed.map_or_else(|| own(object), |&(_, start)| start);
            Some(Live {
                bytecode: objects.adaptive(start, object).ok()?,
                lines: objects.bytes(object.lines).ok()?,
            })
        };
        let code = |(index, object): (usize, CodeObject)| Code {
            live: self
                .bytecode
                .then(|| live(index, &object))
                .flatten()
                .filter(|_| objects.is_still(&object)),
            address: object.address,
            filename: object.filename,
            qualname: object.qualname,
            first_line: object.first_line,
        };
        self.samples.snapshot = Some(Snapshot {
            minor: self.runtime.minor(),
            version: self.runtime.version(),
            free_threaded: self.runtime.free_threaded,
        });
        self.samples.codes = self.objects.into_iter().enumerate().map(code).collect();
        self.samples
    }
}

impl Codes for Loop<'_> {
    fn is_code(&mut self, address: u64) -> bool {
        self.code(address) != TAG_OF_TORN
    }

    fn site(&mut self, instruction: u64) -> Site {
        self.sites.at(self.memory, instruction)
    }
}

/// A part of a number of samples, rounded.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the number"
)]
fn left_out(samples: u64, part: f64) -> u64 {
    (samples as f64 * part.clamp(0.0, 1.0)).round() as u64
}
