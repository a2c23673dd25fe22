//! Source text by CPython's lines and columns.

use crate::profile::Position;

/// A text cut into lines as CPython's tokenizer cuts it: at `\n`, `\r\n` and `\r`, not at form
/// feeds or Unicode separators; a byte order mark is not part of the first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    lines: Vec<String>,
}

/// The part of an expression that stands on its first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excerpt<'t> {
    /// The whole first line, without its end.
    pub line: &'t str,
    /// Byte range of the expression in `line`, on character boundaries.
    pub start: usize,
    /// End of the range, exclusive.
    pub end: usize,
    /// The expression goes on on further lines.
    pub continues: bool,
}

impl<'t> Excerpt<'t> {
    /// The expression's text on its first line.
    #[must_use]
    pub fn text(&self) -> &'t str {
        &self.line[self.start..self.end]
    }
}

impl SourceText {
    /// Cuts a text into lines.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        Self {
            lines: text.split('\n').map(str::to_owned).collect(),
        }
    }

    /// The line without its end, by 1-based number.
    #[must_use]
    pub fn line(&self, line: u32) -> Option<&str> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        self.lines.get(index).map(String::as_str)
    }

    /// The expression at a position; none without columns, outside the text, or when the
    /// columns do not fit the text.
    #[must_use]
    pub fn excerpt(&self, position: Position) -> Option<Excerpt<'_>> {
        let line = self.line(position.line)?;
        let (start, end) = position.columns?;
        let continues = position.end_line > position.line;
        let start = usize::try_from(start).ok()?;
        let end = if continues {
            line.trim_end().len()
        } else {
            usize::try_from(end).ok()?
        };
        line.get(start..end).filter(|text| !text.is_empty())?;
        Some(Excerpt {
            line,
            start,
            end,
            continues,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, end_line: u32, columns: (u32, u32)) -> Position {
        Position {
            line,
            end_line,
            columns: Some(columns),
        }
    }

    #[test]
    fn lines_end_where_the_tokenizer_ends_them() {
        let text = SourceText::new("\u{feff}a\r\nb\rc\x0cd\u{2028}e\nf");
        let lines: Vec<_> = (0..=5).map(|line| text.line(line)).collect();
        assert_eq!(
            lines,
            [
                None,
                Some("a"),
                Some("b"),
                Some("c\x0cd\u{2028}e"),
                Some("f"),
                None
            ]
        );
    }

    #[test]
    fn columns_are_bytes() {
        let text = SourceText::new("é = 数 + 1");
        assert_eq!(text.excerpt(at(1, 1, (5, 12))).unwrap().text(), "数 + 1");
    }

    #[test]
    fn an_expression_of_many_lines_ends_with_its_first() {
        let text = SourceText::new("x = f(  \n  1)\n");
        let excerpt = text.excerpt(at(1, 2, (4, 4))).unwrap();
        assert_eq!((excerpt.text(), excerpt.continues), ("f(", true));
    }

    #[test]
    fn columns_that_do_not_fit_give_nothing() {
        let text = SourceText::new("é = 1");
        for columns in [(1, 3), (0, 1), (3, 2), (0, 99), (2, 2), (u32::MAX, u32::MAX)] {
            assert_eq!(text.excerpt(at(1, 1, columns)), None, "{columns:?}");
        }
        assert_eq!(text.excerpt(at(9, 9, (0, 1))), None);
        assert_eq!(
            text.excerpt(Position {
                line: 1,
                end_line: 1,
                columns: None
            }),
            None
        );
    }
}
