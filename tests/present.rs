//! Reports for the terminal, as people see them.

#[path = "support/profiles.rs"]
mod profiles;

use bytecost::attribute::attribute;
use bytecost::explain::Thresholds;
use bytecost::present::terminal::{Style, render};
use profiles::{Fixture, kern};

fn show(fixture: &Fixture, style: Style) -> String {
    let costs = attribute(&fixture.profile, &|path| fixture.text(path));
    render(&fixture.profile, &costs, &Thresholds::default(), &style)
}

#[test]
fn sample() {
    for (width, color, ascii) in [
        (80, false, false),
        (120, true, false),
        (40, false, false),
        (60, false, true),
    ] {
        println!("{}", show(&kern(), Style { width, color, ascii }));
        println!("------------------------------");
    }
}
