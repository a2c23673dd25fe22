//! Austin's binary form, MOJO, of versions 1 to 3.

use std::collections::{HashMap, HashSet};

use super::bytes::Bytes;
use super::located::{Doing, Grain, Located, Place};
use super::stacks::Stacks;
use super::{Damage, Problem};

/// Frames of a stack that are kept.
const DEPTH: usize = 1 << 14;

#[derive(Default)]
struct Run {
    version: u8,
    strings: HashMap<(i64, i64), String>,
    frames: HashMap<(i64, i64), Option<usize>>,
    pid: i64,
    threads: HashSet<(i64, String)>,
    stacks: Stacks,
    stack: Vec<usize>,
    before: Vec<usize>,
    python: Option<String>,
    is_memory: bool,
    doing: Option<Doing>,
    has_columns: bool,
}

/// Reads a file; what comes before damage is kept.
pub(super) fn read(bytes: &[u8], damage: &mut Damage) -> Result<Located, Problem> {
    let mut reader = Bytes::new(bytes);
    let version = reader.take(4).map_or(0, |magic| magic[3]);
    let mut run = Run {
        version,
        ..Run::default()
    };
    if !(1..=3).contains(&version) {
        return Err(Problem::Damaged {
            place: Some(super::Place::Offset(3)),
            what: format!("version {version} of this format is not known, only 1 to 3 are"),
        });
    }
    while reader.left() > 0 {
        let at = reader.offset();
        if run.event(&mut reader).is_none() {
            let what = "the file is cut or damaged here; what comes before is kept";
            damage.at(super::Place::Offset(at), what);
            break;
        }
    }
    if run.is_memory {
        return Err(Problem::Refused(
            "this dump is of memory only: it has no times".to_owned(),
        ));
    }
    let threads = run.threads.len() as u64;
    let mut located = run.stacks.finish(if run.has_columns {
        Grain::Expression
    } else {
        Grain::Line
    });
    located.python = run.python;
    located.threads = threads.max(1);
    Ok(located)
}

/// The first byte has a sign and six bits, the next seven each. Keys have all of 64 bits.
fn number(reader: &mut Bytes) -> Option<i64> {
    let first = reader.byte()?;
    let mut value = u64::from(first & 0x3f);
    let (mut more, mut shift) = (first & 0x80 != 0, 6);
    while more {
        let byte = reader.byte()?;
        if shift > 62 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << shift;
        more = byte & 0x80 != 0;
        shift += 7;
    }
    let value = value.cast_signed();
    Some(if first & 0x40 != 0 {
        value.wrapping_neg()
    } else {
        value
    })
}

impl Run {
    /// One event; none when it is damaged.
    fn event(&mut self, reader: &mut Bytes) -> Option<()> {
        match reader.byte()? {
            0 | 4 => {}
            1 => {
                let (key, value) = (reader.zero_ended()?, reader.zero_ended()?);
                match key.as_str() {
                    "mode" => self.is_memory = value == "memory",
                    "python" => self.python = Some(value.chars().take(16).filter(char::is_ascii).collect()),
                    _ => {}
                }
            }
            2 => {
                self.pid = number(reader)?;
                if self.version >= 3 {
                    number(reader)?;
                }
                let thread = reader.zero_ended()?;
                if self.threads.len() < DEPTH {
                    self.threads.insert((self.pid, thread));
                }
                self.before = std::mem::take(&mut self.stack);
                self.doing = None;
            }
            3 => self.frame(reader)?,
            5 => {
                let key = (self.pid, number(reader)?);
                if self.stack.len() < DEPTH {
                    self.stack.extend(self.frames.get(&key).copied().flatten());
                }
            }
            6 => drop(reader.zero_ended()?),
            7 => self.doing = Some(Doing::Collecting),
            8 => self.doing = self.doing.or(Some(Doing::Waiting)),
            9 => {
                let us = u64::try_from(number(reader)?).ok()?;
                let doing = self.doing.unwrap_or(Doing::Running);
                self.stacks.add(&self.stack, us as f64 * 1e3, 1, doing);
            }
            10 | 12 => drop(number(reader)?),
            11 => {
                let key = (self.pid, number(reader)?);
                let text = reader.zero_ended()?;
                self.strings.insert(key, text);
            }
            13 => self.stack.clone_from(&self.before),
            _ => return None,
        }
        Some(())
    }

    /// A frame gets its number; stacks then name it.
    fn frame(&mut self, reader: &mut Bytes) -> Option<()> {
        let key = (self.pid, number(reader)?);
        let (file, scope) = (number(reader)?, number(reader)?);
        let small = |value: i64| u32::try_from(value).unwrap_or(0);
        let line = small(number(reader)?);
        let text = |key: i64| self.strings.get(&(self.pid, key)).map_or("~", String::as_str);
        let mut place = Place::line(text(file), text(scope), line);
        if self.version > 1 {
            let end_line = small(number(reader)?);
            // Columns count from 1, 0 where there is none.
            let (start, end) = (small(number(reader)?), small(number(reader)?));
            if let Some(position) = &mut place.position {
                position.end_line = end_line.max(line);
                position.columns = start.checked_sub(1).zip(end.checked_sub(1));
                self.has_columns |= position.columns.is_some();
            }
        }
        let place = self.stacks.place(place);
        self.frames.insert(key, place);
        Some(())
    }
}
