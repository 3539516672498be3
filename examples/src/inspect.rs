//! `inspect`: what a config amounts to, and what this machine offers.

use std::path::PathBuf;

use clap::Parser;
use cresset::data::Dataset;
use cresset::device::DeviceKind;
use cresset::nn::optim::OptimizerConfig;
use cresset::trainers::config::load;

use crate::cli::{Common, LogFile};
use crate::failure::Failure;
use crate::models::Config;

/// Show the effective config, parameters and memory of a run, or the devices there are
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// The config file
    #[arg(required_unless_present = "devices")]
    config: Option<PathBuf>,
    /// Set a key of the config, such as training.epochs=3; may be given again
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// List the devices that this program was built for
    #[arg(long)]
    devices: bool,
    #[command(flatten)]
    common: Common,
}

/// Runs the command.
///
/// # Errors
///
/// If the config or the data cannot be used.
pub fn run(args: &Args) -> Result<(), Failure> {
    args.common.set_up(&LogFile::default())?;
    if args.devices {
        print_devices();
    }
    let Some(file) = &args.config else { return Ok(()) };
    let config: Config = load(file, &args.sets)?;
    print!("{}", yaml_serde::to_string(&config).map_err(Failure::other)?);
    let dataset = Dataset::load(&config.data, &args.common.data)?;
    let (n_users, n_items, n_ratings) = (dataset.n_users(), dataset.n_items(), dataset.ratings.len());
    println!("\n{}\n{n_users} users, {n_items} items, {n_ratings} ratings\n", dataset.cleaning);
    print_parameters(&config, n_users, n_items, n_ratings);
    Ok(())
}

fn print_devices() {
    for kind in DeviceKind::ALL {
        let state = match kind.is_compiled() {
            true => "available".to_owned(),
            false => format!("not in this program; build with --features {}", kind.feature()),
        };
        println!("{:<8} {state}", kind.name());
    }
}

fn print_parameters(config: &Config, n_users: usize, n_items: usize, n_ratings: usize) {
    let parts = config.model.n_parameters(n_users, n_items);
    for (part, n) in &parts {
        println!("{part:<16} {n:>12} parameters");
    }
    let n_parameters: usize = parts.iter().map(|(_, n)| n).sum();
    println!("{:<16} {n_parameters:>12} parameters", "all");
    println!(
        "about {:.0} MiB while training",
        memory_mib(&config.training.optimizer, n_parameters, n_ratings)
    );
}

/// Weights and moments, the weights once more while they are saved, and the ratings with their copies by part.
fn memory_mib(optimizer: &OptimizerConfig, n_parameters: usize, n_ratings: usize) -> f64 {
    let weights = n_parameters * 4 * (1 + optimizer.moments().len());
    let saved = weights;
    let bytes_per_rating = 20;
    (weights + saved + n_ratings * bytes_per_rating * 3) as f64 / (1024.0 * 1024.0)
}
