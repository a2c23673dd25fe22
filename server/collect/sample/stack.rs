//! The frames of one thread at one moment.
//!
//! The thread runs on while it is read, so what belongs together is read together: the memory around
//! the frames it was last seen in and its state come in one call, a fraction of a microsecond. When
//! it is somewhere else by then, the call is repeated for there.
//!
//! Reading is not free for the thread: to write to a line of memory that was just read here, it has to
//! wait until the line is its own again, some 100 ns. What it is found to do a moment later is then
//! waiting for that, so the order of reads decides how right the samples are: first the frame that
//! runs, last what the thread writes all the time, and of its C stack nothing but single frames.

use super::Error;
use super::attach::Runtime;
use super::memory::{Memory, word};

/// Memory read below a frame (its callers) and above it.
const BELOW: u64 = 2048;
const ABOVE: u64 = 512;
const PAGE: u64 = 4096;
const WORD: usize = 8;
/// Size of the flag that a collection runs.
const COLLECTING: usize = 4;
/// The fixed part of a frame is shorter in every version.
const LONGEST_HEAD: usize = 256;
/// Pieces of memory in one place that are read ahead.
const MOST_REGIONS: usize = 6;
/// A piece that no frame was in for so many reads is read no longer.
const STALE: u32 = 64;
/// Tries to find a thread where it was the moment before.
const TRIES: usize = 3;
/// Calls or returns that may happen while frames are read.
const MOST_TRANSITIONS: usize = 16;
/// Frames of a stack that are followed.
const DEEPEST: usize = 5_000;
/// The frame of a function, in the thread's own memory for frames (`enum _frameowner`).
const OWNED_BY_THREAD: u8 = 0;
/// From here on a frame belongs to the interpreter itself (`enum _frameowner`).
const NOT_PYTHON: u8 = 3;
/// The tag bits of a frame's code object.
const TAG: u64 = 3;

/// One frame: which code, at which instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Address of its code object.
    pub code: u64,
    /// Address of the instruction it executes.
    pub instruction: u64,
}

/// What a read of a thread told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Frames, to the outermost.
    Whole,
    /// The innermost frames only: the others could not be followed.
    Inner,
    /// No Python code.
    Nothing,
    /// There is no such thread any more.
    Gone,
}

/// A piece of memory that is read ahead.
#[derive(Debug, Clone, Copy)]
struct Region {
    place: Place,
    start: u64,
    length: usize,
    unused: u32,
    /// Where in the buffer its bytes are, if they are.
    at: Option<usize>,
}

/// Where frames are, in the order in which they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// The thread's memory for frames: around one frame are its callers and those it calls.
    Thread,
    /// The object of a generator or coroutine.
    Object,
    /// The C stack, where the interpreter's own frames are.
    Machine,
}

impl Place {
    fn of(head: Head) -> Self {
        match head.owner {
            OWNED_BY_THREAD => Self::Thread,
            NOT_PYTHON.. => Self::Machine,
            _ => Self::Object,
        }
    }
}

/// Reads one thread again and again.
#[derive(Debug)]
pub struct Stack {
    thread: u64,
    interpreter: u64,
    native: u64,
    cframe: u64,
    /// Ordered by place, then what was of use last comes first.
    regions: Vec<Region>,
    buffer: Vec<u8>,
    pieces: Vec<(u64, usize)>,
    /// A read of neighbouring pages failed.
    cautious: bool,
    /// Whether a collection of garbage runs in its interpreter.
    pub collecting: bool,
}

impl Stack {
    /// Of the thread state at an address.
    #[must_use]
    pub fn new(interpreter: u64, thread: u64, native: u64) -> Self {
        Self {
            thread,
            interpreter,
            native,
            cframe: 0,
            regions: Vec::new(),
            buffer: Vec::new(),
            pieces: Vec::new(),
            cautious: false,
            collecting: false,
        }
    }

    /// Reads the frames, innermost first, at most `limit` of them.
    ///
    /// # Errors
    /// [`Error::Denied`] and [`Error::NoProcess`].
    pub fn read(
        &mut self,
        memory: Memory,
        runtime: &Runtime,
        limit: usize,
        frames: &mut Vec<Frame>,
    ) -> Result<Seen, Error> {
        frames.clear();
        let mut top = 0;
        for _ in 0..TRIES {
            let told = match self.read_ahead(memory, runtime)? {
                None => return Ok(Seen::Gone),
                Some(0) => return Ok(Seen::Nothing),
                Some(told) => told,
            };
            if self.head(runtime, told).is_none() {
                top = told;
                match self.head_at(memory, runtime, told) {
                    Ok(head) => self.expect(Place::of(head), told, runtime.offsets.frame_locals),
                    Err(Error::Unreadable { .. }) => {}
                    Err(error) => return Err(error),
                }
                continue;
            }
            top = self.settle(runtime, told);
            // A generator that is suspended by now: who goes on was read before.
            let is_suspended = |head: Head| head.previous == 0 && Place::of(head) == Place::Object;
            if !self.head(runtime, top).is_some_and(is_suspended) {
                self.prefer(top);
                break;
            }
        }
        self.follow(memory, runtime, top, limit.min(DEEPEST), frames)
    }

    /// One read of everything that is expected to be needed: the address of the innermost frame; none
    /// when the thread is gone.
    fn read_ahead(&mut self, memory: Memory, runtime: &Runtime) -> Result<Option<u64>, Error> {
        let offsets = &runtime.offsets;
        let collecting = self
            .interpreter
            .wrapping_add(offsets.gc)
            .wrapping_add(offsets.collecting);
        let field = |at: u64| (self.thread.wrapping_add(at), WORD);
        let mut state = vec![
            field(offsets.cframe.unwrap_or(offsets.current_frame)),
            field(offsets.native_thread_id),
            (collecting, COLLECTING),
        ];
        if offsets.cframe.is_some() && self.cframe != 0 {
            state.push((self.cframe.wrapping_add(offsets.current_frame), WORD));
        }
        let needed = WORD + WORD + COLLECTING;
        let (at, read) = loop {
            self.pieces.clear();
            let mut length = 0;
            let machine = self.regions.partition_point(|region| region.place < Place::Machine);
            let (frames, machine) = self.regions.split_at_mut(machine);
            let mut add = |piece: (u64, usize)| {
                self.pieces.push(piece);
                length += piece.1;
                length - piece.1
            };
            for region in frames {
                region.at = Some(add((region.start, region.length)));
            }
            let at = add(state[0]);
            for &piece in &state[1..] {
                add(piece);
            }
            for region in machine {
                region.at = Some(add((region.start, region.length)));
            }
            if self.buffer.len() < length {
                self.buffer.resize(length, 0);
            }
            let read = match memory.read_pieces(&self.pieces, &mut self.buffer[..length]) {
                Ok(read) => read,
                // Not even the first piece.
                Err(Error::Unreadable { .. }) => 0,
                Err(error) => return Err(error),
            };
            if read == length {
                break (at, read);
            }
            // Some memory is no more: what comes after it has not been read either.
            self.cautious = true;
            let gone = |region: &Region| region.at.is_none_or(|at| at + region.length > read);
            match self.regions.iter().position(gone) {
                Some(first) if read < at || read >= at + needed => drop(self.regions.remove(first)),
                _ => break (at, read),
            }
        };
        if read < at + needed {
            return Ok(None);
        }
        let state = &self.buffer[at..read];
        self.collecting = state[2 * WORD..needed] != [0; COLLECTING];
        if word(state, WORD as u64) != Some(self.native) {
            return Ok(None);
        }
        let first = word(state, 0).unwrap_or(0);
        if offsets.cframe.is_none() {
            return Ok(Some(first));
        }
        let was = std::mem::replace(&mut self.cframe, first);
        if first == 0 {
            return Ok(Some(0));
        }
        if first == was
            && let Some(frame) = word(state, needed as u64)
        {
            return Ok(Some(frame));
        }
        match memory.word(first.wrapping_add(offsets.current_frame)) {
            Ok(frame) => Ok(Some(frame)),
            Err(Error::Unreadable { .. }) => Ok(Some(0)),
            Err(error) => Err(error),
        }
    }

    /// Where in the buffer a frame is, if it was read ahead.
    fn find(&mut self, frame: u64, length: u64) -> Option<usize> {
        let end = frame.checked_add(length)?;
        let region = self.regions.iter_mut().find(|region| {
            region.at.is_some() && region.start <= frame && end <= region.start + region.length as u64
        })?;
        region.unused = 0;
        Some(region.at? + usize::try_from(frame - region.start).ok()?)
    }

    /// Reads the memory around a frame ahead from now on, or nothing but the frame where its
    /// neighbours are no frames.
    fn expect(&mut self, place: Place, frame: u64, needed: u64) {
        self.regions.iter_mut().for_each(|region| region.unused += 1);
        self.regions.retain(|region| region.unused < STALE);
        let (mut start, mut end) = (frame, frame.saturating_add(needed));
        if place == Place::Thread {
            let page = frame & !(PAGE - 1);
            // The neighbouring pages may be no memory at all.
            let (first, last) = if self.cautious {
                (page, page + PAGE)
            } else {
                (0, u64::MAX)
            };
            start = frame.saturating_sub(BELOW).max(first);
            end = frame.saturating_add(ABOVE).min(last).max(end);
        }
        let region = Region {
            place,
            start,
            length: usize::try_from(end - start).unwrap_or(0),
            unused: 0,
            at: None,
        };
        let alike = |region: &Region| region.place == place;
        if self.regions.iter().filter(|region| alike(region)).count() >= MOST_REGIONS {
            let oldest = (0..self.regions.len())
                .filter(|&index| alike(&self.regions[index]))
                .max_by_key(|&index| self.regions[index].unused);
            self.regions.remove(oldest.unwrap_or(0));
        }
        let at = self.regions.partition_point(|region| region.place < place);
        self.regions.insert(at, region);
    }

    /// Reads the memory around this frame first from now on, of all of its place.
    fn prefer(&mut self, frame: u64) {
        let has = |region: &Region| {
            region.start <= frame && frame < region.start + region.length as u64 && region.at.is_some()
        };
        if let Some(at) = self.regions.iter().position(has) {
            let place = self.regions[at].place;
            let first = self.regions.partition_point(|region| region.place < place);
            self.regions[first..=at].rotate_right(1);
        }
    }

    /// What a frame says that was not read ahead.
    fn head_at(&self, memory: Memory, runtime: &Runtime, frame: u64) -> Result<Head, Error> {
        let mut bytes = [0; LONGEST_HEAD];
        let length = usize::try_from(runtime.offsets.frame_locals).unwrap_or(0).min(LONGEST_HEAD);
        memory.read(frame, &mut bytes[..length])?;
        Ok(Head::of(&bytes[..length], &runtime.offsets))
    }

    /// The frame that runs, from the one that was the innermost when its address was read.
    ///
    /// The frames were read a little later than that address, so the thread may have returned from it or
    /// called another. What the frames say of themselves is of one moment: it goes before the address.
    fn settle(&mut self, runtime: &Runtime, told: u64) -> u64 {
        let mut frame = told;
        for _ in 0..MOST_TRANSITIONS {
            match self.head(runtime, frame) {
                Some(head) if head.runs => return frame,
                Some(head) if head.previous != 0 => frame = head.previous,
                _ => break,
            }
        }
        let mut frame = told;
        for _ in 0..MOST_TRANSITIONS {
            match self.callee(runtime, frame) {
                Some(callee) => frame = callee,
                None => break,
            }
        }
        // Without a frame that says so, one runs C code, or several were read at different moments.
        frame
    }

    /// What a frame that was read ahead says.
    fn head(&mut self, runtime: &Runtime, frame: u64) -> Option<Head> {
        let offsets = &runtime.offsets;
        let at = self.find(frame, offsets.frame_locals)?;
        Some(Head::of(&self.buffer[at..], offsets))
    }

    /// A frame that this one has called, in the memory behind it.
    fn callee(&mut self, runtime: &Runtime, frame: u64) -> Option<u64> {
        let offsets = &runtime.offsets;
        let outer = self.head(runtime, frame)?;
        if outer.code == 0 || outer.runs {
            return None;
        }
        let mut callee = frame + offsets.frame_locals;
        while let Some(head) = self.head(runtime, callee) {
            // Others behind it have ended, or became a generator's and left this copy.
            if head.previous == frame && head.runs && head.owner == OWNED_BY_THREAD {
                return Some(callee);
            }
            callee += 8;
        }
        let objects = self.regions.iter().filter(|region| region.place == Place::Object);
        let mut generators = objects.map(|region| region.start).collect::<Vec<_>>().into_iter();
        generators.find(|&generator| {
            let head = self.head(runtime, generator);
            head.is_some_and(|head| head.previous == frame && head.runs && Place::of(head) == Place::Object)
        })
    }

    fn follow(
        &mut self,
        memory: Memory,
        runtime: &Runtime,
        top: u64,
        limit: usize,
        frames: &mut Vec<Frame>,
    ) -> Result<Seen, Error> {
        let mut frame = top;
        let mut steps = 0;
        while frame != 0 {
            if frames.len() >= limit || steps > 2 * DEEPEST {
                return Ok(Seen::Inner);
            }
            steps += 1;
            let head = match self.head(runtime, frame) {
                Some(head) => head,
                None => match self.head_at(memory, runtime, frame) {
                    Ok(head) => {
                        if self.regions.len() < MOST_REGIONS {
                            self.expect(Place::of(head), frame, runtime.offsets.frame_locals);
                        }
                        head
                    }
                    Err(Error::Unreadable { .. }) => return Ok(Seen::Inner),
                    Err(error) => return Err(error),
                },
            };
            // From 3.14 on, a frame without code has ended since its address was read: its caller goes on.
            if head.owner < NOT_PYTHON && head.code != 0 {
                frames.push(Frame {
                    code: head.code,
                    instruction: head.instruction,
                });
            }
            frame = head.previous;
        }
        Ok(if frames.is_empty() {
            Seen::Nothing
        } else {
            Seen::Whole
        })
    }
}

/// The fixed part of a frame.
#[derive(Debug, Clone, Copy)]
struct Head {
    code: u64,
    instruction: u64,
    previous: u64,
    owner: u8,
    /// Its own instructions run now.
    runs: bool,
}

impl Head {
    fn of(bytes: &[u8], offsets: &crate::cpython::Memory) -> Self {
        let field = |at: u64| word(bytes, at).unwrap_or(0);
        let code = field(offsets.frame_executable) & !TAG;
        let stack = field(offsets.frame_stack);
        let runs = if offsets.frame_runs_when_null {
            stack == 0
        } else {
            stack >> 31 & 1 == 1
        };
        let owner = usize::try_from(offsets.frame_owner)
            .ok()
            .and_then(|at| bytes.get(at));
        Self {
            code,
            instruction: field(offsets.frame_instruction),
            previous: field(offsets.frame_previous),
            owner: owner.copied().unwrap_or(u8::MAX),
            runs: runs && code != 0,
        }
    }
}
