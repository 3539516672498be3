//! Where and with what the comparison was made.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::PeersError;

/// Prints the date and the version of each package named on the command line, a line each.
const QUESTION: &str = "import datetime, sys, importlib.metadata as m; print(datetime.date.today()); \
                        print(*map(m.version, sys.argv[1:]), sep='\\n')";

/// Date, processor and peers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Machine {
    /// Year, month and day.
    date: String,
    /// The processor's own name.
    processor: String,
    /// The peers and their versions.
    peers: String,
}

impl Machine {
    /// Asks the system for its processor and `python` for the date and the versions of `packages`.
    ///
    /// # Errors
    ///
    /// If `python` does not start or lacks a package.
    pub(super) fn describe(python: &Path, packages: &[&str]) -> Result<Self, PeersError> {
        let no_peer =
            |reason| PeersError::NoPeer { python: python.into(), packages: packages.join(", "), reason };
        let output = Command::new(python).args(["-c", QUESTION]).args(packages).output();
        let output = output.map_err(|error| no_peer(error.to_string()))?;
        if !output.status.success() {
            return Err(no_peer(last_line(&output.stderr)));
        }
        let answer = String::from_utf8_lossy(&output.stdout);
        let mut lines = answer.lines();
        let date = lines.next().unwrap_or_default().to_owned();
        let peers: Vec<_> =
            packages.iter().zip(lines).map(|(name, version)| format!("{name} {version}")).collect();
        if peers.len() < packages.len() {
            return Err(no_peer(format!("it answered `{}`", answer.trim())));
        }
        Ok(Self { date, processor: processor(), peers: peers.join(", ") })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, {}", self.date, self.processor, self.peers)
    }
}

/// The processor's name where Linux or macOS tells it, its architecture elsewhere.
fn processor() -> String {
    let linux = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| model_name(&text));
    linux.or_else(macos_processor).unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn macos_processor() -> Option<String> {
    let output = Command::new("sysctl").args(["-n", "machdep.cpu.brand_string"]).output().ok()?;
    let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !name.is_empty()).then_some(name)
}

/// The value of the first line `model name : value`.
fn model_name(cpuinfo: &str) -> Option<String> {
    let fields = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    let (_, name) = fields.into_iter().find(|(key, _)| key.trim() == "model name")?;
    Some(name.trim().to_owned())
}

/// The last line of a traceback says what went wrong.
fn last_line(stderr: &[u8]) -> String {
    String::from_utf8_lossy(stderr).trim().lines().last().unwrap_or("it said nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_called_by_its_model_name() {
        let cpuinfo = "processor\t: 0\nmodel\t\t: 17\nmodel name\t: Some CPU 9000\nprocessor\t: 1\n";
        assert_eq!(model_name(cpuinfo).as_deref(), Some("Some CPU 9000"));
        assert_eq!(model_name("processor : 0\n"), None);
    }

    #[test]
    fn a_python_that_is_not_there_is_named_with_the_way_to_make_it() {
        let error = Machine::describe(Path::new("no/such/python"), &["torch"]).unwrap_err();
        let sentence = error.to_string();
        assert!(sentence.starts_with("no/such/python cannot say its version of torch"), "{sentence}");
        assert!(sentence.contains("pip install -r benches/peers/requirements.txt"), "{sentence}");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn a_failure_is_told_by_the_last_line_of_its_traceback() {
        let traceback = b"Traceback:\n  File x\nModuleNotFoundError: No module named 'torch'\n";
        assert_eq!(last_line(traceback), "ModuleNotFoundError: No module named 'torch'");
        assert_eq!(last_line(b""), "it said nothing");
    }
}
