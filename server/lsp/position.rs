//! Lines and columns of a text, in bytes and as the client counts them.

use tower_lsp_server::ls_types::{Position, Range};

/// How a client counts the columns of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// 16-bit code units.
    #[default]
    Utf16,
    /// Code points.
    Utf32,
}

impl Encoding {
    /// Length of a text.
    #[must_use]
    pub fn length(self, text: &str) -> u32 {
        let length = match self {
            Self::Utf8 => text.len(),
            Self::Utf16 if text.is_ascii() => text.len(),
            Self::Utf16 => text.chars().map(char::len_utf16).sum(),
            Self::Utf32 => text.chars().count(),
        };
        u32::try_from(length).unwrap_or(u32::MAX)
    }

    /// Byte offset of a column in a line; within a character its beginning, beyond the end the
    /// end, as the protocol has it.
    #[must_use]
    pub fn byte(self, line: &str, column: u32) -> usize {
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if self == Self::Utf8 || line.is_ascii() {
            return line.floor_char_boundary(column.min(line.len()));
        }
        let mut units = 0;
        for (at, char) in line.char_indices() {
            units += match self {
                Self::Utf16 => char.len_utf16(),
                Self::Utf8 | Self::Utf32 => 1,
            };
            if units > column {
                return at;
            }
        }
        line.len()
    }
}

/// Where the lines of a text begin. Lines end at `\n`, `\r\n` and `\r`, for the protocol as for
/// CPython.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines(Vec<usize>);

impl Lines {
    /// Finds the beginnings.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            let ends = match byte {
                b'\n' => true,
                b'\r' => bytes.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            if ends {
                starts.push(at + 1);
            }
        }
        Self(starts)
    }

    /// How many there are; a text that ends with a line's end has an empty one after it.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The line of this 0-based number, without its end.
    #[must_use]
    pub fn line<'t>(&self, text: &'t str, number: usize) -> Option<&'t str> {
        let start = *self.0.get(number)?;
        let end = self.0.get(number + 1).copied().unwrap_or(text.len());
        let line = text.get(start..end)?;
        let line = line.strip_suffix('\n').unwrap_or(line);
        Some(line.strip_suffix('\r').unwrap_or(line))
    }

    /// Byte offset of a position; beyond the text its end.
    #[must_use]
    pub fn offset(&self, text: &str, position: Position, encoding: Encoding) -> usize {
        let number = usize::try_from(position.line).unwrap_or(usize::MAX);
        match self.line(text, number) {
            Some(line) => self.0[number] + encoding.byte(line, position.character),
            None => text.len(),
        }
    }

    /// Byte offsets of a range, in order.
    #[must_use]
    pub fn offsets(&self, text: &str, range: Range, encoding: Encoding) -> std::ops::Range<usize> {
        let start = self.offset(text, range.start, encoding);
        let end = self.offset(text, range.end, encoding);
        start.min(end)..start.max(end)
    }

    /// The position of a 1-based line and a byte column in it; none outside of the text or within
    /// a character.
    #[must_use]
    pub fn position(&self, text: &str, (line, column): (u32, u32), encoding: Encoding) -> Option<Position> {
        let number = line.checked_sub(1)?;
        let content = self.line(text, usize::try_from(number).ok()?)?;
        let before = content.get(..usize::try_from(column).ok()?)?;
        Some(Position::new(number, encoding.length(before)))
    }

    /// The end of a 1-based line.
    #[must_use]
    pub fn end_of(&self, text: &str, line: u32, encoding: Encoding) -> Option<Position> {
        let number = line.checked_sub(1)?;
        let content = self.line(text, usize::try_from(number).ok()?)?;
        Some(Position::new(number, encoding.length(content)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

    #[test]
    fn columns_count_bytes_units_and_characters() {
        let line = "a🦀é = 1";
        assert_eq!(ALL.map(|encoding| encoding.length(line)), [11, 8, 7]);
        for encoding in ALL {
            for (at, _) in line.char_indices().chain([(line.len(), ' ')]) {
                let column = encoding.length(&line[..at]);
                assert_eq!(encoding.byte(line, column), at, "{encoding:?} {at}");
            }
            assert_eq!(encoding.byte(line, 99), line.len());
        }
        // In the middle of the crab.
        assert_eq!(Encoding::Utf16.byte(line, 2), 1);
        assert_eq!(Encoding::Utf8.byte(line, 3), 1);
    }

    #[test]
    fn lines_end_in_three_ways() {
        let text = "a\nbb\r\nccc\rd\u{2028}d\n";
        let lines = Lines::new(text);
        let all: Vec<_> = (0..lines.count()).map(|n| lines.line(text, n)).collect();
        assert_eq!(all, ["a", "bb", "ccc", "d\u{2028}d", ""].map(Some));
        assert_eq!(lines.line(text, 5), None);
    }

    #[test]
    fn positions_beyond_the_text_are_its_end() {
        let text = "ab\ncd";
        let lines = Lines::new(text);
        for (position, offset) in [((0, 9), 2), ((1, 1), 4), ((9, 0), 5)] {
            let position = Position::new(position.0, position.1);
            assert_eq!(lines.offset(text, position, Encoding::Utf16), offset);
        }
    }
}
