//! Users who love one entity above all, and the films that they find by it.

use rand_chacha::ChaCha8Rng;

use super::config::WorldConfig;
use super::films::Films;
use super::numeric::{below, uniform};
use super::people::Person;
use super::relation::Relation;
use crate::groups::Groups;
use crate::random::stream;

/// Gives every user an entity of their favourite relation to love: one of a film that chance picks, so that an entity
/// has lovers as it has films.
pub(super) fn fall_in_love(config: &WorldConfig, films: &Films, people: &mut [Person]) {
    for (user, person) in people.iter_mut().enumerate() {
        let mut rng = stream(config.seed, "world.love", user as u64);
        let cast = films.cast(below(&mut rng, films.len()), person.favourite());
        let entity = cast[below(&mut rng, cast.len())];
        person.love(entity, films);
    }
}

/// The films of each entity, from which they are drawn in proportion to their exposure.
pub(super) struct Shelves {
    of_relation: [Shelf; 4],
}

/// The films of the entities of one relation, an entity after another.
struct Shelf {
    /// Where each entity's films begin, last the end.
    starts: Vec<usize>,
    films: Vec<u32>,
    /// Exposure of an entity's films up to and with each.
    exposure: Vec<f64>,
}

impl Shelves {
    /// The films of a world, by entity.
    pub(super) fn of(config: &WorldConfig, films: &Films) -> Self {
        Self {
            of_relation: Relation::ALL
                .map(|relation| Shelf::of(films, relation, relation.n_entities(config))),
        }
    }

    /// A film of an entity; none where the entity has none.
    pub(super) fn draw(&self, rng: &mut ChaCha8Rng, relation: Relation, entity: u32) -> Option<usize> {
        let Shelf { starts, films, exposure } = &self.of_relation[relation as usize];
        let range = starts[entity as usize]..starts[entity as usize + 1];
        let upto = &exposure[range.clone()];
        let drawn = f64::from(uniform(rng)) * upto.last()?;
        let place = upto.partition_point(|&upto| upto < drawn).min(upto.len() - 1);
        Some(films[range.start + place] as usize)
    }
}

impl Shelf {
    fn of(films: &Films, relation: Relation, n_entities: usize) -> Self {
        let links = (0..films.len())
            .flat_map(|film| films.cast(film, relation).iter().map(move |&it| (film as u32, it)));
        let (film_of_link, entity_of_link): (Vec<u32>, Vec<u32>) = links.unzip();
        let n_links = entity_of_link.len() as u32;
        let (starts, links) = Groups::by(&entity_of_link, n_entities, 0..n_links).into_parts();
        let films_by_entity: Vec<u32> = links.iter().map(|&link| film_of_link[link as usize]).collect();
        let mut exposure: Vec<f64> =
            films_by_entity.iter().map(|&film| films.exposure[film as usize]).collect();
        for bounds in starts.windows(2) {
            let mut sum = 0.0;
            for upto in &mut exposure[bounds[0]..bounds[1]] {
                sum += *upto;
                *upto = sum;
            }
        }
        Self { starts, films: films_by_entity, exposure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn films_of_an_entity_are_drawn_by_their_exposure_and_no_others() {
        let config = WorldConfig { n_items: 60, n_directors: 4, ..WorldConfig::default() };
        let films = Films::draw(&config);
        let shelves = Shelves::of(&config, &films);
        let of_director: Vec<usize> =
            (0..60).filter(|&item| films.cast(item, Relation::Director) == [1]).collect();
        let total: f64 = of_director.iter().map(|&item| films.exposure[item]).sum();
        let mut counts = vec![0.0; 60];
        let mut rng = stream(1, "test", 0);
        for _ in 0..20_000 {
            counts[shelves.draw(&mut rng, Relation::Director, 1).unwrap()] += 1.0 / 20_000.0;
        }
        for (item, count) in counts.iter().enumerate() {
            let share = if of_director.contains(&item) { films.exposure[item] / total } else { 0.0 };
            assert!((count - share).abs() < 0.02, "film {item}: {count} for {share}");
        }
    }

    #[test]
    fn a_devoted_taste_points_at_what_it_loves() {
        let config = WorldConfig { n_users: 20, ..WorldConfig::default() };
        let films = Films::draw(&config);
        let mut people: Vec<Person> = (0..20).map(|user| Person::draw(&config, user)).collect();
        fall_in_love(&config, &films, &mut people);
        for person in people {
            let vector = films.entity(person.favourite(), person.beloved.unwrap() as usize);
            let taste = person.taste(person.window.0);
            let along: f32 = taste.iter().zip(vector).map(|(x, y)| x * y).sum();
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!((along / length - 1.0).abs() < 1e-4);
        }
    }
}
