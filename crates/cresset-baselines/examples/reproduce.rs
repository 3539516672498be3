//! The figures of docs/baselines.md from the published data, which `CRESSET_DATA` names the folder of.
//!
//! ```sh
//! cargo run --release -p cresset-baselines --example reproduce -- neighbours
//! cargo run --release -p cresset-baselines --example reproduce -- ease
//! cargo run --release -p cresset-baselines --example reproduce -- als
//! cargo run --release -p cresset-baselines --example reproduce -- seconds
//! ```
//!
//! With `--search` parameters are chosen on the validation part, and the test part is not looked at. With
//! `--write FOLDER`, `als` also writes its parts for `benches/peers/implicit_als.py`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cresset_baselines::{
    Baseline, BaselineConfig, EaseConfig, ImplicitAlsConfig, ItemNeighboursConfig, PopularityConfig,
    TrainingSet,
};
use cresset_data::{DataConfig, Dataset, Ratings, SourceKind, Split, SplitKind, UserItems};
use cresset_metrics::{ItemLists, RankingPlan, RankingTask, Scorer, rank_catalogue};

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let data =
        PathBuf::from(std::env::var_os("CRESSET_DATA").ok_or("set CRESSET_DATA to the folder of data sets")?);
    let (mut what, mut is_search, mut folder, mut threads) = (None, false, None, 2);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--search" => is_search = true,
            "--write" => folder = Some(PathBuf::from(value()?)),
            "--threads" => threads = value()?.parse()?,
            _ => what = Some(argument),
        }
    }
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    match (what.as_deref(), is_search) {
        (Some("neighbours"), true) => search(&Parts::leave_one_out(&data)?, neighbours()),
        (Some("neighbours"), false) => test_neighbours(&Parts::leave_one_out(&data)?),
        (Some("ease"), true) => search(&Parts::rated_3(&data, 42)?, ease()),
        (Some("ease"), false) => test_ease(&data),
        (Some("als"), true) => search(&Parts::rated_3(&data, 42)?, als()),
        (Some("als"), false) => test_als(&Parts::rated_3(&data, 42)?, folder.as_deref()),
        (Some("seconds"), _) => seconds(&data),
        _ => Err("name neighbours, ease, als or seconds".into()),
    }
}

/// A data set and its split.
struct Parts {
    data: Dataset,
    split: Split,
}

impl Parts {
    fn new(config: &DataConfig, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let data = Dataset::load(config, folder)?;
        let split = Split::of(&data.ratings, config, 0)?;
        Ok(Self { data, split })
    }

    /// MovieLens 100K, each user's last row to test and the one before to validate, equal times by item id.
    fn leave_one_out(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let (source, split) = (SourceKind::MovieLens100k, SplitKind::LeaveOneOut);
        Self::new(&DataConfig { source, split, ..DataConfig::default() }, folder)
    }

    /// MovieLens 1M as RecBole's published benchmark has it: ratings from 3 up, users and items with 10 or more of
    /// them, each user's rows 8:1:1 by chance.
    fn rated_3(folder: &Path, split_seed: u64) -> Result<Self, Box<dyn Error>> {
        let config = DataConfig {
            source: SourceKind::MovieLens1m,
            min_rating: Some(3.0),
            min_user_ratings: 10,
            min_item_ratings: 10,
            per_user: true,
            split_seed,
            ..DataConfig::default()
        };
        Self::new(&config, folder)
    }

    fn part(&self, rows: &[u32]) -> Ratings {
        self.data.ratings.select(rows)
    }

    fn training<'a>(&self, ratings: &'a Ratings) -> TrainingSet<'a> {
        TrainingSet::from_ratings(ratings, self.data.n_users(), self.data.n_items())
    }

    /// Ranks all that is not in `seen` for every user with a row in `part`.
    fn measure(&self, scorer: &dyn Scorer, part: &[u32], seen: &[u32]) -> Result<Figures, Box<dyn Error>> {
        let n_users = self.data.n_users();
        let items = |rows| UserItems::from_ratings(&self.part(rows), n_users);
        let (relevant, seen) = (items(part), items(seen));
        let users: Vec<u32> = (0..n_users as u32).collect();
        let lists = |items: &UserItems| (items.offsets().to_vec(), items.items().to_vec());
        let (relevant, seen) = (lists(&relevant), lists(&seen));
        let task = RankingTask {
            users: &users,
            relevant: ItemLists { offsets: &relevant.0, items: &relevant.1 },
            seen: ItemLists { offsets: &seen.0, items: &seen.1 },
        };
        let metrics = rank_catalogue(scorer, &task, &RankingPlan::at_cutoffs(&[10])?)?.metrics;
        let of = |key| metrics.get(key).unwrap_or(f64::NAN);
        Ok(Figures { hit_rate: of("hit_rate@10"), recall: of("recall@10"), ndcg: of("ndcg@10") })
    }

    /// What the baseline reaches on the validation part, fitted to the training part.
    fn validate(&self, config: &BaselineConfig) -> Result<Figures, Box<dyn Error>> {
        let train = self.part(&self.split.train);
        let model = config.fit(&self.training(&train))?;
        self.measure(scorer(&model)?, &self.split.valid, &self.split.train)
    }
}

fn scorer(model: &Baseline) -> Result<&dyn Scorer, Box<dyn Error>> {
    model.scorer().ok_or_else(|| "this baseline does not rank".into())
}

#[derive(Clone, Copy)]
struct Figures {
    hit_rate: f64,
    recall: f64,
    ndcg: f64,
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { hit_rate, recall, ndcg } = self;
        write!(f, "hit_rate@10 {hit_rate:.4}  recall@10 {recall:.4}  ndcg@10 {ndcg:.4}")
    }
}

/// Where a search begins, and the configs that differ from one in at most one parameter, always in the same order.
struct Search {
    starts: Vec<BaselineConfig>,
    others: fn(&BaselineConfig) -> Vec<BaselineConfig>,
}

/// Goes from each start to a config that no change of one parameter betters, by validation NDCG.
fn search(parts: &Parts, Search { starts, others }: Search) -> Outcome {
    for start in starts {
        let mut best = (parts.validate(&start)?, start);
        let mut n_unchanged = 0;
        // The other configs of any config are in one order, so that each round tries all changes in turn.
        for change in (0..others(&best.1).len()).cycle() {
            let config = others(&best.1).swap_remove(change);
            let found = parts.validate(&config)?;
            n_unchanged += 1;
            if found.ndcg > best.0.ndcg {
                println!("  {found}  {}", serde_json::to_string(&config)?);
                (best, n_unchanged) = ((found, config), 0);
            }
            if n_unchanged == others(&best.1).len() {
                break;
            }
        }
        println!("validation: {}  {}", best.0, serde_json::to_string(&best.1)?);
    }
    Ok(())
}

fn neighbours() -> Search {
    let sets = ItemNeighboursConfig::default();
    let sequences = ItemNeighboursConfig {
        window: Some(10),
        distance_exponent: 0.5,
        recency_exponent: 0.5,
        ..ItemNeighboursConfig::default()
    };
    let starts = [sets, sequences].map(BaselineConfig::ItemNeighbours).into();
    Search { starts, others: other_neighbours }
}

fn other_neighbours(config: &BaselineConfig) -> Vec<BaselineConfig> {
    let BaselineConfig::ItemNeighbours(config) = config else { return Vec::new() };
    let mut found = Vec::new();
    let mut with = |change: &dyn Fn(&mut ItemNeighboursConfig)| {
        let mut other = config.clone();
        change(&mut other);
        found.push(BaselineConfig::ItemNeighbours(other));
    };
    for n in [50, 100, 200, 400, 1000, 2000] {
        with(&|it| it.n_neighbours = n);
    }
    for window in [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 100] {
        with(&|it| it.window = Some(window));
    }
    with(&|it| it.window = None);
    with(&|it| it.directed = !it.directed);
    for shrinkage in [0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0] {
        with(&|it| it.shrinkage = shrinkage);
    }
    for power in [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0] {
        with(&|it| it.source_exponent = power);
        with(&|it| it.popularity_exponent = power);
        with(&|it| it.user_exponent = power);
    }
    for power in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0] {
        with(&|it| it.distance_exponent = power);
        with(&|it| it.recency_exponent = power);
    }
    for power in [0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0] {
        with(&|it| it.amplification = power);
    }
    found
}

/// The defaults, and what `--search` reached from them on the validation part of leave-one-out on MovieLens 100K.
fn chosen_neighbours() -> [(&'static str, ItemNeighboursConfig); 2] {
    [("sets", ItemNeighboursConfig::default()), ("sequences", ItemNeighboursConfig::for_sequences())]
}

fn test_neighbours(parts: &Parts) -> Outcome {
    let Split { train, test, .. } = &parts.split;
    let before = parts.split.before_test();
    let (train_rows, before_rows) = (parts.part(train), parts.part(&before));
    for (name, config) in chosen_neighbours() {
        let config = BaselineConfig::ItemNeighbours(config);
        println!("{name}, validation: {}", parts.validate(&config)?);
        let model = config.fit(&parts.training(&before_rows))?;
        println!("{name}, test, fitted to all before it: {}", parts.measure(scorer(&model)?, test, &before)?);
        let model = config.fit(&parts.training(&train_rows))?;
        let model = model.knowing(&parts.training(&before_rows))?;
        println!(
            "{name}, test, fitted to the training part: {}",
            parts.measure(scorer(&model)?, test, &before)?
        );
    }
    let popularity =
        BaselineConfig::Popularity(PopularityConfig::default()).fit(&parts.training(&before_rows))?;
    println!("popularity, test: {}", parts.measure(scorer(&popularity)?, test, &before)?);
    Ok(())
}

fn ease() -> Search {
    let of = |l2| BaselineConfig::Ease(EaseConfig { l2, ..EaseConfig::default() });
    Search {
        starts: vec![of(100.0)],
        others: |_| {
            let of = |l2| BaselineConfig::Ease(EaseConfig { l2, ..EaseConfig::default() });
            [50.0, 100.0, 150.0, 200.0, 250.0, 300.0, 400.0, 500.0, 700.0, 1000.0].map(of).into()
        },
    }
}

fn test_ease(folder: &Path) -> Outcome {
    for seed in [42, 43, 44] {
        let parts = Parts::rated_3(folder, seed)?;
        let Split { train, test, .. } = &parts.split;
        let before = parts.split.before_test();
        let train_rows = parts.part(train);
        for kind in ["ease", "item-neighbours", "implicit-als", "popularity"] {
            let model =
                BaselineConfig::defaults(kind).ok_or("no such kind")?.fit(&parts.training(&train_rows))?;
            println!("seed {seed}, {kind}, test: {}", parts.measure(scorer(&model)?, test, &before)?);
        }
    }
    Ok(())
}

fn als() -> Search {
    Search { starts: vec![BaselineConfig::ImplicitAls(ImplicitAlsConfig::default())], others: other_als }
}

fn other_als(config: &BaselineConfig) -> Vec<BaselineConfig> {
    let BaselineConfig::ImplicitAls(config) = config else { return Vec::new() };
    let mut found = Vec::new();
    let mut with = |change: &dyn Fn(&mut ImplicitAlsConfig)| {
        let mut other = config.clone();
        change(&mut other);
        found.push(BaselineConfig::ImplicitAls(other));
    };
    for alpha in [0.25, 0.5, 1.0, 2.0, 5.0, 10.0] {
        with(&|it| it.alpha = alpha);
    }
    for l2 in [0.1, 1.0, 3.0, 10.0, 20.0, 30.0, 50.0, 100.0] {
        with(&|it| it.l2 = l2);
    }
    with(&|it| it.use_ratings = !it.use_ratings);
    found
}

fn test_als(parts: &Parts, folder: Option<&Path>) -> Outcome {
    let Split { train, test, .. } = &parts.split;
    let before = parts.split.before_test();
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder)?;
        for (name, rows) in [("train.u32", train), ("before.u32", &before), ("test.u32", test)] {
            let rows = parts.part(rows);
            let pairs = rows.user_id.iter().zip(&rows.item_id);
            let bytes: Vec<u8> =
                pairs.flat_map(|(user, item)| [user.to_le_bytes(), item.to_le_bytes()].concat()).collect();
            std::fs::write(folder.join(name), bytes)?;
        }
    }
    let train_rows = parts.part(train);
    for seed in 0..5 {
        let config = BaselineConfig::ImplicitAls(ImplicitAlsConfig { seed, ..ImplicitAlsConfig::default() });
        let model = config.fit(&parts.training(&train_rows))?;
        println!("implicit-als, seed {seed}, test: {}", parts.measure(scorer(&model)?, test, &before)?);
    }
    Ok(())
}

/// How long each baseline takes to fit to all of MovieLens 1M, the median of five.
fn seconds(folder: &Path) -> Outcome {
    let data =
        Dataset::load(&DataConfig { source: SourceKind::MovieLens1m, ..DataConfig::default() }, folder)?;
    let training = TrainingSet::from_ratings(&data.ratings, data.n_users(), data.n_items());
    let configs = BaselineConfig::KINDS.iter().filter_map(|kind| BaselineConfig::defaults(kind));
    for config in configs.chain(chosen_neighbours().map(|(_, config)| BaselineConfig::ItemNeighbours(config)))
    {
        let mut seconds: Vec<f64> = Vec::new();
        for _ in 0..5 {
            let begin = Instant::now();
            config.fit(&training)?;
            seconds.push(begin.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        println!("{}: {:.3} s ({:.3} to {:.3})", config.kind(), seconds[2], seconds[0], seconds[4]);
    }
    Ok(())
}
