//! How much of a result is chance: intervals, and the comparison of two runs.
//!
//! A mean over users is a mean over a sample of users. [`Bootstrap`] says how far it would move with another
//! sample, [`PairedTest`] whether one run is ahead of another on the same users. Both draw by seed, and give
//! the same bits on any number of threads.
//!
//! ```
//! use cresset_metrics::statistics::{Bootstrap, PairedTest, UserMetric, UserStatistic};
//!
//! let users: Vec<u32> = (0..40).collect();
//! let before: Vec<f64> = users.iter().map(|user| f64::from(user % 5) / 8.0).collect();
//! let after: Vec<f64> = before.iter().zip(&users).map(|(value, user)| value + f64::from(user % 3) / 8.0).collect();
//!
//! let interval = Bootstrap::default().interval(&UserStatistic::Mean(&before))?;
//! assert!(interval.low < 0.25 && 0.25 < interval.high);
//!
//! let metric = |values| [UserMetric { key: "ndcg@10", users: &users, statistic: UserStatistic::Mean(values) }];
//! let comparison = PairedTest::default().compare(&metric(&before), &metric(&after))?;
//! assert!(comparison.metrics[0].difference.low > 0.0 && comparison.metrics[0].p_value < 0.001);
//! # Ok::<(), cresset_metrics::statistics::StatisticsError>(())
//! ```

mod bootstrap;
mod columns;
mod comparison;
mod error;
mod estimator;
mod holm;
mod interval;
mod pairing;
mod reports;
mod resampling;
mod sign_flip;
mod user_statistic;

pub use bootstrap::Bootstrap;
pub use comparison::{ComparedMetric, Comparison, LeftOut, PairedTest};
pub use error::StatisticsError;
pub use holm::holm;
pub use interval::Interval;
pub use user_statistic::{UserMetric, UserStatistic, UserSums};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A random stream that depends on the seed, on what it is drawn for, and on a count alone.
fn stream(seed: u64, purpose: Purpose, index: usize) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8] = purpose as u8;
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(index as u64);
    rng
}

/// The indices below `n`, those in one group that `are_alike`, in order.
fn groups_of(n: usize, are_alike: impl Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for index in 0..n {
        match groups.iter_mut().find(|group| are_alike(group[0], index)) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

/// What is drawn, so that the resamples and the flips of one seed have nothing in common.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Resample,
    Flip,
}
