//! Whatever was written when a run ended, it goes on from there or says why not.

use std::fs;
use std::time::SystemTime;

use cresset::data::random::{below, stream};

use crate::desk::Desk;
use crate::outcome::Outcome;

const TINY: &str = "
data: {source: synthetic, synthetic: {n_users: 40, n_items: 30, n_ratings: 600}}
model: {kind: kg-mf, embedding_dim: 4}
training: {epochs: 2, batch_size: 64}
output: {plots: false}
";
const RESUME: [&str; 5] = ["tiny.yaml", "-q", "--output", "run", "--resume"];

/// A file of a run, by its path below the run directory.
type Files = Vec<(String, Vec<u8>)>;

/// The files of a run that were written at or after `since`, in the order in which they were.
fn written(desk: &Desk, run: &str, since: SystemTime) -> Files {
    let time = |file: &String| {
        let metadata = fs::metadata(desk.path(&format!("{run}/{file}"))).unwrap();
        metadata.modified().unwrap()
    };
    let mut files = desk.files(run);
    files.retain(|file| time(file) >= since);
    files.sort_by_key(time);
    files.into_iter().map(|file| (file.clone(), desk.bytes(&format!("{run}/{file}")))).collect()
}

/// Makes `run` hold `files` and nothing else.
fn lay_out(desk: &Desk, files: &[(String, Vec<u8>)]) {
    let _ = fs::remove_dir_all(desk.path("run"));
    fs::create_dir_all(desk.path("run")).unwrap();
    for (file, content) in files {
        desk.write(&format!("run/{file}"), content);
    }
}

/// Resumes in `run`, where `last` was written last: the run ends as `whole`, or is refused with the file.
fn check(desk: &Desk, last: &str, is_cut: bool, whole: &Outcome) {
    let ended = desk.train(&RESUME);
    match ended.code {
        Some(0) if is_cut && last == "results.yaml" => {}
        Some(0) => assert_eq!(&Outcome::of(desk, "run"), whole, "{last}"),
        _ => {
            assert!(is_cut, "whole files, of which {last} was the last: {ended:?}");
            ended.refused(&["run"]);
        }
    }
}

/// Resumes from every prefix of `files`, written over `before`, and from each with its last file cut short.
fn check_prefixes(desk: &Desk, before: &[(String, Vec<u8>)], files: &[(String, Vec<u8>)], whole: &Outcome) {
    let mut lengths = stream(11, "lengths", files.len() as u64);
    for n in 0..=files.len() {
        let mut state = before.to_vec();
        state.extend_from_slice(&files[..n]);
        lay_out(desk, &state);
        let Some((name, content)) = files[..n].last() else {
            check(desk, "nothing", false, whole);
            continue;
        };
        check(desk, name, false, whole);
        lay_out(desk, &state);
        let length = below(content.len().max(1) as u64, &mut lengths) as usize;
        desk.write(&format!("run/{name}"), &content[..length]);
        check(desk, name, true, whole);
    }
}

#[test]
fn any_prefix_of_the_files_of_a_run_is_resumed_or_refused_with_the_reason() {
    let desk = Desk::new();
    desk.write("tiny.yaml", TINY);
    desk.train(&["tiny.yaml", "-q", "--output", "whole"]).done();
    let whole = Outcome::of(&desk, "whole");

    desk.train(&["tiny.yaml", "-q", "--output", "first", "--set", "training.epochs=1"]).done();
    // A run of one epoch has written each of its files once, so that they lie in the order of their times.
    let mut first = written(&desk, "first", SystemTime::UNIX_EPOCH);
    check_prefixes(&desk, &[], &first, &whole);

    // The second epoch, over the files of the first, whose results go before anything is written.
    let second_began = SystemTime::now();
    let second = ["tiny.yaml", "-q", "--output", "first", "--resume"];
    desk.train(&second).done();
    let second = written(&desk, "first", second_began);
    first.retain(|(file, _)| file != "results.yaml");
    check_prefixes(&desk, &first, &second, &whole);
}
