//! `bytecost trace`.

use std::time::Duration;

use anyhow::Context;

use super::{CANCELLED, Scope, TARGET_FAILED, Trace, TraceFormat, pager, screen};
use crate::collect::Timing;
use crate::collect::interpreter::Environment;
use crate::collect::prepare::{self, Wish};
use crate::collect::target::Target;
use crate::collect::trace::{self, Options};
use crate::collect::{self, Request, Surroundings};
use crate::present::{terminal, trace_lines};
use crate::profile::WorkloadKind;

/// Traces the target and shows what it did.
pub fn trace(arguments: &Trace) -> anyhow::Result<u8> {
    let request = prepare(arguments)?;
    let repeats = matches!(request.workload.kind, WorkloadKind::Call | WorkloadKind::Doctest);
    let options = Options {
        limit: arguments.limit,
        depth: arguments.depth,
        everything: arguments.scope.map_or(repeats, |scope| scope == Scope::All),
        times: Duration::from_secs_f64(if repeats { arguments.time } else { 0.0 }),
    };
    if !arguments.quiet {
        screen::say(&prepare::trace_announcement(&request, !options.times.is_zero()));
    }
    let done = screen::until_end_requested(async |cancelled| {
        trace::trace(&request, &options, &Surroundings::default(), cancelled).await
    })?;
    let trace = match done {
        Ok(trace) => trace,
        Err(collect::Error::Cancelled) => {
            screen::say("cancelled");
            return Ok(CANCELLED);
        }
        Err(error) => return Err(error.into()),
    };
    let text = match arguments.format {
        TraceFormat::Jsonl => trace_lines::to_string(&trace),
        TraceFormat::Text => {
            let texts = |path: &str| std::fs::read_to_string(request.root.join(path)).ok();
            let style = screen::style_of(
                arguments.file.is_none(),
                arguments.color,
                arguments.width,
                arguments.ascii,
            );
            terminal::trace::render(&trace, &texts, &style)
        }
    };
    match &arguments.file {
        Some(path) => screen::write_file(path, text.as_bytes())?,
        None => pager::show(&text, !arguments.no_pager).context("cannot write the trace")?,
    }
    Ok(if trace.outcome.is_failure() || trace.events.is_empty() {
        TARGET_FAILED
    } else {
        0
    })
}

/// The request the arguments make.
fn prepare(arguments: &Trace) -> anyhow::Result<Request> {
    let target = match (&arguments.module, &arguments.target) {
        (Some(module), _) => Target::module(module)?,
        (None, Some(target)) => Target::parse(target)?,
        (None, None) => unreachable!("clap requires one"),
    };
    let environment = Environment::of_process().context("the current folder cannot be read")?;
    let wish = Wish {
        python: arguments.python.clone(),
        call: arguments.call.clone(),
        setup: arguments.setup.clone(),
        time: None,
        rate: None,
        deadline: arguments.deadline,
        once: true,
        calls: None,
        count: false,
        timing: Timing::Off,
        jit: false,
        types: false,
        pystats: false,
        include: Vec::new(),
        arguments: arguments.arguments.clone(),
        unmarked_root: None,
        name_below_root: false,
    };
    Ok(prepare::prepare(&target, &wish, &environment, &mut |warning| {
        screen::say(&warning.to_string());
    })?)
}
