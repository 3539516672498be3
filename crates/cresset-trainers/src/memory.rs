//! How much memory the process has held.

/// The most memory that this process has held at once, in MiB; `None` where the system does not tell.
#[cfg(unix)]
pub fn peak_memory_mb() -> Option<f64> {
    use nix::sys::resource::{UsageWho, getrusage};
    let peak = getrusage(UsageWho::RUSAGE_SELF).ok()?.max_rss() as f64;
    // Bytes on Apple's systems, KiB elsewhere.
    let bytes = if cfg!(target_vendor = "apple") { peak } else { peak * 1024.0 };
    Some(bytes / (1024.0 * 1024.0))
}

/// The most memory that this process has held at once, in MiB; `None` where the system does not tell.
#[cfg(not(unix))]
pub fn peak_memory_mb() -> Option<f64> {
    None
}
