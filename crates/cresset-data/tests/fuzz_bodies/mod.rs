//! What the fuzz targets do with their bytes: whatever a file holds, a reader keeps its promises or returns an error.
//!
//! The targets of `fuzz/` and the test that replays their corpus share this folder. A target's bytes are the files of
//! one data set, see [`folder`]; it reads them twice, which must give the same, with bad rows as errors and left out.

mod folder;
mod graphs;
mod others;
mod sources;
mod vectors;

/// What a target does with its bytes; it panics where a promise is broken.
pub(crate) type Body = fn(&[u8]);

/// Every target by name, which is also that of its corpus.
pub(crate) const TARGETS: [(&str, Body); 18] = [
    ("amazon", sources::amazon),
    ("csv_columns", sources::csv_columns),
    ("data_config", others::data_config),
    ("histories", sources::histories),
    ("item_files", sources::item_files),
    ("kgat", sources::kgat),
    ("kgcn", sources::kgcn),
    ("mmrec", sources::mmrec),
    ("movielens_100k", sources::movielens_100k),
    ("movielens_1m", sources::movielens_1m),
    ("movielens_csv", sources::movielens_csv),
    ("multimodal", sources::multimodal),
    ("npy", vectors::npy),
    ("processed_folder", others::processed_folder),
    ("recbole", sources::recbole),
    ("safetensors", vectors::safetensors),
    ("triples", graphs::triples),
    ("vectors", vectors::text),
];

/// The body of a target.
#[allow(dead_code, reason = "the test goes through the table")]
pub(crate) fn target(name: &str) -> Body {
    TARGETS.iter().find(|(it, _)| *it == name).map(|&(_, body)| body).expect("the table has every target")
}
