//! The model as one that predicts and ranks.

use burn::tensor::TensorData;
use cresset_metrics::{BlockRanks, BlockRequest, NotFiniteScore, RatingPredictor, Scorer};
use cresset_nn::{RecommenderBackend, RowLists, rank_rows};

use crate::model::KgMf;

impl<B: RecommenderBackend> Scorer for KgMf<B> {
    fn n_items(&self) -> usize {
        self.dims().1
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        scores.copy_from_slice(&to_vec(self.score_items(users).into_data()));
    }

    fn rank_block(&self, request: &BlockRequest<'_>) -> Option<BlockRanks> {
        (!B::ON_HOST).then(|| self.rank_on_device(request))
    }
}

impl<B: RecommenderBackend> KgMf<B> {
    /// Ranks a block without handing out its scores.
    fn rank_on_device(&self, request: &BlockRequest<'_>) -> BlockRanks {
        let (relevant, seen) = (request.relevant_rows(), request.seen_rows());
        let asked = RowLists { offsets: &relevant.offsets, items: &relevant.items };
        let masked = RowLists { offsets: &seen.offsets, items: &seen.items };
        let ranked = rank_rows(self.score_items(request.users), asked, masked, request.top_k);
        let place = |(row, item, value)| NotFiniteScore { user: request.users[row], item, value };
        BlockRanks {
            above: ranked.above,
            equal: ranked.equal,
            top_items: ranked.top_items,
            not_finite: ranked.not_finite.map(place),
        }
    }
}

impl<B: RecommenderBackend> RatingPredictor for KgMf<B> {
    fn predict_pairs(&self, users: &[u32], items: &[u32]) -> Vec<f32> {
        to_vec(self.predict(users, items).into_data())
    }

    fn predict_pairs_at(&self, users: &[u32], items: &[u32], times: &[i64]) -> Vec<f32> {
        to_vec(self.predict_at(users, items, times).into_data())
    }
}

pub(crate) fn to_vec(data: TensorData) -> Vec<f32> {
    data.convert::<f32>().to_vec().expect("converted to f32 just before")
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use cresset_metrics::{ItemLists, RankingPlan, RankingTask, rank_catalogue};

    use super::*;
    use crate::config::{KgMfConfig, RatingScale};

    /// As on a device: the scores are never handed out.
    struct Counting<'m>(&'m KgMf<Flex>);

    impl Scorer for Counting<'_> {
        fn n_items(&self) -> usize {
            self.0.n_items()
        }

        fn score_block(&self, _: &[u32], _: &mut [f32]) {
            unreachable!("scores are counted where they are")
        }

        fn rank_block(&self, request: &BlockRequest<'_>) -> Option<BlockRanks> {
            Some(self.0.rank_on_device(request))
        }
    }

    #[test]
    fn counts_on_the_device_give_the_report_of_the_scores_to_the_bit() {
        let scale = RatingScale { mean: 3.0, min: 1.0, max: 5.0 };
        let config = KgMfConfig { embedding_dim: 4, init_std: 1.0, ..KgMfConfig::default() };
        let model: KgMf<Flex> = config.init(3, 40, scale, 7, &Default::default()).unwrap();
        let task = RankingTask {
            users: &[0, 1, 2],
            relevant: ItemLists { offsets: &[0, 2, 3, 6], items: &[4, 30, 11, 0, 1, 39] },
            seen: ItemLists { offsets: &[0, 1, 1, 3], items: &[7, 1, 2] },
        };
        let plan = RankingPlan::parse(&["ndcg@20", "map@20", "auc", "coverage@5", "gini@3"]).unwrap();
        let counted = rank_catalogue(&Counting(&model), &task, &plan).unwrap();
        assert_eq!(counted, rank_catalogue(&model, &task, &plan).unwrap());
        assert!(counted.metrics.get("ndcg@20").is_some_and(|ndcg| ndcg > 0.0));
    }
}
