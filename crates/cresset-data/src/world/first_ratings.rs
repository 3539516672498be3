//! A world in which every film is rated: who rates each of them first.

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::config::WorldConfig;
use super::films::Films;
use super::history::{draw_times, history_rng};
use super::numeric::{below, dot};
use super::people::Person;
use super::relation::Relation;
use crate::groups::Groups;
use crate::random::{permutation, stream};

/// In the place of a film: the user chooses one.
pub(super) const OPEN: u32 = u32::MAX;
/// How many users are asked to rate a film that nobody has rated; the one whom it suits best does.
const ASKED: usize = 8;

/// For each rating to be, the film that it must be of, if it must.
pub(super) struct FirstRatings {
    /// Where each user's ratings begin, last the end.
    starts: Vec<usize>,
    /// A film, or [`OPEN`].
    films: Vec<u32>,
}

impl FirstRatings {
    /// Finds one rating for each film, by a user whom it suits and on a day on which it is out.
    ///
    /// A film that comes out too late for whoever is left comes out earlier: `releases` is then moved.
    ///
    /// # Panics
    ///
    /// If there are more films than ratings.
    pub(super) fn draw(
        config: &WorldConfig,
        films: &Films,
        people: &[Person],
        counts: &[usize],
        releases: &mut [i64],
    ) -> Self {
        let mut search = Search::new(config, films, people, counts);
        assert!(search.open.len() >= films.len(), "as many ratings as films");
        let order = permutation(films.len() as u32, &mut stream(config.seed, "world.first", 0));
        let mut film_of_row = vec![OPEN; search.times.len()];
        for film in order {
            let mut rng = stream(config.seed, "world.first", 1 + u64::from(film));
            let release = &mut releases[film as usize];
            let row = search.best_of_some(&mut rng, film as usize, *release);
            let row = row.unwrap_or_else(|| search.any(&mut rng));
            *release = search.times[row as usize].min(*release);
            search.close(row);
            film_of_row[row as usize] = film;
        }
        Self { starts: search.starts, films: film_of_row }
    }

    /// The films of a user's ratings, in order of time.
    pub(super) fn of(&self, user: usize) -> &[u32] {
        &self.films[self.starts[user]..self.starts[user + 1]]
    }
}

/// The ratings that are without a film, and who might like what.
struct Search<'a> {
    films: &'a Films,
    people: &'a [Person],
    starts: Vec<usize>,
    times: Vec<i64>,
    user_of_row: Vec<u32>,
    /// The rows without a film, in any order.
    open: Vec<u32>,
    /// Where each row is in `open`; [`OPEN`] where it is not.
    place: Vec<u32>,
    /// The users who love each entity; entities are numbered through all relations.
    lovers: Groups,
    /// The number of the first entity of each relation.
    first_entity: [u32; 4],
}

impl<'a> Search<'a> {
    fn new(config: &WorldConfig, films: &'a Films, people: &'a [Person], counts: &[usize]) -> Self {
        let mut starts = vec![0; people.len() + 1];
        for (user, count) in counts.iter().enumerate() {
            starts[user + 1] = starts[user] + count;
        }
        let times_of = |user: usize| {
            draw_times(&mut history_rng(config, user), people[user].window, counts[user], config.sitting)
        };
        let times: Vec<i64> = (0..people.len()).into_par_iter().flat_map_iter(times_of).collect();
        let user_of_row = (0u32..).zip(counts).flat_map(|(user, &count)| std::iter::repeat_n(user, count));
        let (lovers, first_entity) = lovers(config, people);
        let rows: Vec<u32> = (0..times.len() as u32).collect();
        Self {
            films,
            people,
            starts,
            user_of_row: user_of_row.collect(),
            open: rows.clone(),
            place: rows,
            times,
            lovers,
            first_entity,
        }
    }

    /// Of some rows that could be of the film, the one whose user it suits best.
    fn best_of_some(&self, rng: &mut ChaCha8Rng, film: usize, release: i64) -> Option<u32> {
        let mut best: Option<(f32, u32)> = None;
        for asked in 0..ASKED {
            let row = if asked % 2 == 0 { self.of_a_lover(rng, film, release) } else { Some(self.any(rng)) };
            let Some(row) = row.filter(|&row| self.times[row as usize] >= release) else { continue };
            let person = &self.people[self.user_of_row[row as usize] as usize];
            let liking = dot(&person.wish(self.times[row as usize]), self.films.parts(film));
            if best.is_none_or(|(most, _)| liking > most) {
                best = Some((liking, row));
            }
        }
        best.map(|(_, row)| row)
    }

    /// A row of a user who loves something about the film, of which chance says what.
    fn of_a_lover(&self, rng: &mut ChaCha8Rng, film: usize, release: i64) -> Option<u32> {
        let relation = Relation::ALL[below(rng, 4)];
        let cast = self.films.cast(film, relation);
        let entity = cast[below(rng, cast.len())];
        let lovers = self.lovers.of(self.first_entity[relation as usize] + entity);
        if lovers.is_empty() {
            return None;
        }
        let user = lovers[below(rng, lovers.len())] as usize;
        let rows = self.starts[user] as u32..self.starts[user + 1] as u32;
        let is_fit = |&row: &u32| self.place[row as usize] != OPEN && self.times[row as usize] >= release;
        let fit: Vec<u32> = rows.filter(is_fit).collect();
        (!fit.is_empty()).then(|| fit[below(rng, fit.len())])
    }

    /// Any row without a film.
    fn any(&self, rng: &mut ChaCha8Rng) -> u32 {
        self.open[below(rng, self.open.len())]
    }

    fn close(&mut self, row: u32) {
        let place = std::mem::replace(&mut self.place[row as usize], OPEN) as usize;
        self.open.swap_remove(place);
        if let Some(&moved) = self.open.get(place) {
            self.place[moved as usize] = place as u32;
        }
    }
}

/// The users who love each entity, and the number of the first entity of each relation.
fn lovers(config: &WorldConfig, people: &[Person]) -> (Groups, [u32; 4]) {
    let mut first_entity = [0; 4];
    let mut n_entities = 0;
    for relation in Relation::ALL {
        first_entity[relation as usize] = n_entities as u32;
        n_entities += relation.n_entities(config);
    }
    let code =
        |person: &Person| person.beloved.map(|entity| first_entity[person.favourite() as usize] + entity);
    // Who loves nothing above all is in a group that nobody asks for.
    let codes: Vec<u32> = people.iter().map(|person| code(person).unwrap_or(n_entities as u32)).collect();
    (Groups::by(&codes, n_entities + 1, 0..people.len() as u32), first_entity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_film_is_given_to_one_rating_on_a_day_on_which_it_is_out() {
        let config = WorldConfig { n_users: 30, n_items: 80, n_ratings: 90, ..WorldConfig::default() };
        let films = Films::draw(&config);
        let people: Vec<Person> = (0..30).map(|user| Person::draw(&config, user)).collect();
        let mut releases: Vec<i64> = (0..80).map(|film| 1_420_070_400 + film * 2_000_000).collect();
        let drawn = releases.clone();
        let counts = [3; 30];
        let firsts = FirstRatings::draw(&config, &films, &people, &counts, &mut releases);
        let mut given = Vec::new();
        let mut n_moved = 0;
        for (user, person) in people.iter().enumerate() {
            let times = draw_times(&mut history_rng(&config, user), person.window, 3, config.sitting);
            for (&film, time) in firsts.of(user).iter().zip(times).filter(|(film, _)| **film != OPEN) {
                assert!(releases[film as usize] <= time);
                n_moved += usize::from(releases[film as usize] != drawn[film as usize]);
                given.push(film);
            }
        }
        given.sort_unstable();
        assert_eq!(given, (0..80).collect::<Vec<u32>>());
        // Nine of ten rows have a film, so that the last of them must take what is left.
        assert!(n_moved < 40, "{n_moved}");
    }
}
