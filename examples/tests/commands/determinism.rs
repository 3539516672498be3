//! The same config, seed and threads give the same bits.

use crate::desk::Desk;
use crate::outcome::Outcome;

#[test]
fn two_runs_with_the_same_seed_are_equal_to_the_bit_and_another_seed_differs() {
    let desk = Desk::new();
    for (run, seed) in [("a", "1"), ("b", "1"), ("c", "2")] {
        desk.train(&["small.yaml", "--output", run, "--set", &format!("training.seed={seed}")]).done();
    }
    let [a, b, c] = ["a", "b", "c"].map(|run| Outcome::of(&desk, run));
    assert_eq!(a, b);
    assert_ne!(a.weights(), c.weights());
    assert_ne!(a, c);
}

#[test]
fn a_seed_given_in_the_file_is_the_same_as_one_given_by_set() {
    let desk = Desk::new();
    desk.write("seeded.yaml", desk.read("small.yaml").replace("{epochs: 4", "{seed: 7, epochs: 4"));
    desk.train(&["seeded.yaml", "--output", "a"]).done();
    desk.train(&["small.yaml", "--output", "b", "--set", "training.seed=7"]).done();
    assert_eq!(Outcome::of(&desk, "a"), Outcome::of(&desk, "b"));
}
