//! A step of matrix factorisation: plain, at the sizes of MovieLens, with attention over item tags, and with all parts.

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use cresset::data::UniqueRows;
use cresset::nn::{EmbeddingTable, Mlp, RowIndex};
use cresset::prelude::*;

use crate::inputs::{N_BATCHES, ids, normal, random, ratings, uniform, zipf_ids};
use crate::train::train;
use crate::{Case, Work, kg_mf_parts};

/// Users and items of MovieLens 100K, 1M and 20M.
const SIZES: [(&str, usize, usize); 3] =
    [("ml-100k", 943, 1_682), ("ml-1m", 6_040, 3_706), ("ml-20m", 138_493, 26_744)];
const BATCHES: [usize; 2] = [1_024, 8_192];
const DIM: usize = 64;

const N_USERS: usize = 138_494;
const N_ITEMS: usize = 26_745;
const N_TAGS: usize = 1_128;

pub(crate) fn cases<B: AutodiffRecommender>() -> Vec<Case<B>> {
    let tagged = |zipf: bool, size: usize| {
        let name = format!("batch {size}{}", if zipf { ", zipf" } else { "" });
        Case::new(name, size, move |device: &B::Device| start_tagged::<B>(zipf, size, device))
    };
    let plain = |(name, n_users, n_items): (&str, usize, usize), size: usize| {
        Case::new(format!("plain {name}, batch {size}"), size, move |device: &B::Device| {
            start_plain::<B>([n_users, n_items], size, device)
        })
    };
    let tagged = [false, true].into_iter().flat_map(|zipf| BATCHES.map(|size| tagged(zipf, size)));
    let plain = SIZES.into_iter().flat_map(|data| BATCHES.map(|size| plain(data, size)));
    tagged.chain(kg_mf_parts::cases()).chain(plain).collect()
}

fn start_plain<B: AutodiffRecommender>(
    [n_users, n_items]: [usize; 2],
    size: usize,
    device: &B::Device,
) -> Work {
    let ratings = ratings(n_users, n_items, size * N_BATCHES);
    let scale = RatingScale::of(&ratings, (0.5, 5.0));
    let config = KgMfConfig { embedding_dim: DIM, ..Default::default() };
    let model: KgMf<B> = config.init(n_users, n_items, scale, 42, device).expect("valid numbers");
    let batches = RatingBatches::new(ratings, size, 42);
    let order = batches.order(0);
    train::<B, _>(model, (0..N_BATCHES).map(|step| batches.batch(&order, step).into()).collect())
}

fn start_tagged<B: AutodiffRecommender>(zipf: bool, size: usize, device: &B::Device) -> Work {
    let tags = normal([N_ITEMS, N_TAGS], 1.0, "tags", device);
    let model = TaggedFactors {
        users: EmbeddingTable::<B>::normal("users", [N_USERS, DIM], 0.1, 42, device),
        items: EmbeddingTable::normal("items", [N_ITEMS, DIM], 0.1, 42, device),
        tags: EmbeddingTable::from_tensor("tags", tags),
        attention: Mlp::new("attention", &[N_TAGS, 32, 1], 42, device).expect("valid widths"),
    };
    let mut rng = random("tagged");
    let mut batch = || {
        let items = if zipf { zipf_ids(size, N_ITEMS, &mut rng) } else { ids(size, N_ITEMS, &mut rng) };
        TaggedBatch {
            users: UniqueRows::of(&ids(size, N_USERS, &mut rng)),
            items: UniqueRows::of(&items),
            ratings: uniform(size, 5.0, &mut rng),
        }
    };
    train::<B, _>(model, (0..N_BATCHES).map(|_| batch()).collect())
}

/// `sigmoid(attention(tags)) * user . item`; the tags of an item are weighed once in a batch, however often it is rated.
#[derive(Module, Debug)]
struct TaggedFactors<B: Backend> {
    users: EmbeddingTable<B>,
    items: EmbeddingTable<B>,
    tags: EmbeddingTable<B>,
    attention: Mlp<B>,
}

struct TaggedBatch {
    users: UniqueRows,
    items: UniqueRows,
    ratings: Vec<f32>,
}

impl<B: AutodiffRecommender> TrainModel<B> for TaggedFactors<B> {
    type Batch = TaggedBatch;

    fn forward_loss(&self, batch: &TaggedBatch, key: StepKey) -> ForwardPass<B> {
        let device = self.users.device();
        let n = batch.ratings.len();
        let users = self.users.gather(&RowIndex::new(&batch.users, &device));
        let items = self.items.gather(&RowIndex::new(&batch.items, &device));
        let scales = sigmoid(self.attention.forward_rows(&self.tags, &batch.items.ids, Some(key)));
        let scales: Tensor<B, 1> = B::select_rows(scales, &items.selection()).squeeze_dim(1);
        let ratings = Tensor::from_data(TensorData::new(batch.ratings.clone(), [n]), &device);
        let error = users.products(&items) * scales - ratings;
        let loss = (error.clone() * error).mean();
        ForwardPass { terms: vec![("loss", loss)], n_examples: n, rows: vec![users, items] }
    }

    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        vec![&mut self.users, &mut self.items]
    }
}
