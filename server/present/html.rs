//! The report as one HTML document that needs nothing else: no network, no other file.
//!
//! Texts of the target and of the profile reach the page as JSON and become text nodes; the
//! document's own policy admits no script and no style but the two it carries.

use crate::attribute::Costs;
use crate::explain::{self, Thresholds, words};
use crate::present::terminal::{self, cells};
use crate::profile::Profile;

mod data;
mod escape;
mod measure;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = concat!(
    include_str!("html/page.js"),
    include_str!("html/source.js"),
    include_str!("html/detail.js"),
    include_str!("html/keys.js")
);
const BODY: &str = include_str!("html/body.html");

/// The document. The same input gives the same text.
///
/// # Panics
/// Never: string keys and memory cannot fail.
#[must_use]
pub fn render(profile: &Profile, costs: &Costs, thresholds: &Thresholds) -> String {
    let data = data::data(profile, costs, thresholds);
    let data = serde_json::to_string(&data).expect("string keys, written to memory");
    let target = shown(&profile.workload.target);
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        escape::hash(SCRIPT),
        escape::hash(STYLE)
    );
    // In order, so that nothing put in is read for further places.
    let parts = [
        ("{{policy}}", policy),
        ("{{title}}", target.clone()),
        ("{{style}}", STYLE.to_owned()),
        ("{{target}}", target),
        ("{{facts}}", list(&terminal::facts(profile, costs))),
        ("{{outcome}}", paragraphs(&terminal::outcomes(profile))),
        (
            "{{verdict}}",
            paragraphs(explain::verdict(profile, costs, thresholds).as_slice()),
        ),
        ("{{notes}}", list(&notes(profile, costs))),
        ("{{methods}}", list(&methods(profile))),
        ("{{data}}", escape::json(&data)),
        ("{{script}}", SCRIPT.to_owned()),
    ];
    let mut page = String::new();
    let mut rest = BODY;
    for (place, part) in parts {
        let (before, after) = rest.split_once(place).expect("the body has every place in order");
        page.push_str(before);
        page.push_str(&part);
        rest = after;
    }
    page + rest
}

/// Whatever is partial, skipped, uncertain or left out.
fn notes(profile: &Profile, costs: &Costs) -> Vec<String> {
    let stale = costs.files.iter().filter(|file| file.stale);
    let mut notes: Vec<_> = profile.notes.iter().map(words::note).collect();
    notes.extend(stale.map(|file| words::stale(&file.file.path)));
    let total = costs.instructions.filter(|total| *total > 0);
    let unplaced = total.map(|total| costs.unplaced as f64 / total as f64);
    notes.extend(unplaced.filter(|share| *share >= 0.001).map(words::unplaced));
    notes
}

/// How the numbers were obtained.
fn methods(profile: &Profile) -> Vec<String> {
    words::provenance(profile)
}

fn shown(text: &str) -> String {
    escape::text(&cells::clean(text, false))
}

fn list(texts: &[String]) -> String {
    each("<li>", texts, "</li>")
}

fn paragraphs(texts: &[String]) -> String {
    each("<p>", texts, "</p>")
}

fn each(before: &str, texts: &[String], after: &str) -> String {
    texts.iter().fold(String::new(), |mut all, text| {
        all.extend([before, &shown(text), after]);
        all
    })
}
