//! The frames of one thread at one moment.
//!
//! Frames are read a little before the address of the innermost one, so the thread may have called or
//! returned several times since. What the frames say of themselves goes before that address, and what
//! an outer frame says before what an inner one does: it was read first.

mod generators;

use std::collections::{HashMap, HashSet};

use super::Error;
use super::ahead::Ahead;
use super::attach::Runtime;
use super::frame::{Head, Place};
use super::memory::{Memory, word};
use super::sites::Site;

const WORD: usize = 8;
/// Size of the flag that a collection runs.
const COLLECTING: usize = 4;
/// The fixed part of a frame is shorter in every version.
const LONGEST_HEAD: usize = 256;
/// Tries to find a thread when nothing is known of it.
const TRIES: usize = 3;
/// Frames of a stack that are followed.
const DEEPEST: usize = 5_000;
/// Frames that are expected again at a time.
const MOST_EXPECTED: usize = 2;
/// After so many reads, new places are looked for.
const DISCOVER: u32 = 16;
/// Size of a piece of the thread's memory for frames, what is before the first frame of one (a word more in
/// the first piece), and to what they are aligned (`push_chunk` in `Python/pystate.c`).
const CHUNK: u64 = 16 << 10;
const CHUNK_HEADS: [u64; 2] = [24, 32];
const PAGE: u64 = 4096;
/// Samples in which an outer frame must not have moved to be held for still.
const REMEMBER: u32 = 128;
/// Calls within calls that may have happened between reads.
const MOST_TRANSITIONS: usize = 16;

/// One frame: which code, at which instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Address of its code object.
    pub code: u64,
    /// Address of the instruction it executes.
    pub instruction: u64,
}

/// What is known of a process's code objects and their instructions.
pub trait Codes {
    /// Whether there is a code object at an address.
    fn is_code(&mut self, address: u64) -> bool;
    /// What the instruction at an address has to do with generators.
    fn site(&mut self, instruction: u64) -> Site;
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

/// A frame of a chain of calls.
#[derive(Debug, Clone, Copy)]
struct Link {
    address: u64,
    head: Head,
    /// C code stands between it and its caller.
    by_c: bool,
    /// It was read together with the others.
    is_ahead: bool,
}

impl Link {
    /// Whether both are the same frame at the same instruction.
    fn is_at(&self, other: &Self) -> bool {
        let place = |link: &Self| (link.address, link.head.code, link.head.instruction);
        place(self) == place(other)
    }
}

/// A chain of calls, innermost first.
#[derive(Debug, Default)]
struct Chain {
    links: Vec<Link>,
    /// It reaches the outermost.
    is_whole: bool,
    /// Nothing but the interpreter's own frames: from 3.15 on one stands below the first of a thread
    /// (`base_frame` in `Include/internal/pycore_tstate.h`).
    is_idle: bool,
}

/// Whether a frame is the first of a piece of the thread's memory for frames.
fn begins_chunk(frame: u64) -> bool {
    CHUNK_HEADS.contains(&(frame % PAGE))
}

impl Chain {
    /// Addresses of the frames that are in the thread's memory for frames, outermost first: at the beginning of
    /// a piece of it, and above that. A generator half made says that it is there, too.
    fn in_thread(&self) -> Vec<u64> {
        let mut found: Vec<u64> = Vec::new();
        let links = self.links.iter().rev();
        for link in links.filter(|link| Place::of(link.head) == Place::Thread) {
            let frame = link.address;
            let is_above = |other: &u64| frame > *other && frame - other < CHUNK;
            if begins_chunk(frame) || found.iter().rev().any(is_above) {
                found.push(frame);
            }
        }
        found
    }
}

/// Reads one thread again and again.
#[derive(Debug)]
pub struct Stack {
    thread: u64,
    interpreter: u64,
    native: u64,
    cframe: u64,
    ahead: Ahead,
    /// What was seen last.
    last: Chain,
    /// The frames from the address that was told last, uncut.
    told: Vec<Link>,
    /// Code objects of generators and coroutines that were seen.
    generators: HashSet<u64>,
    /// Generators that ran a moment after a sample found their callers elsewhere, by the caller's address and
    /// code.
    owed: HashMap<(u64, u64), Vec<Link>>,
    /// Code objects of generators of which a caller held one while it ran.
    held: HashSet<u64>,
    reads: u32,
    /// The least address where something moved since what stays still was looked for, and samples since.
    moved: u64,
    since: u32,
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
            ahead: Ahead::default(),
            last: Chain::default(),
            told: Vec::new(),
            generators: HashSet::new(),
            owed: HashMap::new(),
            held: HashSet::new(),
            reads: 0,
            moved: u64::MAX,
            since: 0,
            collecting: false,
        }
    }

    /// The same for another thread whose state is in the same place: its frames may be, too.
    #[must_use]
    pub fn of_next(self, interpreter: u64, native: u64) -> Self {
        Self {
            ahead: self.ahead,
            generators: self.generators,
            ..Self::new(interpreter, self.thread, native)
        }
    }

    /// Reads the frames, innermost first; `codes` tells what is code.
    ///
    /// # Errors
    /// [`Error::Denied`] and [`Error::NoProcess`].
    pub fn read(
        &mut self,
        memory: Memory,
        runtime: &Runtime,
        codes: &mut dyn Codes,
        frames: &mut Vec<Frame>,
    ) -> Result<Seen, Error> {
        frames.clear();
        let mut seen = Seen::Inner;
        let mut first: Option<Chain> = None;
        for tries in 1..=TRIES {
            let told = match self.read_ahead(memory, runtime)? {
                None => return Ok(Seen::Gone),
                Some(0) => return Ok(Seen::Nothing),
                Some(told) => told,
            };
            let mut chain = self.chain(memory, runtime, told, codes)?;
            if !chain.is_whole
                && let Some(known) = self.known(runtime, codes)
            {
                // It is in a frame that did not exist yet when frames were read.
                chain = known;
            }
            if chain.is_idle {
                return Ok(Seen::Nothing);
            }
            if chain.links.is_empty() {
                continue;
            }
            let told = chain.links.clone();
            // The first read found the thread undisturbed: what it tells is kept. Only for frames in
            // places that were not expected it is read again, now that they are.
            let is_settled = !chain.is_whole || self.settle(runtime, &mut chain, codes);
            self.told = told;
            if !is_settled {
                if tries < TRIES {
                    first.get_or_insert(chain);
                    continue;
                }
                chain = first.take().unwrap_or(chain);
            } else if let Some(first) = first.take()
                && !chain.links.iter().any(|link| link.is_at(&first.links[0]))
            {
                chain = first;
            }
            if chain.is_whole {
                self.exchange(runtime, &mut chain, codes);
            }
            frames.extend(chain.links.iter().map(|link| Frame {
                code: link.head.code,
                instruction: link.head.instruction,
            }));
            for link in &chain.links {
                self.ahead.use_of(link.address);
            }
            if chain.is_whole {
                seen = Seen::Whole;
                self.note_moves(&chain);
                self.last = chain;
            }
            break;
        }
        self.reads = self.reads.wrapping_add(1);
        if self.reads.is_multiple_of(DISCOVER) {
            self.discover(memory, runtime, codes)?;
        }
        Ok(seen)
    }

    /// Learns which outer frames stay at their instruction from sample to sample.
    fn note_moves(&mut self, chain: &Chain) {
        let pairs = chain.links.iter().rev().zip(self.last.links.iter().rev());
        let still = pairs.take_while(|(now, then)| now.is_at(then)).count();
        let first = chain.links.len() - 1 - still.min(chain.links.len() - 1);
        let link = chain.links[first];
        if Place::of(link.head) != Place::Thread || !chain.in_thread().contains(&link.address) {
            return;
        }
        self.moved = self.moved.min(link.address);
        self.since += 1;
        if link.address < self.ahead.still_below() || self.since == REMEMBER {
            self.since = 0;
            self.ahead
                .hold_still(std::mem::replace(&mut self.moved, u64::MAX));
        }
    }

    /// Looks for frames in places that are not read ahead. No sample: whoever runs for a short time has
    /// returned before its address is read after the frames.
    fn discover(&mut self, memory: Memory, runtime: &Runtime, codes: &mut dyn Codes) -> Result<(), Error> {
        let holder = if runtime.offsets.cframe.is_some() {
            self.cframe
        } else {
            self.thread
        };
        match memory.word(holder.wrapping_add(runtime.offsets.current_frame)) {
            Ok(0) | Err(Error::Unreadable { .. }) => Ok(()),
            Ok(frame) if self.ahead.head(runtime, frame).is_some() => Ok(()),
            Ok(frame) => self.chain(memory, runtime, frame, codes).map(|_| ()),
            Err(error) => Err(error),
        }
    }

    /// One read of everything that is expected to be needed: the address of the innermost frame; none
    /// when the thread is gone.
    fn read_ahead(&mut self, memory: Memory, runtime: &Runtime) -> Result<Option<u64>, Error> {
        let offsets = &runtime.offsets;
        let field = |at: u64| (self.thread.wrapping_add(at), WORD);
        let flag = self
            .interpreter
            .wrapping_add(offsets.gc)
            .wrapping_add(offsets.collecting);
        let pieces = [
            field(offsets.cframe.unwrap_or(offsets.current_frame)),
            field(offsets.native_thread_id),
            (flag, COLLECTING),
            (self.cframe.wrapping_add(offsets.current_frame), WORD),
        ];
        let is_direct = offsets.cframe.is_none() || self.cframe == 0;
        let state = self
            .ahead
            .read(memory, &pieces[..if is_direct { 3 } else { 4 }])?;
        let flag = 2 * WORD..2 * WORD + COLLECTING;
        if state.len() < flag.end || word(state, WORD as u64) != Some(self.native) {
            return Ok(None);
        }
        let first = word(state, 0).unwrap_or(0);
        let current = word(state, flag.end as u64);
        self.collecting = state[flag] != [0; COLLECTING];
        if offsets.cframe.is_none() {
            return Ok(Some(first));
        }
        let was = std::mem::replace(&mut self.cframe, first);
        match current {
            _ if first == 0 => Ok(Some(0)),
            Some(frame) if first == was => Ok(Some(frame)),
            _ => match memory.word(first.wrapping_add(offsets.current_frame)) {
                Ok(frame) => Ok(Some(frame)),
                Err(Error::Unreadable { .. }) => Ok(Some(0)),
                Err(error) => Err(error),
            },
        }
    }

    /// A frame and its callers.
    fn chain(
        &mut self,
        memory: Memory,
        runtime: &Runtime,
        from: u64,
        codes: &mut dyn Codes,
    ) -> Result<Chain, Error> {
        let mut chain = Chain::default();
        let mut frame = from;
        let mut steps = 0;
        let mut missing = Vec::new();
        while frame != 0 {
            steps += 1;
            if steps > 2 * DEEPEST {
                return Ok(chain);
            }
            self.ahead.use_of(frame);
            let ahead = self.ahead.entry(runtime, frame);
            let head = match ahead {
                Some(head) => head,
                None => match head_at(memory, runtime, frame) {
                    Ok(head) => head,
                    Err(Error::Unreadable { .. }) => return Ok(chain),
                    Err(error) => return Err(error),
                },
            };
            // From 3.14 on, a frame without code has ended since its address was read.
            let has_ended = head.code == 0;
            if !head.is_entry() && !has_ended && !codes.is_code(head.code) {
                return Ok(chain);
            }
            if ahead.is_none() {
                missing.push((head, frame));
            }
            if head.is_entry() {
                if let Some(link) = chain.links.last_mut() {
                    link.by_c = true;
                }
            } else {
                if Place::of(head) == Place::Object {
                    self.generators.insert(head.code);
                    self.ahead.ran(head, frame);
                }
                chain.links.push(Link {
                    address: frame,
                    head,
                    by_c: head.is_called_by_c,
                    is_ahead: ahead.is_some(),
                });
            }
            frame = head.previous;
        }
        chain.is_idle = chain.links.is_empty();
        chain.is_whole = chain.links.last().is_some_and(|last| match Place::of(last.head) {
            Place::Thread => begins_chunk(last.address),
            _ => !last.head.is_suspended(),
        });
        let missing: Vec<_> = missing
            .into_iter()
            .filter(|_| chain.is_whole)
            .take(MOST_EXPECTED)
            .collect();
        if !missing.is_empty() {
            let in_thread = chain.in_thread();
            for (head, frame) in missing {
                if self.ahead.head(runtime, frame).is_none() {
                    let place = match Place::of(head) {
                        Place::Thread if !in_thread.contains(&frame) => Place::Object,
                        place => place,
                    };
                    self.ahead.expect(runtime, head, frame, place);
                }
            }
        }
        Ok(chain)
    }

    /// What was seen last, as far as it is still so.
    fn known(&self, runtime: &Runtime, codes: &mut dyn Codes) -> Option<Chain> {
        let mut links = Vec::new();
        for link in self.last.links.iter().rev() {
            let head = match self.ahead.head(runtime, link.address) {
                Some(head) => head,
                // Too far out to be read ahead.
                None if links.is_empty() || links.last().is_some_and(|outer: &Link| !outer.is_ahead) => {
                    link.head
                }
                None => break,
            };
            if head.code == 0
                || head.is_suspended()
                || head.previous != link.head.previous
                || !codes.is_code(head.code)
            {
                break;
            }
            links.push(Link {
                head,
                is_ahead: true,
                ..*link
            });
        }
        links.reverse();
        let is_whole = self.last.is_whole && !links.is_empty();
        is_whole.then_some(Chain {
            links,
            is_whole,
            is_idle: false,
        })
    }

    /// Cuts a chain at the frame that ran when it was read, or makes it longer up to there; false when
    /// it is cut where the next was not read with the others.
    fn settle(&self, runtime: &Runtime, chain: &mut Chain, codes: &mut dyn Codes) -> bool {
        let links = &chain.links;
        // From the outermost inwards.
        let mut top = links.len() - 1;
        let mut in_c = None;
        while top > 0 {
            let (link, next) = (links[top], links[top - 1]);
            if link.is_ahead && link.head.runs {
                if !next.by_c {
                    break;
                }
                // A frame that called C code looks as if it ran itself.
                in_c = Some(top);
            }
            if next.is_ahead {
                // Until 3.13 a frame that has ended is not known from one that waits for its callee. What
                // is told goes then: the caller, which says the line, stays in the chain either way.
                if next.head.code == 0
                    || next.head.is_suspended()
                    || self.is_remnant(next.head)
                    || !self.can_have_called(runtime, link, next, codes)
                {
                    break;
                }
            } else if !self.has_stayed(link, next) {
                chain.links.drain(..top);
                return false;
            }
            top -= 1;
        }
        // What it called then may have returned since.
        let mut inner = |at: usize| {
            let link = &links[at];
            let running = link
                .is_ahead
                .then(|| self.running(runtime, link, MOST_TRANSITIONS, codes));
            running.unwrap_or_else(|| Some(vec![*link]))
        };
        let found = inner(top).map(|inner| (top, inner));
        // None of those inwards runs: they had ended by then, or the thread was not there yet.
        let found = found.or_else(|| in_c.and_then(|at| inner(at).map(|inner| (at, inner))));
        let (top, inner) = found.unwrap_or_else(|| (top, vec![links[top]]));
        chain.links.splice(..=top, inner);
        true
    }

    /// What the making of a generator leaves in the thread's memory: a copy of its first moment, which
    /// looks as if it ran.
    fn is_remnant(&self, head: Head) -> bool {
        Place::of(head) == Place::Thread && self.generators.contains(&head.code)
    }

    /// Whether a call was already seen the last time.
    fn has_stayed(&self, caller: Link, inner: Link) -> bool {
        self.told.windows(2).rev().any(|pair| {
            pair[1].is_at(&caller) && (pair[0].address, pair[0].head.code) == (inner.address, inner.head.code)
        })
    }

    /// The chain from the frame that runs to this one, which it is or which led to it.
    fn running(
        &self,
        runtime: &Runtime,
        link: &Link,
        depth: usize,
        codes: &mut dyn Codes,
    ) -> Option<Vec<Link>> {
        let head = link.head;
        let lives = head.lives(&runtime.offsets);
        if lives && (self.is_remnant(head) || !codes.is_code(head.code)) {
            return None;
        }
        let callees = self.ahead.callees(runtime, link.address);
        let inner = depth.checked_sub(1).and_then(|depth| {
            callees.into_iter().flatten().find_map(|address| {
                let head = self.ahead.head(runtime, address)?;
                let callee = Link {
                    address,
                    head,
                    by_c: head.is_called_by_c || head.previous != 0 && head.previous != link.address,
                    is_ahead: true,
                };
                // While C code runs that it called, a frame looks as if it ran itself.
                let may_run = !link.head.runs || callee.by_c || Place::of(head) == Place::Object;
                let may_run = may_run && self.can_have_called(runtime, *link, callee, codes);
                self.running(runtime, &callee, depth, codes).filter(|_| may_run)
            })
        });
        match inner {
            Some(mut inner) => {
                inner.push(*link);
                Some(inner)
            }
            // Whoever has called nobody that is left runs itself.
            None => lives.then(|| vec![*link]),
        }
    }
}

/// What a frame says that was not read ahead.
fn head_at(memory: Memory, runtime: &Runtime, frame: u64) -> Result<Head, Error> {
    let mut bytes = [0; LONGEST_HEAD];
    let length = usize::try_from(runtime.offsets.frame_locals)
        .unwrap_or(0)
        .min(LONGEST_HEAD);
    memory.read(frame, &mut bytes[..length])?;
    Ok(Head::of(&bytes[..length], &runtime.offsets))
}
