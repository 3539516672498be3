//! `explain`: why a user gets an item, in words, as JSON and as pictures.

use std::path::PathBuf;

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use cresset::data::UserItems;
use cresset::device::{OnBackend, on_device};
use cresset::kg_mf::explain::{Labels, RatedItem};
use cresset::metrics::top_k;
use cresset::nn::AutodiffRecommender;

use crate::cli::{Common, LogFile};
use crate::explanation::{Asked, Explanation};
use crate::failure::Failure;
use crate::saved::Saved;

/// Explain one recommendation of a trained run
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// The run directory
    run: PathBuf,
    /// The user, by the id in the data
    #[arg(long, value_name = "ID")]
    user: String,
    /// The item, by the id in the data; without it, the best that the user has not rated
    #[arg(long, value_name = "ID")]
    item: Option<String>,
    /// How many paths
    #[arg(long, default_value_t = 3, value_parser = RangedU64ValueParser::<usize>::new().range(1..=1000))]
    paths: usize,
    /// The JSON file to write, with the pictures beside it; without it, in the folder `explanation` of the
    /// run
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Where the explanation of a run is written when no file is named.
const OUTPUT: &str = "explanation/relation_paths.json";

/// Runs the command.
///
/// # Errors
///
/// If the run, an id or the output cannot be used, or the model has no graph to explain by.
pub fn run(args: &Args) -> Result<(), Failure> {
    let device = args.common.set_up(&LogFile::default())?;
    let saved = Saved::open(&args.run)?;
    on_device(&device, Explain { args, saved: &saved })?
}

struct Explain<'a> {
    args: &'a Args,
    saved: &'a Saved,
}

impl OnBackend for Explain<'_> {
    type Out = Result<(), Failure>;

    fn run<B: AutodiffRecommender>(self, device: B::Device) -> Self::Out {
        let user = self.saved.user(&self.args.user)?;
        let named = self.args.item.as_deref().map(|id| self.saved.item(id)).transpose()?;
        let opened = self.saved.reasons::<B>(&device)?;
        let item = match named {
            Some(item) => item,
            None => self.best_item::<B>(user, &device)?,
        };
        let data = &self.saved.data;
        let labels = Labels { users: &data.users, items: &data.items, titles: &data.titles };
        let history = self.history(user);
        let asked = Asked { user, item, history: &history, n_paths: self.args.paths };
        let explanation = Explanation::of(&*opened.reasons, &opened.graph, &labels, &asked);
        println!("{explanation}");
        let file = self.args.output.clone().unwrap_or_else(|| self.saved.run.file(OUTPUT));
        for file in explanation.save(&file, self.saved.config.output.plots)? {
            println!("written: {}", file.display());
        }
        Ok(())
    }
}

impl Explain<'_> {
    /// What the model knows that the user rated.
    fn history(&self, user: u32) -> Vec<RatedItem> {
        let train = self.saved.train();
        let rows = (0..train.len()).filter(|&row| train.user_id[row] == user);
        rows.map(|row| RatedItem { item: train.item_id[row], rating: train.rating[row] }).collect()
    }

    /// The item ranked first among those that the user has not rated.
    fn best_item<B: AutodiffRecommender>(&self, user: u32, device: &B::Device) -> Result<u32, Failure> {
        let unranked = || Failure::input("the model ranks nothing; name an item with --item ID");
        let model = self.saved.model::<B>(device)?;
        let scorer = model.scorer().ok_or_else(unranked)?;
        let mut scores = vec![0.0; scorer.n_items()];
        scorer.score_block(&[user], &mut scores);
        let seen = UserItems::from_ratings(&self.saved.data.ratings, self.saved.data.users.len());
        let nothing_left = || {
            Failure::input(format!("user {} has rated every item; name one with --item ID", self.args.user))
        };
        top_k(&scores, seen.of(user), 1)?.first().map(|&(item, _)| item).ok_or_else(nothing_left)
    }
}
