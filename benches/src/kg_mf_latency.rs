//! Answers of a trained kg-mf to one user at a time, at the size of MovieLens 20M.

use burn::module::AutodiffModule;
use burn::tensor::Device;
use cresset::data::NO_TIME;
use cresset::kg_mf::KgMfInference;
use cresset::prelude::*;

use crate::inputs::{ids, random};
use crate::kg_mf_parts::{N_ITEMS, N_USERS, all_parts, plain, ratings};
use crate::{Case, Work};

/// Pairs of one run: a single one is too short for the clock.
const N_PAIRS: usize = 1_000;
const N_BEST: usize = 10;

pub(crate) fn cases<B: AutodiffRecommender>() -> Vec<Case<B>> {
    type Make<B> = fn(&Ratings, &Device<B>) -> KgMf<B>;
    let models: [(&str, Make<B>); 2] = [("plain", plain::<B>), ("all parts", all_parts::<B>)];
    let cases = models.into_iter().flat_map(|(name, make)| {
        let inference = move |device: &B::Device| make(&ratings(), device).valid().inference();
        [
            Case::new(format!("{name}, top {N_BEST} of {N_ITEMS}"), 1, move |device: &B::Device| {
                one_user(inference(device))
            }),
            Case::new(format!("{name}, {N_PAIRS} pairs"), N_PAIRS, move |device: &B::Device| {
                pairs(inference(device))
            }),
        ]
    });
    cases.collect()
}

/// All items scored and the best returned, another user each time.
fn one_user(inference: KgMfInference) -> Work {
    let users = ids(N_PAIRS, N_USERS, &mut random("asked users"));
    let seen: Vec<u32> = (0..N_ITEMS as u32).step_by(200).collect();
    let (mut scores, mut at) = (vec![0.0; N_ITEMS], 0);
    Box::new(move || {
        let best = inference.recommend(users[at % N_PAIRS], &seen, N_BEST, &mut scores);
        assert_eq!(best.expect("finite scores").len(), N_BEST);
        at += 1;
    })
}

/// One pair after the other.
fn pairs(inference: KgMfInference) -> Work {
    let mut rng = random("asked pairs");
    let (users, items) = (ids(N_PAIRS, N_USERS, &mut rng), ids(N_PAIRS, N_ITEMS, &mut rng));
    Box::new(move || {
        let of_pair = |(&user, &item)| inference.predict(user, item, NO_TIME);
        let sum: f32 = users.iter().zip(&items).map(of_pair).sum();
        assert!(sum.is_finite(), "the predictions add up to {sum}");
    })
}
