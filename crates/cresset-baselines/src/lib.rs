//! The simple recommenders that every result is printed beside: means and popularity.
//!
//! A network that does not beat the mean rating of an item, or a list of what is popular, has learnt
//! nothing worth its electricity. The recommenders here have no dials to speak of, fit in one pass, and are
//! therefore the honest floor. They know no tensor; what they see are columns of dense ids and ratings, the
//! [`TrainingSet`].
//!
//! [`GlobalMean`], [`UserMean`] and [`ItemMean`] predict ratings ([`RatingPredictor`]); [`Popularity`]
//! and [`ItemMean`] rank the catalogue ([`Scorer`]). Both traits are those of `cresset-metrics`, the same
//! that the models implement, so one evaluation measures all.
//!
//! ```
//! use cresset_baselines::{ItemMean, Popularity, TrainingSet};
//! use cresset_metrics::{ItemLists, RankingPlan, RankingTask, RatingPredictor, rank_catalogue, rmse};
//!
//! let training = TrainingSet {
//!     user_ids: &[0, 0, 1, 1, 2],
//!     item_ids: &[0, 1, 0, 1, 1],
//!     ratings: &[5.0, 3.0, 4.0, 1.0, 2.0],
//!     n_users: 3,
//!     n_items: 3,
//! };
//!
//! // User 2 rates item 0 with 4: its mean in training, 4.5, is half a star off.
//! let item_mean = ItemMean::fit(&training, 0.0)?;
//! assert_eq!(rmse(&[4.0], &item_mean.predict_pairs(&[2], &[0]))?, 0.5);
//!
//! // Of the two items new to user 2, item 0 is the more popular.
//! let popularity = Popularity::fit(&training)?;
//! let task = RankingTask {
//!     users: &[2],
//!     relevant: ItemLists { offsets: &[0, 0, 0, 1], items: &[0] },
//!     seen: ItemLists { offsets: &[0, 0, 0, 1], items: &[1] },
//! };
//! let plan = RankingPlan::parse(&["hit_rate@1"])?;
//! assert_eq!(rank_catalogue(&popularity, &task, &plan)?.metrics.get("hit_rate@1"), Some(1.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Users and items that training never saw have no mean and no popularity of their own: they get the global
//! mean, and a popularity of 0.
//!
//! [`RatingPredictor`]: cresset_metrics::RatingPredictor
//! [`Scorer`]: cresset_metrics::Scorer

mod error;
mod means;
mod popularity;
mod training_set;

pub use error::BaselineError;
pub use means::{GlobalMean, ItemMean, UserMean};
pub use popularity::Popularity;
pub use training_set::TrainingSet;
