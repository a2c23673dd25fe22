//! Text to functions and positions.
//!
//! The parser recovers from errors, so a file with a mistake in one function still yields the
//! others. Nothing here refuses a text: whether it compiles is the interpreter's to say.

pub(crate) mod call;
mod comments;
mod constructor;
mod docstring;
mod expression;
mod function;
pub mod mapping;
mod names;
mod outline;
pub mod runnable;

use ruff_source_file::{LineIndex, OneIndexed};
use ruff_text_size::TextSize;

pub use call::Obstacle;
pub use constructor::Constructor;
pub use expression::{ExpressionProblem, Operand, check_expression, operands};
pub use function::{EnclosingClass, Function, FunctionKind};

/// A text with its lines, functions and syntax errors.
#[derive(Debug, Clone)]
pub struct Source {
    text: String,
    index: LineIndex,
    had_bom: bool,
    outline: outline::Outline,
}

/// A place where the text is not Python of any known version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxProblem {
    /// 1-based.
    pub line: u32,
    /// 0-based UTF-8 byte column.
    pub column: u32,
    /// What is wrong, without a place.
    pub message: String,
}

impl Source {
    /// Reads a decoded text. A leading byte order mark is dropped and remembered.
    ///
    /// Never fails: what cannot be parsed is in [`Source::problems`]. A text of 4 GiB or more is
    /// read as empty, with a problem that says so.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let (text, had_bom) = match text.strip_prefix('\u{feff}') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        if u32::try_from(text.len()).is_err() {
            let mut empty = Self::new("");
            empty.outline.problems.push(SyntaxProblem {
                line: 1,
                column: 0,
                message: "the file is larger than 4 GiB".to_owned(),
            });
            return empty;
        }
        let index = LineIndex::from_source_text(text);
        let outline = outline::read(text, &index);
        Self {
            text: text.to_owned(),
            index,
            had_bom,
            outline,
        }
    }

    /// The text, without the byte order mark.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the text began with a byte order mark.
    #[must_use]
    pub fn had_bom(&self) -> bool {
        self.had_bom
    }

    /// The line of this 1-based number, without its line ending.
    ///
    /// Lines end at `\n`, `\r\n` and `\r` only, as in CPython's tokenizer: a form feed or a
    /// Unicode separator does not end one.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<&str> {
        if number > self.line_count() {
            return None;
        }
        let number = OneIndexed::new(usize::try_from(number).ok()?)?;
        let line = &self.text[self.index.line_range(number, &self.text)];
        let line = line.strip_suffix('\n').unwrap_or(line);
        Some(line.strip_suffix('\r').unwrap_or(line))
    }

    /// Number of lines; a line ending at the very end starts no further line.
    #[must_use]
    pub fn line_count(&self) -> u32 {
        let open = self.text.is_empty() || self.text.ends_with(['\n', '\r']);
        to_u32(self.index.line_count() - usize::from(open))
    }

    /// The text between two places, each a 1-based line and a 0-based UTF-8 byte column, end
    /// exclusive; none when a place is outside the text or within a character.
    #[must_use]
    pub fn slice(&self, start: (u32, u32), end: (u32, u32)) -> Option<&str> {
        self.text.get(self.offset(start)?..self.offset(end)?)
    }

    fn offset(&self, (line, column): (u32, u32)) -> Option<usize> {
        let column = usize::try_from(column).ok()?;
        if column > self.line(line)?.len() {
            return None;
        }
        let start = self
            .index
            .line_start(OneIndexed::new(usize::try_from(line).ok()?)?, &self.text);
        Some(start.to_usize() + column)
    }

    /// Every function and method at any depth, lambdas excluded, in source order.
    #[must_use]
    pub fn functions(&self) -> &[Function] {
        &self.outline.functions
    }

    /// The function of this qualified name.
    ///
    /// Of several definitions the last one counts, as at run time; the setter and deleter of a
    /// property do not hide its getter. `.<locals>` may be left out, and a name may be written in
    /// any form that CPython reads as the same identifier (NFKC).
    #[must_use]
    pub fn find_function(&self, qualname: &str) -> Option<&Function> {
        names::find(&self.outline.functions, qualname)
    }

    /// At most three qualified names that may have been meant, the likeliest first.
    #[must_use]
    pub fn closest_names(&self, qualname: &str) -> Vec<&str> {
        names::closest(&self.outline.functions, qualname)
    }

    /// Every class at any depth, in source order.
    pub(crate) fn classes(&self) -> &[outline::ClassStatement] {
        &self.outline.classes
    }

    /// First and last lines of the `if __name__ == "__main__":` statements at module level.
    pub(crate) fn main_blocks(&self) -> &[(u32, u32)] {
        &self.outline.main_blocks
    }

    /// Syntax errors, in source order.
    #[must_use]
    pub fn problems(&self) -> &[SyntaxProblem] {
        &self.outline.problems
    }

    /// The largest number of dots any `from .x import y` of the text begins with; 0 for none.
    #[must_use]
    pub fn relative_import_level(&self) -> u32 {
        self.outline.relative_import_level
    }
}

/// 1-based line of an offset.
fn line_of(index: &LineIndex, offset: TextSize) -> u32 {
    to_u32(index.line_index(offset).get())
}

/// Offsets fit 32 bits (`Source::new` refuses more), so line numbers do.
fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
