//! `recommend`: the best items for a user, by title.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args as Group, Parser, ValueEnum};
use cresset::data::files::{atomic_write_with, read_bytes};
use cresset::data::{Ratings, UserItems};
use cresset::device::{OnBackend, on_device};
use cresset::metrics::top_k;
use cresset::nn::AutodiffRecommender;

use crate::cli::{Common, LogFile};
use crate::failure::Failure;
use crate::saved::Saved;
use crate::served::Served;

/// Recommend items from a trained run
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// The run directory
    run: PathBuf,
    #[command(flatten)]
    whom: Whom,
    /// How many items
    #[arg(long, default_value_t = 10, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    top: usize,
    /// Rank only the items of this file, one id a line
    #[arg(long, value_name = "FILE")]
    candidates: Option<PathBuf>,
    /// Keep items that the user has rated already
    #[arg(long)]
    keep_seen: bool,
    /// Rank as if that part of the split and those after it were not known yet, so that its items may be found: for lists
    /// that `evaluate --predictions` is to measure
    #[arg(long, value_enum, conflicts_with_all = ["keep_seen", "history"])]
    before: Option<Before>,
    /// With --all-users: the CSV file to write
    #[arg(long, value_name = "FILE", conflicts_with_all = ["user", "history"])]
    output: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// A part that lists are to be measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Before {
    Valid,
    Test,
}

/// For whom.
#[derive(Debug, Group)]
#[group(required = true, multiple = false)]
struct Whom {
    /// One user, by the id in the data
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Somebody new, by what they rated: ITEM or ITEM:RATING, separated by commas; without a rating, the highest
    #[arg(long, value_name = "ID[:RATING],...", value_delimiter = ',')]
    history: Option<Vec<String>>,
    /// Every user, into --output
    #[arg(long, requires = "output")]
    all_users: bool,
}

/// Users ranked at once.
const USERS_AT_ONCE: usize = 256;

/// Runs the command.
///
/// # Errors
///
/// If the run, a file or an id cannot be used.
pub fn run(args: &Args) -> Result<(), Failure> {
    let device = args.common.set_up(&LogFile::default())?;
    let saved = Saved::open(&args.run)?;
    on_device(&device, Recommend { args, saved: &saved })?
}

struct Recommend<'a> {
    args: &'a Args,
    saved: &'a Saved,
}

impl OnBackend for Recommend<'_> {
    type Out = Result<(), Failure>;

    fn run<B: AutodiffRecommender>(self, device: B::Device) -> Self::Out {
        let known = self.known();
        let model = self.saved.model::<B>(&device)?.knowing(&known)?;
        let masks = Masks::new(self.args, self.saved)?;
        let Whom { user, history, .. } = &self.args.whom;
        match (user, history, &self.args.output) {
            (Some(id), _, _) => self.for_user(&*model, &masks, self.saved.user(id)?),
            (_, Some(history), _) => self.for_history(&*model, &masks, history),
            (_, _, Some(file)) => self.write_all(&*model, &masks, file),
            (None, None, None) => Err(Failure::input("--all-users needs --output FILE")),
        }
    }
}

/// An item and its score.
type Ranked = Vec<(u32, f32)>;

impl Recommend<'_> {
    /// The ratings by which users are known: all of them, or those before the part that lists are for.
    fn known(&self) -> Ratings {
        match self.args.before {
            None => self.saved.data.ratings.clone(),
            Some(Before::Valid) => self.saved.train(),
            Some(Before::Test) => self.saved.known_at_test(),
        }
    }

    /// The error of a model that ranks nothing.
    fn no_ranking(&self) -> Failure {
        let (run, kind) = (self.saved.run.path().display(), self.saved.config.model.kind());
        Failure::input(format!("{run} holds {kind}, which ranks nothing; ask `predict` for its ratings"))
    }

    fn rank(&self, model: &dyn Served, masks: &Masks, users: &[u32]) -> Result<Vec<Ranked>, Failure> {
        let model = model.scorer().ok_or_else(|| self.no_ranking())?;
        let n_items = model.n_items();
        let mut scores = vec![0.0; users.len() * n_items];
        model.score_block(users, &mut scores);
        let rows = users.iter().zip(scores.chunks(n_items));
        rows.map(|(&user, scores)| Ok(top_k(scores, &masks.of(user), self.args.top)?)).collect()
    }

    fn for_user(&self, model: &dyn Served, masks: &Masks, user: u32) -> Result<(), Failure> {
        self.rank(model, masks, &[user])?.iter().for_each(|ranked| self.print(ranked));
        Ok(())
    }

    fn for_history(&self, model: &dyn Served, masks: &Masks, history: &[String]) -> Result<(), Failure> {
        let (items, ratings) = self.read_history(history)?;
        let scores = model.score_history(&items, &ratings).ok_or_else(|| self.no_ranking())?;
        let seen = if self.args.keep_seen { &[][..] } else { &items };
        self.print(&top_k(&scores, &masks.with(seen), self.args.top)?);
        Ok(())
    }

    fn read_history(&self, history: &[String]) -> Result<(Vec<u32>, Vec<f32>), Failure> {
        let (min, max) = self.saved.data.rating_range;
        let mut read = (vec![], vec![]);
        for entry in history {
            // An id may hold a colon itself.
            let pair = entry.rsplit_once(':').filter(|_| self.saved.data.items.index_of(entry).is_none());
            let (id, rating) = pair.map_or((&entry[..], None), |(id, rating)| (id, Some(rating)));
            let wrong =
                |text: &str| format!("--history {entry}: `{text}` is not a rating from {min} to {max}");
            let rating = match rating {
                None => max,
                Some(text) => text
                    .parse()
                    .ok()
                    .filter(|r| (min..=max).contains(r))
                    .ok_or_else(|| Failure::input(wrong(text)))?,
            };
            let item = self.saved.item(id)?;
            if read.0.contains(&item) {
                return Err(Failure::input(format!(
                    "--history {entry}: item {id} is named twice; name it once"
                )));
            }
            read.0.push(item);
            read.1.push(rating);
        }
        Ok(read)
    }

    fn print(&self, ranked: &[(u32, f32)]) {
        println!("{:>4}  {:>6}  {:<8}  title", "rank", "score", "item");
        for (place, &(item, score)) in (1..).zip(ranked) {
            let (id, title) = (self.saved.data.items.id_of(item), &self.saved.data.titles[item as usize]);
            println!("{place:>4}  {score:>6.3}  {id:<8}  {title}");
        }
    }

    fn write_rows(&self, out: &mut impl Write, user: u32, items: &Ranked) -> io::Result<()> {
        let user = csv_field(self.saved.data.users.id_of(user));
        for (place, &(item, score)) in (1..).zip(items) {
            let item = csv_field(self.saved.data.items.id_of(item));
            writeln!(out, "{user},{item},{score},{place}")?;
        }
        Ok(())
    }

    fn write_all(&self, model: &dyn Served, masks: &Masks, file: &std::path::Path) -> Result<(), Failure> {
        let users: Vec<u32> = (0..self.saved.data.users.len() as u32).collect();
        atomic_write_with(file, |out| {
            writeln!(out, "user_id,item_id,score,rank")?;
            for block in users.chunks(USERS_AT_ONCE) {
                let ranked = self.rank(model, masks, block).map_err(|e| io::Error::other(e.to_string()))?;
                for (&user, items) in block.iter().zip(&ranked) {
                    self.write_rows(out, user, items)?;
                }
            }
            Ok(())
        })?;
        println!("{} users written to {}", users.len(), file.display());
        Ok(())
    }
}

/// A field as CSV readers expect it: quoted where it holds a separator, a quote or a line break.
pub(crate) fn csv_field(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

/// Which items a user is not to be shown.
struct Masks {
    seen: Option<UserItems>,
    not_candidates: Vec<u32>,
}

impl Masks {
    fn new(args: &Args, saved: &Saved) -> Result<Self, Failure> {
        let ratings = match args.before {
            None => saved.data.ratings.clone(),
            Some(Before::Valid) => saved.train(),
            Some(Before::Test) => saved.data.ratings.select(&saved.data.split.before_test()),
        };
        let seen = (!args.keep_seen).then(|| UserItems::from_ratings(&ratings, saved.data.users.len()));
        let not_candidates = match &args.candidates {
            Some(file) => all_but(file, saved)?,
            None => vec![],
        };
        Ok(Self { seen, not_candidates })
    }

    fn of(&self, user: u32) -> Vec<u32> {
        self.with(self.seen.as_ref().map_or(&[][..], |seen| seen.of(user)))
    }

    /// What is no candidate and what is in `seen`, ascending.
    fn with(&self, seen: &[u32]) -> Vec<u32> {
        let mut mask = [seen, &self.not_candidates].concat();
        mask.sort_unstable();
        mask.dedup();
        mask
    }
}

/// Every item that `file` does not name.
fn all_but(file: &std::path::Path, saved: &Saved) -> Result<Vec<u32>, Failure> {
    let text = String::from_utf8_lossy(&read_bytes(file)?).into_owned();
    let mut is_candidate = vec![false; saved.data.items.len()];
    for (line, id) in (1..).zip(text.lines()).filter(|(_, id)| !id.trim().is_empty()) {
        let unknown = || {
            format!("{}:{line}: item {id} is not in the model's catalogue; remove the line", file.display())
        };
        let item = saved.data.items.index_of(id.trim()).ok_or_else(|| Failure::input(unknown()))?;
        is_candidate[item as usize] = true;
    }
    if !is_candidate.contains(&true) {
        let file = file.display();
        return Err(Failure::input(format!(
            "{file} names no item; give one id a line, or leave out --candidates"
        )));
    }
    Ok((0..).zip(is_candidate).filter(|(_, is)| !is).map(|(item, _)| item).collect())
}

#[cfg(test)]
mod tests {
    use super::csv_field;

    #[test]
    fn a_field_is_quoted_exactly_where_a_reader_would_cut_it() {
        assert_eq!(csv_field("u 1"), "u 1");
        assert_eq!(csv_field("u,1"), "\"u,1\"");
        assert_eq!(csv_field("u\"1"), "\"u\"\"1\"");
    }
}
