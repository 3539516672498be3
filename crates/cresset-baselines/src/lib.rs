//! The simple recommenders that every result is printed beside: means, popularity, item neighbours, EASE and implicit
//! ALS.
//!
//! A network that does not beat the mean rating of an item, or what those who have an item also have, has learnt
//! nothing worth its electricity. The recommenders here have few dials and fit in seconds; on small data they are hard
//! to beat, and are then the ones to use. They know no tensor: what they see are columns of dense ids, ratings and
//! times, the [`TrainingSet`].
//!
//! | `kind` | fitted by | what it is | ranks | for a history alone | predicts ratings |
//! | --- | --- | --- | --- | --- | --- |
//! | `global-mean` | [`GlobalMean::fit`] | the mean rating | | | yes |
//! | `user-mean` | [`UserMean::fit`] | each user's mean | | | yes |
//! | `item-mean` | [`ItemMean::fit`] | each item's mean | yes | yes | yes |
//! | `popularity` | [`PopularityConfig`] | what everybody takes, or took lately | yes | yes | |
//! | `item-neighbours` | [`ItemNeighboursConfig`] | what is found beside the user's items, in sets or sequences | yes | yes | |
//! | `ease` | [`EaseConfig`] | a linear function of the user's items, in closed form | yes | yes | |
//! | `implicit-als` | [`ImplicitAlsConfig`] | matrix factorisation with confidence | yes | yes | |
//!
//! Those that rank are [`Scorer`]s, those that predict are [`RatingPredictor`]s: the traits of `cresset-metrics` that
//! the models implement, too, so that one evaluation measures all. A [`HistoryScorer`] also ranks for somebody whom
//! training never saw, by their items alone.
//!
//! ```
//! use cresset_baselines::{EaseConfig, HistoryScorer, ItemMean, TrainingSet};
//! use cresset_metrics::{ItemLists, RankingPlan, RankingTask, RatingPredictor, rank_catalogue, rmse};
//!
//! // Two who like items 0 and 1, two who like items 2 and 3, and user 4 with item 0 alone.
//! let training = TrainingSet {
//!     user_ids: &[0, 0, 1, 1, 2, 2, 3, 3, 4],
//!     item_ids: &[0, 1, 0, 1, 2, 3, 2, 3, 0],
//!     ratings: &[5.0, 3.0, 4.0, 4.0, 1.0, 2.0, 3.0, 4.0, 3.0],
//!     times: None,
//!     n_users: 5,
//!     n_items: 4,
//! };
//!
//! // Whoever has item 0 has item 1, and that is what user 4 should be shown.
//! let ease = EaseConfig { l2: 1.0, ..EaseConfig::default() }.fit(&training)?;
//! let task = RankingTask {
//!     users: &[4],
//!     relevant: ItemLists { offsets: &[0, 0, 0, 0, 0, 1], items: &[1] },
//!     seen: ItemLists { offsets: &[0, 0, 0, 0, 0, 1], items: &[0] },
//! };
//! let plan = RankingPlan::parse(&["hit_rate@1"])?;
//! assert_eq!(rank_catalogue(&ease, &task, &plan)?.metrics.get("hit_rate@1"), Some(1.0));
//!
//! // Somebody new, who has item 3.
//! let mut scores = [0.0; 4];
//! ease.score_history(&[3], &[5.0], &mut scores);
//! assert!(scores[2] > scores[0] && scores[2] > scores[1]);
//!
//! // User 4 rates item 0 with 3.5: its mean in training, 4, is half a star off.
//! let item_mean = ItemMean::fit(&training, 0.0)?;
//! assert_eq!(rmse(&[3.5], &item_mean.predict_pairs(&[4], &[0]))?, 0.5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A program that lets its user choose takes a [`BaselineConfig`], which reads one section of a config file and fits a
//! [`Baseline`]; that is saved to one file with a checksum and comes back to the bit.
//!
//! # What is an error and what is not
//!
//! No interactions, columns of unequal length, ids out of range, ratings that are not finite, parameters out of range,
//! a matrix that has no inverse or does not fit into memory: each is a [`BaselineError`] of one sentence. One user, one
//! interaction and an item nobody has are not. Users and items that training never saw have no mean and no popularity of
//! their own: they get the global mean, and a score of 0.
//!
//! # The same on any number of threads
//!
//! Work is shared between threads by rows, each of which one thread sums in one order, so that no result depends on how
//! many there are. All chance, the first vectors of ALS, is a function of its seed.
//!
//! [`RatingPredictor`]: cresset_metrics::RatingPredictor
//! [`Scorer`]: cresset_metrics::Scorer

mod als;
mod archive;
mod baseline;
mod config;
mod ease;
mod error;
mod histories;
mod history_scorer;
mod means;
mod neighbours;
mod popularity;
mod saved;
mod training_set;

pub use als::{ImplicitAls, ImplicitAlsConfig};
pub use archive::SavedBaselineError;
pub use baseline::Baseline;
pub use config::{BaselineConfig, GlobalMeanConfig, MeanConfig};
pub use ease::{Ease, EaseConfig};
pub use error::{BaselineError, ParameterError};
pub use histories::Histories;
pub use history_scorer::HistoryScorer;
pub use means::{GlobalMean, ItemMean, UserMean};
pub use neighbours::{ItemNeighbours, ItemNeighboursConfig};
pub use popularity::{Popularity, PopularityConfig};
pub use training_set::TrainingSet;
