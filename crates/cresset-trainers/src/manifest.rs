//! What a run was made of, so that it can be made again and told from another.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use cresset_data::features::utc_date_time;
use cresset_metrics::Ties;
use serde::{Deserialize, Serialize};

use crate::evaluation::EvaluationConfig;

/// The content of `manifest.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// When the run began, by the clock of its machine: `2026-03-31 23:15:00`, UTC.
    #[serde(default)]
    pub began: String,
    /// The data after cleaning.
    pub data: DataManifest,
    /// How they were split.
    pub split: SplitManifest,
    /// How ranking is judged.
    pub protocol: String,
    /// How equal scores are judged.
    pub ties: String,
    /// Seed of the training.
    pub seed: u64,
    /// The device, as on the command line.
    pub device: String,
    /// Threads of the CPU.
    pub threads: usize,
    /// Version of this crate.
    pub cresset: String,
    /// Version of Burn.
    pub burn: String,
    /// Operating system and processor.
    pub system: String,
    /// Commit of the working folder; null outside a repository.
    pub git_commit: Option<String>,
}

/// The data of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataManifest {
    /// The reader.
    pub source: String,
    /// SHA-256 over the cleaned columns and ids.
    pub fingerprint: String,
    /// Users left after cleaning.
    pub n_users: usize,
    /// Items left after cleaning.
    pub n_items: usize,
    /// Ratings left after cleaning.
    pub n_ratings: usize,
    /// What cleaning read, dropped and kept.
    pub cleaning: String,
}

/// The split of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitManifest {
    /// How rows were divided.
    pub kind: String,
    /// Which fold, from 1.
    pub fold: usize,
    /// Seed of the split.
    pub seed: u64,
    /// Training ratings.
    pub train: usize,
    /// Validation ratings.
    pub valid: usize,
    /// Test ratings.
    pub test: usize,
    /// Distinct items of the test part that no training rating has.
    pub test_items_unseen: usize,
    /// Their share of the test part's distinct items.
    pub test_items_unseen_share: f64,
    /// What a reader of the numbers should know.
    pub note: String,
}

impl std::fmt::Display for SplitManifest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { train, valid, test, test_items_unseen, test_items_unseen_share, note, .. } = self;
        write!(
            f,
            "{train} train, {valid} valid, {test} test; {test_items_unseen} of the tested items ({:.1} %) were never \
             rated in training; {note}",
            100.0 * test_items_unseen_share
        )
    }
}

impl Manifest {
    /// The protocol that ranks every item that the user has not rated before.
    pub const FULL_CATALOGUE: &str =
        "full: all items of the filtered data, less those the user has in train (and valid, at test)";

    /// The protocol that ranks every item, rated before or not.
    pub const UNMASKED: &str =
        "full: all items of the filtered data, those that the user has in train among them";

    /// The protocol of an evaluation over the full catalogue, in words.
    pub fn protocol(config: &EvaluationConfig) -> &'static str {
        if config.mask_seen { Self::FULL_CATALOGUE } else { Self::UNMASKED }
    }

    /// A tie rule in words.
    pub fn tie_rule(ties: Ties) -> &'static str {
        match ties {
            Ties::Expected => {
                "expected: a positive tied with other items scores the mean over all orders of the tie"
            }
            Ties::Optimistic => "optimistic: a positive tied with other items comes before them",
            Ties::Pessimistic => "pessimistic: a positive tied with other items comes behind them",
        }
    }
}

/// The moment by this machine's clock, `2026-03-31 23:15:00`, UTC.
pub fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    utc_date_time(since.as_secs() as i64)
}

/// Operating system and processor, `linux x86_64`.
pub fn system() -> String {
    format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)
}

/// The commit of the working folder; `None` outside a repository or without Git.
pub fn git_commit() -> Option<String> {
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output().ok()?;
    let commit = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| commit.trim().to_owned())
}
