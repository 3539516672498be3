//! `prepare`: from a source to the files that models and other programs read.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use cresset::data::negatives::Protocol;
use cresset::data::prepare::{CleaningStep, PrepareManifest, PrepareOptions, prepare};
use cresset::data::vectors::VectorsFormat;

use crate::cli::{Common, ConfigFile, LogFile};
use crate::failure::Failure;

/// Clean, index and split the data of a config (its section `data`), and write them as files
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// The folder to write into; files of the same names, and all that an earlier run wrote there, are replaced
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Write the cleaned ratings as CSV too
    #[arg(long)]
    csv: bool,
    /// Write frozen candidates of each tested user too: uni100, pop100 and the like
    #[arg(long, value_name = "PROTOCOL", default_value_t = Protocol::Full)]
    candidates: Protocol,
    /// How the vectors that data.vectors names are written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = WrittenVectors::Json)]
    vectors: WrittenVectors,
    /// Leave the sequence form out
    #[arg(long)]
    no_sequences: bool,
    /// Leave the graph form out
    #[arg(long)]
    no_graph: bool,
    #[command(flatten)]
    common: Common,
}

/// The formats that vectors are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WrittenVectors {
    Json,
    Npy,
    Parquet,
    Safetensors,
}

impl From<WrittenVectors> for VectorsFormat {
    fn from(written: WrittenVectors) -> Self {
        match written {
            WrittenVectors::Json => Self::Json,
            WrittenVectors::Npy => Self::Npy,
            WrittenVectors::Parquet => Self::Parquet,
            WrittenVectors::Safetensors => Self::Safetensors,
        }
    }
}

/// Runs the command.
///
/// # Errors
///
/// If the config or the data cannot be used, or a file cannot be written.
pub fn run(args: &Args) -> Result<(), Failure> {
    args.common.set_up(&LogFile::default())?;
    let config = args.config.load()?;
    let options = PrepareOptions {
        sequences: !args.no_sequences,
        graph: !args.no_graph,
        cleaned_csv: args.csv,
        candidates: args.candidates,
        vectors: args.vectors.into(),
    };
    let manifest = prepare(&config.data, &args.common.data, &args.output, &options)?;
    print!("{}", table(&manifest));
    println!("folder: {}", args.output.display());
    Ok(())
}

/// What each cleaning step left out, what is left, and the files.
fn table(manifest: &PrepareManifest) -> String {
    let PrepareManifest { n_users, n_items, n_ratings, n_train, n_valid, n_test, .. } = manifest;
    let mut text = format!("{:<28} {:>12} {:>12}\n", "", "rows removed", "rows left");
    text += &format!("{:<28} {:>12} {:>12}\n", "read", "", manifest.cleaning.read);
    for CleaningStep { step, rows_removed, rows_left } in &manifest.cleaning_steps {
        text += &format!("{step:<28} {rows_removed:>12} {rows_left:>12}\n");
    }
    text += &format!("\n{n_users} users, {n_items} items, {n_ratings} ratings\n");
    text += &format!("{n_train} train, {n_valid} valid, {n_test} test: {}\n\n", manifest.split);
    for note in manifest.notes() {
        text += &format!("{note}\n");
    }
    for file in &manifest.files {
        text += &format!("{:<28} {:>12} bytes\n", file.name, file.bytes);
    }
    text
}
