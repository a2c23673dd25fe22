//! How fast `bytecost lsp` answers, as an editor sees it: the program itself over its pipes.
//!
//!     cargo bench --bench lsp
//!
//! The file has 10,000 lines, 5,000 of them measured, with 30,000 instructions and 1,000
//! diagnostics; another saved profile makes the workspace's profiles 20 MB. With `ruff` on PATH, or
//! named by `BYTECOST_RUFF`, the keystroke loop is made against `ruff server` too, which then
//! answers a diagnostics request instead of a hints request.
#![allow(clippy::needless_pass_by_value, reason = "json!(…) is written at the call")]

mod large;
mod server;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use large::{LINES, Large, measured_line};
use server::Server;

const ROUNDS: usize = 1000;
const STARTS: usize = 20;
const WINDOW: usize = 60;

/// A fixed series of numbers: the same places in every run.
struct Places(u64);

impl Places {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % below
    }
}

/// Prints one row, and whether it is within the limit.
fn row(what: &str, mut times: Vec<Duration>, limit: Option<f64>) -> bool {
    times.sort();
    let at = |percent: usize| {
        let index = times.len() * percent / 100;
        times[index.min(times.len() - 1)].as_secs_f64() * 1000.0
    };
    let (p50, p99, worst) = (at(50), at(99), at(100));
    let (limit_text, good) = match limit {
        Some(limit) => (format!("{limit:.0} ms"), p99 < limit),
        None => (String::new(), true),
    };
    let mark = if good { "" } else { "  too slow" };
    println!("{what:<52} {p50:>9.2} {p99:>9.2} {worst:>9.2} {limit_text:>9}{mark}");
    good
}

fn window(uri: &str, first: usize) -> Value {
    json!({
        "textDocument": {"uri": uri},
        "range": {"start": {"line": first, "character": 0}, "end": {"line": first + WINDOW, "character": 0}},
    })
}

fn change(uri: &str, version: usize, line: usize, column: usize, text: &str) -> Value {
    let at = json!({"line": line, "character": column});
    json!({
        "textDocument": {"uri": uri, "version": version},
        "contentChanges": [{"range": {"start": at, "end": at}, "text": text}],
    })
}

fn main() {
    let large = Large::write();
    let (uri, text) = (large.uri(), large.text());
    println!(
        "{} lines, {} bytes; profiles of {:.1} MB\n",
        LINES,
        text.len(),
        large.profile_bytes() as f64 / 1e6
    );
    println!(
        "{:<52} {:>9} {:>9} {:>9} {:>9}",
        "ms", "p50", "p99", "worst", "limit"
    );
    let mut good = true;

    let starts = (0..STARTS).map(|_| {
        let started = Instant::now();
        let mut server = Server::start(&[env!("CARGO_BIN_EXE_bytecost"), "lsp"], &large, json!({}));
        // What follows `initialized` must not hold up the first answer either.
        server.request(
            "textDocument/hover",
            json!({
                "textDocument": {"uri": uri}, "position": {"line": 0, "character": 0},
            }),
        );
        let time = started.elapsed();
        server.end();
        time
    });
    good &= row(
        "start to the first answer after initialized",
        starts.collect(),
        Some(50.0),
    );

    let settings = json!({"diagnostics": {"minShare": 0}});
    let started = Instant::now();
    let mut server = Server::start(&[env!("CARGO_BIN_EXE_bytecost"), "lsp"], &large, settings);
    server.open(&uri, &text);
    let published = server.wait_for("textDocument/publishDiagnostics");
    let loaded = started.elapsed();
    let diagnostics = published["diagnostics"].as_array().map_or(0, Vec::len);
    row("start to the saved results on the screen", vec![loaded], None);

    let mut places = Places(1);
    let times = (0..ROUNDS).map(|_| {
        let params = window(&uri, places.next(LINES - WINDOW));
        server.timed("textDocument/inlayHint", params)
    });
    good &= row("inlay hints of 60 lines", times.collect(), Some(5.0));
    let whole = (0..20).map(|_| {
        server.timed(
            "textDocument/inlayHint",
            json!({
                "textDocument": {"uri": uri},
                "range": {"start": {"line": 0, "character": 0}, "end": {"line": LINES, "character": 0}},
            }),
        )
    });
    row("inlay hints of the whole file (Neovim)", whole.collect(), None);
    let times = (0..ROUNDS).map(|_| {
        let position = json!({"line": measured_line(places.next(5000)), "character": 12});
        server.timed(
            "textDocument/hover",
            json!({"textDocument": {"uri": uri}, "position": position}),
        )
    });
    good &= row("hover", times.collect(), Some(5.0));

    let mut version = 1;
    for (what, key, column) in [
        ("a letter, then the hints of 60 lines", "x", 4),
        ("a new line, then the hints of 60 lines", "\n", 0),
    ] {
        let times: Vec<_> = (0..ROUNDS)
            .map(|_| {
                version += 1;
                let line = places.next(LINES - WINDOW);
                let started = Instant::now();
                server.notify("textDocument/didChange", change(&uri, version, line, column, key));
                server.request(
                    "textDocument/inlayHint",
                    window(&uri, line.saturating_sub(WINDOW / 2)),
                );
                started.elapsed()
            })
            .collect();
        good &= row(what, times, Some(10.0));
    }
    let lenses = (0..20).map(|_| {
        version += 1;
        server.notify("textDocument/didChange", change(&uri, version, 0, 0, "#"));
        server.timed("textDocument/codeLens", json!({"textDocument": {"uri": uri}}))
    });
    row("code lenses after an edit", lenses.collect(), None);

    let (resident, most) = server.memory();
    let idle = server.wake_ups(Duration::from_secs(3));
    server.end();
    println!(
        "\n{diagnostics} diagnostics; resident {resident:.0} MB, at most {most:.0} MB (limit 100 MB); wake-ups in 3 s idle: {idle}"
    );
    good &= most < 100.0 && idle == 0;

    against_ruff(&large);
    assert!(good, "not within the limits");
}

fn against_ruff(large: &Large) {
    let ruff = std::env::var("BYTECOST_RUFF").unwrap_or_else(|_| "ruff".to_owned());
    if std::process::Command::new(&ruff)
        .arg("--version")
        .output()
        .is_err()
    {
        println!("\nno ruff to compare with");
        return;
    }
    let (uri, text) = (large.uri(), large.text());
    let mut server = Server::start(&[&ruff, "server"], large, json!({}));
    server.open(&uri, &text);
    let mut places = Places(1);
    let times = (0..100).map(|round| {
        let line = places.next(LINES - WINDOW);
        let started = Instant::now();
        server.notify("textDocument/didChange", change(&uri, round + 2, line, 4, "x"));
        server.request("textDocument/diagnostic", json!({"textDocument": {"uri": uri}}));
        started.elapsed()
    });
    println!();
    row(
        "ruff server: a letter, then the diagnostics",
        times.collect(),
        None,
    );
    let (resident, most) = server.memory();
    println!("ruff server: resident {resident:.0} MB, at most {most:.0} MB");
    server.end();
}
