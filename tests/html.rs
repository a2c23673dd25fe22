//! The HTML report: one document that is safe, complete, and works in a real browser.
//!
//! `tests/rigs/install-vscode` gets Chromium and what drives it. Screenshots are kept in
//! `tests/artifacts/html/`.

#[path = "html/browser.rs"]
mod browser;
#[path = "html/document.rs"]
mod document;
#[path = "html/embedded.rs"]
mod embedded;
#[path = "html/numbers.rs"]
mod numbers;
#[path = "support/profiles.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod profiles;
mod support;

use bytecost::attribute::attribute;
use bytecost::explain::Thresholds;
use bytecost::present::html;
use bytecost::profile::{Code, File, Note, Outcome};
use profiles::Fixture;

/// The document of a fixture.
fn render(fixture: &Fixture) -> String {
    let costs = attribute(&fixture.profile, &|path| fixture.text(path));
    html::render(&fixture.profile, &costs, &Thresholds::default())
}

/// What would run if any text of a profile were read as markup.
const ATTACK: &str = "</script></title><img src=x onerror=\"window.pwned=1\"><!--<script>'&quot;";
/// What would turn text around or steer, were it shown as it is.
const STEERING: &str = "\u{202e}\u{2066}\u{0}\u{7}\u{1b}[31m\u{85}\u{9b}\u{2028}\u{2029}\u{200f}";

/// A profile all of whose texts are an attacker's.
fn hostile() -> Fixture {
    let evil = format!("{ATTACK}{STEERING}");
    let path = format!("{evil}.py");
    let source = format!("def f(x):\n\treturn x % 7 + '{evil}'\n# {ATTACK} \u{202e}\n")
        .replace(['\u{85}', '\u{0}'], "");
    let mut fixture = Fixture::new(&path, &evil, &source);
    let part = "x % 7";
    fixture
        .code(&evil, (1, 2), 300)
        .op(&evil, &evil, 1, "def", 300)
        .op("BINARY_OP", &evil, 2, part, 30_000)
        .generic()
        .op(&evil, "%", 2, part, 30_000)
        .missing(&evil, &[(&evil, 900), ("LOAD_ATTR_SLOT", 800)]);
    let profile = &mut fixture.profile;
    profile.python.version.clone_from(&evil);
    profile.workload.target.clone_from(&evil);
    profile.passes[0].outcome = Outcome::Raised {
        exception: evil.clone(),
        place: Some(evil.clone()),
    };
    fixture
        .note(Note::Other { text: evil.clone() })
        .note(Note::Instrumented { by: evil })
}

/// A second file of the same lines, some of them generic, to go to and fro.
fn two_files() -> Fixture {
    let mut fixture = profiles::kern();
    let first = &fixture.profile.files[0];
    let codes: Vec<Code> = first
        .codes
        .iter()
        .filter(|code| code.qualname == "advance")
        .cloned()
        .collect();
    let second = File {
        path: "deep/folder/of/the/project/other.py".to_owned(),
        digest: first.digest.clone(),
        text: Some(fixture.source.clone()),
        totals: Vec::new(),
        codes,
    };
    fixture.profile.files.push(second);
    fixture
}
