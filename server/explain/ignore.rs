//! `# bytecost: ignore[id]` on a line: its findings are not wanted.

/// Whether a line's comment turns a finding off: `# bytecost: ignore` all of them,
/// `# bytecost: ignore[a, b]` those whose cause or state is named.
#[must_use]
pub fn is_ignored(line: &str, code: &str) -> bool {
    comments(line).any(|comment| match comment {
        None => true,
        Some(names) => names.split(',').any(|name| name.trim() == code),
    })
}

/// The line with a finding turned off, as an edit of the line's end: where it begins (a byte of
/// the line) and what stands there from then on.
#[must_use]
pub fn with_comment(line: &str, code: &str) -> (usize, String) {
    let end = line.trim_end().len();
    match line.rfind("# bytecost: ignore[") {
        Some(at) if line[at..].trim_end().ends_with(']') => (end - 1, format!(", {code}]")),
        _ => (end, format!("  # bytecost: ignore[{code}]")),
    }
}

/// The names in each such comment; none for one without names.
fn comments(line: &str) -> impl Iterator<Item = Option<&str>> {
    line.split('#').skip(1).filter_map(|comment| {
        let rest = comment.trim_start().strip_prefix("bytecost:")?;
        let rest = rest.trim_start().strip_prefix("ignore")?.trim_start();
        if rest.is_empty() {
            return Some(None);
        }
        let names = rest.strip_prefix('[')?;
        names.split_once(']').map(|(names, _)| Some(names))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_turns_off_what_it_names() {
        for (line, ignored) in [
            ("x = a % b  # bytecost: ignore", true),
            ("x = a % b  #bytecost:ignore[one]", true),
            ("x = a % b  # noqa # bytecost: ignore[two, one]", true),
            ("x = a % b  # bytecost: ignore[two]", false),
            ("x = a % b  # bytecost: ignore[]", false),
            ("x = a % b  # bytecost: ignore_me(3)", false),
            ("x = a % b  # ignore", false),
            ("x = a % b", false),
        ] {
            assert_eq!(is_ignored(line, "one"), ignored, "{line}");
        }
    }

    #[test]
    fn a_second_name_goes_into_the_same_comment() {
        let add = |line: &str, code: &str| {
            let (at, text) = with_comment(line, code);
            format!("{}{text}", &line[..at])
        };
        let once = add("x = a % b  ", "one");
        assert_eq!(once, "x = a % b  # bytecost: ignore[one]");
        let twice = add(&once, "two");
        assert_eq!(twice, "x = a % b  # bytecost: ignore[one, two]");
        assert!(is_ignored(&twice, "one") && is_ignored(&twice, "two"));
    }
}
