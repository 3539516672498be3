//! `results.yaml` and `manifest.yaml`: written, read back, and summed up over folds.

use std::collections::BTreeMap;

use cresset_metrics::{Metrics, Ties};
use cresset_trainers::manifest::{self, DataManifest, Manifest, SplitManifest};
use cresset_trainers::memory::peak_memory_mb;
use cresset_trainers::results::{FoldResults, Results, metric_table};
use cresset_trainers::{RankingCounts, RatingBand, RunDir};
use tempfile::tempdir;

use crate::support::metric;

fn results(rmse: f64, popularity: f64) -> Results {
    Results {
        model: "tiny".to_owned(),
        n_parameters: 12,
        best_epoch: 3,
        epochs: 5,
        seconds: 1.5,
        examples_per_second: 1000.0 * rmse,
        peak_memory_mb: Some(10.25),
        valid: metric("rmse", rmse + 0.1),
        test: metric("rmse", rmse),
        test_intervals: BTreeMap::from([("rmse".to_owned(), [rmse - 0.05, rmse + 0.05])]),
        test_by_item_ratings: Vec::new(),
        ranking: RankingCounts { users: 7, users_left_out: 2, tied_positives: 1, ..RankingCounts::default() },
        baselines: BTreeMap::from([("popularity".to_owned(), metric("ndcg@10", popularity))]),
    }
}

#[test]
fn results_are_read_back_as_they_were_written() {
    let folder = tempdir().unwrap();
    let run = RunDir::create(folder.path(), false).unwrap();
    let mut written = results(0.1 + 0.2, 1.0 / 3.0);
    run.write_yaml("results.yaml", &written).unwrap();
    assert_eq!(run.read_yaml::<Results>("results.yaml").unwrap(), written);

    (written.peak_memory_mb, written.baselines) = (None, BTreeMap::new());
    written.test.insert_undefined("r2", "no variance");
    run.write_yaml("results.yaml", &written).unwrap();
    let read: Results = run.read_yaml("results.yaml").unwrap();
    assert_eq!(read.test.iter().collect::<Vec<_>>(), [("rmse", Some(0.1 + 0.2)), ("r2", None)]);
    assert_eq!((read.peak_memory_mb, read.baselines.len()), (None, 0));
}

#[test]
fn results_name_their_metrics_at_the_top_of_valid_and_test() {
    let folder = tempdir().unwrap();
    let run = RunDir::create(folder.path(), false).unwrap();
    run.write_yaml("results.yaml", &results(0.5, 0.25)).unwrap();
    let text = std::fs::read_to_string(run.file("results.yaml")).unwrap();
    assert_eq!(
        text,
        "model: tiny\nn_parameters: 12\nbest_epoch: 3\nepochs: 5\nseconds: 1.5\nexamples_per_second: 500.0\n\
         peak_memory_mb: 10.25\nvalid:\n  rmse: 0.6\ntest:\n  rmse: 0.5\n\
         test_intervals:\n  rmse:\n  - 0.45\n  - 0.55\n\
         ranking:\n  users: 7\n  users_left_out: 2\n  tied_positives: 1\nbaselines:\n  popularity:\n    ndcg@10: 0.25\n"
    );
}

#[test]
fn folds_are_summed_up_by_mean_and_sample_deviation() {
    // 1, 2 and 6 have the mean 3 and squared deviations 4 + 1 + 9 = 14, over n - 1 = 2.
    let folds = [results(1.0, 0.5), results(2.0, 0.5), results(6.0, 0.5)];
    let over = FoldResults::over(&folds);
    assert_eq!((over.n_folds, over.seconds, over.examples_per_second), (3, 4.5, 3000.0));
    assert_eq!((over.test.get("rmse"), over.test.get("rmse_std")), (Some(3.0), Some(7f64.sqrt())));
    let popularity = &over.baselines["popularity"];
    assert_eq!((popularity.get("ndcg@10"), popularity.get("ndcg@10_std")), (Some(0.5), Some(0.0)));
    assert!((over.valid.get("rmse").unwrap() - 3.1).abs() < 1e-12);
}

#[test]
fn one_fold_has_a_mean_and_no_deviation() {
    let over = FoldResults::over(&[results(1.0, 0.5)]);
    assert_eq!(over.test, metric("rmse", 1.0));
}

#[test]
fn a_fold_summary_is_read_back_as_it_was_written() {
    let folder = tempdir().unwrap();
    let run = RunDir::create(folder.path(), false).unwrap();
    let written = FoldResults::over(&[results(0.93, 0.5), results(0.94, 0.25)]);
    run.write_yaml("results.yaml", &written).unwrap();
    assert_eq!(run.read_yaml::<FoldResults>("results.yaml").unwrap(), written);
}

fn band(n_ratings: usize, rmse: f64, mae: f64) -> RatingBand {
    RatingBand { from: 200, to: None, n_items: Some(3), n_ratings, rmse, mae }
}

#[test]
fn the_bands_of_folds_are_pooled_by_their_ratings() {
    // Squared errors of 3 * 1 and 1 * 9 over 4 ratings, absolute ones of 3 * 1 and 1 * 2.
    let (mut first, mut second) = (results(1.0, 0.5), results(2.0, 0.5));
    first.test_by_item_ratings = vec![band(3, 1.0, 1.0)];
    second.test_by_item_ratings = vec![band(1, 3.0, 2.0)];
    let over = FoldResults::over(&[first.clone(), second]);
    let pooled = RatingBand { n_items: None, ..band(4, 3f64.sqrt(), 1.25) };
    assert_eq!(over.test_by_item_ratings, [pooled]);
    // Of a fold that an earlier version trained nothing is known, and what is left would not be all folds.
    assert_eq!(FoldResults::over(&[first, results(2.0, 0.5)]).test_by_item_ratings, []);
}

#[test]
fn bands_stand_in_the_results_and_are_read_back_as_they_were_written() {
    let folder = tempdir().unwrap();
    let run = RunDir::create(folder.path(), false).unwrap();
    let written = Results { test_by_item_ratings: vec![band(3, 0.1 + 0.2, 0.25)], ..results(0.5, 0.25) };
    run.write_yaml("results.yaml", &written).unwrap();
    let text = std::fs::read_to_string(run.file("results.yaml")).unwrap();
    let bands = "test_by_item_ratings:\n- from: 200\n  to: null\n  n_items: 3\n  n_ratings: 3\n";
    assert!(text.contains(bands), "{text}");
    assert_eq!(run.read_yaml::<Results>("results.yaml").unwrap(), written);
    let summary = FoldResults::over(&[written]);
    run.write_yaml("results.yaml", &summary).unwrap();
    assert_eq!(run.read_yaml::<FoldResults>("results.yaml").unwrap(), summary);
}

#[test]
fn results_that_an_earlier_version_wrote_are_read_and_have_no_bands() {
    let folder = tempdir().unwrap();
    let run = RunDir::create(folder.path(), false).unwrap();
    let one = "model: tiny\nn_parameters: 12\nbest_epoch: 3\nepochs: 5\nseconds: 1.5\nexamples_per_second: 500.0\n\
               peak_memory_mb: null\nvalid: {}\ntest:\n  rmse: 0.5\n\
               ranking:\n  users: 0\n  users_left_out: 0\n  tied_positives: 0\n";
    std::fs::write(run.file("results.yaml"), one).unwrap();
    assert_eq!(run.read_yaml::<Results>("results.yaml").unwrap().test_by_item_ratings, []);
    let folds = "model: tiny\nn_parameters: 12\nn_folds: 2\nseconds: 1.5\nexamples_per_second: 500.0\n\
                 valid: {}\ntest:\n  rmse: 0.5\n";
    std::fs::write(run.file("results.yaml"), folds).unwrap();
    assert_eq!(run.read_yaml::<FoldResults>("results.yaml").unwrap().test_by_item_ratings, []);
}

#[test]
fn a_table_of_folds_has_spreads_beside_means() {
    let over = FoldResults::over(&[results(0.9, 0.5), results(1.1, 0.5)]);
    assert_eq!(metric_table(&[("tiny", &over.test)]), "                 rmse\ntiny  1.0000 ± 0.1414\n");
}

#[test]
fn what_rounds_to_zero_has_no_sign_in_the_table() {
    let table = metric_table(&[("a", &metric("r2", -0.00001)), ("b", &metric("r2", -0.5))]);
    assert_eq!(table, "        r2\na   0.0000\nb  -0.5000\n");
}

#[test]
fn a_table_without_metrics_has_its_names() {
    assert_eq!(metric_table(&[("tiny", &Metrics::new())]), "\ntiny\n");
}

#[test]
fn a_manifest_is_read_back_as_it_was_written() {
    let folder = tempdir().unwrap();
    let run = RunDir::create(folder.path(), false).unwrap();
    let written = Manifest {
        began: "2026-03-31 23:15:00".to_owned(),
        data: DataManifest {
            source: "synthetic".to_owned(),
            fingerprint: "00ff".to_owned(),
            n_users: 7,
            n_items: 11,
            n_ratings: 42,
            cleaning: "42 rows: all kept".to_owned(),
        },
        split: SplitManifest {
            kind: "random, seed 42".to_owned(),
            fold: 1,
            seed: 42,
            train: 30,
            valid: 6,
            test: 6,
            test_items_unseen: 1,
            test_items_unseen_share: 1.0 / 6.0,
            note: "no: yes".to_owned(),
        },
        protocol: Manifest::FULL_CATALOGUE.to_owned(),
        ties: Manifest::tie_rule(Ties::Expected).to_owned(),
        seed: u64::MAX,
        device: "cpu".to_owned(),
        threads: 2,
        cresset: "0.1.0".to_owned(),
        burn: "0.21.0".to_owned(),
        system: manifest::system(),
        git_commit: None,
    };
    run.write_yaml("manifest.yaml", &written).unwrap();
    assert_eq!(run.read_yaml::<Manifest>("manifest.yaml").unwrap(), written);
}

#[test]
fn a_commit_is_forty_hexadecimal_digits_where_there_is_one() {
    if let Some(commit) = manifest::git_commit() {
        assert!(commit.len() >= 40 && commit.chars().all(|digit| digit.is_ascii_hexdigit()), "{commit}");
    }
}

#[test]
#[cfg(unix)]
fn the_peak_of_memory_grows_with_what_is_held() {
    let before = peak_memory_mb().unwrap();
    assert!((1.0..100_000.0).contains(&before), "{before} MiB");
    let held = std::hint::black_box(vec![1u8; (before as usize + 100) << 20]);
    let after = peak_memory_mb().unwrap();
    assert!(after >= before + 50.0, "{before} MiB, then {after} MiB with {} more", held.len() >> 20);
}
