//! Examples in docstrings, read as the standard library's `doctest.DocTestParser` reads them.

use ruff_python_ast::{Expr, Stmt};

/// Sources of the examples in the docstring of this body; none when there are none.
pub(super) fn examples_of(body: &[Stmt]) -> Option<Vec<String>> {
    let Some(Stmt::Expr(statement)) = body.first() else {
        return None;
    };
    let Expr::StringLiteral(literal) = &*statement.value else {
        return None;
    };
    let examples = examples(literal.value.to_str());
    (!examples.is_empty()).then_some(examples)
}

fn examples(docstring: &str) -> Vec<String> {
    let text = expand_tabs(&docstring.replace("\r\n", "\n").replace('\r', "\n"));
    let mut lines = text.split('\n').peekable();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let Some(first) = after_prompt(line, ">>>") else {
            continue;
        };
        let mut source = vec![first];
        while let Some(next) = lines.next_if(|line| line.trim_start_matches(' ').starts_with("...")) {
            source.extend(after_prompt(next, "..."));
        }
        let mut expected = Vec::new();
        while let Some(next) = lines.next_if(|line| !line.trim().is_empty() && !is_prompt(line)) {
            expected.push(next.trim());
        }
        if !is_comment(&source) && !is_skipped(&source) && !is_exception(&expected) {
            found.push(source.join("\n"));
        }
    }
    found
}

fn is_prompt(line: &str) -> bool {
    line.trim_start_matches(' ').starts_with(">>>")
}

/// What follows the prompt and its space. A prompt without one is an error to doctest; it is
/// no example here.
fn after_prompt<'a>(line: &'a str, prompt: &str) -> Option<&'a str> {
    let rest = line.trim_start_matches(' ').strip_prefix(prompt)?;
    if rest.is_empty() {
        Some("")
    } else {
        rest.strip_prefix(' ')
    }
}

/// doctest drops examples that are only blanks and comments.
fn is_comment(source: &[&str]) -> bool {
    source
        .iter()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

fn is_skipped(source: &[&str]) -> bool {
    source.iter().any(|line| {
        line.split_once("doctest:").is_some_and(|(before, options)| {
            before.trim_end().ends_with('#')
                && options
                    .split([',', ' ', '\t'])
                    .any(|option| option.trim() == "+SKIP")
        })
    })
}

/// An example that shows an exception would end the workload.
fn is_exception(expected: &[&str]) -> bool {
    expected.first().is_some_and(|line| {
        line.starts_with("Traceback (most recent call last):")
            || line.starts_with("Traceback (innermost last):")
    })
}

/// `str.expandtabs()`, as doctest applies it.
fn expand_tabs(text: &str) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut column = 0;
    for letter in text.chars() {
        match letter {
            '\t' => {
                let width = 8 - column % 8;
                expanded.extend(std::iter::repeat_n(' ', width));
                column += width;
            }
            '\n' => {
                expanded.push('\n');
                column = 0;
            }
            _ => {
                expanded.push(letter);
                column += 1;
            }
        }
    }
    expanded
}

#[cfg(test)]
mod tests {
    use super::{examples, expand_tabs};

    #[test]
    fn examples_are_those_doctest_runs() {
        for (docstring, expected) in [
            ("no examples", &[][..]),
            ("Adds.\n\n    >>> f(1)\n    2\n    >>> f(2)\n", &["f(1)", "f(2)"]),
            (
                ">>> for i in x:\n...     f(i)\n...\n1\n2\n",
                &["for i in x:\n    f(i)\n"],
            ),
            ("\t>>> f(\n\t... 1)\n", &["f(\n1)"]),
            ("    >>> x = 1\r\n    >>> f(x)\r\n", &["x = 1", "f(x)"]),
            (
                ">>> # only a note\n>>> f(1) # doctest: +SKIP\n>>> f(2) # doctest: +ELLIPSIS, +SKIP\n",
                &[],
            ),
            (
                ">>> f(1)\nTraceback (most recent call last):\n    ...\nValueError\n>>> f(2)\n",
                &["f(2)"],
            ),
            (
                ">>> f(1)\n... is output when a blank is missing\n",
                &["f(1)\nis output when a blank is missing"],
            ),
            (">>>f(1)\ntext >>> f(2)\n", &[]),
            (
                ">>> f('''\n...\n... ''')\nwant\nmore\n\n... no prompt\n",
                &["f('''\n\n''')"],
            ),
        ] {
            assert_eq!(examples(docstring), expected, "{docstring:?}");
        }
    }

    #[test]
    fn tabs_end_at_multiples_of_eight() {
        assert_eq!(expand_tabs("\ta\n12345678\tb"), "        a\n12345678        b");
    }
}
