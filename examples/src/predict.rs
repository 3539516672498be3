//! `predict`: the rating that a user would give an item.

use std::path::PathBuf;

use clap::Parser;
use cresset::device::{OnBackend, on_device};
use cresset::nn::AutodiffRecommender;

use crate::cli::{Common, LogFile};
use crate::failure::Failure;
use crate::saved::Saved;

/// Predict one rating with a trained run
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// The run directory
    run: PathBuf,
    /// The user, by the id in the data
    #[arg(long, value_name = "ID")]
    user: String,
    /// The item, by the id in the data
    #[arg(long, value_name = "ID")]
    item: String,
    #[command(flatten)]
    common: Common,
}

/// Runs the command.
///
/// # Errors
///
/// If the run or an id cannot be used.
pub fn run(args: &Args) -> Result<(), Failure> {
    let device = args.common.set_up(&LogFile::default())?;
    let saved = Saved::open(&args.run)?;
    let (user, item) = (saved.user(&args.user)?, saved.item(&args.item)?);
    let rating = on_device(&device, Predict { saved: &saved, user, item })??;
    println!("{rating:.3}  {}", saved.data.titles[item as usize]);
    if let Some(known) = known_rating(&saved, user, item) {
        println!("{known:.3}  as rated by the user");
    }
    Ok(())
}

struct Predict<'a> {
    saved: &'a Saved,
    user: u32,
    item: u32,
}

impl OnBackend for Predict<'_> {
    type Out = Result<f32, Failure>;

    fn run<B: AutodiffRecommender>(self, device: B::Device) -> Self::Out {
        let model = self.saved.model::<B>(&device)?;
        let Some(predictor) = model.predictor() else {
            return Err(Failure::input(format!(
                "{} holds {}, which predicts no ratings; ask `recommend` for its list",
                self.saved.run.path().display(),
                self.saved.config.model.kind()
            )));
        };
        Ok(predictor.predict_pairs(&[self.user], &[self.item])[0])
    }
}

fn known_rating(saved: &Saved, user: u32, item: u32) -> Option<f32> {
    let ratings = &saved.data.ratings;
    let mut rows = 0..ratings.len();
    rows.find(|&row| ratings.user_id[row] == user && ratings.item_id[row] == item)
        .map(|row| ratings.rating[row])
}
