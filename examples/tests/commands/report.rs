//! `report`: runs side by side, compared where they are of the same thing.

use yaml_serde::Value;

use crate::desk::Desk;
use crate::outcome::{number, results};

/// The cells of the line of a table that begins with `name`, or of the experiment of that name.
fn cells(printed: &str, name: &str) -> Vec<String> {
    let cell = format!("| {name} |");
    let first = printed.lines().find(|line| line.starts_with(&cell));
    let line = first.or_else(|| printed.lines().find(|line| line.contains(&cell)));
    let line = line.unwrap_or_else(|| panic!("no line of {name} in: {printed}"));
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

#[test]
fn a_better_run_is_told_from_a_worse_one_with_its_changes() {
    let desk = Desk::with_run();
    let worse = ["--set", "training.epochs=1", "--set", "output.note=one epoch"];
    desk.train(&[&["small.yaml", "--output", "worse"][..], &worse].concat()).done();
    let printed = desk.report(&["run", "worse", "--output", "report.md"]).done();
    assert_eq!(desk.read("report.md"), printed);
    assert_eq!(cells(&printed, "worse").last().unwrap(), "one epoch");
    assert!(printed.contains("Changed: training.epochs: 4 -> 1."), "{printed}");
    let (first, second) = (cells(&printed, "EXP001"), cells(&printed, "EXP002"));
    assert_eq!((&first[2][..], &first[4][..]), ("run", "-"));
    assert_eq!((&second[2][..], &second[4][..]), ("worse", "training.epochs: 4 -> 1"));
    assert!(first[1].len() == 19 && first[1].starts_with("20"), "{first:?}");
    let rmse = cells(&printed, "rmse");
    let cell = |at: usize| -> f64 { rmse[at].parse().unwrap() };
    let (first, this, difference, p_value) = (cell(1), cell(2), cell(3), cell(5));
    assert!(this > first && (this - first - difference).abs() < 2e-4, "{printed}");
    assert!(p_value < 0.05, "{printed}");
    let (run, worse) = (band_from_10(&desk, "run"), band_from_10(&desk, "worse"));
    let (before, now) = (number(&run, &["rmse"]), number(&worse, &["rmse"]));
    let expected = [
        "10 to 49".to_owned(),
        number(&run, &["n_ratings"]).to_string(),
        format!("{before:.4}"),
        format!("{now:.4}"),
        format!("{:+.4}", now - before),
    ];
    assert_eq!(cells(&printed, "10 to 49"), expected);
}

/// What `results.yaml` says of the test ratings whose items have 10 to 49 training ratings.
fn band_from_10(desk: &Desk, run: &str) -> Value {
    let bands = results(desk, run)["test_by_item_ratings"].clone();
    let mut bands = bands.as_sequence().unwrap().iter();
    bands.find(|band| number(band, &["from"]) == 10.0).unwrap().clone()
}

#[test]
fn runs_in_folds_are_compared_by_the_errors_of_all_folds_together() {
    let desk = Desk::new();
    let folds = ["--set", "data.split=k_fold", "--set", "data.n_folds=2"];
    desk.train(&[&["small.yaml", "--output", "folds"][..], &folds].concat()).done();
    let worse = ["--output", "worse", "--set", "training.epochs=1"];
    desk.train(&[&["small.yaml"][..], &folds, &worse].concat()).done();
    let printed = desk.report(&["folds", "worse"]).done();
    assert!(printed.contains("## worse against folds, over all folds\n"), "{printed}");

    let rmse = cells(&printed, "rmse");
    let (first, first_n) = rmse_over_users(&desk, &["folds/fold-1", "folds/fold-2"]);
    let (this, this_n) = rmse_over_users(&desk, &["worse/fold-1", "worse/fold-2"]);
    assert_eq!(rmse[1..3], [format!("{first:.4}"), format!("{this:.4}")]);
    assert!(this > first && rmse[5].parse::<f64>().unwrap() < 0.05, "{printed}");
    let manifest: Value = yaml_serde::from_str(&desk.read("folds/fold-1/manifest.yaml")).unwrap();
    let n_ratings = number(&manifest, &["data", "n_ratings"]);
    assert_eq!((first_n, this_n), (n_ratings, n_ratings), "each rating is tested once");
    assert!(
        printed
            .contains("\nNot compared user by user: hit_rate@10, precision@10, recall@10, ndcg@10; a user")
    );
    assert!(!printed.contains("\n| ndcg@10 |"), "{printed}");

    let band = cells(&printed, "10 to 49");
    let rmse_of = |run: &str| format!("{:.4}", number(&band_from_10(&desk, run), &["rmse"]));
    assert_eq!(band[2..4], [rmse_of("folds"), rmse_of("worse")]);
    let bands = results(&desk, "folds")["test_by_item_ratings"].clone();
    let counts = bands.as_sequence().unwrap().iter().map(|band| number(band, &["n_ratings"]));
    assert_eq!(counts.sum::<f64>(), n_ratings, "each rating is in one band");
}

/// The rmse of what all users add in all of these run directories, and how many ratings that are.
fn rmse_over_users(desk: &Desk, runs: &[&str]) -> (f64, f64) {
    let (mut sum, mut n) = (0.0, 0.0);
    for run in runs {
        let file = desk.read(&format!("{run}/test_users.csv"));
        assert!(file.starts_with("user_id,rmse:sum,rmse:n,"), "{file}");
        for line in file.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            sum += cells[1].parse::<f64>().unwrap();
            n += cells[2].parse::<f64>().unwrap();
        }
    }
    ((sum / n).sqrt(), n)
}

#[test]
fn folds_that_only_rank_and_folds_of_another_split_say_why_they_are_not_compared() {
    let desk = Desk::new();
    let train = |run: &str, sets: &[&str]| {
        let sets = sets.iter().flat_map(|set| ["--set", *set]);
        let args: Vec<&str> = ["ranks.yaml", "--output", run].into_iter().chain(sets).collect();
        desk.train(&args).done();
    };
    let data = "source: synthetic, synthetic: {n_users: 200, n_items: 100, n_ratings: 6000}";
    let folds = "split: k_fold, n_folds: 2";
    desk.write("ranks.yaml", format!("data: {{{data}, {folds}}}\nmodel: {{kind: popularity}}\n"));
    train("ranked", &[]);
    train("other", &["data.split_seed=7"]);
    let printed = desk.report(&["ranked", "ranked", "other"]).done();
    assert!(printed.contains("Not compared user by user: hit_rate@10"), "{printed}");
    assert!(!printed.contains("p corrected") && !printed.contains("training ratings"), "{printed}");
    assert!(printed.contains("Not compared: the two differ in their split, so"), "{printed}");
}

#[test]
fn a_run_in_folds_without_one_of_them_is_refused() {
    let desk = Desk::new();
    let folds = ["--set", "data.split=k_fold", "--set", "data.n_folds=2"];
    desk.train(&[&["small.yaml", "--output", "folds"][..], &folds].concat()).done();
    std::fs::remove_dir_all(desk.path("folds/fold-2")).unwrap();
    let fold = std::path::Path::new("folds").join("fold-2").display().to_string();
    desk.report(&["folds"]).refused(&[&fold, "holds no trained run"]);
}

#[test]
fn the_simple_recommenders_stand_below_once_for_each_test_part() {
    let desk = Desk::with_run();
    desk.train(&["small.yaml", "--output", "other", "--set", "data.split_seed=7"]).done();
    let printed = desk.report(&["run", "run", "other"]).done();
    for name in ["item mean", "popularity", "item neighbours"] {
        let parts: Vec<&str> = printed
            .lines()
            .filter(|line| line.contains(&format!("| - | {name} |")))
            .filter_map(|line| line.trim_end_matches(" |").rsplit("| ").next())
            .collect();
        assert_eq!(parts, ["on the split of run", "on the split of other"], "{printed}");
    }
}

#[test]
fn a_run_does_not_differ_from_itself() {
    let desk = Desk::with_run();
    let printed = desk.report(&["run", "run"]).done();
    assert!(printed.contains("Changed: nothing."), "{printed}");
    assert_eq!(cells(&printed, "ndcg@10")[3..6], ["+0.0000", "+0.0000 to +0.0000", "1.0000"]);
}

#[test]
fn runs_of_different_splits_stand_side_by_side_and_are_not_compared() {
    let desk = Desk::with_run();
    desk.train(&["small.yaml", "--output", "other", "--set", "data.split_seed=7"]).done();
    let printed = desk.report(&["run", "other"]).done();
    assert!(printed.contains("Not compared: the two differ in their split"), "{printed}");
    assert!(!printed.contains("p corrected"), "{printed}");
}

#[test]
fn the_table_is_written_as_csv_where_the_name_asks_for_it_and_folds_have_their_spread() {
    let desk = Desk::new();
    let sets = ["--set", "data.split=k_fold", "--set", "data.n_folds=2", "--set", "output.note=two, folds"];
    desk.train(&[&["small.yaml", "--output", "folds"][..], &sets].concat()).done();
    let printed = desk.report(&["folds", "folds", "--output", "report.csv"]).done();
    assert!(printed.contains("Not compared user by user"), "{printed}");
    let csv = desk.read("report.csv");
    let row = csv.lines().nth(1).unwrap();
    assert!(row.starts_with("EXP001,20") && row.ends_with(",\"two, folds\""), "{row}");
    assert!(row.contains("(± 0.0"), "{row}");
    assert!(csv.lines().any(|line| line.contains(",popularity,")), "{csv}");
}

#[test]
fn a_folder_without_a_finished_run_is_refused() {
    let desk = Desk::with_run();
    desk.report(&["run", "nowhere"]).refused(&["nowhere holds no trained run"]);
    std::fs::write(desk.path("run/test_users.csv"), "user_id,rmse:sum\nx,1\n").unwrap();
    desk.report(&["run"]).refused(&["test_users.csv is damaged"]);
}
