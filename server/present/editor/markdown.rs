//! Any text to Markdown that shows it as it is.

use crate::present::terminal::cells;

/// Code within a line, whatever it holds.
pub(super) fn code(text: &str, ascii: bool) -> String {
    let text = cells::clean(text, ascii);
    let fence = "`".repeat(longest_run(&text) + 1);
    // A space on both sides is dropped when it is rendered.
    let pad = text.starts_with('`') || text.ends_with('`') || (text.starts_with(' ') && text.ends_with(' '));
    let pad = if pad { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A block of preformatted text.
pub(super) fn block(text: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    format!("{fence}text\n{}\n{fence}", text.trim_end_matches('\n'))
}

/// Prose from elsewhere, with nothing in it taken for markup.
pub(super) fn prose(text: &str, ascii: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in cells::clean(text, ascii).chars() {
        if matches!(
            letter,
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '~' | '|' | '!' | '&' | '$'
        ) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`')
        .map(str::len)
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_do_not_end_code() {
        assert_eq!(code("b.x % 7", false), "`b.x % 7`");
        assert_eq!(code("a `` b", false), "```a `` b```");
        assert_eq!(code("`x`", false), "`` `x` ``");
        assert_eq!(code("a\nb\u{1b}[1m", false), "`a b·[1m`");
        assert_eq!(block("x = '```'"), "````text\nx = '```'\n````");
        assert_eq!(block("x"), "```text\nx\n```");
    }

    #[test]
    fn prose_is_no_markup() {
        assert_eq!(
            prose("<b>*x*</b> [a](command:b)", false),
            r"\<b\>\*x\*\</b\> \[a\](command:b)"
        );
    }
}
