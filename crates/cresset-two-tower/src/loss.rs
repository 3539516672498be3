//! The losses, of towers' outputs and the places of pairs among them.

use burn::tensor::{Int, Tensor, TensorData};
use cresset_nn::loss::{
    DrawnItems, SampledItems, bce_with_logits, catalogue_cross_entropy, in_batch_softmax, sampled_softmax,
    sampled_softmax_drawn,
};
use cresset_nn::{AutodiffRecommender, NO_CANDIDATE, RowLists, Selection, id_tensor, rank_rows};

use crate::batch::{LogQ, TwoTowerBatch};
use crate::config::{Loss, NegativesKind, TwoTowerConfig};

/// Outputs of the towers for the distinct users and items of a batch, and what they are told from.
pub(crate) struct Outputs<'a, B: AutodiffRecommender> {
    /// `[n_users, dim]`
    pub(crate) users: Tensor<B, 2>,
    /// `[n_items, dim]`
    pub(crate) items: Tensor<B, 2>,
    pub(crate) batch: &'a TwoTowerBatch,
    pub(crate) config: &'a TwoTowerConfig,
}

impl<B: AutodiffRecommender> Outputs<'_, B> {
    /// The mean loss of the batch's pairs, `[1]`.
    pub(crate) fn loss(self) -> Tensor<B, 1> {
        let drawn = match self.config.negatives.kind {
            NegativesKind::InBatch => return self.in_batch(),
            NegativesKind::Mixed => return self.shared(true),
            NegativesKind::Shared => return self.shared(false),
            NegativesKind::All => return self.catalogue(),
            NegativesKind::Drawn | NegativesKind::Given => self.batch.per_pair.clone(),
            NegativesKind::Hard => self.hardest(),
        };
        match self.config.loss {
            Loss::Softmax => self.drawn_softmax(&drawn),
            Loss::Bce => self.binary(&drawn),
        }
    }

    fn in_batch(&self) -> Tensor<B, 1> {
        let positives = self.sampled(&self.batch.positives, |log_q, place| log_q.of_pairs[place]);
        in_batch_softmax(self.queries(), positives, self.config.temperature as f32)
    }

    /// Among items that all pairs share: those drawn, and with `mixed` those of the pairs.
    fn shared(&self, mixed: bool) -> Tensor<B, 1> {
        let batch = self.batch;
        let (n_pairs, n_drawn) = (batch.len() as f32, batch.shared.len() as f32);
        let share = n_drawn / (n_pairs + n_drawn);
        let chance = move |log_q: &LogQ, place: usize| {
            if !mixed {
                return log_q.of_draws[place];
            }
            ((1.0 - share) * log_q.of_pairs[place].exp() + share * log_q.of_draws[place].exp()).ln()
        };
        let against =
            if mixed { [&batch.positives[..], &batch.shared].concat() } else { batch.shared.clone() };
        let (positives, against) = (self.sampled(&batch.positives, chance), self.sampled(&against, chance));
        sampled_softmax(self.warm_queries(), positives, against, None)
    }

    fn catalogue(&self) -> Tensor<B, 1> {
        let targets = id_tensor(&self.batch.positives, &self.items.device());
        catalogue_cross_entropy(self.warm_queries(), self.items.clone(), targets, None)
    }

    fn drawn_softmax(&self, drawn: &[u32]) -> Tensor<B, 1> {
        let (n, device) = (self.batch.len(), self.items.device());
        let positives: Tensor<B, 1, Int> = id_tensor(&self.batch.positives, &device);
        let negatives: Tensor<B, 1, Int> = id_tensor(drawn, &device);
        let items =
            DrawnItems::new(self.items.clone(), positives, negatives.reshape([n, drawn.len() / n.max(1)]));
        sampled_softmax_drawn(self.warm_queries(), items, self.log_q_of_draws(), None)
    }

    /// How likely each distinct item was to be drawn, `[n_items]`.
    fn log_q_of_draws(&self) -> Option<Tensor<B, 1>> {
        let log_q = self.batch.log_q.as_ref()?.of_draws.clone();
        let n = log_q.len();
        Some(Tensor::from_data(TensorData::new(log_q, [n]), &self.items.device()))
    }

    /// Each pair and each of its negatives by itself. A negative that is the pair's own item counts for nothing.
    fn binary(&self, drawn: &[u32]) -> Tensor<B, 1> {
        let TwoTowerBatch { user_places, positives, .. } = self.batch;
        let (n, device) = (positives.len(), self.items.device());
        let n_each = drawn.len() / n.max(1);
        let of_drawn = user_places.iter().flat_map(|&user| std::iter::repeat_n(user, n_each));
        let users: Vec<u32> = user_places.iter().copied().chain(of_drawn).collect();
        let users = Selection::one_each(&users, self.users.dims()[0], &device);
        let pairs = [&positives[..], drawn].concat();
        let items = Selection::one_each(&pairs, self.items.dims()[0], &device);
        let cosines = B::pair_products(self.users.clone(), self.items.clone(), &users, &items);
        let labels: Vec<f32> = (0..pairs.len()).map(|at| f32::from(at < n)).collect();
        let is_own = |at: usize| at >= n && pairs[at] == positives[(at - n) / n_each];
        let weights: Vec<f32> = (0..pairs.len()).map(|at| f32::from(!is_own(at))).collect();
        let tensor = |values: Vec<f32>| Tensor::from_data(TensorData::new(values, [pairs.len()]), &device);
        let weights = weights.contains(&0.0).then(|| tensor(weights));
        bce_with_logits(cosines / self.config.temperature, tensor(labels), weights)
    }

    /// For each pair the items of the pool that its user is closest to, but for those that the user has. Where too few are
    /// left, the pair's own item stands in, which counts for nothing.
    fn hardest(&self) -> Vec<u32> {
        let batch = self.batch;
        let device = self.items.device();
        let pick = |rows: &Tensor<B, 2>, places: &[u32]| {
            let places: Tensor<B::InnerBackend, 1, Int> = id_tensor(places, &device);
            rows.clone().inner().select(0, places)
        };
        let scores =
            pick(&self.users, &batch.user_places).matmul(pick(&self.items, &batch.shared).transpose());
        let ends = batch.own.iter().scan(0, |end, own| {
            *end += own.len();
            Some(*end)
        });
        let offsets: Vec<usize> = std::iter::once(0).chain(ends).collect();
        let none = vec![0; batch.len() + 1];
        let masked = RowLists { offsets: &offsets, items: &batch.own.concat() };
        let n = self.config.negatives.n;
        let ranked = rank_rows(scores, RowLists { offsets: &none, items: &[] }, masked, n);
        let place = |(at, &item): (usize, &u32)| match item {
            NO_CANDIDATE => batch.positives[at / n],
            item => batch.shared[item as usize],
        };
        // Where the outputs are not numbers nothing is ranked; the loss shows it.
        let mut hardest: Vec<u32> = ranked.top_items.iter().enumerate().map(place).collect();
        let n_found = hardest.len();
        hardest.extend((n_found..batch.len() * n).map(|at| batch.positives[at / n]));
        hardest
    }

    /// The output of each pair's user, `[n, dim]`.
    fn queries(&self) -> Tensor<B, 2> {
        let places = &self.batch.user_places;
        let users = Selection::one_each(places, self.users.dims()[0], &self.users.device());
        B::select_rows(self.users.clone(), &users)
    }

    /// The same over the temperature.
    fn warm_queries(&self) -> Tensor<B, 2> {
        self.queries() / self.config.temperature
    }

    /// Items at `places`, with how likely each was.
    fn sampled(&self, places: &[u32], chance: impl Fn(&LogQ, usize) -> f32) -> SampledItems<B> {
        let device = self.items.device();
        let rows =
            B::select_rows(self.items.clone(), &Selection::one_each(places, self.items.dims()[0], &device));
        let items = SampledItems::new(rows).with_ids(id_tensor(places, &device));
        let Some(log_q) = &self.batch.log_q else { return items };
        let log_q: Vec<f32> = places.iter().map(|&place| chance(log_q, place as usize)).collect();
        items.with_log_q(Tensor::from_data(TensorData::new(log_q, [places.len()]), &device))
    }
}
