//! The location table (`co_linetable`) of CPython 3.11 and later.
//!
//! Format: `Objects/locations.md` (3.11–3.13), `InternalDocs/code_objects.md` (3.14+). Entries cover
//! 1 to 8 code units each; the first byte is `1cccclll`: code and length minus one.

use crate::profile::Position;

/// Position of each code unit (2 bytes), `None` for artificial instructions. A damaged table ends
/// where it stops making sense; units beyond it have no position.
#[must_use]
pub fn decode(table: &[u8], first_line: u32) -> Vec<Option<Position>> {
    let mut out = Vec::with_capacity(table.len());
    let mut line = i64::from(first_line);
    let mut bytes = table.iter().copied();
    while let Some(head) = bytes.next() {
        let length = usize::from(head & 7) + 1;
        let position = match head >> 3 & 15 {
            15 => None,
            14 => {
                line += signed(&mut bytes);
                let end_line = line + unsigned(&mut bytes).cast_signed();
                let column = unsigned(&mut bytes);
                let end_column = unsigned(&mut bytes);
                // Columns are stored plus one, 0 for none.
                let columns =
                    (column > 0 && end_column > 0).then(|| (narrow(column - 1), narrow(end_column - 1)));
                place(line, end_line, columns)
            }
            13 => {
                line += signed(&mut bytes);
                place(line, line, None)
            }
            code @ 10..=12 => {
                line += i64::from(code - 10);
                let column = bytes.next().unwrap_or(0);
                let end_column = bytes.next().unwrap_or(0);
                place(line, line, Some((u32::from(column), u32::from(end_column))))
            }
            code => {
                let low = bytes.next().unwrap_or(0);
                let column = u32::from(code) << 3 | u32::from(low >> 4);
                place(line, line, Some((column, column + u32::from(low & 15))))
            }
        };
        out.extend(std::iter::repeat_n(position, length));
    }
    out
}

fn place(line: i64, end_line: i64, columns: Option<(u32, u32)>) -> Option<Position> {
    let line = u32::try_from(line).ok()?;
    Some(Position {
        line,
        end_line: u32::try_from(end_line).ok()?,
        columns,
    })
}

/// Six bits a byte, least significant first; bit 6 says another follows.
fn unsigned(bytes: &mut impl Iterator<Item = u8>) -> u64 {
    let (mut value, mut shift) = (0u64, 0);
    for byte in bytes {
        value |= u64::from(byte & 63).checked_shl(shift).unwrap_or(0);
        if byte & 64 == 0 {
            break;
        }
        shift += 6;
    }
    value
}

/// The lowest bit is the sign.
fn signed(bytes: &mut impl Iterator<Item = u8>) -> i64 {
    let value = unsigned(bytes);
    let magnitude = (value >> 1).cast_signed();
    if value & 1 == 1 { -magnitude } else { magnitude }
}

fn narrow(column: u64) -> u32 {
    u32::try_from(column).unwrap_or(u32::MAX)
}
