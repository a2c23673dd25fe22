//! Scalene's JSON: percentages of the run by line.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::located::{Fact, Grain, Located, Place};
use super::{Damage, Problem};
use crate::profile::Time;

#[derive(Deserialize)]
struct Document {
    files: BTreeMap<String, File>,
    elapsed_time_sec: f64,
}

#[derive(Deserialize)]
struct File {
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    lineno: u32,
    #[serde(default, rename = "line")]
    text: String,
    #[serde(default)]
    n_cpu_percent_python: f64,
    #[serde(default)]
    n_cpu_percent_c: f64,
    #[serde(default)]
    n_sys_percent: f64,
}

/// Reads a profile.
pub(super) fn read(bytes: &[u8], damage: &mut Damage) -> Result<Located, Problem> {
    let document: Document = super::json(bytes, "a profile of Scalene")?;
    let mut located = Located::new(Grain::Line);
    let elapsed_ns = document.elapsed_time_sec * 1e9;
    if !(elapsed_ns.is_finite() && elapsed_ns >= 0.0) {
        return Err(Problem::Damaged {
            place: None,
            what: "the elapsed time is no time".to_owned(),
        });
    }
    let mut broken = 0_u64;
    for (path, file) in &document.files {
        for line in &file.lines {
            let busy = line.n_cpu_percent_python + line.n_cpu_percent_c;
            let parts = [busy, line.n_sys_percent];
            if parts
                .iter()
                .any(|part| !part.is_finite() || !(0.0..=101.0).contains(part))
            {
                broken += 1;
                continue;
            }
            if !line.text.trim().is_empty() {
                let text = line.text.trim().to_owned();
                located.quoted.insert((path.clone(), line.lineno), text);
            }
            let own = Time {
                busy_ns: busy / 100.0 * elapsed_ns,
                waiting_ns: line.n_sys_percent / 100.0 * elapsed_ns,
                ..Time::default()
            };
            if busy > 0.0 || line.n_sys_percent > 0.0 {
                located.all.add(own);
                located.facts.push((
                    Place::line(path, "", line.lineno),
                    Fact {
                        executions: None,
                        own,
                    },
                ));
            }
        }
    }
    if broken > 0 {
        damage.about(format!(
            "{broken} lines have percentages that are none and are left out"
        ));
    }
    located.wall_ns = Some(elapsed_ns);
    located
        .notes
        .push("Scalene's percentages of Python and C code together are time on the processor; its system time is waiting.".to_owned());
    Ok(located)
}
