//! `bytecost run`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use super::progress::Bar;
use super::{CANCELLED, PassName, Run, TARGET_FAILED, screen};
use crate::collect::interpreter::Environment;
use crate::collect::prepare::{self, Wish, announcement};
use crate::collect::target::Target;
use crate::collect::{self, Request, Timing, live};
use crate::profile::Profile;
use crate::store;

/// Runs the target and shows what it cost.
pub fn run(arguments: &Run) -> anyhow::Result<u8> {
    screen::check(&arguments.output)?;
    if let Some(pid) = arguments.pid {
        return look(arguments, pid);
    }
    if arguments.python.len() > 1 {
        return compare(arguments);
    }
    let Some(profile) = measure(arguments, arguments.python.first().cloned())? else {
        return Ok(CANCELLED);
    };
    screen::report(&profile, &arguments.output)?;
    Ok(status(&profile))
}

/// Runs it on each interpreter and shows where it is specialized and where not.
fn compare(arguments: &Run) -> anyhow::Result<u8> {
    let mut profiles = Vec::new();
    for python in &arguments.python {
        let Some(profile) = measure(arguments, Some(python.clone()))? else {
            return Ok(CANCELLED);
        };
        profiles.push(profile);
    }
    screen::comparison(&profiles, &arguments.output)?;
    Ok(profiles.iter().map(status).max().unwrap_or(0))
}

fn status(profile: &Profile) -> u8 {
    if profile.failure().is_some() || profile.unmeasured().is_some() {
        TARGET_FAILED
    } else {
        0
    }
}

/// Runs the target on one interpreter; none when the user ended it.
fn measure(arguments: &Run, python: Option<String>) -> anyhow::Result<Option<Profile>> {
    let request = prepare(arguments, python)?;
    if !arguments.quiet {
        screen::say(&announcement(&request));
    }
    let bar = Bar::new(request.workload.kind, arguments.quiet);
    let done = screen::until_end_requested(async |cancelled| {
        collect::run(&request, cancelled, &mut |progress| bar.show(progress)).await
    })?;
    bar.clear();
    let mut profile = match done {
        Ok(profile) => profile,
        Err(collect::Error::Cancelled) => {
            screen::say("cancelled");
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    save(arguments, &mut profile, &request.root)?;
    Ok(Some(profile))
}

/// Looks at a running process and shows what it does.
fn look(arguments: &Run, pid: i32) -> anyhow::Result<u8> {
    let environment = Environment::of_process().context("the current folder cannot be read")?;
    let request = live::Request {
        pid,
        time: Duration::from_secs_f64(arguments.time.unwrap_or(prepare::SAMPLED)),
        rate: arguments.rate,
        python: arguments.python.first().cloned(),
        include: arguments.include.clone(),
    };
    if !arguments.quiet {
        let seconds = request.time.as_secs_f64();
        screen::say(&format!(
            "looking at process {pid} for {seconds} s; it goes on undisturbed"
        ));
    }
    let done =
        screen::until_end_requested(async |cancelled| live::look(&request, &environment, cancelled).await)?;
    let mut profile = match done {
        Err(live::Error::Run(collect::Error::Cancelled)) => {
            screen::say("cancelled");
            return Ok(CANCELLED);
        }
        done => done?,
    };
    let root = PathBuf::from(&profile.root);
    save(arguments, &mut profile, &root)?;
    screen::report(&profile, &arguments.output)?;
    Ok(0)
}

/// Keeps a profile in its workspace, if asked to.
fn save(arguments: &Run, profile: &mut Profile, root: &Path) -> anyhow::Result<()> {
    if !arguments.save {
        return Ok(());
    }
    collect::keep_texts(profile);
    let path = store::save(root, profile)?;
    if !arguments.quiet {
        screen::say(&format!("saved {}", path.display()));
    }
    Ok(())
}

/// The request the arguments make.
fn prepare(arguments: &Run, python: Option<String>) -> anyhow::Result<Request> {
    let target = match (&arguments.module, &arguments.target) {
        (Some(module), _) => Target::module(module)?,
        (None, Some(target)) => Target::parse(target)?,
        (None, None) => unreachable!("clap requires one"),
    };
    let environment = Environment::of_process().context("the current folder cannot be read")?;
    let wish = Wish {
        python,
        call: arguments.call.clone(),
        setup: arguments.setup.clone(),
        time: arguments.time,
        rate: Some(arguments.rate),
        deadline: arguments.deadline,
        once: arguments.once,
        calls: arguments.calls,
        count: arguments.passes.contains(&PassName::Count),
        timing: if arguments.passes.contains(&PassName::Trace) {
            Timing::Traced
        } else if arguments.passes.contains(&PassName::Sample) {
            Timing::Sampled
        } else {
            Timing::Off
        },
        types: arguments.passes.contains(&PassName::Types),
        jit: arguments.passes.contains(&PassName::Jit),
        pystats: arguments.passes.contains(&PassName::Pystats),
        include: arguments.include.clone(),
        arguments: arguments.arguments.clone(),
        unmarked_root: None,
        name_below_root: false,
    };
    Ok(prepare::prepare(&target, &wish, &environment, &mut |warning| {
        screen::say(&warning.to_string());
    })?)
}
