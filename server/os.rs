//! What only the operating system can do. The one module with `unsafe` code.

/// Makes a child process die with this one, however this one ends (Linux; elsewhere a no-op).
pub fn die_with_parent(command: &mut std::process::Command) {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::CommandExt;
        let set = || nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL).map_err(Into::into);
        // SAFETY: runs between fork and exec; prctl is async-signal-safe and allocates nothing.
        unsafe {
            command.pre_exec(set);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = command;
}
