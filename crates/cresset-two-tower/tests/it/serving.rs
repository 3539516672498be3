//! Answers of a model: vectors, scores, and those whom it does not know.

use burn::backend::Flex;
use burn::module::AutodiffModule;
use cresset_data::features::EncodedColumn;
use cresset_metrics::Scorer;
use cresset_two_tower::{Embeddings, FrozenPairs, OutOfRange, TwoTower, TwoTowerConfig, mean_cosine};

use crate::small::{COLD, N_ITEMS, N_USERS, clamped, config, data, model, train};

fn served(config: &TwoTowerConfig) -> TwoTower<Flex> {
    model(config).valid()
}

fn items(model: &TwoTower<Flex>, ids: &[u32]) -> Vec<f32> {
    model.item_embeddings(&data().items, ids).unwrap().into_data().to_vec().unwrap()
}

#[test]
fn every_vector_has_length_1() {
    let embeddings = served(&config()).embed(&data()).unwrap();
    assert_eq!(embeddings.dims(), (N_USERS, N_ITEMS));
    for row in embeddings.item_rows().chunks(6).chain(embeddings.user_rows().chunks(6)) {
        let length: f32 = row.iter().map(|x| x * x).sum();
        assert!((length - 1.0).abs() < 1e-5, "{length}");
    }
}

#[test]
fn whoever_has_no_training_rating_is_known_by_features_alone() {
    // Without what tells them apart, the cold are one and the same.
    let blind = TwoTowerConfig { item_features: vec![], item_vectors: vec![], ..config() };
    let mut data = data();
    data.items.features.columns.clear();
    data.items.vectors.clear();
    let of = |config: &TwoTowerConfig, ids: &[u32]| -> Vec<f32> {
        let model: TwoTower<Flex> = config.init(&data, 7, &Default::default()).unwrap();
        model.item_embeddings(&data.items, ids).unwrap().into_data().to_vec().unwrap()
    };
    assert_eq!(of(&blind, &COLD[..1]), of(&blind, &COLD[1..]));
    assert_eq!(of(&blind, &COLD[..1]), of(&blind, &[99]));
    assert_ne!(of(&blind, &[0]), of(&blind, &[2]));
    assert_ne!(of(&clamped(blind.clone()), &COLD[..1]), of(&clamped(blind), &COLD[1..]));

    let served = served(&config());
    assert_ne!(items(&served, &COLD[..1]), items(&served, &COLD[1..]));
}

#[test]
fn an_id_beyond_the_table_is_unknown_the_last_one_or_an_error() {
    let last = N_ITEMS as u32 - 1;
    let clamped = served(&clamped(config()));
    assert_eq!(items(&clamped, &[99]), items(&clamped, &[last]));
    let strict = served(&TwoTowerConfig { out_of_range: OutOfRange::Error, ..config() });
    let refused = strict.item_embeddings(&data().items, &[0, 99]).map(|_| ()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "item 99 is unknown to the model, expected an index below 12; with model.out_of_range=unknown it is served by its \
         features"
    );
}

#[test]
fn text_of_zeros_is_no_failure() {
    let config = config();
    let mut data = data();
    let rows = std::sync::Arc::make_mut(&mut data.items.vectors[0].rows);
    rows.values.fill(0.0);
    let model: TwoTower<Flex> = config.init(&data, 7, &Default::default()).unwrap();
    assert!(model.embed(&data).unwrap().item_rows().iter().all(|x| x.is_finite()));
}

#[test]
fn scores_are_the_cosines_and_zeros_for_a_user_beyond_the_table() {
    let model = served(&config());
    let embeddings = model.embed(&data()).unwrap();
    let mut scores = vec![f32::NAN; 3 * N_ITEMS];
    embeddings.score_block(&[2, 99, 0], &mut scores);
    let cosines = model.compute_similarity(embeddings.users.clone(), embeddings.items.clone());
    let cosines: Vec<f32> = cosines.into_data().to_vec().unwrap();
    for (row, user) in [(0, 2), (2, 0)] {
        for (found, expected) in scores[row * N_ITEMS..][..N_ITEMS].iter().zip(&cosines[user * N_ITEMS..]) {
            assert!((found - expected).abs() < 1e-6, "{found}, {expected}");
        }
    }
    assert_eq!(scores[N_ITEMS..2 * N_ITEMS], [0.0; N_ITEMS]);
}

#[test]
fn somebody_known_by_one_item_is_closest_to_that_item() {
    let embeddings = served(&config()).embed(&data()).unwrap();
    let scores = embeddings.score_history(&[7, 99]);
    let best = (0..N_ITEMS).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    assert_eq!(best, Some(7));
    assert_eq!(embeddings.score_history(&[99]), [0.0; N_ITEMS]);
}

#[test]
fn vectors_written_as_rows_rank_as_before() {
    let embeddings = served(&config()).embed(&data()).unwrap();
    let again =
        Embeddings::<Flex>::from_rows(embeddings.user_rows(), embeddings.item_rows(), 6, &Default::default());
    let (mut before, mut after) = (vec![0.0; N_ITEMS], vec![1.0; N_ITEMS]);
    embeddings.score_block(&[3], &mut before);
    again.score_block(&[3], &mut after);
    assert_eq!(before, after);
}

#[test]
fn vectors_that_are_all_one_have_a_mean_cosine_of_1_and_a_loss_that_shows_it() {
    let frozen = FrozenPairs::draw(&train().select(&[0, 5, 9]), &train(), [N_USERS, N_ITEMS], 3);
    let rows = |n: usize| [0.6f32, 0.8].repeat(n);
    let collapsed = Embeddings::<Flex>::from_rows(rows(N_USERS), rows(N_ITEMS), 2, &Default::default());
    assert!((mean_cosine(collapsed.items.clone()) - 1.0).abs() < 1e-6);
    // On chosen pairs alone it would be ln(1 + 1/e) = 0.3133; half of these pairs were not chosen.
    let expected = (0.313_261_7 + 1.313_261_7) / 2.0;
    assert!((frozen.log_loss(&collapsed, 1.0) - expected).abs() < 1e-6);

    let across = Embeddings::<Flex>::from_rows(rows(2), vec![1.0, 0.0, 0.0, 1.0], 2, &Default::default());
    assert!(mean_cosine(across.items).abs() < 1e-6);
}

#[test]
fn an_item_that_comes_later_is_placed_by_its_features_and_other_data_are_refused() {
    let served = served(&config());
    let mut more = data();
    let items = &mut more.items;
    items.n_rows += 1;
    items.features.n_rows += 1;
    for column in &mut items.features.columns {
        match column {
            EncodedColumn::Categorical { codes, .. } => codes.push(2),
            EncodedColumn::Multi { lists, .. } => lists.push([0, 3]),
            EncodedColumn::Numeric { values, is_known } => {
                values.push(0.5);
                is_known.push(true);
            }
        }
    }
    let rows = std::sync::Arc::make_mut(&mut items.vectors[0].rows);
    rows.values.extend([1.0, 0.0, 0.3]);
    rows.present.push(true);
    let vectors = served.item_embeddings(&more.items, &[11, 12]).unwrap();
    assert!(vectors.into_data().iter::<f32>().all(f32::is_finite));

    let mut fewer = data();
    fewer.users.n_rows -= 1;
    let refused = served.embed(&fewer).map(|_| ()).unwrap_err().to_string();
    assert!(refused.starts_with("the model was made for users of 9 rows"), "{refused}");
    let mut narrow = data();
    narrow.items.vectors.clear();
    assert!(served.embed(&narrow).is_err());
}

#[test]
fn somebody_who_has_everything_has_no_frozen_pair() {
    let mut all = train();
    all.user_id.fill(0);
    all.item_id = (0..36).map(|at| at % 12).collect();
    assert!(FrozenPairs::draw(&all.select(&[3]), &all, [N_USERS, N_ITEMS], 3).is_empty());
}
