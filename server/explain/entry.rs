//! An entry of the catalogue as a text: for the terminal, for editors and for the documentation.

use std::fmt::Write;

use super::cause;
use crate::cpython::causes::{Advice, Cause, Where, catalogue};

/// Every entry on a line: its name, where it holds, what it is about.
#[must_use]
pub fn list() -> String {
    let causes = &catalogue().causes;
    let wide = causes.iter().map(|cause| cause.id.len()).max().unwrap_or(0);
    causes.iter().fold(String::new(), |mut text, cause| {
        let _ = writeln!(text, "{:wide$}  {:9}  {}", cause.id, span(cause), cause.title);
        text
    })
}

/// The entry for a terminal: plain text, lines of any length.
#[must_use]
pub fn text(cause: &Cause) -> String {
    written(cause, &|_, text| format!("{text}\n"), &|source| {
        source.lines().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "    {line}");
            text
        })
    })
}

/// The entry in Markdown, under a heading that is its name.
#[must_use]
pub fn markdown(cause: &Cause) -> String {
    written(
        cause,
        &|level, text| format!("{} {text}\n", "#".repeat(level)),
        &|source| format!("```python\n{}\n```\n", source.trim_end()),
    )
}

/// All entries in Markdown.
#[must_use]
pub fn document() -> String {
    let mut text = "# Causes\n\n\
        Why a site is generic or misses, and what to write instead. `bytecost explain NAME` prints one of \
        these. Each example and each remedy is run by a test on every version that the entry names.\n\n"
        .to_owned();
    for cause in &catalogue().causes {
        let _ = writeln!(text, "- [{0}](#{0}): {1}", cause.id, cause.title);
    }
    for cause in &catalogue().causes {
        text.push('\n');
        text.push_str(&markdown(cause));
    }
    text
}

fn written(cause: &Cause, heading: &dyn Fn(usize, &str) -> String, block: &dyn Fn(&str) -> String) -> String {
    let mut text = heading(2, &cause.id);
    let state = match cause.site {
        Where::Generic => "stays generic",
        Where::Missing => "is specialized, but misses",
        Where::Any => "stays generic or misses",
    };
    let _ = write!(
        text,
        "\n{}: {} {state} on CPython {}.\n\n",
        capital(&cause.title),
        cause.families.join(" or "),
        span(cause)
    );
    let _ = write!(
        text,
        "{}. {}\n\n",
        capital(&in_general(&cause.headline)),
        sentences(&in_general(&cause.explanation))
    );
    let _ = writeln!(text, "{}", in_general(&cause.remedy.text));
    if let Some(meaning) = &cause.remedy.meaning {
        let _ = write!(text, "\nMind: {meaning}.\n");
    }
    text.push('\n');
    text.push_str(&heading(
        3,
        &format!("Example, called as `{}`", cause.before.call),
    ));
    text.push('\n');
    text.push_str(&block(&cause.before.source));
    if let Some(after) = &cause.after {
        text.push('\n');
        let instead = match cause.advice {
            Advice::Leave => "Specialized, for comparison",
            _ => "Instead",
        };
        text.push_str(&heading(3, &format!("{instead}, called as `{}`", after.call)));
        text.push('\n');
        text.push_str(&block(&after.source));
        text.push('\n');
        text.push_str(&outcome(cause));
    }
    text
}

/// Where the remedy leads and what it saved.
fn outcome(cause: &Cause) -> String {
    let mut by_form: Vec<(&str, Vec<&str>)> = Vec::new();
    for version in &cause.versions {
        let Some(form) = cause.leads_to.get(version) else {
            continue;
        };
        match by_form.iter_mut().find(|(known, _)| *known == form.as_str()) {
            Some((_, versions)) => versions.push(version),
            None => by_form.push((form, vec![version])),
        }
    }
    let forms: Vec<_> = by_form
        .iter()
        .map(|(form, versions)| format!("{form} ({})", versions.join(", ")))
        .collect();
    let mut text = String::new();
    if !forms.is_empty() {
        let _ = writeln!(text, "That leads to {}.", forms.join("; "));
    }
    let most = cause.saves_ns.values().copied().fold(0.0, f64::max);
    match cause.advice {
        Advice::Small | Advice::Upgrade => text.push_str("It saves little or nothing: a fact to know.\n"),
        Advice::Strong | Advice::Moderate if most > 0.0 => {
            let _ = writeln!(
                text,
                "On the machine where it was measured a call of the example then took up to {most} ns less{}.",
                if cause.grows {
                    ", and more with more elements"
                } else {
                    ""
                }
            );
        }
        Advice::Strong | Advice::Moderate | Advice::Leave => {}
    }
    text
}

/// A sentence of the catalogue without a site to speak of.
fn in_general(text: &str) -> String {
    let mut text = text
        .replace("`{op}`", "the operator")
        .replace("`{attribute}`", "the attribute");
    for roles in catalogue().roles.values() {
        for role in roles {
            text = cause::unnamed(&text, role);
        }
    }
    text
}

/// Each sentence with a capital at its beginning, where a role stands there.
fn sentences(text: &str) -> String {
    let begun: Vec<_> = text
        .split(". ")
        .map(|sentence| match sentence.strip_prefix("the ") {
            Some(rest) => format!("The {rest}"),
            None => sentence.to_owned(),
        })
        .collect();
    begun.join(". ")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// `3.11–3.13`, or the versions one by one where one in between is missing.
fn span(cause: &Cause) -> String {
    let minors: Vec<u32> = cause
        .versions
        .iter()
        .filter_map(|version| version.strip_prefix("3.")?.parse().ok())
        .collect();
    match (minors.first(), minors.last()) {
        (Some(first), Some(last)) if first == last => format!("3.{first}"),
        (Some(first), Some(last)) if (last - first) as usize + 1 == minors.len() => {
            format!("3.{first}–3.{last}")
        }
        _ => cause.versions.join(", "),
    }
}
