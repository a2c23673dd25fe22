//! Characters to terminal cells.

use std::borrow::Cow;
use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Cells between tab stops.
const TAB: usize = 4;

/// One line of text laid out in cells, safe to write to a terminal.
pub(in crate::present) struct Cells {
    glyphs: Vec<Glyph>,
    width: usize,
    ellipsis: &'static str,
}

/// What is drawn as one: a character with all that combines with it.
struct Glyph {
    byte: usize,
    cell: usize,
    text: String,
}

/// A part of a line and where the part of interest came to stand in it.
pub(in crate::present) struct View {
    pub text: String,
    pub focus: Range<usize>,
}

impl Cells {
    /// Lays a line out: tabs to the next stop, characters that would steer the terminal or turn
    /// the text around as `·`.
    pub fn new(line: &str, ascii: bool) -> Self {
        let mut glyphs: Vec<Glyph> = Vec::new();
        let mut width = 0;
        let mut joins = false;
        for (byte, c) in line.char_indices() {
            let extends = joins || is_extension(c);
            joins = c == '\u{200d}';
            let shown = shown(c, ascii);
            match glyphs.last_mut() {
                Some(last) if extends && !ascii && !last.text.starts_with(' ') => {
                    last.text.push_str(&shown);
                    width = last.cell + last.text.width();
                }
                _ => {
                    let text = if c == '\t' {
                        " ".repeat(TAB - width % TAB)
                    } else {
                        shown.into_owned()
                    };
                    let cell = width;
                    width += text.width();
                    glyphs.push(Glyph { byte, cell, text });
                }
            }
        }
        Self {
            glyphs,
            width,
            ellipsis: if ascii { "..." } else { "…" },
        }
    }

    /// Cells of the whole line.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The cell where the byte offset stands; the width behind the end.
    pub fn cell(&self, byte: usize) -> usize {
        self.glyphs
            .iter()
            .find(|glyph| glyph.byte >= byte)
            .map_or(self.width, |glyph| glyph.cell)
    }

    /// The whole line if it fits the room, else its beginning and an ellipsis.
    pub fn fit(&self, room: usize) -> String {
        self.view(0, 0..0, room).text
    }

    /// At most `room` cells without the first `skip` ones, moved so that the focus is seen.
    pub fn view(&self, skip: usize, focus: Range<usize>, room: usize) -> View {
        let gap = self.ellipsis.width();
        let fits = self.width.saturating_sub(skip) <= room;
        let from = if fits || focus.end.saturating_sub(skip) + gap <= room {
            skip
        } else {
            focus.start.saturating_sub((room / 4).min(8)).max(skip)
        };
        let lead = if from > skip { gap } else { 0 };
        let rest_fits = self.width.saturating_sub(from) + lead <= room;
        let end = if rest_fits {
            self.width
        } else {
            from + room.saturating_sub(lead + gap)
        };
        let mut text = if lead > 0 {
            self.ellipsis.to_owned()
        } else {
            String::new()
        };
        let mut at = from;
        for glyph in self.glyphs.iter().filter(|glyph| glyph.cell >= from) {
            let width = glyph.text.width();
            if glyph.cell + width > end {
                break;
            }
            // Half of a wide character stood here.
            text.push_str(&" ".repeat(glyph.cell - at));
            text.push_str(&glyph.text);
            at = glyph.cell + width;
        }
        if !rest_fits {
            text.truncate(
                text.trim_end()
                    .len()
                    .max(if lead > 0 { self.ellipsis.len() } else { 0 }),
            );
            text.push_str(self.ellipsis);
        }
        let place = |cell: usize| cell.clamp(from, end.max(from)) - from + lead;
        View {
            text,
            focus: place(focus.start)..place(focus.end),
        }
    }
}

/// A text of our own or of the target, on one line and safe to write.
pub(in crate::present) fn clean(text: &str, ascii: bool) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| {
            if c.is_whitespace() {
                Cow::Borrowed(" ")
            } else {
                shown(c, ascii)
            }
        })
        .collect()
}

/// A line of source with its tabs, otherwise safe to show: character by character, so that columns stay.
pub(in crate::present) fn visible(line: &str) -> String {
    line.chars()
        .map(|c| if c != '\t' && steers(c) { '·' } else { c })
        .collect()
}

/// Whether the character is drawn into the one before it.
fn is_extension(c: char) -> bool {
    let is_skin_tone = ('\u{1f3fb}'..='\u{1f3ff}').contains(&c);
    is_skin_tone || (c.width() == Some(0) && !steers(c))
}

/// Whether the character would steer the terminal or turn the text around.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn shown(c: char, ascii: bool) -> Cow<'static, str> {
    if steers(c) {
        return if ascii { "?" } else { "·" }.into();
    }
    if !ascii || c.is_ascii() {
        return String::from(c).into();
    }
    match c {
        '·' | '–' => "-".into(),
        '…' | '⋯' => "...".into(),
        '→' => "->".into(),
        '≥' => ">=".into(),
        'µ' => "u".into(),
        '▲' => "!".into(),
        '▼' => "~".into(),
        // As Python's ascii() writes it.
        c if u32::from(c) < 0x100 => format!("\\x{:02x}", u32::from(c)).into(),
        c if u32::from(c) < 0x1_0000 => format!("\\u{:04x}", u32::from(c)).into(),
        c => format!("\\U{:08x}", u32::from(c)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn underlined(line: &str, part: &str, room: usize, ascii: bool) -> String {
        let cells = Cells::new(line, ascii);
        let start = line.find(part).unwrap();
        let focus = cells.cell(start)..cells.cell(start + part.len());
        let view = cells.view(0, focus, room);
        assert!(
            view.text.width() <= room,
            "{} cells in {room}: {}",
            view.text.width(),
            view.text
        );
        format!(
            "{}\n{}{}",
            view.text,
            " ".repeat(view.focus.start),
            "^".repeat(view.focus.len())
        )
    }

    #[test]
    fn carets_stand_under_what_they_mean() {
        assert_eq!(underlined("a = b", "b", 20, false), "a = b\n    ^");
        assert_eq!(underlined("\tx = y", "y", 20, false), "    x = y\n        ^");
        assert_eq!(underlined("ab\tx", "x", 20, false), "ab  x\n    ^");
        assert_eq!(
            underlined("数 = 字 + x", "字 + x", 20, false),
            "数 = 字 + x\n     ^^^^^^"
        );
        assert_eq!(
            underlined("'e\u{301}' + x", "x", 20, false),
            "'e\u{301}' + x\n      ^"
        );
        assert_eq!(underlined("'👩‍👩‍👧' + x", "x", 20, false), "'👩‍👩‍👧' + x\n       ^");
        assert_eq!(underlined("'👍🏽' + x", "x", 20, false), "'👍🏽' + x\n       ^");
        assert_eq!(underlined("é + x", "x", 20, true), "\\xe9 + x\n       ^");
    }

    #[test]
    fn a_focus_far_right_is_moved_into_view() {
        let line = format!("value = {} + target % 7", "a".repeat(60));
        assert_eq!(
            underlined(&line, "target % 7", 20, false),
            "…aa + target % 7\n      ^^^^^^^^^^"
        );
        assert_eq!(
            underlined(&line, "value", 20, false),
            "value = aaaaaaaaaaa…\n^^^^^"
        );
        assert_eq!(
            underlined(&line, "value", 20, true),
            "value = aaaaaaaaa...\n^^^^^"
        );
    }

    #[test]
    fn nothing_steers_the_terminal() {
        let hostile = "\u{1b}[2J \u{7f}\u{9b}31m \u{202e}x\u{2066}";
        let shown = Cells::new(hostile, false).fit(80);
        assert_eq!(shown, "·[2J ··31m ·x·");
        assert_eq!(clean("a\nb\u{1b}c", true), "a b?c");
    }

    #[test]
    fn any_room_and_any_cut_of_wide_text_fits() {
        let line = "\t数字=\"👍🏽👩‍👩‍👧é\u{301}\"+\u{1b}abc数";
        for ascii in [false, true] {
            let cells = Cells::new(line, ascii);
            for room in 8..60 {
                for start in 0..cells.width() {
                    for end in start..=cells.width() {
                        let view = cells.view(4, start.max(4)..end.max(4), room);
                        assert!(view.text.width() <= room);
                        assert!(view.focus.end <= room && view.focus.start <= view.focus.end);
                    }
                }
            }
        }
    }
}
