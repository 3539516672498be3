//! What holds for every baseline: bad input, order of items, threads, files.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

use cresset_baselines::{
    Baseline, BaselineConfig, BaselineError, Histories, SavedBaselineError, TrainingSet,
};
use cresset_data::random::{below, permutation, stream};
use proptest::prelude::*;

const N_USERS: usize = 30;
const N_ITEMS: usize = 20;

/// Interactions by chance, each pair once, each row at a time of its own.
struct Rows {
    user_ids: Vec<u32>,
    item_ids: Vec<u32>,
    ratings: Vec<f32>,
    times: Vec<i64>,
}

impl Rows {
    fn drawn(seed: u64, n: usize) -> Self {
        let mut rng = stream(seed, "baselines test", 0);
        let pairs = permutation((N_USERS * (N_ITEMS - 1)) as u32, &mut rng);
        let pairs = &pairs[..n];
        Self {
            user_ids: pairs.iter().map(|pair| pair / (N_ITEMS as u32 - 1)).collect(),
            item_ids: pairs.iter().map(|pair| pair % (N_ITEMS as u32 - 1)).collect(),
            ratings: pairs.iter().map(|_| 1.0 + below(5, &mut rng) as f32).collect(),
            times: permutation(n as u32, &mut rng).into_iter().map(i64::from).collect(),
        }
    }

    fn set(&self) -> TrainingSet<'_> {
        TrainingSet {
            user_ids: &self.user_ids,
            item_ids: &self.item_ids,
            ratings: &self.ratings,
            times: Some(&self.times),
            n_users: N_USERS,
            n_items: N_ITEMS,
        }
    }
}

/// Every kind at its defaults, and those whose parameters make a difference.
fn configs() -> Vec<BaselineConfig> {
    let more = [
        r#"{"kind": "item-mean", "shrinkage": 2}"#,
        r#"{"kind": "popularity", "half_life": 7}"#,
        r#"{"kind": "item-neighbours", "window": 3, "directed": true, "recency_exponent": 1, "shrinkage": 1}"#,
        r#"{"kind": "item-neighbours", "user_exponent": 0.3, "distance_exponent": 0.7, "amplification": 2}"#,
        r#"{"kind": "ease", "l2": 2}"#,
        r#"{"kind": "implicit-als", "embedding_dim": 7, "l2": 0.5, "use_ratings": true}"#,
    ];
    let defaults = BaselineConfig::KINDS.iter().map(|kind| BaselineConfig::defaults(kind).unwrap());
    defaults.chain(more.map(|text| serde_json::from_str(text).unwrap())).collect()
}

/// All that a baseline says of all users, as bits.
fn answers(model: &Baseline) -> Vec<u32> {
    let users: Vec<u32> = (0..N_USERS as u32 + 1).collect();
    let mut found = Vec::new();
    if let Some(scorer) = model.scorer() {
        let mut scores = vec![f32::NAN; users.len() * N_ITEMS];
        scorer.score_block(&users, &mut scores);
        found.extend(scores);
    }
    if let Some(scorer) = model.history_scorer() {
        let mut scores = vec![f32::NAN; N_ITEMS];
        scorer.score_history(&[3, 0, 7], &[1.0, 2.0, 5.0], &mut scores);
        found.extend(scores);
    }
    if let Some(predictor) = model.predictor() {
        found.extend(predictor.predict_pairs(&users, &users));
    }
    assert!(!found.is_empty() && found.iter().all(|value| value.is_finite()), "{:?}", model.config());
    found.into_iter().map(f32::to_bits).collect()
}

#[test]
fn no_interactions_are_an_error_for_every_kind() {
    let none = TrainingSet {
        user_ids: &[],
        item_ids: &[],
        ratings: &[],
        times: Some(&[]),
        n_users: N_USERS,
        n_items: N_ITEMS,
    };
    for config in configs() {
        assert_eq!(config.fit(&none).unwrap_err(), BaselineError::NoInteractions, "{config:?}");
    }
}

#[test]
fn one_user_with_one_item_is_enough_for_every_kind() {
    let one = TrainingSet {
        user_ids: &[0],
        item_ids: &[2],
        ratings: &[4.0],
        times: Some(&[9]),
        n_users: N_USERS,
        n_items: N_ITEMS,
    };
    for config in configs() {
        answers(&config.fit(&one).unwrap());
    }
}

#[test]
fn ids_out_of_range_and_ratings_that_are_not_finite_are_errors_for_every_kind() {
    let rows = Rows::drawn(1, 40);
    let mut ids = rows.item_ids.clone();
    ids[7] = N_ITEMS as u32;
    let mut ratings = rows.ratings.clone();
    ratings[3] = f32::NAN;
    for config in configs() {
        let beyond = config.fit(&TrainingSet { item_ids: &ids, ..rows.set() }).unwrap_err();
        assert_eq!(beyond.to_string(), "row 7 has item id 20, expected one below 20");
        let beyond = config.fit(&TrainingSet { n_users: 1, ..rows.set() }).unwrap_err();
        assert!(matches!(beyond, BaselineError::IdOutOfRange { what: "user", count: 1, .. }), "{beyond}");
        let nan = config.fit(&TrainingSet { ratings: &ratings, ..rows.set() }).unwrap_err();
        assert_eq!(nan.to_string(), "row 3 has the rating NaN, expected a finite number");
    }
}

#[test]
fn an_item_nobody_has_is_never_preferred_by_those_that_rank_by_what_users_have() {
    let rows = Rows::drawn(2, 200);
    for kind in ["popularity", "item-neighbours", "ease", "implicit-als"] {
        let model = BaselineConfig::defaults(kind).unwrap().fit(&rows.set()).unwrap();
        let mut scores = vec![f32::NAN; N_ITEMS];
        model.scorer().unwrap().score_block(&[4], &mut scores);
        assert_eq!(scores[N_ITEMS - 1], 0.0, "{kind}");
    }
}

#[test]
fn a_baseline_that_knows_what_users_have_now_ranks_them_as_by_those_histories_alone() {
    let (then, now) = (Rows::drawn(3, 150), Rows::drawn(4, 260));
    let histories = Histories::of(&now.set()).unwrap();
    for config in configs() {
        let fitted = config.fit(&then.set()).unwrap();
        let model = fitted.clone().knowing(&now.set()).unwrap();
        let (Some(ranking), Some(fitted)) = (model.scorer(), fitted.history_scorer()) else {
            assert_eq!(model, fitted, "{config:?}");
            continue;
        };
        for user in 0..N_USERS as u32 {
            let (mut known, mut expected) = (vec![f32::NAN; N_ITEMS], vec![f32::NAN; N_ITEMS]);
            ranking.score_block(&[user], &mut known);
            fitted.score_history(histories.items(user), histories.ratings(user), &mut expected);
            // Those that look at no order sum by item, not by time, and ALS solves to a residual: the last bits differ.
            let is_near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5 * b.abs().max(1.0);
            assert!(known.iter().zip(&expected).all(is_near), "{config:?}: {known:?} {expected:?}");
        }
    }
}

fn on_threads<T: Send>(n: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(work)
}

#[test]
fn every_kind_gives_the_same_bits_on_any_number_of_threads() {
    let rows = Rows::drawn(3, 400);
    for config in configs() {
        let of = |n| on_threads(n, || answers(&config.fit(&rows.set()).unwrap()));
        let alone = of(1);
        assert_eq!(alone, of(2), "{config:?}");
        assert_eq!(alone, of(7), "{config:?}");
    }
}

#[test]
fn a_saved_baseline_comes_back_to_the_bit_and_is_written_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let rows = Rows::drawn(4, 300);
    for config in configs() {
        let model = config.fit(&rows.set()).unwrap();
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        model.save(&first).unwrap();
        let loaded = Baseline::load(&first).unwrap();
        assert_eq!(loaded, model);
        assert_eq!(answers(&loaded), answers(&model));
        assert_eq!((loaded.config(), loaded.dims()), (&config, (N_USERS, N_ITEMS)));
        loaded.save(&second).unwrap();
        assert_eq!(std::fs::read(first).unwrap(), std::fs::read(second).unwrap(), "{config:?}");
    }
}

#[test]
fn a_file_with_a_changed_byte_or_a_missing_end_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("baseline.safetensors");
    let model = BaselineConfig::defaults("ease").unwrap().fit(&Rows::drawn(5, 100).set()).unwrap();
    model.save(&file).unwrap();
    let whole = std::fs::read(&file).unwrap();
    for at in [0, 9, 200, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        std::fs::write(&file, changed).unwrap();
        let error = Baseline::load(&file).unwrap_err();
        assert!(matches!(error, SavedBaselineError::Damaged { .. }), "byte {at}: {error}");
        assert!(error.to_string().contains("baseline.safetensors"), "{error}");
    }
    std::fs::write(&file, &whole[..whole.len() - 5]).unwrap();
    assert!(matches!(Baseline::load(&file), Err(SavedBaselineError::Damaged { .. })));
    assert!(matches!(Baseline::load(&folder.path().join("nowhere")), Err(SavedBaselineError::File(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn renaming_the_items_renames_the_scores(seed in 0_u64..1000) {
        let rows = Rows::drawn(seed, 250);
        let new_id = permutation(N_ITEMS as u32, &mut stream(seed, "renamed", 0));
        let item_ids: Vec<u32> = rows.item_ids.iter().map(|&item| new_id[item as usize]).collect();
        let renamed = TrainingSet { item_ids: &item_ids, ..rows.set() };
        // The first vectors of ALS are drawn by id.
        for config in configs().into_iter().filter(|config| config.kind() != "implicit-als") {
            let (model, other) = (config.fit(&rows.set()).unwrap(), config.fit(&renamed).unwrap());
            let (Some(model), Some(other)) = (model.scorer(), other.scorer()) else { continue };
            let (mut scores, mut other_scores) = (vec![0.0; N_ITEMS], vec![0.0; N_ITEMS]);
            for user in 0..N_USERS as u32 {
                model.score_block(&[user], &mut scores);
                other.score_block(&[user], &mut other_scores);
                for (item, &score) in scores.iter().enumerate() {
                    let found = other_scores[new_id[item] as usize];
                    prop_assert!((score - found).abs() <= 1e-4 * score.abs().max(1.0), "{score} {found} {config:?}");
                }
            }
        }
    }
}
