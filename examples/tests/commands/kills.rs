//! Runs that are killed end as one that was not, wherever the kills fall.

use std::process::Stdio;
use std::time::{Duration, Instant};

use cresset::data::random::{below, stream};

use crate::desk::Desk;
use crate::outcome::Outcome;

/// Six epochs of 300 steps, saved every seven.
const SIX_EPOCHS: &str = "
data: {source: synthetic, synthetic: {n_users: 200, n_items: 100, n_ratings: 6000}}
model: {kind: kg-mf, embedding_dim: 8}
training: {epochs: 6, batch_size: 16, learning_rate: 0.002, patience: null, checkpoint: {every_steps: 7}}
";

#[test]
fn runs_killed_twenty_times_at_random_moments_end_as_one_that_was_not() {
    let desk = Desk::new();
    desk.write("six.yaml", SIX_EPOCHS);
    let began = Instant::now();
    desk.train(&["six.yaml", "-q", "--output", "whole"]).done();
    let whole_us = began.elapsed().as_micros() as u64;
    let whole = Outcome::of(&desk, "whole");

    let mut moments = stream(7, "kills", 0);
    let (mut n_kills, mut n_runs, mut n_within) = (0, 0, 0);
    while n_kills < 20 {
        n_runs += 1;
        let run = format!("run-{n_runs}");
        let args = ["six.yaml", "-q", "--output", &run, "--resume"];
        while n_kills < 20 {
            let pause = Duration::from_micros(below(whole_us, &mut moments));
            if !is_killed_after(&desk, &args, pause) {
                break;
            }
            n_kills += 1;
            let is_within = desk.has(&format!("{run}/checkpoints/last/checkpoint.safetensors"))
                && !desk.has(&format!("{run}/results.yaml"));
            n_within += usize::from(is_within);
        }
        desk.train(&args).done();
        assert_eq!(Outcome::of(&desk, &run), whole, "after {n_kills} kills");
    }
    assert!(n_within >= 5, "of {n_kills} kills only {n_within} fell between the first save and the end");
}

/// Starts `train` and kills it after a pause; false if it had ended before.
fn is_killed_after(desk: &Desk, args: &[&str], pause: Duration) -> bool {
    let mut child = desk.train_command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(pause);
    child.kill().unwrap();
    !child.wait().unwrap().success()
}
