//! Painted spans to lines that fit the width.

use std::fmt::Write;

use anstyle::{Ansi256Color, Style as Paint};
use unicode_width::UnicodeWidthStr;

use super::{Style, cells};

/// What a span is for. Blue and orange stay apart for every kind of colour vision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    Strong,
    Dim,
    /// A place in the source.
    Place,
    /// What is generic.
    Generic,
    /// What misses.
    Missing,
}

impl Role {
    fn paint(self) -> Paint {
        let orange = Ansi256Color(172);
        let blue = Ansi256Color(33);
        match self {
            Self::Plain => Paint::new(),
            Self::Strong => Paint::new().bold(),
            Self::Dim => Paint::new().dimmed(),
            Self::Place => Paint::new().fg_color(Some(blue.into())),
            Self::Generic => Paint::new().bold().fg_color(Some(orange.into())),
            Self::Missing => Paint::new().bold().fg_color(Some(blue.into())),
        }
    }
}

/// A piece of text that is safe to write.
#[derive(Debug, Clone)]
pub(super) struct Span {
    role: Role,
    text: String,
}

impl Span {
    /// A text that [`cells`] laid out.
    pub fn safe(role: Role, text: String) -> Self {
        Self { role, text }
    }

    /// Its cells.
    pub fn width(&self) -> usize {
        self.text.width()
    }
}

/// The report as it grows.
pub(super) struct Page {
    pub style: Style,
    out: String,
}

impl Page {
    pub fn new(style: Style) -> Self {
        Self {
            style: Style {
                width: style.width.max(40),
                ..style
            },
            out: String::new(),
        }
    }

    pub fn finish(self) -> String {
        self.out
    }

    /// A span of any text.
    pub fn span(&self, role: Role, text: &str) -> Span {
        Span {
            role,
            text: cells::clean(text, self.style.ascii),
        }
    }

    pub fn blank(&mut self) {
        self.out.push('\n');
    }

    /// A section title after a blank line.
    pub fn heading(&mut self, title: &str) {
        self.blank();
        let span = self.span(Role::Strong, title);
        self.line(&[span]);
    }

    /// One line as it is.
    pub fn line(&mut self, spans: &[Span]) {
        let last = spans.iter().rposition(|span| !span.text.trim_end().is_empty());
        let spans = last.map_or(&[][..], |last| &spans[..=last]);
        for (index, span) in spans.iter().enumerate() {
            let text = if index + 1 == spans.len() {
                span.text.trim_end()
            } else {
                &span.text
            };
            let paint = span.role.paint();
            if self.style.color && !text.trim().is_empty() && span.role != Role::Plain {
                // Blanks outside, so that nothing paints them.
                let body = text.trim_start();
                self.out.push_str(&text[..text.len() - body.len()]);
                let _ = write!(self.out, "{paint}{body}{paint:#}");
            } else {
                self.out.push_str(text);
            }
        }
        self.out.push('\n');
    }

    /// Spans joined by a separator, wrapped between spans, and inside one only when it must be.
    pub fn flow(&mut self, spans: &[Span], separator: &str, indent: usize) {
        self.flow_after(
            &[Span::safe(Role::Plain, " ".repeat(indent))],
            spans,
            separator,
            indent,
        );
    }

    /// As [`Page::flow`], with a lead on the first line.
    pub fn flow_after(&mut self, lead: &[Span], spans: &[Span], separator: &str, indent: usize) {
        let separator = self.span(Role::Dim, separator);
        let mut line = lead.to_vec();
        let mut used = lead.iter().map(Span::width).sum();
        let mut empty = true;
        for span in spans {
            let needed = span.width() + if empty { 0 } else { separator.width() };
            if !empty && used + needed > self.style.width {
                self.line(&line);
                line = vec![Span::safe(Role::Plain, " ".repeat(indent))];
                used = indent;
                empty = true;
            }
            if !empty {
                line.push(separator.clone());
                used += separator.width();
            }
            let room = self.style.width.saturating_sub(used);
            let parts = wrap(&span.text, room, self.style.width - indent);
            for (index, part) in parts.into_iter().enumerate() {
                if index > 0 {
                    self.line(&line);
                    line = vec![Span::safe(Role::Plain, " ".repeat(indent))];
                    used = indent;
                }
                used += part.width();
                line.push(Span::safe(span.role, part));
            }
            empty = false;
        }
        if !empty {
            self.line(&line);
        }
    }

    /// A sentence, wrapped between words, hanging behind its bullet.
    pub fn paragraph(&mut self, bullet: &str, role: Role, text: &str) {
        let bullet = self.span(Role::Dim, bullet);
        let text = self.span(role, text);
        let indent = bullet.width();
        let room = self.style.width - indent;
        for (index, part) in wrap(&text.text, room, room).into_iter().enumerate() {
            let lead = if index == 0 {
                bullet.clone()
            } else {
                Span::safe(Role::Plain, " ".repeat(indent))
            };
            self.line(&[lead, Span::safe(role, part)]);
        }
    }
}

/// Breaks at blanks; a word longer than a line is broken where the line ends.
fn wrap(text: &str, first: usize, rest: usize) -> Vec<String> {
    if text.width() <= first {
        return vec![text.to_owned()];
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut room = first;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let gap = usize::from(!line.is_empty());
        if line.width() + gap + word.width() <= room {
            line.push_str(&" "[..gap]);
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
            room = rest;
        }
        for c in word.chars() {
            let mut grown = line.clone();
            grown.push(c);
            if grown.width() > room && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                room = rest;
                grown = c.to_string();
            }
            line = grown;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_wraps_at_blanks_and_long_words_at_the_edge() {
        assert_eq!(wrap("one two three", 7, 9), ["one two", "three"]);
        assert_eq!(
            wrap("a /very/long/path b", 8, 8),
            ["a", "/very/lo", "ng/path", "b"]
        );
        assert_eq!(wrap("数字数字", 5, 5), ["数字", "数字"]);
        assert_eq!(wrap("fits", 4, 4), ["fits"]);
    }

    #[test]
    fn without_colour_nothing_but_text_is_written() {
        let mut page = Page::new(Style::default());
        let spans = [page.span(Role::Generic, "a "), page.span(Role::Dim, "b  ")];
        page.line(&spans);
        assert_eq!(page.finish(), "a b\n");
    }
}
