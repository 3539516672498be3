//! Runs that are stopped half-way end as if they had not been.

use std::fs::{self, File};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::desk::Desk;
use crate::outcome::{Outcome, history};

/// Long enough to be met in the middle: 80 epochs of 300 steps.
const LONG: &str = "
data: {source: synthetic, synthetic: {n_users: 200, n_items: 100, n_ratings: 6000}}
model: {kind: kg-mf, embedding_dim: 8}
training: {epochs: 80, batch_size: 16, learning_rate: 0.002, patience: null}
";
/// After which a run hangs: on a machine with twenty other programs an epoch takes seconds.
const TOO_LONG: Duration = Duration::from_secs(900);

fn desk_with_reference() -> (Desk, Outcome) {
    let desk = Desk::new();
    desk.write("long.yaml", LONG);
    desk.train(&["long.yaml", "-q", "--output", "whole"]).done();
    let whole = Outcome::of(&desk, "whole");
    (desk, whole)
}

/// Starts `train`, with what it says on standard error going to `stderr.txt`.
fn start(desk: &Desk, args: &[&str]) -> Child {
    let stderr = File::create(desk.path("stderr.txt")).unwrap();
    desk.train_command(args).stdout(Stdio::null()).stderr(stderr).spawn().unwrap()
}

/// Epochs that a run has finished so far.
fn epochs(desk: &Desk, run: &str) -> usize {
    fs::read_to_string(desk.path(&format!("{run}/history.csv")))
        .map_or(0, |text| text.lines().count().saturating_sub(1))
}

/// Waits until a run has finished so many epochs; the child must not have ended before.
fn wait_for_epoch(desk: &Desk, run: &str, n: usize, child: &mut Child) {
    let began = Instant::now();
    while epochs(desk, run) < n {
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "ended in epoch {} with {ended:?}", epochs(desk, run));
        assert!(began.elapsed() < TOO_LONG, "epoch {n} was not reached");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_run_killed_three_times_ends_as_one_that_was_not() {
    let (desk, whole) = desk_with_reference();
    let args = ["long.yaml", "-q", "--output", "run", "--resume"];
    for (round, pause_ms) in [0, 7, 23].into_iter().enumerate() {
        let before = epochs(&desk, "run");
        let mut child = start(&desk, &args);
        wait_for_epoch(&desk, "run", before + 4 + round, &mut child);
        std::thread::sleep(Duration::from_millis(pause_ms));
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "killed in the middle");
        assert!(!desk.has("run/results.yaml"));
        // What lies under its final name is whole: the best model so far can be used at once.
        desk.evaluate(&["run"]).done();
    }
    assert!(epochs(&desk, "run") < 80);
    desk.train(&args).done();
    assert_eq!(Outcome::of(&desk, "run"), whole);
    assert_eq!(history(&desk, "run").len(), 81, "a header and every epoch once");
}

#[test]
fn a_run_that_another_process_trains_is_refused_with_the_process_and_free_once_it_is_killed() {
    let desk = Desk::new();
    desk.write("long.yaml", LONG);
    let args = ["long.yaml", "-q", "--output", "run", "--set", "training.epochs=1000000"];
    let mut child = start(&desk, &args);
    // By the third epoch the weights of the first are written.
    wait_for_epoch(&desk, "run", 3, &mut child);
    let holder = format!("run is in use by process {}", child.id());
    desk.train(&args).refused(&[&holder, "--output"]);
    desk.train(&[&args[..], &["--resume"]].concat()).refused(&[&holder, "--output"]);
    // Reading disturbs nobody.
    desk.evaluate(&["run"]).done();
    child.kill().unwrap();
    child.wait().unwrap();
    desk.train(&args).refused(&["run holds a run already", "--resume"]);
}

#[cfg(unix)]
mod by_signal {
    use std::io::Write;
    use std::process::Command;

    use super::*;
    use crate::desk::Ended;
    use crate::outcome::{number, results};

    /// Presses Ctrl-C once the run is in the middle, and waits for the end.
    fn interrupt(desk: &Desk, run: &str, epoch: usize, args: &[&str]) -> Ended {
        let mut child = start(desk, args);
        wait_for_epoch(desk, run, epoch, &mut child);
        let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let code = child.wait().unwrap().code();
        Ended { code, out: String::new(), err: desk.read("stderr.txt") }
    }

    #[test]
    fn an_interrupted_run_says_how_to_go_on_and_then_ends_as_one_that_was_not() {
        let (desk, whole) = desk_with_reference();
        let args = ["long.yaml", "-q", "--output", "run"];
        let ended = interrupt(&desk, "run", 5, &args);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert_eq!(ended.said().len(), 1, "{}", ended.err);
        ended.says(&["interrupted in epoch", "--resume --output run"]);
        assert!(!desk.has("run/results.yaml"));
        let names = desk.files("run");
        assert!(!names.iter().any(|name| name.ends_with(".tmp")), "nothing half-written is left: {names:?}");

        desk.train(&[&args[..], &["--resume"]].concat()).done();
        assert_eq!(Outcome::of(&desk, "run"), whole);
    }

    #[test]
    fn a_run_interrupted_while_it_reads_its_data_says_so_and_leaves_nothing() {
        let desk = Desk::new();
        desk.write("real.yaml", "data: {source: movielens-100k}\nmodel: {kind: kg-mf}\n");
        fs::create_dir_all(desk.path("data/ml-100k")).unwrap();
        let pipe = desk.path("data/ml-100k/u.data");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let mut child = start(&desk, &["real.yaml", "--data", "data", "--output", "run"]);
        // Opens once the program reads from the other end, and so after it has begun to listen for Ctrl-C.
        let mut rows = File::options().write(true).open(&pipe).unwrap();
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        std::thread::sleep(Duration::from_millis(200));
        for row in 0..40 {
            writeln!(rows, "{}\t{}\t{}\t{row}", row % 8 + 1, row % 5 + 1, row % 3 + 3).unwrap();
        }
        drop(rows);
        let code = child.wait().unwrap().code();
        let ended = Ended { code, out: String::new(), err: desk.read("stderr.txt") };
        assert_eq!(ended.code, Some(1), "{ended:?}");
        ended.says(&["interrupted while reading the data", "start again"]);
        assert!(!desk.has("run"));
    }

    #[test]
    fn the_seconds_of_a_resumed_run_are_those_of_all_its_sessions() {
        let (desk, _) = desk_with_reference();
        let args = ["long.yaml", "-q", "--output", "run"];
        interrupt(&desk, "run", 30, &args);
        desk.train(&[&args[..], &["--resume"]].concat()).done();
        let text = desk.read("run/history.csv");
        let mut rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let at = rows.next().unwrap().iter().position(|&name| name == "seconds").unwrap();
        let trained: f64 = rows.map(|row| row[at].parse::<f64>().unwrap()).sum();
        let all = number(&results(&desk, "run"), &["seconds"]);
        assert!(all > trained, "{all} s in all, {trained} s of training");
    }

    #[test]
    fn a_longer_run_that_is_interrupted_is_not_finished() {
        let desk = Desk::new();
        desk.write("long.yaml", LONG);
        let of = |epochs: &'static str| ["long.yaml", "-q", "--output", "run", "--resume", "--set", epochs];
        desk.train(&of("training.epochs=2")).done();
        let ended = interrupt(&desk, "run", 5, &of("training.epochs=80"));
        ended.says(&["interrupted", "--resume --output run"]);
        assert!(!desk.has("run/results.yaml"), "the results of 2 epochs are not those of 80");
        desk.train(&of("training.epochs=80")).done();
        assert_eq!(number(&results(&desk, "run"), &["epochs"]), 80.0);
    }

    #[test]
    fn interrupted_folds_are_resumed_by_the_folder_above_them() {
        let folds = |run: &'static str| {
            [
                "long.yaml",
                "-q",
                "--output",
                run,
                "--set",
                "data.split=k_fold",
                "--set",
                "data.n_folds=2",
                "--set",
                "training.epochs=40",
            ]
        };
        let desk = Desk::new();
        desk.write("long.yaml", LONG);
        desk.train(&folds("whole")).done();
        let ended = interrupt(&desk, "run/fold-2", 5, &folds("run"));
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.trim_end().ends_with("--resume --output run"), "{}", ended.err);
        assert!(desk.has("run/fold-1/results.yaml") && !desk.has("run/results.yaml"));

        desk.train(&[&folds("run")[..], &["--resume"]].concat()).done();
        for fold in ["fold-1", "fold-2"] {
            let of = |run: &str| Outcome::of(&desk, &format!("{run}/{fold}"));
            assert_eq!(of("run"), of("whole"));
        }
        assert_eq!(results(&desk, "run")["test"], results(&desk, "whole")["test"]);
    }
}
