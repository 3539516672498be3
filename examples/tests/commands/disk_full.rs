//! A disk that has no room for a checkpoint, played by a limit on the size of files.

use crate::desk::{Desk, Ended};
use crate::outcome::{Outcome, number, results};

/// Weights of 78 kB, checkpoints of three times that, and little data.
const WIDE: &str = "
data: {source: synthetic, synthetic: {n_users: 200, n_items: 100, n_ratings: 1000}}
model: {kind: kg-mf, embedding_dim: 64}
training: {epochs: 2, batch_size: 64, patience: null}
output: {plots: false}
";

/// Starts `train` where no file may be longer than so many blocks of 512 bytes.
fn train_within(desk: &Desk, blocks: u32, args: &[&str]) -> Ended {
    // Without the trap the system would end the program at its first byte too many.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_train")]).args(args).current_dir(desk.path(""));
    Ended::from(command.output().unwrap())
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("wide.yaml", WIDE);
    desk
}

#[test]
fn a_checkpoint_without_room_is_a_warning_and_the_one_before_it_stays() {
    let desk = desk();
    desk.train(&["wide.yaml", "-q", "--output", "run"]).done();
    let checkpoint = "run/checkpoints/last/checkpoint.safetensors";
    let before = desk.bytes(checkpoint);
    let of = |epochs: &'static str| ["wide.yaml", "-q", "--output", "run", "--resume", "--set", epochs];
    let ended = train_within(&desk, 300, &of("training.epochs=4"));
    for part in
        ["cannot write", "checkpoint.safetensors", "has space", "training goes on", "0 MB beside the last"]
    {
        assert!(ended.err.contains(part), "{part}: {ended:?}");
    }
    ended.done();
    assert_eq!(number(&results(&desk, "run"), &["epochs"]), 4.0);
    assert_eq!(desk.bytes(checkpoint), before);
    assert!(
        !desk.files("run").iter().any(|file| file.ends_with(".tmp")),
        "no half of a file takes up the room"
    );

    // Going on from the checkpoint that stayed is going on from its epoch.
    desk.train(&of("training.epochs=6")).done();
    desk.train(&["wide.yaml", "-q", "--output", "whole", "--set", "training.epochs=6"]).done();
    assert_eq!(Outcome::of(&desk, "run"), Outcome::of(&desk, "whole"));
}

#[test]
fn best_weights_without_room_end_the_run_and_it_goes_on_when_there_is() {
    let desk = desk();
    let args = ["wide.yaml", "-q", "--output", "run", "--resume"];
    let ended = train_within(&desk, 120, &args);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ended.says(&["best_model/weights.safetensors", "make room there", "--resume --output run"]);
    assert!(!desk.has("run/results.yaml"));

    desk.train(&args).done();
    desk.train(&["wide.yaml", "-q", "--output", "whole"]).done();
    assert_eq!(Outcome::of(&desk, "run"), Outcome::of(&desk, "whole"));
}
