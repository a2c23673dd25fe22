//! Memory that is read ahead: what a thread's frames are expected to need, in one call.
//!
//! The thread runs on while it is read, so what belongs together is read together. Reading is not free
//! for it, either: to write to a line of memory that was just read here, it has to wait until the line
//! is its own again, some 100 ns. What it is found to do a moment later is then waiting for that. So
//! the order of reads decides how right the samples are: first the frames that move, outer ones before
//! inner, as they say which line the thread is on; then generators; then frames that stay as they are; last
//! what it writes all the time; and of its C stack nothing but single frames.

use std::ops::RangeInclusive;

use super::Error;
use super::attach::Runtime;
use super::frame::{Head, Place};
use super::memory::Memory;

/// Memory read below a frame (its callers) and above it (those it calls).
const BELOW: u64 = 2048;
const ABOVE: u64 = 1024;
const PAGE: u64 = 4096;
/// Pieces of memory in one place that are read ahead.
const MOST_REGIONS: usize = 8;
/// A piece that no frame was in for so many reads is read no longer.
const STALE: u32 = 256;
/// A generator's object is longer than this before its frame begins in no version.
const LONGEST_OBJECT: u64 = 128;
/// Locals and stack of a frame that are looked through, words.
const MOST_HELD: u64 = 64;
const WORD: u64 = 8;

/// A piece of memory that is read ahead.
#[derive(Debug, Clone, Copy)]
struct Region {
    place: Place,
    start: u64,
    length: usize,
    /// Number of the read that was of use last.
    used: u32,
    /// Where in the buffer its bytes are, if they are.
    at: Option<usize>,
    /// What the frame said for which it is read.
    head: Head,
}

impl Region {
    fn end(&self) -> u64 {
        self.start + self.length as u64
    }

    /// Whether so many bytes at an address are in it and were read.
    fn holds(&self, address: u64, length: u64) -> bool {
        let end = address.checked_add(length);
        self.at.is_some() && self.start <= address && end.is_some_and(|end| end <= self.end())
    }
}

/// Pieces of a thread's memory, read together.
#[derive(Debug, Default)]
pub struct Ahead {
    /// Ordered by place, then by address.
    regions: Vec<Region>,
    buffer: Vec<u8>,
    pieces: Vec<(u64, usize)>,
    /// Frames in the thread's memory below this address stay at their instruction for long.
    still_below: u64,
    /// A read of neighbouring pages failed.
    cautious: bool,
    reads: u32,
}

impl Ahead {
    /// Reads everything, and these pieces of the thread's state in between; the bytes of those among
    /// them that could be read.
    ///
    /// # Errors
    /// [`Error::Denied`] and [`Error::NoProcess`].
    pub fn read(&mut self, memory: Memory, state: &[(u64, usize)]) -> Result<&[u8], Error> {
        self.reads = self.reads.wrapping_add(1);
        let reads = self.reads;
        self.regions
            .retain(|region| reads.wrapping_sub(region.used) < STALE);
        let wanted: usize = state.iter().map(|piece| piece.1).sum();
        let (at, read) = loop {
            self.pieces.clear();
            let mut length = 0;
            let machine = self
                .regions
                .partition_point(|region| region.place < Place::Machine);
            let (frames, machine) = self.regions.split_at_mut(machine);
            let mut add = |piece: (u64, usize)| {
                self.pieces.push(piece);
                length += piece.1;
                length - piece.1
            };
            for region in frames {
                region.at = Some(add((region.start, region.length)));
            }
            let at = state.iter().map(|&piece| add(piece)).next().unwrap_or(0);
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
                Some(first) if read < at || read >= at + wanted => drop(self.regions.remove(first)),
                _ => break (at, read),
            }
        };
        Ok(&self.buffer[at.min(read)..read.min(at + wanted)])
    }

    /// Reads the memory around a frame ahead from now on, or nothing but the frame where its
    /// neighbours are no frames.
    pub fn expect(&mut self, runtime: &Runtime, head: Head, frame: u64, mut place: Place) {
        let is_still = place == Place::Thread && frame < self.still_below;
        if is_still {
            place = Place::Still;
        }
        let needed = runtime.offsets.frame_locals;
        let holds = |region: &Region| region.start <= frame && frame.saturating_add(needed) <= region.end();
        if self.regions.iter().any(holds) {
            return;
        }
        let (mut start, mut end) = (frame, frame.saturating_add(needed));
        if matches!(place, Place::Thread | Place::Still) {
            let page = frame & !(PAGE - 1);
            // The neighbouring pages may be no memory at all.
            let (first, last) = if self.cautious {
                (page, page + PAGE)
            } else {
                (0, u64::MAX)
            };
            start = frame.saturating_sub(BELOW).max(first);
            end = frame.saturating_add(ABOVE).min(last).max(end);
            if is_still {
                end = end.min(self.still_below.max(frame.saturating_add(needed)));
            } else {
                start = start.max(self.still_below.min(frame));
            }
            // Every byte is read once.
            for other in self.regions.iter().filter(|region| region.place == place) {
                if other.start <= frame && frame < other.end() {
                    start = start.max(other.end().min(frame));
                } else if other.start > frame {
                    end = end.min(other.start).max(frame.saturating_add(needed));
                } else {
                    start = start.max(other.end());
                }
            }
        }
        let alike = |region: &&Region| region.place == place;
        if self.regions.iter().filter(alike).count() >= MOST_REGIONS {
            // What is needed stays: of a deep stack, some frames are read one by one.
            let unused = |&index: &usize| {
                let region = &self.regions[index];
                region.place == place && region.used != self.reads
            };
            let age = |&index: &usize| self.reads.wrapping_sub(self.regions[index].used);
            match (0..self.regions.len()).filter(unused).max_by_key(age) {
                Some(oldest) => drop(self.regions.remove(oldest)),
                None => return,
            }
        }
        let at = self
            .regions
            .partition_point(|region| (region.place, region.start) < (place, start));
        let region = Region {
            place,
            start,
            length: usize::try_from(end - start).unwrap_or(0),
            used: self.reads,
            at: None,
            head,
        };
        self.regions.insert(at, region);
    }

    /// Below this address in the thread's memory nothing moved of late.
    #[must_use]
    pub fn still_below(&self) -> u64 {
        self.still_below
    }

    /// Frames below an address stay as they are for long: those from there on are read before them. The
    /// processor fetches what lies behind what it reads, so a frame behind others would hold the thread up
    /// before it is read.
    pub fn hold_still(&mut self, below: u64) {
        if below != self.still_below {
            self.still_below = below;
            self.regions
                .retain(|region| !matches!(region.place, Place::Thread | Place::Still));
        }
    }

    /// What a frame says that was read ahead.
    #[must_use]
    pub fn head(&self, runtime: &Runtime, frame: u64) -> Option<Head> {
        let offsets = &runtime.offsets;
        let region = self
            .regions
            .iter()
            .find(|region| region.holds(frame, offsets.frame_locals))?;
        let at = region.at? + usize::try_from(frame - region.start).ok()?;
        Some(Head::of(&self.buffer[at..], offsets))
    }

    /// A word of a region that was read.
    fn word(&self, region: &Region, address: u64) -> Option<u64> {
        let at = region.at? + usize::try_from(address.checked_sub(region.start)?).ok()?;
        let bytes = self.buffer.get(at..)?.first_chunk()?;
        Some(u64::from_ne_bytes(*bytes))
    }

    /// The same for a frame of the interpreter's own. It is read last: when the C code has returned by
    /// then, what it said before is told.
    pub fn entry(&mut self, runtime: &Runtime, frame: u64) -> Option<Head> {
        let head = self.head(runtime, frame)?;
        let region = self.regions.iter_mut().find(|region| region.holds(frame, 1))?;
        if region.place != Place::Machine {
            return Some(head);
        }
        if (head.owner, head.code) == (region.head.owner, region.head.code) {
            region.head = head;
        }
        Some(region.head)
    }

    /// Whether a frame has the object of a generator's frame among its locals or on its stack.
    #[must_use]
    pub fn holds_object(&self, runtime: &Runtime, frame: u64, generator: u64) -> bool {
        let first = frame.wrapping_add(runtime.offsets.frame_locals);
        let object = generator.saturating_sub(LONGEST_OBJECT)..generator;
        let mut held = None;
        // They may go on in the next region.
        let words = (0..MOST_HELD).map_while(|at| {
            let address = first.wrapping_add(at * WORD);
            held = held
                .filter(|region: &&Region| region.holds(address, WORD))
                .or_else(|| self.regions.iter().find(|region| region.holds(address, WORD)));
            self.word(held?, address)
        });
        // The low bits are tags from 3.14 on.
        words
            .map(|word| word & !(WORD - 1))
            .any(|word| object.contains(&word))
    }

    /// Notes that a frame was needed.
    pub fn use_of(&mut self, frame: u64) {
        if let Some(region) = self.regions.iter_mut().find(|region| region.holds(frame, 1)) {
            region.used = self.reads;
        }
    }

    /// Notes what a generator's frame said while it was in a chain of calls.
    pub fn ran(&mut self, head: Head, frame: u64) {
        if head.previous != 0
            && let Some(region) = self.regions.iter_mut().find(|region| region.start == frame)
            && region.place == Place::Object
        {
            region.head = head;
        }
    }

    /// Frames that this one called, which may have ended: the one in the memory behind it, and a
    /// generator.
    #[must_use]
    pub fn callees(&self, runtime: &Runtime, frame: u64) -> [Option<u64>; 2] {
        let length = runtime.offsets.frame_locals;
        let of = |place: Place| self.regions.iter().filter(move |region| region.place == place);
        // The frame itself, and the interpreter's own frames between it and what C code called.
        let is_between = |region: &&Region| {
            let head = self.head(runtime, region.start);
            head.is_some_and(|head| head.is_entry() && head.previous == frame)
        };
        let between: Vec<u64> = of(Place::Machine)
            .filter(is_between)
            .map(|region| region.start)
            .collect();
        let is_caller = |address: u64| address == frame || between.contains(&address);
        let called = of(Place::Thread).find_map(|region| {
            // Behind a generator's frame are none, but it may have called one.
            let first = if region.holds(frame, length) {
                frame + length
            } else {
                region.start
            };
            let last = region.end().saturating_sub(length);
            let mut called = self.called(runtime, region, first..=last, &is_caller);
            called.next().map(|(at, _)| at)
        });
        // Generators are read after the thread's own frames: one may have yielded in between, after what it
        // had called returned.
        let has_yielded = |region: &&Region| {
            let head = self.head(runtime, region.start);
            region.head.previous == frame
                && head.is_some_and(|head| head.is_suspended() && head.code == region.head.code)
                && of(Place::Thread).any(|other| {
                    let all = other.start..=other.end().saturating_sub(length);
                    let is_it = |address: u64| address == region.start;
                    let mut called = self.called(runtime, other, all, &is_it);
                    called.any(|(_, head)| head.lives(&runtime.offsets))
                })
        };
        let runs = |region: &&Region| {
            let at = region.start..=region.start;
            self.called(runtime, region, at, &is_caller).next().is_some()
        };
        let generator = of(Place::Object)
            .find(runs)
            .or_else(|| of(Place::Object).find(has_yielded))
            .map(|region| region.start);
        [called, generator]
    }

    /// Frames in a piece of memory, with their addresses, that one of these callers called.
    fn called(
        &self,
        runtime: &Runtime,
        region: &Region,
        addresses: RangeInclusive<u64>,
        is_caller: &dyn Fn(u64) -> bool,
    ) -> impl Iterator<Item = (u64, Head)> {
        addresses
            .step_by(usize::try_from(WORD).unwrap_or(8))
            .filter_map(move |at| {
                let previous = self.word(region, at.wrapping_add(runtime.offsets.frame_previous))?;
                // Few places have the right word: only those are read as a frame.
                let head = is_caller(previous).then(|| self.head(runtime, at))??;
                (Place::of(head) == region.place).then_some((at, head))
            })
    }
}
