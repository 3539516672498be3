//! Who watches what and when, and the stars they give.

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::config::WorldConfig;
use super::devotion::Shelves;
use super::films::Films;
use super::first_ratings::{FirstRatings, OPEN};
use super::numeric::{below, dot, logistic, normal, uniform};
use super::people::{Person, SPAN, TASTE};
use crate::alias::AliasTable;
use crate::interactions::{Interactions, TimeKind};
use crate::random::{permutation, stream};

/// How well a film that is taken every second time matches a taste, in standard deviations over the catalogue.
const PICKINESS: f32 = 1.5;

/// Users whose ratings are drawn before they are written down, which bounds what waits.
const BLOCK: usize = 8_192;
/// Users whose ratings one thread draws at a time.
const READERS: usize = 256;

/// All ratings, user by user, each user's in order of time; `shelves` are there when users are devoted.
pub(super) fn draw_ratings(
    config: &WorldConfig,
    films: &Films,
    shelves: Option<&Shelves>,
    people: &[Person],
) -> Interactions {
    let item_ids: Vec<String> = (1..=films.len()).map(|id| id.to_string()).collect();
    let counts = share_out(config, people);
    let mut releases = draw_releases(config);
    let firsts =
        config.every_item_rated.then(|| FirstRatings::draw(config, films, people, &counts, &mut releases));
    let cinema = Cinema::new(config, films, shelves, &releases);
    let mut ratings = Interactions { time_kind: TimeKind::Timestamp, ..Interactions::default() };
    for block in (0..people.len()).step_by(BLOCK) {
        let users: Vec<usize> = (block..people.len().min(block + BLOCK)).collect();
        let drawn: Vec<Vec<Seen>> = users
            .par_chunks(READERS)
            .flat_map_iter(|users| {
                let mut taken = Taken::new(films.len());
                let seen_by = |&user: &usize| {
                    let first = firsts.as_ref().map(|firsts| firsts.of(user));
                    cinema.visits(user, &people[user], counts[user], first, &mut taken)
                };
                users.iter().map(seen_by).collect::<Vec<_>>()
            })
            .collect();
        for (user, seen) in users.into_iter().zip(drawn) {
            let user_id = (user + 1).to_string();
            for Seen { item, stars, time } in seen {
                ratings.push(&user_id, &item_ids[item], stars, time);
            }
        }
    }
    ratings
}

/// When each film comes out: before the first day, but for some that come out on a day of their own.
fn draw_releases(config: &WorldConfig) -> Vec<i64> {
    let mut releases = vec![i64::MIN; config.n_items];
    let n_late = (config.late_share * config.n_items as f64) as usize;
    if n_late > 0 {
        let order = permutation(config.n_items as u32, &mut stream(config.seed, "world.release", 0));
        for &item in &order[..n_late] {
            let mut rng = stream(config.seed, "world.release", 1 + u64::from(item));
            releases[item as usize] = SPAN.0 + below(&mut rng, (SPAN.1 - SPAN.0) as usize) as i64;
        }
    }
    releases
}

/// The generator of one user's history.
pub(super) fn history_rng(config: &WorldConfig, user: usize) -> ChaCha8Rng {
    stream(config.seed, "world.history", user as u64)
}

/// The nearest half star on the scale.
fn to_stars(score: f32) -> f32 {
    ((score * 2.0).round() / 2.0).clamp(0.5, 5.0)
}

/// How many ratings each user gives: a third of the mean, at least one, and a share by activity of what is left.
///
/// The sum is exact; no user rates more than half of the catalogue, rounded up.
fn share_out(config: &WorldConfig, people: &[Person]) -> Vec<usize> {
    let most = config.n_items.div_ceil(2);
    let least = (config.n_ratings / people.len() / 3).max(1);
    let activity: f64 = people.iter().map(|person| f64::from(person.activity)).sum();
    let spare = (config.n_ratings - least * people.len()) as f64;
    let share = |person: &Person| (spare * f64::from(person.activity) / activity) as usize;
    let mut counts: Vec<usize> = people.iter().map(|person| (least + share(person)).min(most)).collect();
    let mut left = config.n_ratings - counts.iter().sum::<usize>();
    while left > 0 {
        let open = counts.iter().filter(|&&count| count < most).count();
        let step = left.div_ceil(open);
        for count in counts.iter_mut() {
            let more = step.min(most - *count).min(left);
            *count += more;
            left -= more;
        }
    }
    counts
}

/// Seconds in ascending order, in sittings of so many spread over the window.
pub(super) fn draw_times(rng: &mut ChaCha8Rng, window: (i64, i64), n: usize, sitting: usize) -> Vec<i64> {
    let n_sittings = n.div_ceil(sitting);
    let length = (window.1 - window.0) as usize;
    let mut clocks: Vec<i64> = (0..n_sittings).map(|_| window.0 + below(rng, length) as i64).collect();
    let mut times = Vec::with_capacity(n);
    for rating in 0..n {
        let clock = &mut clocks[rating % n_sittings];
        *clock += 10 + below(rng, 110) as i64;
        times.push(*clock);
    }
    times.sort_unstable();
    times
}

/// A film that was watched and rated.
struct Seen {
    item: usize,
    stars: f32,
    time: i64,
}

/// Which films the user at hand has taken, one user after another.
struct Taken {
    /// The user at hand, counted from 1 in the order in which they come.
    reader: u32,
    /// The last who took each film.
    by: Vec<u32>,
}

impl Taken {
    fn new(n_items: usize) -> Self {
        Self { reader: 0, by: vec![0; n_items] }
    }

    fn begin(&mut self) {
        self.reader += 1;
    }

    fn has(&self, item: usize) -> bool {
        self.by[item] == self.reader
    }

    fn add(&mut self, item: usize) {
        self.by[item] = self.reader;
    }
}

/// A user at a moment.
struct Guest<'p> {
    person: &'p Person,
    time: i64,
    wish: Vec<f32>,
}

impl<'p> Guest<'p> {
    fn new(person: &'p Person, time: i64) -> Self {
        Self { person, time, wish: person.wish(time) }
    }
}

/// Where users meet films and choose: a film is met by its exposure, and taken by how well it matches the wish.
struct Cinema<'a> {
    config: &'a WorldConfig,
    films: &'a Films,
    exposure: AliasTable,
    shelves: Option<&'a Shelves>,
    releases: &'a [i64],
}

impl<'a> Cinema<'a> {
    fn new(
        config: &'a WorldConfig,
        films: &'a Films,
        shelves: Option<&'a Shelves>,
        releases: &'a [i64],
    ) -> Self {
        Self { config, films, exposure: AliasTable::new(&films.exposure), shelves, releases }
    }

    /// All that a user sees, in order of time; `first` names the film of each rating that is not the user's to choose.
    fn visits(
        &self,
        user: usize,
        person: &Person,
        n_ratings: usize,
        first: Option<&[u32]>,
        taken: &mut Taken,
    ) -> Vec<Seen> {
        taken.begin();
        let given = |rating: usize| first.map(|first| first[rating]).filter(|&item| item != OPEN);
        (0..n_ratings).filter_map(given).for_each(|item| taken.add(item as usize));
        let mut rng = history_rng(self.config, user);
        let times = draw_times(&mut rng, person.window, n_ratings, self.config.sitting);
        let see = |(rating, time): (usize, i64)| {
            let guest = Guest::new(person, time);
            let item = match given(rating) {
                Some(item) => item as usize,
                None => self.choose(&mut rng, &guest, taken),
            };
            taken.add(item);
            let score = person.baseline + self.films.quality[item] + dot(&guest.wish, self.films.parts(item));
            let stars = to_stars(score + self.config.noise as f32 * normal(&mut rng));
            Seen { item, stars, time }
        };
        times.into_iter().enumerate().map(see).collect()
    }

    /// A film that the user has not taken, drawn in proportion to its exposure times its appeal.
    ///
    /// Films are met one by one until one is taken. A user who has seen nearly all that is easily met chooses
    /// from the list of what is left, which is the same law where nobody is devoted.
    fn choose(&self, rng: &mut ChaCha8Rng, guest: &Guest<'_>, taken: &Taken) -> usize {
        let item = (0..self.films.len()).find_map(|_| self.meet(rng, guest, taken));
        item.unwrap_or_else(|| self.choose_from_list(rng, guest, taken))
    }

    fn meet(&self, rng: &mut ChaCha8Rng, guest: &Guest<'_>, taken: &Taken) -> Option<usize> {
        let item = self.find_by_love(rng, guest.person).unwrap_or_else(|| self.exposure.draw(rng));
        let is_new = self.is_open(item, guest, taken);
        (is_new && uniform(rng) < logistic(self.appeal(item, &guest.wish))).then_some(item)
    }

    /// Now and then, a film of the entity that a devoted user loves.
    fn find_by_love(&self, rng: &mut ChaCha8Rng, person: &Person) -> Option<usize> {
        let (shelves, entity) = (self.shelves?, person.beloved?);
        let is_by_love = uniform(rng) < self.config.devotion as f32;
        is_by_love.then(|| shelves.draw(rng, person.favourite(), entity))?
    }

    /// Whether a film is out and new to the user.
    fn is_open(&self, item: usize, guest: &Guest<'_>, taken: &Taken) -> bool {
        !taken.has(item) && self.releases[item] <= guest.time
    }

    /// The winner of a race in which each film runs at the speed of its exposure times its appeal.
    ///
    /// # Source
    ///
    /// Efraimidis and Spirakis, Information Processing Letters 97(5), 2006,
    /// <https://doi.org/10.1016/j.ipl.2005.11.003>; in logarithms.
    fn choose_from_list(&self, rng: &mut ChaCha8Rng, guest: &Guest<'_>, taken: &Taken) -> usize {
        let mut best = (f64::NEG_INFINITY, 0);
        for item in (0..self.films.len()).filter(|&item| self.is_open(item, guest, taken)) {
            let ln_speed = self.films.exposure[item].ln() + ln_logistic(self.appeal(item, &guest.wish));
            let ln_time = (-f64::from(uniform(rng)).ln()).ln();
            if ln_speed - ln_time > best.0 {
                best = (ln_speed - ln_time, item);
            }
        }
        best.1
    }

    /// The chance that a film is taken, as the argument of the logistic function. Quality has no part in it:
    /// it works through fame.
    fn appeal(&self, item: usize, wish: &[f32]) -> f32 {
        let deviations = dot(wish, self.films.parts(item)) / TASTE;
        self.config.taste_strength as f32 * (deviations - PICKINESS)
    }
}

/// The logarithm of the logistic function, without overflow.
fn ln_logistic(x: f32) -> f64 {
    let x = f64::from(x);
    x.min(0.0) - (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn draw_people(config: &WorldConfig) -> Vec<Person> {
        (0..config.n_users).map(|user| Person::draw(config, user)).collect()
    }

    #[test]
    fn scores_become_half_stars_on_the_scale() {
        assert_eq!([-3.0, 0.7, 0.8, 3.24, 3.26, 9.0].map(to_stars), [0.5, 0.5, 1.0, 3.0, 3.5, 5.0]);
    }

    #[test]
    fn the_logarithm_of_the_logistic_function_stays_finite_far_out() {
        assert!((ln_logistic(0.0) - 0.5f64.ln()).abs() < 1e-12);
        assert_eq!(ln_logistic(-1_000.0), -1_000.0);
        assert_eq!(ln_logistic(1_000.0), 0.0);
    }

    #[test]
    fn choosing_from_the_list_follows_the_same_law_as_meeting_one_by_one() {
        let config = WorldConfig {
            n_items: 12,
            n_users: 1,
            n_ratings: 1,
            taste_strength: 1.0,
            ..WorldConfig::default()
        };
        let films = Films::draw(&config);
        let person = Person::draw(&config, 0);
        let guest = Guest::new(&person, person.window.0);
        let releases = [i64::MIN; 12];
        let cinema = Cinema::new(&config, &films, None, &releases);
        let mut taken = Taken::new(12);
        taken.begin();
        let mut rng = stream(1, "test", 0);
        let mut counts = [[0i32; 12]; 2];
        for _ in 0..20_000 {
            counts[0][cinema.choose_from_list(&mut rng, &guest, &taken)] += 1;
            let met = std::iter::repeat_with(|| cinema.meet(&mut rng, &guest, &taken)).flatten().next();
            counts[1][met.expect("an endless supply of films")] += 1;
        }
        for (listed, met) in counts[0].iter().zip(&counts[1]) {
            // Five standard deviations of the difference of two counts.
            assert!(f64::from((listed - met).pow(2)) < 25.0 * f64::from(listed + met).max(1.0), "{counts:?}");
        }
    }

    #[test]
    fn times_of_a_long_history_ascend_and_rarely_tie() {
        let times = draw_times(&mut stream(1, "test", 0), (0, 86_400 * 30), 2_000, 12);
        assert!(times.is_sorted());
        let ties = times.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert!(ties < 40, "{ties}");
    }

    proptest! {
        #[test]
        fn shares_sum_to_the_number_of_ratings_and_none_passes_half_the_catalogue(
            n_users in 1usize..40, n_items in 2usize..40, fullness in 0.0f64..=1.0, seed in 0u64..100,
        ) {
            let spare = (n_users * n_items / 2 - n_users) as f64;
            let n_ratings = n_users + (spare * fullness) as usize;
            let config = WorldConfig { n_users, n_items, n_ratings, seed, ..WorldConfig::default() };
            let counts = share_out(&config, &draw_people(&config));
            prop_assert_eq!(counts.iter().sum::<usize>(), n_ratings);
            prop_assert!(counts.iter().all(|&count| count >= 1 && count <= n_items.div_ceil(2)));
        }
    }
}
