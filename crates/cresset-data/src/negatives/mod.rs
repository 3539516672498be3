//! Items that a user does not have, drawn to be told from those that the user has.
//!
//! An [`ItemDistribution`] says how often each item is drawn: all alike, or by popularity to a power. In training a
//! [`NegativeSampler`] draws from it what the user has no training row of, newly in each epoch, each example's
//! negatives a function of seed, epoch and example alone. For evaluation, [`CandidateSets`] are drawn once, by user,
//! from all that the user never touched, and stored.
//!
//! ```
//! use cresset_data::negatives::{CandidateSets, ItemDistribution, NegativeSampler, Protocol};
//! use cresset_data::{Ratings, TimeKind, UserItems};
//!
//! let ratings = Ratings {
//!     user_id: vec![0, 0, 1],
//!     item_id: vec![0, 2, 1],
//!     rating: vec![5.0, 4.0, 2.0],
//!     time: vec![1, 2, 3],
//!     time_kind: TimeKind::Timestamp,
//!     parts: None,
//! };
//! let seen = UserItems::from_ratings(&ratings, 2);
//! let sampler = NegativeSampler::new(ItemDistribution::uniform(4), seen.clone(), 42)?;
//! let mut drawn = [0; 3];
//! sampler.in_epoch(0).fill(0, 17, &mut drawn);
//! assert!(drawn.iter().all(|&item| item == 1 || item == 3));
//!
//! let protocol: Protocol = "uni2".parse()?;
//! let sets = CandidateSets::draw(protocol, &[0, 1], &seen, &ratings.item_counts(4), 42)?;
//! assert_eq!(sets.of(0), Some(&[1, 3][..]));
//! assert_eq!(sets.of(1).map(<[u32]>::len), Some(2));
//! # Ok::<(), cresset_data::negatives::NegativesError>(())
//! ```

mod candidates;
mod distribution;
mod error;
mod files;
mod protocol;
mod sampler;

pub use candidates::{CandidateSets, Origin};
pub use distribution::ItemDistribution;
pub use error::NegativesError;
pub use protocol::Protocol;
pub use sampler::{EpochNegatives, NegativeSampler};
