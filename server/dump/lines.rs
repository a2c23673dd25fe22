//! Lines of a stream, without trust in their length.

use std::io::{self, BufRead};

/// Longer lines are cut, bytes.
pub(super) const LONGEST: usize = 1 << 16;

/// Calls `each` with every line, its 1-based number and whether its end was there. Ends are taken off,
/// `\r` too.
pub(super) fn each(input: impl BufRead, mut each: impl FnMut(u64, &[u8], bool)) -> io::Result<()> {
    let mut number = 0;
    blocks(input, |block, complete| {
        let mut rest = block;
        while !rest.is_empty() {
            let mut after = rest;
            let length = after.skip_until(b'\n').unwrap_or(rest.len());
            let line = &rest[..length];
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = &line[..line.len().min(LONGEST)];
            number += 1;
            each(number, line.strip_suffix(b"\r").unwrap_or(line), complete);
            rest = after;
        }
    })
}

/// Calls `each` with runs of whole lines, their ends with them, and whether the last has its end: only
/// the last of all may lack it. A line that is cut comes alone.
pub(super) fn blocks(mut input: impl BufRead, mut each: impl FnMut(&[u8], bool)) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        // Most lines are whole in the buffer: they are looked at there.
        if let Ok(buffer) = input.fill_buf()
            && let Some(last) = buffer.iter().rposition(|&byte| byte == b'\n')
        {
            each(&buffer[..=last], true);
            input.consume(last + 1);
        }
        line.clear();
        let complete = next(&mut input, &mut line)?;
        if complete {
            line.push(b'\n');
        }
        if !line.is_empty() {
            each(&line, complete);
        }
        if !complete {
            return Ok(());
        }
    }
}

/// The next line up to `LONGEST`; whether it ended with a line feed.
fn next(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        let buffer = match input.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // A cut archive: what came before is good.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            return Ok(false);
        }
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        let room = LONGEST.saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let used = end.map_or(buffer.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}
