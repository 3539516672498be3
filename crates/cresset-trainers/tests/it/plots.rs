//! Plots: the picture is for people, what can be asserted is its size and that something is drawn.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use cresset_trainers::plot::{Heatmap, PathColumn, PathGraph, PathLink, PathNode};
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
    size_and_ink(file)
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

/// The size of a PNG, and the number of its pixels that are not white.
fn size_and_ink(file: &Path) -> (u32, u32, usize) {
    let mut reader = png::Decoder::new(BufReader::new(File::open(file).unwrap())).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    let inked = pixels.chunks(3).filter(|pixel| pixel != &[255, 255, 255]).count();
    (reader.info().width, reader.info().height, inked)
}

/// Titles of any length in columns of these sizes, each node linked to two of the next column; some links skip one.
fn paths(sizes: &[usize]) -> PathGraph {
    let titles = [
        "Toy Story (1995)",
        "Monty Python and the Holy Grail (1974)",
        "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb (1963)",
        "M (1931)",
        "John Lasseter",
    ];
    let relations = ["directed by", "genre", "actor", "written by"];
    let column = |(place, &n): (usize, &usize)| PathColumn {
        heading: ["user", "rated highly", "shares", "leads to", "recommended"][place % 5].to_owned(),
        nodes: (0..n)
            .map(|node| PathNode {
                label: titles[(place + node) % titles.len()].to_owned(),
                detail: if node % 3 == 2 { String::new() } else { format!("rated {}.0", 5 - node % 2) },
            })
            .collect(),
    };
    let link = |from: (usize, usize), to: (usize, usize)| PathLink {
        from,
        to,
        label: relations[(from.1 + to.1) % relations.len()].to_owned(),
        weight: 1.0 / (1.0 + (from.1 + 2 * to.1) as f64),
    };
    let mut links = vec![];
    for place in 1..sizes.len() {
        for node in 0..sizes[place - 1].max(sizes[place]) {
            links.push(link((place - 1, node % sizes[place - 1]), (place, node % sizes[place])));
        }
    }
    if sizes.len() > 2 {
        links.push(link((0, 0), (2, 0)));
    }
    PathGraph {
        title: "Why Raiders of the Lost Ark (1981) for user 196: 4.62".to_owned(),
        columns: sizes.iter().enumerate().map(column).collect(),
        links,
    }
}

#[test]
fn paths_of_any_number_of_nodes_are_drawn_with_their_names() {
    let folder = tempdir().unwrap();
    for sizes in [&[][..], &[1], &[1, 3, 2, 1], &[1, 8, 8, 8, 1], &[1, 40, 3, 1]] {
        let file = folder.path().join("paths.png");
        plot::path_graph(&paths(sizes), &file).unwrap();
        let (width, height, inked) = size_and_ink(&file);
        assert_eq!((width, height), (1200, 800));
        assert!(inked > 500, "{sizes:?}: {inked}");
    }
    let file = folder.path().join("paths.svg");
    plot::path_graph(&paths(&[1, 3, 2, 1]), &file).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    for word in
        ["Why Raiders", "Toy Story (1995)", "Dr. Strangelove or: How", "…", "rated highly", "directed by"]
    {
        assert!(text.contains(word), "{word}");
    }
    assert!(!text.contains("Love the Bomb"));
}

/// Values between 0 and 1, one undefined; negative ones in every third row where asked for.
fn values(n_rows: usize, n_columns: usize, with_negatives: bool) -> Heatmap {
    let value = |row: usize, column: usize| match (row, column) {
        (1, 1) => f64::NAN,
        _ => {
            let size = ((row * 7 + column * 13) % 17) as f64 / 17.0;
            if with_negatives && row % 3 == 2 { -size } else { size }
        }
    };
    let names = ["director", "actor", "genre", "content rating", "production companies", "tag"];
    Heatmap {
        title: "Attention per relation".to_owned(),
        rows: (0..n_rows)
            .map(|row| format!("user {row}, who has a rather long name to be read here"))
            .collect(),
        columns: (0..n_columns).map(|column| names[column % names.len()].to_owned()).collect(),
        values: (0..n_rows).map(|row| (0..n_columns).map(|column| value(row, column)).collect()).collect(),
    }
}

#[test]
fn tables_of_any_size_are_drawn_as_colours() {
    let folder = tempdir().unwrap();
    for (rows, columns, with_negatives) in
        [(0, 0, false), (1, 1, false), (3, 6, false), (12, 26, true), (60, 50, true)]
    {
        let file = folder.path().join("map.png");
        plot::heatmap(&values(rows, columns, with_negatives), &file).unwrap();
        let (width, height, inked) = size_and_ink(&file);
        // Few rows do not ask for the whole height.
        assert_eq!((width, height == 800), (1200, rows >= 12), "{rows} rows, {height} high");
        assert!(inked > 500, "{rows} x {columns}: {inked}");
    }
    let file = folder.path().join("map.svg");
    plot::heatmap(&values(3, 6, false), &file).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    for word in ["Attention per relation", "director", "0.41", "production companies"] {
        assert!(text.contains(word), "{word}");
    }
}

#[test]
#[should_panic(expected = "a link leads to a later column")]
fn a_link_that_leads_back_is_refused() {
    let mut graph = paths(&[1, 2]);
    let link = &mut graph.links[0];
    (link.from, link.to) = (link.to, link.from);
    let _ = plot::path_graph(&graph, Path::new("never.png"));
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
