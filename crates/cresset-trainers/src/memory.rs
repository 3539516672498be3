//! How much memory the process holds and has held.

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

/// The memory that new work can have without the system running out, in MiB; `None` where the system does not tell.
#[cfg(target_os = "linux")]
pub fn available_memory_mb() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    let of_system = kib / 1024.0;
    Some(left_of_cgroup().map_or(of_system, |left| left.min(of_system)))
}

/// What a container's limit leaves, in MiB; `None` without one.
#[cfg(target_os = "linux")]
fn left_of_cgroup() -> Option<f64> {
    let read = |name: &str| -> Option<f64> {
        let text = std::fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok()?;
        text.trim().parse().ok()
    };
    Some((read("memory.max")? - read("memory.current")?).max(0.0) / (1024.0 * 1024.0))
}

/// The memory that new work can have without the system running out, in MiB; `None` where the system does not tell.
#[cfg(not(target_os = "linux"))]
pub fn available_memory_mb() -> Option<f64> {
    None
}
/// The memory that this process holds now, in MiB; `None` where the system does not tell.
#[cfg(target_os = "linux")]
pub fn resident_memory_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(kib.trim().trim_end_matches("kB").trim().parse::<f64>().ok()? / 1024.0)
}

/// The memory that this process holds now, in MiB; `None` where the system does not tell.
#[cfg(not(target_os = "linux"))]
pub fn resident_memory_mb() -> Option<f64> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_now_is_some_and_at_most_the_peak() {
        let (now, peak) = (resident_memory_mb().unwrap(), peak_memory_mb().unwrap());
        // The two are counted apart, and the peak is updated late.
        assert!(now > 1.0 && now < peak + 16.0, "{now} {peak}");
    }
}
