//! Every metric there is: its name, what it takes, which way it improves.

/// Which way a metric improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// An error, or a harm such as showing few items to everyone: the less the better.
    LowerIsBetter,
    /// A gain: the more the better.
    HigherIsBetter,
}

impl Direction {
    /// Whether `value` is strictly better than `than`; `NaN` is better than nothing.
    pub fn is_better(self, value: f64, than: f64) -> bool {
        match self {
            Direction::LowerIsBetter => value < than,
            Direction::HigherIsBetter => value > than,
        }
    }
}

/// What a metric is computed from, and so which function computes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Predicted and given ratings: [`rating_metrics`](crate::rating_metrics).
    Rating,
    /// Where the relevant items stand in a ranking: a mean over users, exact under ties.
    Ranking,
    /// The items that are shown, whoever finds them relevant: ties are broken by item id.
    List,
}

/// What stands behind the `@` of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: `rmse`.
    Nothing,
    /// The length of the list that is looked at: `ndcg@10`.
    Cutoff,
    /// The largest error, in stars, of a prediction that counts as right: `accuracy@0.5`.
    Tolerance,
}

/// A metric, without what stands behind the `@`.
///
/// Each is defined in `docs/metrics.md`; a definition that deviates from the field's usual one is a metric of
/// its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// `mse`: mean squared error.
    Mse,
    /// `rmse`: root of the mean squared error.
    Rmse,
    /// `mae`: mean absolute error.
    Mae,
    /// `r2`: share of the targets' variance that is explained.
    R2,
    /// `mape`: mean absolute error in percent of the target.
    Mape,
    /// `smape`: mean absolute error in percent of the mean of target and prediction.
    Smape,
    /// `accuracy@t`: share of predictions within `t` stars.
    Accuracy,
    /// `hit_rate@k`: share of users with a relevant item in the top k.
    HitRate,
    /// `precision@k`: hits divided by k.
    Precision,
    /// `recall@k`: hits divided by the number of relevant items.
    Recall,
    /// `recall_by_pair@k`: the same, mean over users weighted by their number of relevant items.
    RecallByPair,
    /// `recall_capped@k`: hits divided by the hits that k places allow.
    RecallCapped,
    /// `f1@k`: harmonic mean of precision and recall of each user.
    F1,
    /// `ndcg@k`: discounted gain divided by that of min(relevant, k) hits at the top.
    Ndcg,
    /// `ndcg_ideal_k@k`: discounted gain divided by that of k hits, however few items are relevant.
    NdcgIdealK,
    /// `mrr@k`: one divided by the rank of the first hit.
    Mrr,
    /// `map@k`: precision at each hit, summed and divided by min(relevant, k).
    Map,
    /// `map_by_relevant@k`: precision at each hit, summed and divided by the number of relevant items.
    MapByRelevant,
    /// `auc`: chance that a relevant item outranks another one, mean over users.
    Auc,
    /// `gauc`: the same, mean over users weighted by their number of relevant items.
    Gauc,
    /// `coverage@k`: share of the catalogue that is in anyone's list.
    Coverage,
    /// `novelty@k`: mean surprise, in bits, of the items shown.
    Novelty,
    /// `gini@k`: how unequally the lists' places are spread over the catalogue.
    Gini,
    /// `popularity@k`: mean number of users who have the items shown.
    Popularity,
    /// `serendipity@k`: share of the hits that the list of the most popular items lacks.
    Serendipity,
    /// `intra_list_diversity@k`: mean distance of the items of a list.
    IntraListDiversity,
}

impl Metric {
    /// All metrics, in the order in which they are listed.
    pub const ALL: [Metric; 26] = [
        Metric::Mse,
        Metric::Rmse,
        Metric::Mae,
        Metric::R2,
        Metric::Mape,
        Metric::Smape,
        Metric::Accuracy,
        Metric::HitRate,
        Metric::Precision,
        Metric::Recall,
        Metric::RecallByPair,
        Metric::RecallCapped,
        Metric::F1,
        Metric::Ndcg,
        Metric::NdcgIdealK,
        Metric::Mrr,
        Metric::Map,
        Metric::MapByRelevant,
        Metric::Auc,
        Metric::Gauc,
        Metric::Coverage,
        Metric::Novelty,
        Metric::Gini,
        Metric::Popularity,
        Metric::Serendipity,
        Metric::IntraListDiversity,
    ];

    /// The name as keys spell it, without the `@`.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Mse => "mse",
            Metric::Rmse => "rmse",
            Metric::Mae => "mae",
            Metric::R2 => "r2",
            Metric::Mape => "mape",
            Metric::Smape => "smape",
            Metric::Accuracy => "accuracy",
            Metric::HitRate => "hit_rate",
            Metric::Precision => "precision",
            Metric::Recall => "recall",
            Metric::RecallByPair => "recall_by_pair",
            Metric::RecallCapped => "recall_capped",
            Metric::F1 => "f1",
            Metric::Ndcg => "ndcg",
            Metric::NdcgIdealK => "ndcg_ideal_k",
            Metric::Mrr => "mrr",
            Metric::Map => "map",
            Metric::MapByRelevant => "map_by_relevant",
            Metric::Auc => "auc",
            Metric::Gauc => "gauc",
            Metric::Coverage => "coverage",
            Metric::Novelty => "novelty",
            Metric::Gini => "gini",
            Metric::Popularity => "popularity",
            Metric::Serendipity => "serendipity",
            Metric::IntraListDiversity => "intra_list_diversity",
        }
    }

    /// What it is computed from.
    pub fn family(self) -> Family {
        match self {
            Metric::Mse
            | Metric::Rmse
            | Metric::Mae
            | Metric::R2
            | Metric::Mape
            | Metric::Smape
            | Metric::Accuracy => Family::Rating,
            Metric::Coverage
            | Metric::Novelty
            | Metric::Gini
            | Metric::Popularity
            | Metric::Serendipity
            | Metric::IntraListDiversity => Family::List,
            _ => Family::Ranking,
        }
    }

    /// What stands behind the `@` of its key.
    pub fn takes(self) -> Takes {
        match self {
            Metric::Accuracy => Takes::Tolerance,
            Metric::Auc | Metric::Gauc => Takes::Nothing,
            _ if self.family() == Family::Rating => Takes::Nothing,
            _ => Takes::Cutoff,
        }
    }

    /// Which way it improves.
    ///
    /// Gini and popularity are harms: at equal accuracy, whoever spreads the places of the lists over more of
    /// the catalogue, and shows what is not known anyway, serves more tastes. Neither says that the items
    /// are good; random lists are best in both, so read them beside a ranking metric.
    pub fn direction(self) -> Direction {
        match self {
            Metric::R2 | Metric::Accuracy => Direction::HigherIsBetter,
            Metric::Gini | Metric::Popularity => Direction::LowerIsBetter,
            _ if self.family() == Family::Rating => Direction::LowerIsBetter,
            _ => Direction::HigherIsBetter,
        }
    }
}
