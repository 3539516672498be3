//! `report`: runs side by side, compared where they are of the same thing.

use crate::desk::Desk;

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
    let number = |at: usize| -> f64 { rmse[at].parse().unwrap() };
    let (first, this, difference, p_value) = (number(1), number(2), number(3), number(5));
    assert!(this > first && (this - first - difference).abs() < 2e-4, "{printed}");
    assert!(p_value < 0.05, "{printed}");
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
