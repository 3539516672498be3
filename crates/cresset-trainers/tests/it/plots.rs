//! Plots: the picture is for people, what can be asserted is its size and that something is drawn.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use cresset_trainers::strategy::{AlternatingConfig, AlternationRow, AlternationSeries, ModuleConfig};
use cresset_trainers::{EpochRecord, History, plot};
use tempfile::tempdir;

/// A run of `n` epochs that looks like one: losses fall, metrics rise, and `r2` is undefined in every seventh.
fn history(n: u64) -> History {
    let epoch = |epoch: u64| {
        let at = epoch as f64;
        let (fall, wiggle) = ((-at / 6.0).exp(), (at * 1.7).sin() * 0.002);
        let rising = |top: f64| Some(top * (1.0 - fall) + wiggle);
        EpochRecord {
            epoch,
            stage: None,
            losses: vec![
                ("loss".to_owned(), 0.74 + 0.4 * fall),
                ("squared_error".to_owned(), 0.66 + 0.5 * fall),
                ("penalty".to_owned(), 0.08 - 0.05 * fall),
            ],
            learning_rate: 0.005,
            seconds: 1.0,
            examples_per_second: 1.0,
            valid: vec![
                ("rmse".to_owned(), Some(0.931 + 0.09 * fall + wiggle)),
                ("mae".to_owned(), Some(0.735 + 0.07 * fall + wiggle)),
                ("r2".to_owned(), if epoch.is_multiple_of(7) { None } else { rising(0.31) }),
                ("hit_rate@10".to_owned(), rising(0.61)),
                ("ndcg@5".to_owned(), rising(0.14)),
                ("ndcg@10".to_owned(), rising(0.16)),
                ("ndcg@20".to_owned(), rising(0.20)),
                ("coverage@10".to_owned(), None),
            ],
        }
    };
    History { epochs: (1..=n).map(epoch).collect() }
}

/// Width, height, and the number of pixels that are not white.
fn drawn(history: &History, file: &Path) -> (u32, u32, usize) {
    plot::training_history(history, file).unwrap();
    let mut reader = png::Decoder::new(BufReader::new(File::open(file).unwrap())).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    let inked = pixels.chunks(3).filter(|pixel| pixel != &[255, 255, 255]).count();
    (reader.info().width, reader.info().height, inked)
}

#[test]
fn a_run_of_any_length_is_a_picture_of_1200_by_800() {
    let folder = tempdir().unwrap();
    let (_, _, frame) = drawn(&History::default(), &folder.path().join("0.png"));
    assert_eq!(frame, 0, "nothing to draw is a white picture");
    for n in [1, 2, 20, 50, 200] {
        let (width, height, inked) = drawn(&history(n), &folder.path().join(format!("{n}.png")));
        assert_eq!((width, height), (1200, 800));
        assert!(inked > 10_000, "{n} epochs: {inked}");
    }
}

#[test]
fn values_that_never_change_and_values_of_any_size_are_drawn() {
    let folder = tempdir().unwrap();
    for value in [0.0, -3.5, 1e-9, 1e12, f64::from(f32::MAX)] {
        let mut history = history(5);
        history.epochs.iter_mut().for_each(|epoch| epoch.losses[0].1 = value);
        let (_, _, inked) = drawn(&history, &folder.path().join("p.png"));
        assert!(inked > 10_000, "{value}: {inked}");
    }
}

#[test]
fn a_strategy_has_its_stages_and_an_ending_of_svg_gives_text() {
    let folder = tempdir().unwrap();
    let mut history = history(20);
    for epoch in &mut history.epochs {
        let stage = ["pretrain_sasrec", "pretrain_retriever", "joint"][(epoch.epoch as usize / 8).min(2)];
        epoch.stage = Some(stage.to_owned());
    }
    let file = folder.path().join("p.svg");
    plot::training_history(&history, &file).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"));
    for word in ["width=\"1200\" height=\"800\"", "learning rate", "2 pretrain_retriever", "validation ndcg"]
    {
        assert!(text.contains(word), "{word}");
    }
    let (_, _, inked) = drawn(&history, &folder.path().join("p.png"));
    assert!(inked > 10_000);
}

#[test]
fn an_alternation_is_drawn_with_the_names_of_its_modules() {
    let folder = tempdir().unwrap();
    let module = |group: &str, loss: &str| ModuleConfig { group: group.to_owned(), loss: loss.to_owned() };
    let modules = vec![module("sasrec", "next_item"), module("retriever", "contrastive")];
    let config = AlternatingConfig { modules, ..AlternatingConfig::default() };
    let row = |step: u64| AlternationRow {
        stage: 0,
        step,
        module: (step / 60 % 2) as usize,
        smoothed: [2.0 / (1.0 + step as f64 / 200.0), 1.0 / (1.0 + step as f64 / 300.0)],
        switches: step / 60,
    };
    let series = AlternationSeries { rows: (1..500).map(row).collect(), ..AlternationSeries::default() };
    let file = folder.path().join("a.svg");
    plot::alternation(&series, &config, &file).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    for word in ["sasrec learns", "retriever learns", "loss contrastive, smoothed", "8 switches"] {
        assert!(text.contains(word), "{word}");
    }
    plot::alternation(&series, &config, &folder.path().join("a.png")).unwrap();
    plot::alternation(&AlternationSeries::default(), &config, &folder.path().join("empty.png")).unwrap();
}

#[test]
fn equal_histories_give_equal_pictures() {
    let folder = tempdir().unwrap();
    let picture = |name: &str| {
        let file = folder.path().join(name);
        plot::training_history(&history(20), &file).unwrap();
        std::fs::read(file).unwrap()
    };
    assert_eq!(picture("a.png"), picture("b.png"));
}

#[test]
fn a_plot_that_cannot_be_written_names_the_file() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("nowhere").join("history.png");
    let message = plot::training_history(&history(2), &file).unwrap_err().to_string();
    assert!(message.contains(&file.display().to_string()), "{message}");
}
