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

/// Reads pieces of another process's memory, given as address and length, one after the other into
/// one buffer, in one call and without stopping it. How many bytes could be read: pieces after an
/// unreadable one are left out.
///
/// # Errors
/// The system's: above all `PermissionDenied`, and `NotFound` when there is no such process.
pub fn read_memory(pid: i32, pieces: &[(u64, usize)], into: &mut [u8]) -> std::io::Result<usize> {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::uio::{RemoteIoVec, process_vm_readv};
        const MOST: usize = 32;
        let mut remote = [RemoteIoVec { base: 0, len: 0 }; MOST];
        let count = pieces.len().min(MOST);
        for (vector, &(address, length)) in remote.iter_mut().zip(pieces) {
            let base = usize::try_from(address).unwrap_or(0);
            *vector = RemoteIoVec { base, len: length };
        }
        let mut local = [std::io::IoSliceMut::new(into)];
        let read = process_vm_readv(nix::unistd::Pid::from_raw(pid), &mut local, &remote[..count]);
        read.map_err(|error| match error {
            nix::errno::Errno::ESRCH => std::io::ErrorKind::NotFound.into(),
            error => error.into(),
        })
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (pid, pieces, into);
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

/// Makes sleeps of this thread end when they should instead of up to 50 µs later (Linux).
pub fn sleep_precisely() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_timerslack(1);
}
