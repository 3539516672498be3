//! Rating and ranking metrics for recommender systems, exactly defined and safe under ties.
//!
//! A recommender is believed for its numbers, so each metric here has one definition, the field's usual
//! one, and says so; what deviates has a name of its own. The crate works on slices and knows nothing of
//! models, files or tensors. It is six things:
//!
//! **Pure functions.** [`rmse`], [`mae`], [`r2`] and their like of targets and predictions; [`ndcg_at_k`] and
//! its like of a list in its final order; [`auc()`] of scores and labels.
//!
//! **Ranking the whole catalogue.** Anything that implements [`Scorer`] can be ranked by
//! [`rank_catalogue`]: every item that the user has not seen takes part, no sample of them. A
//! [`RankingPlan`] says what is measured.
//!
//! ```
//! use cresset_metrics::{ItemLists, RankingPlan, RankingTask, Scorer, rank_catalogue};
//!
//! /// Four items, and everyone likes the later ones better.
//! struct Newest;
//!
//! impl Scorer for Newest {
//!     fn n_items(&self) -> usize {
//!         4
//!     }
//!     fn score_block(&self, users: &[u32], scores: &mut [f32]) {
//!         for row in scores.chunks_exact_mut(4).take(users.len()) {
//!             row.copy_from_slice(&[1.0, 2.0, 3.0, 4.0]);
//!         }
//!     }
//! }
//!
//! // User 0 should get item 1 and has item 3; user 1 should get item 3 and has item 0.
//! let task = RankingTask {
//!     users: &[0, 1],
//!     relevant: ItemLists { offsets: &[0, 1, 2], items: &[1, 3] },
//!     seen: ItemLists { offsets: &[0, 1, 2], items: &[3, 0] },
//! };
//! let plan = RankingPlan::parse(&["hit_rate@1", "mrr@10", "coverage@1", "novelty@1"])?;
//! let report = rank_catalogue(&Newest, &task, &plan)?;
//! // Without item 3, item 1 is second for user 0; item 3 is first for user 1.
//! assert_eq!(report.metrics.get("hit_rate@1"), Some(0.5));
//! assert_eq!(report.per_user("mrr@10"), Some(vec![0.5, 1.0]));
//! // Items 2 and 3 are shown.
//! assert_eq!(report.metrics.get("coverage@1"), Some(0.5));
//! // Nobody said how many users have each item: that one metric is undefined.
//! assert!(report.metrics.reason("novelty@1").is_some());
//! # Ok::<(), cresset_metrics::MetricError>(())
//! ```
//!
//! **Streaming.** [`RankingAccumulator`] takes scores block by block, in any order and from anywhere, and
//! keeps a few numbers of each user: never a table of users times items. A scorer on a device may count there
//! ([`Scorer::rank_block`]), so that its scores do not cross the bus. The report has the same bits for any
//! block size, order and number of threads.
//!
//! **Others' recommendations.** [`rank_lists`] holds anyone's lists of items and scores against the same
//! definitions.
//!
//! **Results with names.** [`Metrics`] holds values by key (`rmse`, `ndcg@10`) in their order, and a reason
//! where the data leave a metric undefined; [`parse_key`] reads such a key, knows its [`Family`] and
//! [`Direction`], and finds the nearest name for a misspelt one. [`RankingReport::user_values`] gives the
//! values of the users behind a mean.
//!
//! **How much of it is chance.** [`statistics`] makes bootstrap intervals of a report's means, and compares
//! two reports user by user.
//!
//! # Ties
//!
//! Equal scores leave the order of their items open, and a sort that happens to favour the relevant one
//! makes a constant scorer look perfect. Here every ranking metric is its mean over all orders of the tied
//! items, in closed form ([`RelevantRanks`]): a constant scorer gets exactly chance. [`Ties`] has the best
//! and the worst order, too. Only lists, which have to name items, break ties, by item id.
//!
//! # What is an error and what is not
//!
//! A NaN or an infinity is an error that names its place, never a value that is skipped. Users without a
//! relevant item are left out and counted. A metric that the data leave undefined, as `r2` of equal ratings,
//! is [`MetricError::Undefined`], which [`Metrics`] records as null with its reason while the other metrics
//! stand.

mod accumulator;
mod auc;
mod beyond_accuracy;
mod block;
mod catalogue_ranking;
mod counting;
mod discount;
mod error;
mod given_lists;
mod item_lists;
mod key;
mod plan;
mod ranking;
mod ranking_report;
mod rating;
mod relevant_ranks;
mod report;
mod row;
mod scorer;
pub mod statistics;
mod ties;
mod top_k;

pub use accumulator::RankingAccumulator;
pub use auc::auc;
pub use beyond_accuracy::{ItemFacts, ItemVectors, NO_ITEM};
pub use block::{BlockLists, BlockRanks, BlockRequest, NotFiniteScore};
pub use catalogue_ranking::{RankingTask, rank_catalogue};
pub use error::MetricError;
pub use given_lists::{RankedLists, rank_lists};
pub use item_lists::ItemLists;
pub use key::{
    Direction, Family, Metric, MetricKey, MetricKeyError, Parameter, Takes, direction, expand_keys, parse_key,
};
pub use plan::RankingPlan;
pub use ranking::{
    average_precision_at_k, average_precision_by_relevant_at_k, f1_at_k, hit_rate_at_k, mrr_at_k, ndcg_at_k,
    ndcg_ideal_k_at_k, precision_at_k, recall_at_k, recall_capped_at_k,
};
pub use ranking_report::{RankingReport, UserValues};
pub use rating::{accuracy_within, mae, mape, mse, r2, rating_metrics, rmse, smape};
pub use relevant_ranks::RelevantRanks;
pub use report::Metrics;
pub use scorer::{RatingPredictor, Scorer};
pub use ties::Ties;
pub use top_k::top_k;
