//! Counters as a pystats build writes them, of any number of files at once.
//!
//! Files of one build have nearly the same lines in the same order. So the lines seen so far are kept in
//! that order, and a line is looked for among those that come next before its key is taken apart.

use std::collections::HashMap;
use std::io::BufRead;

use super::{Damage, Place, Problem, lines};
use crate::stats::Counters;
use crate::stats::counters::{Marks, named};

/// Keys that are kept; a real dump has less than 20,000.
const KEYS: usize = 1 << 20;
/// Keys of most dumps.
const USUAL: usize = 1 << 12;
/// Bytes of keys that are kept.
const TEXT: usize = 1 << 26;
/// Lines that are tried before the key is looked up.
const AHEAD: usize = 16;
/// Digits that always fit into 64 bits.
const DIGITS: usize = 19;
/// No key.
const NONE: u32 = u32::MAX;

/// A counter and the line it stood in.
#[derive(Debug, Clone, Copy)]
struct Key {
    /// The bytes before its value, in `Tally::text`.
    start: u32,
    end: u32,
    /// The key of a line further down.
    next: u32,
    /// It says that something is so: sums of it say nothing.
    is_flag: bool,
    marks: Marks,
}

/// Sums of files, and the file that is being read.
#[derive(Debug)]
pub(super) struct Tally {
    text: Vec<u8>,
    keys: Vec<Key>,
    numbers: HashMap<Box<str>, u32>,
    /// The key of the first line.
    first: u32,
    /// Of the file: by key, 0 for flags, and whether it has the key.
    values: Vec<u64>,
    has: Vec<bool>,
    /// Of all files that were kept.
    sums: Vec<u64>,
    kept: Vec<bool>,
    files: u64,
    minor: Option<&'static str>,
}

/// Where in a file.
struct Cursor {
    line: u64,
    foreign: u64,
    /// The key of the last line that had one.
    last: u32,
}

enum Line<'l> {
    Counter(&'l str, u64),
    Bad,
    Foreign,
}

impl Tally {
    /// Of no file.
    pub(super) fn new() -> Self {
        Self {
            text: Vec::with_capacity(USUAL * 64),
            keys: Vec::with_capacity(USUAL),
            numbers: HashMap::with_capacity(USUAL),
            first: NONE,
            values: Vec::new(),
            has: Vec::new(),
            sums: Vec::new(),
            kept: Vec::new(),
            files: 0,
            minor: None,
        }
    }

    /// Reads the lines that a build with pystats writes, whatever else stands between them, and tells
    /// the version by the names in them. They count once they are kept.
    pub(super) fn read(
        &mut self,
        input: impl BufRead,
        damage: &mut Damage,
    ) -> Result<Option<&'static str>, Problem> {
        self.values.fill(0);
        self.has.fill(false);
        let mut cursor = Cursor {
            line: 0,
            foreign: 0,
            last: NONE,
        };
        lines::blocks(input, |block, complete| {
            self.block(block, complete, &mut cursor, damage);
        })?;
        let foreign = cursor.foreign;
        if foreign > 0 {
            let lines = if foreign == 1 { "line is" } else { "lines are" };
            damage.about(format!("{foreign} {lines} no counter of pystats and left out"));
        }
        if cursor.last == NONE {
            return Err(Problem::Damaged {
                place: None,
                what: "no counter could be read".to_owned(),
            });
        }
        let present = self.keys.iter().zip(&self.has).filter(|(_, has)| **has);
        let marks = present.fold(Marks::default(), |marks, (key, _)| marks.and(key.marks));
        Ok(marks.minor())
    }

    /// Adds the file that was read last to the sums; false when one was held at 64 bits.
    pub(super) fn keep(&mut self, minor: Option<&'static str>) -> bool {
        let mut is_over = false;
        for (sum, value) in self.sums.iter_mut().zip(&self.values) {
            let added = sum.wrapping_add(*value);
            is_over |= added < *sum;
            *sum = if added < *sum { u64::MAX } else { added };
        }
        for (kept, has) in self.kept.iter_mut().zip(&self.has) {
            *kept |= *has;
        }
        self.files += 1;
        self.minor = minor.or(self.minor);
        !is_over
    }

    /// Adds the sums of another; false when one was held at 64 bits.
    pub(super) fn join(&mut self, other: &Self) -> bool {
        self.values.fill(0);
        self.has.fill(false);
        let mut fits = true;
        let mut last = NONE;
        for (number, name) in other.names().into_iter().enumerate() {
            let key = other.keys[number];
            let start = &other.text[key.start as usize..key.end as usize];
            if !other.kept[number] {
                continue;
            }
            match self.numbered(name, start, last) {
                Some(number_here) => {
                    last = number_here;
                    self.has[last as usize] = true;
                    if key.is_flag {
                        let known = &mut self.sums[last as usize];
                        *known = other.sums[number].max(*known);
                    } else {
                        self.values[last as usize] = other.sums[number];
                    }
                }
                None => fits = false,
            }
        }
        let files = self.files + other.files;
        fits &= self.keep(other.minor);
        self.files = files;
        fits
    }

    /// Keys, by number.
    fn names(&self) -> Vec<&str> {
        let mut names = vec![""; self.keys.len()];
        for (key, &number) in &self.numbers {
            names[number as usize] = key;
        }
        names
    }

    /// The sums, with names for numbers, which 3.11 and 3.12 print. Nothing is kept any more.
    pub(super) fn take(&mut self) -> Counters {
        let all = self.names().into_iter().zip(&self.sums).zip(&self.kept);
        let kept = all.filter_map(|((key, &sum), &kept)| kept.then_some((key, sum)));
        let mut counters = named(kept, self.minor);
        counters.files = self.files;
        self.sums.fill(0);
        self.kept.fill(false);
        (self.files, self.minor) = (0, None);
        counters
    }

    /// Whole lines; the last of the file may lack its end.
    fn block(&mut self, block: &[u8], complete: bool, cursor: &mut Cursor, damage: &mut Damage) {
        let mut rest = block;
        while !rest.is_empty() {
            cursor.line += 1;
            if let Some((number, value, length)) = self.expected(rest, cursor.last) {
                rest = &rest[length..];
                cursor.last = number;
                self.add(number, value, cursor.line, damage);
                continue;
            }
            let mut after = rest;
            let length = after.skip_until(b'\n').unwrap_or(rest.len());
            self.line(&rest[..length], complete, cursor, damage);
            rest = after;
        }
    }

    /// The key, value and length of a line that is one of those that come next.
    fn expected(&self, rest: &[u8], last: u32) -> Option<(u32, u64, usize)> {
        let mut number = self.after(last);
        for _ in 0..AHEAD {
            let key = self.keys.get(number as usize)?;
            let start = &self.text[key.start as usize..key.end as usize];
            if begins(rest, start)
                && let Some((value, length)) = ending_number(&rest[start.len()..])
            {
                return Some((number, value, start.len() + length));
            }
            number = key.next;
        }
        None
    }

    fn after(&self, last: u32) -> u32 {
        self.keys.get(last as usize).map_or(self.first, |key| key.next)
    }

    /// A line that is not where it was before.
    #[cold]
    fn line(&mut self, line: &[u8], complete: bool, cursor: &mut Cursor, damage: &mut Damage) {
        let text = (line.len() <= lines::LONGEST)
            .then(|| std::str::from_utf8(line).ok())
            .flatten();
        let Some(text) = text else {
            cursor.foreign += 1;
            return;
        };
        let at = Place::Line(cursor.line);
        match counter(text) {
            Line::Counter(key, value) if complete => {
                let Some(number) = self.number(key, text, cursor.last) else {
                    damage.at(at, "too many different counters: this one is left out");
                    return;
                };
                cursor.last = number;
                self.add(number, value, cursor.line, damage);
            }
            Line::Counter(..) => damage.at(at, "the file is cut here: the last line is left out"),
            Line::Bad => damage.at(at, "the value of this counter is no number of 64 bits"),
            Line::Foreign if text.trim().is_empty() => {}
            Line::Foreign if !complete && text.trim().starts_with("opcode[") => {
                damage.at(at, "the file is cut here: the last line is left out");
            }
            Line::Foreign => cursor.foreign += 1,
        }
    }

    #[inline]
    fn add(&mut self, number: u32, value: u64, line: u64, damage: &mut Damage) {
        let at = number as usize;
        self.has[at] = true;
        if self.keys[at].is_flag {
            let known = &mut self.sums[at];
            *known = value.max(*known);
            return;
        }
        let known = &mut self.values[at];
        let (sum, is_over) = known.overflowing_add(value);
        *known = sum;
        if is_over {
            *known = u64::MAX;
            damage.at(Place::Line(line), "the sum of this counter has more than 64 bits");
        }
    }

    /// The number of a key; none when there are too many. A new one is expected after the last from now on.
    fn number(&mut self, key: &str, line: &str, last: u32) -> Option<u32> {
        let renamed = old_uop(key);
        let name = renamed.as_deref().unwrap_or(key);
        // Up to the digits, which the line is known to have.
        let start = line.trim_end().trim_end_matches(|c: char| c.is_ascii_digit());
        self.numbered(name, start.as_bytes(), last)
    }

    /// The number of a name, and of the line it begins.
    fn numbered(&mut self, name: &str, start: &[u8], last: u32) -> Option<u32> {
        if let Some(&number) = self.numbers.get(name) {
            return Some(number);
        }
        if self.keys.len() >= KEYS || self.text.len() + start.len() > TEXT {
            return None;
        }
        let number = u32::try_from(self.keys.len()).ok()?;
        let begin = u32::try_from(self.text.len()).ok()?;
        self.text.extend_from_slice(start);
        self.keys.push(Key {
            start: begin,
            end: u32::try_from(self.text.len()).ok()?,
            next: self.after(last),
            is_flag: Counters::is_flag(name),
            marks: Marks::of(name),
        });
        match self.keys.get_mut(last as usize) {
            Some(before) => before.next = number,
            None => self.first = number,
        }
        self.numbers.insert(name.into(), number);
        self.values.push(0);
        self.has.push(false);
        self.sums.push(0);
        self.kept.push(false);
        Some(number)
    }
}

/// As `starts_with`, but lines differ near their ends, so these come first, and without a call.
#[inline]
fn begins(line: &[u8], start: &[u8]) -> bool {
    let Some(line) = line.get(..start.len()) else {
        return false;
    };
    let Some((line_end, start_end)) = line.last_chunk::<16>().zip(start.last_chunk::<16>()) else {
        return line == start;
    };
    let chunks = line.as_chunks::<16>().0.iter().zip(start.as_chunks::<16>().0);
    line_end == start_end
        && chunks
            .into_iter()
            .all(|(one, other)| u128::from_ne_bytes(*one) == u128::from_ne_bytes(*other))
}

/// A number that ends its line and surely fits, with the bytes to the next line.
#[inline]
fn ending_number(text: &[u8]) -> Option<(u64, usize)> {
    let (value, digits) = match text.first_chunk::<8>() {
        Some(&chunk) => few_digits(u64::from_le_bytes(chunk)).or_else(|| digits(text))?,
        None => digits(text)?,
    };
    let end = match text.get(digits)? {
        b'\n' => 1,
        b'\r' if text.get(digits + 1) == Some(&b'\n') => 2,
        _ => return None,
    };
    (digits > 0).then_some((value, digits + end))
}

/// The number that begins eight bytes, at once; none when all of them are digits.
#[inline]
fn few_digits(chunk: u64) -> Option<(u64, usize)> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let digits = chunk ^ (EACH * 0x30);
    // The highest bit of each byte that is more than 9.
    let others = (((digits & (EACH * 0x7f)) + EACH * 0x76) | digits) & (EACH * 0x80);
    let bits = others.trailing_zeros() & !7;
    if bits == 64 {
        return None;
    }
    // Zeros before the first digit; pairs, fours and eights are put together at once.
    let eight = digits.checked_shl(64 - bits).unwrap_or(0);
    let pairs = eight.wrapping_mul(10 * 256 + 1) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100 * 65_536 + 1) >> 16 & 0x0000_ffff_0000_ffff;
    let value = fours.wrapping_mul((10_000 << 32) + 1) >> 32;
    Some((value, bits as usize / 8))
}

/// One digit after the other.
#[cold]
fn digits(text: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (digits, &byte) in text.iter().take(DIGITS + 1).enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Some((value, digits));
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    None
}

fn counter(line: &str) -> Line<'_> {
    let Some((key, value)) = line.split_once(':') else {
        return Line::Foreign;
    };
    let (key, value) = (key.trim(), value.trim());
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if key.is_empty() {
        return Line::Foreign;
    }
    if is_number {
        return value.parse().map_or(Line::Bad, |value| Line::Counter(key, value));
    }
    if key.starts_with("opcode[") || key.starts_with("uop") {
        return Line::Bad;
    }
    Line::Foreign
}

/// Early builds print some uops without their underscore.
fn old_uop(key: &str) -> Option<String> {
    let name = key.strip_prefix("uops[")?;
    (!name.starts_with('_')).then(|| format!("uops[_{name}"))
}

#[cfg(test)]
mod tests {
    use super::ending_number;

    #[test]
    fn numbers_are_read_at_once_as_digit_by_digit() {
        let mut value = 0_u64;
        for length in 1..=19 {
            value = value * 10 + length % 10;
            for (end, after) in [("\n", ""), ("\r\n", "x : 1234567\n"), ("\n", "x : 1234567\n")] {
                for text in [
                    format!("{value}{end}{after}"),
                    format!("{:01$}{end}{after}", value % 7, value.to_string().len()),
                ] {
                    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap();
                    let expected = (text[..digits].parse().unwrap(), digits + end.len());
                    assert_eq!(ending_number(text.as_bytes()), Some(expected), "{text:?}");
                }
            }
        }
        for text in [
            "",
            "\n",
            "12",
            "12 \n",
            "1a\n",
            "-1\n",
            "12345678",
            "12345678901234567890\n",
            "1\r1",
            ":::::::::\n",
            "//////\n",
        ] {
            assert_eq!(ending_number(text.as_bytes()), None, "{text:?}");
        }
    }
}
