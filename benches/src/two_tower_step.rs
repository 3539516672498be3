//! A step of a two-tower model, 93,543 users and 159,279 items with text: 1,024 pairs, of which 512 are positive.

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use cresset::data::UniqueRows;
use cresset::nn::{Activation, EmbeddingTable, Linear, RowIndex, Tower, TowerInput, loss};
use cresset::prelude::*;

use crate::inputs::{N_BATCHES, ids, normal, random};
use crate::train::train;
use crate::{Case, Work};

const N_USERS: usize = 93_543;
const N_ITEMS: usize = 159_279;
const DIM: usize = 128;
const TEXT_DIM: usize = 768;
/// Each with a positive and a negative item.
const BATCH_USERS: usize = 512;
const PAIRS: usize = 2 * BATCH_USERS;

pub(crate) fn cases<B: AutodiffRecommender>() -> Vec<Case<B>> {
    vec![Case::new(format!("{PAIRS} pairs"), PAIRS, start::<B>)]
}

fn start<B: AutodiffRecommender>(device: &B::Device) -> Work {
    let table = |name, n_rows| EmbeddingTable::normal(name, [n_rows, DIM], 1.0, 42, device);
    let tower = |path, features: &[usize]| {
        let tower = Tower::new(path, features, &[256, 128, DIM], 42, device);
        tower.and_then(|tower| tower.with_dropout(0.1)).expect("valid widths").normalized()
    };
    let model = TwoTower::<B> {
        users: table("users", N_USERS),
        items: table("items", N_ITEMS),
        categories: table("categories", 1),
        brands: table("brands", 1),
        text: EmbeddingTable::from_tensor("text", normal([N_ITEMS, TEXT_DIM], 1.0, "text", device)),
        text_layer: Linear::new("text_layer", [TEXT_DIM, DIM], 42, device),
        user_tower: tower("user_tower", &[DIM]),
        item_tower: tower("item_tower", &[DIM; 4]),
    };
    let mut rng = random("two-tower");
    let mut batch = || {
        let users = ids(BATCH_USERS, N_USERS, &mut rng);
        let items = UniqueRows::of(&ids(PAIRS, N_ITEMS, &mut rng));
        // One category and one brand for all items.
        let of_items = UniqueRows::of(&vec![0; items.len()]);
        Pairs { users: UniqueRows::of(&[users.clone(), users].concat()), items, of_items }
    };
    train::<B, _>(model, (0..N_BATCHES).map(|_| batch()).collect())
}

#[derive(Module, Debug)]
struct TwoTower<B: Backend> {
    users: EmbeddingTable<B>,
    items: EmbeddingTable<B>,
    categories: EmbeddingTable<B>,
    brands: EmbeddingTable<B>,
    text: EmbeddingTable<B>,
    text_layer: Linear<B>,
    user_tower: Tower<B>,
    item_tower: Tower<B>,
}

/// Positive pairs, then negative ones.
struct Pairs {
    users: UniqueRows,
    items: UniqueRows,
    /// Category, and brand, of each distinct item.
    of_items: UniqueRows,
}

impl<B: AutodiffRecommender> TrainModel<B> for TwoTower<B> {
    type Batch = Pairs;

    fn forward_loss(&self, batch: &Pairs, key: StepKey) -> ForwardPass<B> {
        let device = self.users.device();
        let index = |rows| RowIndex::new(rows, &device);
        let users = self.users.gather(&index(&batch.users));
        let items = self.items.gather(&index(&batch.items));
        let of_items = index(&batch.of_items);
        let (categories, brands) = (self.categories.gather(&of_items), self.brands.gather(&of_items));

        let user_vectors = self.user_tower.forward(vec![users.leaf.clone().into()], Some(key));
        let text = self.text_layer.forward_rows(&self.text, &batch.items.ids, Activation::None, None);
        let features: Vec<TowerInput<B>> =
            vec![items.leaf.clone().into(), (&categories).into(), (&brands).into(), text.into()];
        let item_vectors = self.item_tower.forward(features, Some(key));

        let cosines = B::pair_products(user_vectors, item_vectors, &users.selection(), &items.selection());
        let labels = [[1.0; BATCH_USERS], [0.0; BATCH_USERS]].concat();
        let labels = Tensor::from_data(TensorData::new(labels, [PAIRS]), &device);
        let loss = loss::bce_with_logits(cosines, labels, None);
        ForwardPass {
            terms: vec![("loss", loss)],
            n_examples: PAIRS,
            rows: vec![users, items, categories, brands],
        }
    }

    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        vec![&mut self.users, &mut self.items, &mut self.categories, &mut self.brands]
    }
}
