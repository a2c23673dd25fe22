//! The binary form of `profiling.sampling` (Tachyon), as CPython 3.15's
//! `Modules/_remote_debugging/binary_io.h` writes it.

use std::collections::HashMap;
use std::io::Read;

use super::bytes::Bytes;
use super::located::{Doing, Grain, Located, Place};
use super::stacks::{Stack, Stacks};
use super::{Damage, LARGEST, Problem};
use crate::stats::opcodes::Opcodes;

const HEADER: usize = 64;
const FOOTER: usize = 32;
/// Frames of a stack; the sampler cuts deeper ones itself.
const DEPTH: usize = 1 << 14;
const GIL: u8 = 1;
const ON_CPU: u8 = 2;
const UNKNOWN: u8 = 4;

struct Header {
    python: [u8; 3],
    interval_us: u64,
    samples: u64,
    threads: u32,
    strings_at: usize,
    frames_at: usize,
    compressed: bool,
    mode: u32,
    strings: usize,
    frames: usize,
}

fn damaged(offset: u64, what: &str) -> Problem {
    Problem::Damaged {
        place: Some(super::Place::Offset(offset)),
        what: what.to_owned(),
    }
}

/// Reads a file.
pub(super) fn read(bytes: &[u8], damage: &mut Damage) -> Result<Located, Problem> {
    let header = header(bytes)?;
    let is_big = bytes.starts_with(b"TACH");
    let strings = strings(bytes, &header, damage);
    let mut stacks = Stacks::new();
    let frames = frames(bytes, &header, &strings, &mut stacks, damage);
    let samples = bytes.get(HEADER..header.strings_at).unwrap_or_default();
    let unpacked;
    let samples = if header.compressed {
        unpacked = unpack(samples, damage)?;
        &unpacked[..]
    } else {
        samples
    };
    let mut run = Run {
        threads: Vec::new(),
        numbers: HashMap::new(),
        last: None,
        stacks,
        frames: &frames,
        new: Vec::new(),
        is_wall: matches!(header.mode, 0 | 1),
        records: 0,
        longest_us: 0,
    };
    let mut reader = Bytes::at(samples, 0, is_big);
    while reader.left() > 0 {
        let at = reader.offset();
        if run.record(&mut reader).is_none() {
            damage.at(
                super::Place::Offset(HEADER as u64 + at),
                "the samples are damaged from here on",
            );
            break;
        }
    }
    if run.records != header.samples {
        damage.about(format!(
            "{} of the {} samples that the header tells of could be read",
            run.records, header.samples
        ));
    }
    let (has_opcodes, longest_us, records) = (
        frames.iter().any(|frame| frame.has_opcode),
        run.longest_us,
        run.records,
    );
    let grain = if has_opcodes {
        Grain::Instruction
    } else {
        Grain::Expression
    };
    let mut located = run.stacks.finish(grain);
    let [major, minor, micro] = header.python;
    located.python = Some(format!("{major}.{minor}.{micro}"));
    located.threads = u64::from(header.threads).max(1);
    located.wall_ns = Some(longest_us as f64 * 1e3);
    if records == 0 {
        damage.about("there are no samples");
    }
    located.notes.push(format!(
        "Tachyon looked every {} µs; a sample counts for the time since the thread's last one.",
        header.interval_us
    ));
    Ok(located)
}

fn header(bytes: &[u8]) -> Result<Header, Problem> {
    let is_big = bytes.starts_with(b"TACH");
    if bytes.len() < HEADER + FOOTER || bytes[..HEADER].iter().all(|&byte| byte == 0) {
        return Err(damaged(
            0,
            "the sampler did not finish this file: its header is missing",
        ));
    }
    let mut reader = Bytes::at(bytes, 4, is_big);
    let missing = || damaged(0, "the header is cut");
    let version = reader.u32().ok_or_else(missing)?;
    if version != 1 {
        return Err(damaged(
            4,
            &format!("version {version} of this format is not known, only 1 is"),
        ));
    }
    let python = reader.take(4).ok_or_else(missing)?;
    let python = [python[0], python[1], python[2]];
    let _start_us = reader.u64().ok_or_else(missing)?;
    let interval_us = reader.u64().ok_or_else(missing)?;
    let after_interval = reader;
    // Before its release 3.15 wrote the number of samples in four bytes.
    for narrow in [false, true] {
        let mut reader = after_interval;
        let samples = if narrow {
            reader.u32().map(u64::from)
        } else {
            reader.u64()
        };
        let read = (|| {
            let (samples, threads) = (samples?, reader.u32()?);
            let (strings_at, frames_at) = (reader.u64()?, reader.u64()?);
            let compression = reader.u32()?;
            let mode = if narrow { 0 } else { reader.u32()? };
            Some((samples, threads, strings_at, frames_at, compression, mode))
        })();
        let Some((samples, threads, strings_at, frames_at, compression, mode)) = read else {
            continue;
        };
        let (Ok(strings_at), Ok(frames_at)) = (usize::try_from(strings_at), usize::try_from(frames_at))
        else {
            continue;
        };
        if strings_at < HEADER || frames_at < strings_at || compression > 1 {
            continue;
        }
        if frames_at > bytes.len() {
            return Err(damaged(
                bytes.len() as u64,
                "the file is cut: the names of its frames are missing",
            ));
        }
        let mut footer = Bytes::at(bytes, bytes.len() - FOOTER, is_big);
        let (strings, frames) = (footer.u32().unwrap_or(0), footer.u32().unwrap_or(0));
        if footer.u64() != Some(bytes.len() as u64) {
            return Err(damaged(bytes.len() as u64, "the file is cut: its end is missing"));
        }
        return Ok(Header {
            python,
            interval_us,
            samples,
            threads,
            strings_at,
            frames_at,
            compressed: compression == 1,
            mode: mode & 7,
            strings: strings as usize,
            frames: frames as usize,
        });
    }
    Err(damaged(40, "the places of the tables are not in the file"))
}

fn strings(bytes: &[u8], header: &Header, damage: &mut Damage) -> Vec<String> {
    let mut reader = Bytes::at(bytes, header.strings_at, false);
    let mut strings = Vec::new();
    for _ in 0..header.strings.min(bytes.len()) {
        let at = reader.offset();
        let length = reader.varint().and_then(|length| usize::try_from(length).ok());
        let Some(text) = length.and_then(|length| reader.take(length)) else {
            damage.at(super::Place::Offset(at), "a name is cut");
            break;
        };
        strings.push(String::from_utf8_lossy(text).into_owned());
    }
    strings
}

#[derive(Clone, Copy)]
struct Frame {
    place: Option<usize>,
    is_gc: bool,
    has_opcode: bool,
}

fn frames(
    bytes: &[u8],
    header: &Header,
    strings: &[String],
    stacks: &mut Stacks,
    damage: &mut Damage,
) -> Vec<Frame> {
    let opcodes = Opcodes::of(&format!("{}.{}", header.python[0], header.python[1]));
    let mut reader = Bytes::at(bytes, header.frames_at, false);
    let mut frames = Vec::new();
    for _ in 0..header.frames.min(bytes.len()) {
        let at = reader.offset();
        let Some((place, number)) = frame(&mut reader, strings) else {
            damage.at(super::Place::Offset(at), "a frame is damaged");
            break;
        };
        let name = |number: u16| {
            let known = opcodes.and_then(|opcodes| opcodes.name(number));
            known.map_or_else(|| format!("<{number}>"), str::to_owned)
        };
        let place = Place {
            opcode: number.map(|number| name(u16::from(number))),
            ..place
        };
        frames.push(Frame {
            is_gc: place.function == "<GC>",
            has_opcode: place.opcode.is_some(),
            place: stacks.place(place),
        });
    }
    frames
}

fn frame(reader: &mut Bytes, strings: &[String]) -> Option<(Place, Option<u8>)> {
    let mut text = || strings.get(usize::try_from(reader.varint()?).ok()?);
    let (path, function) = (text()?, text()?);
    let line = reader.zigzag()?;
    let end_line = line.checked_add(reader.zigzag()?)?;
    let column = reader.zigzag()?;
    let end_column = column.checked_add(reader.zigzag()?)?;
    let opcode = reader.byte()?;
    let mut place = Place::line(path, function, u32::try_from(line).unwrap_or(0));
    if let Some(position) = &mut place.position {
        position.end_line = u32::try_from(end_line).unwrap_or(0).max(position.line);
        position.columns = u32::try_from(column).ok().zip(u32::try_from(end_column).ok());
    }
    Some((place, (opcode != u8::MAX).then_some(opcode)))
}

/// No more than a bound, whatever the archive says.
fn unpack(packed: &[u8], damage: &mut Damage) -> Result<Vec<u8>, Problem> {
    let mut unpacked = Vec::new();
    let decoder = ruzstd::decoding::StreamingDecoder::new(packed).map_err(|error| {
        damaged(
            HEADER as u64,
            &format!("the packed samples cannot be read: {error}"),
        )
    })?;
    if decoder.take(LARGEST + 1).read_to_end(&mut unpacked).is_err() {
        damage.about("the packed samples are damaged: those before the damage are kept");
    }
    if unpacked.len() as u64 > LARGEST {
        return Err(Problem::TooLarge);
    }
    Ok(unpacked)
}

/// What the records of a thread of an interpreter go on from.
#[derive(Default)]
struct Thread {
    /// Outermost frame first, and the stack that each is the innermost frame of.
    frames: Vec<(u32, Stack)>,
    clock_us: u64,
    /// Clearings of the tree that its stacks are of.
    clearings: u64,
}

struct Run<'f> {
    threads: Vec<Thread>,
    numbers: HashMap<(u64, u32), usize>,
    /// The thread of the last record.
    last: Option<((u64, u32), usize)>,
    stacks: Stacks,
    frames: &'f [Frame],
    /// Frames of a record, innermost first.
    new: Vec<u32>,
    is_wall: bool,
    records: u64,
    longest_us: u64,
}

impl Run<'_> {
    /// One record; none when it is damaged.
    fn record(&mut self, reader: &mut Bytes) -> Option<()> {
        let key = (reader.u64()?, reader.u32()?);
        let encoding = reader.byte()?;
        let number = self.thread(key);
        if encoding == 0 {
            for _ in 0..reader.varint()? {
                let (us, status) = (reader.varint()?, reader.byte()?);
                self.sample(number, us, status);
            }
            return Some(());
        }
        let (us, status) = (reader.varint()?, reader.byte()?);
        let depth = self.threads[number].frames.len();
        let mut size = || usize::try_from(reader.varint()?).ok();
        let (kept, new) = match encoding {
            1 => (0, size()?),
            2 => (size()?, size()?),
            3 => {
                let popped = size()?;
                (depth.checked_sub(popped)?, size()?)
            }
            _ => return None,
        };
        if new > DEPTH || kept > depth || kept + new > 2 * DEPTH {
            return None;
        }
        self.new.clear();
        for _ in 0..new {
            let frame = u32::try_from(reader.varint()?).ok()?;
            self.frames.get(frame as usize)?;
            self.new.push(frame);
        }
        let frames = &mut self.threads[number].frames;
        frames.truncate(kept);
        let mut stack = frames.last().map_or(Stack::EMPTY, |(_, stack)| *stack);
        for &frame in self.new.iter().rev() {
            if let Some(place) = self.frames[frame as usize].place {
                stack = self.stacks.called(stack, place);
            }
            frames.push((frame, stack));
        }
        self.sample(number, us, status);
        Some(())
    }

    fn thread(&mut self, key: (u64, u32)) -> usize {
        let number = match self.last {
            Some((last, number)) if last == key => number,
            _ => *self.numbers.entry(key).or_insert_with(|| {
                self.threads.push(Thread::default());
                self.threads.len() - 1
            }),
        };
        self.last = Some((key, number));
        let clearings = self.stacks.clear_if_full();
        let thread = &mut self.threads[number];
        if thread.clearings != clearings {
            thread.clearings = clearings;
            let mut stack = Stack::EMPTY;
            for (frame, known) in &mut thread.frames {
                if let Some(place) = self.frames[*frame as usize].place {
                    stack = self.stacks.called(stack, place);
                }
                *known = stack;
            }
        }
        number
    }

    fn sample(&mut self, number: usize, us: u64, status: u8) {
        self.records += 1;
        let thread = &mut self.threads[number];
        thread.clock_us = thread.clock_us.saturating_add(us);
        self.longest_us = self.longest_us.max(thread.clock_us);
        // A thread without Python code: no time of the program's.
        let Some(&(frame, stack)) = thread.frames.last() else {
            return;
        };
        let doing = if self.frames[frame as usize].is_gc {
            Doing::Collecting
        } else if self.is_wall && status & (GIL | ON_CPU | UNKNOWN) == 0 {
            Doing::Waiting
        } else {
            Doing::Running
        };
        self.stacks.seen(stack, us as f64 * 1e3, 1, doing);
    }
}
