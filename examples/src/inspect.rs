//! `inspect`: what a config amounts to, and what this machine offers.

use std::path::PathBuf;

use clap::Parser;
use cresset::data::Dataset;
use cresset::device::{DeviceKind, on_device};
use cresset::trainers::config::load;

use crate::calibrate::{Calibrate, Memory};
use crate::cli::{Common, LogFile};
use crate::failure::Failure;
use crate::knowledge::{self, Knowledge};
use crate::models::Config;

/// Show the effective config, parameters, memory and time of a run, or the devices there are
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
    let device = args.common.set_up(&LogFile::default())?;
    if args.devices {
        print_devices();
    }
    let Some(file) = &args.config else { return Ok(()) };
    let config: Config = load(file, &args.sets)?;
    print!("{}", yaml_serde::to_string(&config).map_err(Failure::other)?);
    let dataset = Dataset::load(&config.data, &args.common.data)?;
    let (n_users, n_items, n_ratings) = (dataset.n_users(), dataset.n_items(), dataset.ratings.len());
    println!("\n{}\n{n_users} users, {n_items} items, {n_ratings} ratings\n", dataset.cleaning);
    let knowledge = knowledge::load(&config, &args.common.data, &dataset)?;
    knowledge::tell(&knowledge).iter().for_each(|line| println!("{line}"));
    print_parameters(&config, n_users, n_items, &knowledge);
    print_memory(&Memory::of(&config, &dataset, &knowledge));
    if let Some(pace) =
        on_device(&device, Calibrate { config: &config, dataset: &dataset, knowledge: &knowledge })??
    {
        let (steps, epoch) = (pace.n_steps, pace.seconds_per_epoch());
        println!(
            "about {epoch:.2} s an epoch of {steps} steps, {:.0} examples/s, and validation on top",
            config.training.batch_size as f64 / pace.seconds_per_step
        );
    }
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

fn print_parameters(config: &Config, n_users: usize, n_items: usize, knowledge: &Knowledge) {
    let parts = config.model.n_parameters(n_users, n_items, knowledge);
    for (part, n) in &parts {
        println!("{part:<20} {n:>12} parameters");
    }
    println!("{:<20} {:>12} parameters", "all", parts.iter().map(|(_, n)| n).sum::<usize>());
}

fn print_memory(memory: &Memory) {
    let Memory { data, parts, batch, weights, saving } = memory;
    let total = memory.total();
    println!(
        "about {total:.0} MiB: {data:.0} program and data, {parts:.0} parts of the split, {batch:.0} a batch, {weights:.0} weights \
         and moments, {saving:.0} while they are saved"
    );
}
