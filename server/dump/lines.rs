//! Lines of a stream, without trust in their length.

use std::io::{self, BufRead};

/// Longer lines are cut, bytes.
const LONGEST: usize = 1 << 16;

/// Calls `each` with every line, its 1-based number and whether its end was there. Ends are taken off,
/// `\r` too.
pub(super) fn each(mut input: impl BufRead, mut each: impl FnMut(u64, &[u8], bool)) -> io::Result<()> {
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        // Most lines are whole in the buffer: they are looked at there.
        if let Ok(mut buffer) = input.fill_buf() {
            let mut used = 0;
            loop {
                let mut rest = buffer;
                let length = rest.skip_until(b'\n').unwrap_or(0);
                let Some(content) = buffer[..length].strip_suffix(b"\n") else {
                    break;
                };
                let content = &content[..content.len().min(LONGEST)];
                number += 1;
                each(number, content.strip_suffix(b"\r").unwrap_or(content), true);
                used += length;
                buffer = &buffer[length..];
            }
            input.consume(used);
        }
        line.clear();
        let complete = next(&mut input, &mut line)?;
        if line.is_empty() && !complete {
            return Ok(());
        }
        number += 1;
        let content = line.strip_suffix(b"\r").unwrap_or(&line);
        each(number, content, complete);
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
