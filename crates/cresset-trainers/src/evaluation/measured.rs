//! What came out of a measurement.

use cresset_metrics::statistics::{Bootstrap, Interval, StatisticsError};
use cresset_metrics::{Metrics, RankingReport};
use serde::{Deserialize, Serialize};

use super::{PerUser, RatingBand};

/// Metrics of a model on one part of a split, on average and user by user.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// The metrics, in the order of the config: those of ratings first.
    pub metrics: Metrics,
    /// Whom the ranking metrics are means of.
    pub counts: RankingCounts,
    /// What each user adds to the metrics that are means over users.
    pub per_user: PerUser,
    /// Errors of the ratings by how many training ratings their item has; empty where no rating was predicted or
    /// nothing is known of the training part.
    pub by_item_ratings: Vec<RatingBand>,
}

/// How many users and positives stand behind the ranking metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankingCounts {
    /// Users with something relevant, over whom the mean is taken.
    pub users: usize,
    /// Users without, left out.
    pub users_left_out: usize,
    /// Relevant items that share their score with another item, and so count by expectation.
    pub tied_positives: usize,
    /// Items taken out of given lists because their user has seen them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seen_items_removed: usize,
    /// Users whose given list is empty, or who have none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub empty_lists: usize,
}

impl RankingCounts {
    /// Whether nothing was ranked at all, so that there is nothing to say.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl std::fmt::Display for RankingCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { users, users_left_out, tied_positives, .. } = self;
        write!(
            f,
            "ranking judged on {users} users; {users_left_out} without a relevant item are left out; \
             {tied_positives} relevant items tie with others"
        )
    }
}

impl Measured {
    /// The bootstrap interval of each metric that is a mean over users, in their order.
    ///
    /// # Errors
    ///
    /// If a setting of the bootstrap is out of its range.
    pub fn intervals(&self, bootstrap: &Bootstrap) -> Result<Vec<(String, Interval)>, StatisticsError> {
        self.per_user.intervals(bootstrap)
    }

    pub(super) fn add_ranking(&mut self, report: &RankingReport) {
        self.metrics.extend(report.metrics.clone());
        self.counts = RankingCounts {
            users: report.n_users,
            users_left_out: report.n_users_left_out,
            tied_positives: report.n_tied,
            seen_items_removed: report.n_seen_removed,
            empty_lists: report.n_empty_lists,
        };
        self.per_user.add_ranking(report);
    }
}
