//! What every world must be, seen from outside.

use std::collections::HashSet;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

static DEFAULT: LazyLock<World> = LazyLock::new(|| generate(&WorldConfig::default()));

fn generate(config: &WorldConfig) -> World {
    World::generate(config).expect("a valid configuration")
}

/// World indices of user and film, stars and time of each row.
fn rows(world: &World) -> Vec<(usize, usize, f32, i64)> {
    let index = |id: &str| id.parse::<usize>().expect("a number") - 1;
    let table = &world.interactions;
    let row = |row| {
        let (user, item) = (index(table.users.name_at(row)), index(table.items.name_at(row)));
        (user, item, table.ratings[row], table.times[row])
    };
    (0..table.len()).map(row).collect()
}

fn rmse(errors: impl Iterator<Item = f32>) -> f64 {
    let (sum, n) = errors.fold((0.0, 0.0), |(sum, n), e| (sum + f64::from(e) * f64::from(e), n + 1.0));
    (sum / n).sqrt()
}

fn variance(values: &[f32]) -> f32 {
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    values.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / values.len() as f32
}

/// How often each film is rated.
fn counts(world: &World) -> Vec<usize> {
    let mut counts = vec![0; world.config.n_items];
    rows(world).iter().for_each(|row| counts[row.1] += 1);
    counts
}

#[test]
fn one_seed_gives_one_world() {
    let again = generate(&WorldConfig::default());
    assert_eq!(again.interactions, DEFAULT.interactions);
    assert_eq!(again.catalogue, DEFAULT.catalogue);
    assert_eq!(again.graph, DEFAULT.graph);
    assert_eq!(again.text_vectors(), DEFAULT.text_vectors());
    assert_eq!(again.image_vectors(), DEFAULT.image_vectors());
    assert_eq!(again.genome(), DEFAULT.genome());
    assert_eq!(again.truth.true_scores(7, 0), DEFAULT.truth.true_scores(7, 0));
}

#[test]
fn another_seed_gives_another_world() {
    let other = generate(&WorldConfig { seed: 43, ..WorldConfig::default() });
    assert_ne!(other.interactions, DEFAULT.interactions);
    assert_ne!(other.graph, DEFAULT.graph);
    assert_ne!(other.text_vectors(), DEFAULT.text_vectors());
}

#[test]
fn films_without_their_ratings_are_those_of_the_world() {
    let films = WorldFilms::generate(&WorldConfig::default()).expect("a valid configuration");
    assert_eq!((films.catalogue(), films.graph()), (DEFAULT.catalogue.clone(), DEFAULT.graph.clone()));
    assert_eq!(films.genome(), DEFAULT.genome());
    assert_eq!(films.text_vectors(), DEFAULT.text_vectors());
}

#[test]
fn the_tags_of_the_genome_are_those_of_the_graph() {
    let of_graph: HashSet<&str> =
        DEFAULT.graph.iter().filter(|link| link.relation == "tag").map(|link| link.tail.as_str()).collect();
    let films = DEFAULT.films();
    let tags = films.tags();
    assert!(of_graph.iter().all(|tag| tags.iter().any(|name| name == tag)));
    let link = DEFAULT.graph.iter().find(|link| link.relation == "tag").expect("every film has a tag");
    let (film, tag) = (link.head.parse::<usize>(), tags.iter().position(|name| *name == link.tail));
    let (film, tag) = (film.expect("a number") - 1, tag.expect("a tag of the world"));
    assert!(films.genome().row(film)[tag] > 0.5);
}

#[test]
fn a_bad_configuration_is_an_error_that_names_its_key() {
    let error = World::generate(&WorldConfig { noise: f64::NAN, ..WorldConfig::default() }).unwrap_err();
    assert_eq!(error.to_string(), "data.synthetic.noise = NaN: expected 0 to 5");
}

#[test]
fn the_popular_tenth_of_films_has_about_half_of_the_ratings() {
    let mut counts = counts(&DEFAULT);
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let share = counts[..100].iter().sum::<usize>() as f64 / 120_000.0;
    assert!((0.4..0.6).contains(&share), "{share}");
}

#[test]
fn popular_films_are_better() {
    let counts = counts(&DEFAULT);
    let quality = &DEFAULT.truth.films.quality;
    let mean = |wanted: fn(usize) -> bool| {
        let chosen: Vec<f32> = (0..1_000).filter(|&i| wanted(counts[i])).map(|i| quality[i]).collect();
        chosen.iter().sum::<f32>() / chosen.len() as f32
    };
    assert!(mean(|count| count > 200) > mean(|count| count < 50) + 0.5);
}

#[test]
fn stars_look_like_those_that_people_give() {
    let stars = &DEFAULT.interactions.ratings;
    let mean = stars.iter().sum::<f32>() / stars.len() as f32;
    assert!((3.3..3.9).contains(&mean), "{mean}");
    assert!((0.9..1.2).contains(&variance(stars).sqrt()), "{}", variance(stars));
}

#[test]
fn the_favourite_relation_explains_most_of_what_a_user_likes() {
    let truth = &DEFAULT.truth;
    for user in 0..200 {
        let favourite = truth.favourite_relation(user);
        let part: Vec<f32> = (0..1_000).map(|item| truth.contribution(user, item, favourite, 0)).collect();
        let liked: Vec<f32> =
            truth.true_scores(user, 0).iter().zip(&truth.films.quality).map(|(score, q)| score - q).collect();
        let unexplained: Vec<f32> = liked.iter().zip(&part).map(|(liked, part)| liked - part).collect();
        assert!(variance(&unexplained) < 0.5 * variance(&liked), "user {user}");
    }
}

#[test]
fn a_score_is_the_sum_of_what_the_truth_names() {
    let truth = &DEFAULT.truth;
    let (user, item, time) = (11, 22, 1_500_000_000);
    let person = &truth.people[user];
    let entities = |relation| {
        let cast = truth.entities(item, relation);
        let one = |&entity: &u32| truth.entity_contribution(user, relation, entity as usize, time);
        cast.iter().map(one).sum::<f32>() / (cast.len() as f32).sqrt()
    };
    let own = numeric::dot(&person.wish(time)[16..], truth.films.own_part(item));
    let sum =
        Relation::ALL.map(entities).iter().sum::<f32>() + own + person.baseline + truth.films.quality[item];
    assert!((sum - truth.true_score(user, item, time)).abs() < 1e-4);
    assert!((truth.true_scores(user, time)[item] - sum).abs() < 1e-4);
}

#[test]
fn the_truth_predicts_far_better_than_the_mean_of_a_film() {
    let rows = rows(&DEFAULT);
    let mut sums = vec![(0.0, 0.0); 1_000];
    for &(_, item, stars, _) in &rows {
        sums[item] = (sums[item].0 + stars, sums[item].1 + 1.0);
    }
    let of_means = rmse(rows.iter().map(|&(_, item, stars, _)| stars - sums[item].0 / sums[item].1));
    let score = |user, item, time| DEFAULT.truth.true_score(user, item, time).clamp(0.5, 5.0);
    let of_truth = rmse(rows.iter().map(|&(user, item, stars, time)| stars - score(user, item, time)));
    assert!((0.85..1.05).contains(&of_means), "{of_means}");
    assert!((0.45..0.65).contains(&of_truth), "{of_truth}");
}

#[test]
fn users_take_what_they_like() {
    let truth = &DEFAULT.truth;
    let mean = |scores: &[f32]| scores.iter().sum::<f32>() / scores.len() as f32;
    let rows = rows(&DEFAULT);
    let taken = |user| rows.iter().filter(move |row| row.0 == user);
    let gain = |user| {
        let scores: Vec<f32> =
            taken(user).map(|&(u, item, _, time)| truth.true_score(u, item, time)).collect();
        mean(&scores) - mean(&truth.true_scores(user, 0))
    };
    let gains: Vec<f32> = (0..50).map(gain).collect();
    assert!(mean(&gains) > 0.8, "{gains:?}");
}

#[test]
fn nearest_neighbours_in_text_share_a_genre_more_often_than_chance() {
    let text = DEFAULT.text_vectors();
    let films = &DEFAULT.catalogue.items;
    let share = |a: usize, b: usize| films[a].genres.iter().any(|genre| films[b].genres.contains(genre));
    let nearest = |item: usize| {
        let others = (0..text.len()).filter(|&other| other != item);
        let likeness = |&other: &usize| numeric::dot(text.row(item), text.row(other));
        others.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).expect("another film")
    };
    let near = (0..1_000).filter(|&item| share(item, nearest(item))).count();
    let chance = (0..1_000).filter(|&item| share(item, (item + 500) % 1_000)).count();
    assert!(near as f64 > 1.5 * chance as f64, "{near} against {chance}");
    assert!(near < 990, "text reveals only a part");
}

#[test]
fn text_and_image_vectors_have_length_1_and_the_width_asked_for() {
    let world = generate(&WorldConfig { text_dim: 7, image_dim: 3, ..WorldConfig::default() });
    for (vectors, dim) in [(world.text_vectors(), 7), (world.image_vectors(), 3)] {
        assert_eq!((vectors.dim, vectors.len()), (dim, 1_000));
        assert!((0..1_000).all(|i| (numeric::dot(vectors.row(i), vectors.row(i)) - 1.0).abs() < 1e-5));
    }
}

#[test]
fn titles_are_distinct_and_the_graph_links_each_film_to_its_genres() {
    let titles: HashSet<&str> = DEFAULT.catalogue.items.iter().map(|film| film.title.as_str()).collect();
    assert_eq!(titles.len(), 1_000);
    let film = &DEFAULT.catalogue.items[17];
    let of_film = DEFAULT.graph.iter().filter(|link| link.head == film.id);
    let genres: Vec<&String> =
        of_film.filter(|link| link.relation == "genre").map(|link| &link.tail).collect();
    assert_eq!(genres, film.genres.iter().collect::<Vec<_>>());
}

#[test]
fn no_two_relations_share_an_entity_name() {
    let of = |name: &str| -> HashSet<&str> {
        DEFAULT.graph.iter().filter(|link| link.relation == name).map(|link| link.tail.as_str()).collect()
    };
    let names = Relation::ALL.map(|relation| of(relation.name()));
    let all: HashSet<&str> = names.iter().flatten().copied().collect();
    assert_eq!(all.len(), names.iter().map(HashSet::len).sum::<usize>());
}

/// A shop of few ratings a user, most of whose items have one.
fn sparse_shop() -> WorldConfig {
    WorldConfig {
        n_users: 600,
        n_items: 1_000,
        n_ratings: 1_700,
        latent_dim: 16,
        n_directors: 60,
        popularity_exponent: 1.2,
        popularity_head: 0.001,
        devotion: 0.3,
        active_days: 1_826.0,
        sitting: 1,
        every_item_rated: true,
        late_share: 0.3,
        attributes: true,
        ..WorldConfig::default()
    }
}

#[test]
fn every_item_of_a_sparse_shop_is_rated_and_some_far_more_than_others() {
    let mut counts = counts(&generate(&sparse_shop()));
    assert!(counts.iter().all(|&count| count >= 1));
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let top = counts[..10].iter().sum::<usize>();
    assert!(top >= 100, "{top} of 700 ratings that are not the first of an item");
}

#[test]
fn a_user_of_a_sparse_shop_takes_nothing_twice_and_nothing_that_is_not_out() {
    let world = generate(&sparse_shop());
    let rows = rows(&world);
    let pairs: HashSet<(usize, usize)> = rows.iter().map(|row| (row.0, row.1)).collect();
    assert_eq!((rows.len(), pairs.len()), (1_700, 1_700));
    let mut first = vec![i64::MAX; 1_000];
    rows.iter().for_each(|row| first[row.1] = first[row.1].min(row.3));
    let middle = 1_420_070_400 + 913 * 86_400;
    let n_new = first.iter().filter(|&&time| time > middle).count();
    assert!((200..800).contains(&n_new), "{n_new} items have no rating in the first half of the time");
}

#[test]
fn the_texts_of_a_sparse_shop_lead_from_what_a_user_took_to_what_the_user_takes_next() {
    let world = generate(&sparse_shop());
    let text = world.text_vectors();
    let rows = rows(&world);
    let (mut n_found, mut n_asked) = (0, 0);
    for pair in rows.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        let (before, after) = (pair[0].1, pair[1].1);
        let likeness = |item: usize| numeric::dot(text.row(before), text.row(item));
        let n_nearer = (0..1_000).filter(|&item| item != before && likeness(item) > likeness(after)).count();
        n_found += usize::from(n_nearer < 50);
        n_asked += 1;
    }
    // By chance one in twenty.
    assert!(n_asked > 500 && n_found * 10 > n_asked, "{n_found} of {n_asked}");
}

#[test]
fn a_sparse_shop_is_the_same_on_any_number_of_threads() {
    let made = [1, 3].map(|n_threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads");
        pool.install(|| (generate(&sparse_shop()).interactions, generate(&sparse_shop()).text_vectors()))
    });
    assert_eq!(made[0], made[1]);
}

#[test]
fn items_of_a_shop_have_a_category_and_a_brand_where_they_are_asked_for() {
    let shop = generate(&sparse_shop()).catalogue.items.swap_remove(0);
    let plain = &generate(&WorldConfig { attributes: false, ..sparse_shop() }).catalogue.items[0];
    assert_eq!(shop.attribute("category"), Some(shop.genres[0].as_str()));
    assert!(shop.attribute("brand").is_some_and(|brand| !brand.is_empty()));
    assert_eq!((&shop.title, &shop.genres, plain.attributes.len()), (&plain.title, &plain.genres, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_world_has_its_rows_each_pair_once_on_the_scale_and_in_order(
        n_users in 1usize..30,
        n_items in 2usize..60,
        fullness in 0.0f64..=1.0,
        latent_dim in 1usize..9,
        n_entities in 1usize..9,
        taste_strength in 0.0f64..20.0,
        (devotion, late_share, sitting) in (prop_oneof![Just(0.0), 0.0f64..=1.0], 0.0f64..=0.5, 1usize..20),
        wants_every_item in any::<bool>(),
        seed in 0u64..1_000,
    ) {
        let every_item_rated = wants_every_item && n_users >= 2;
        let least = if every_item_rated { n_users.max(n_items) } else { n_users };
        let spare = (n_users * n_items / 2).saturating_sub(least) as f64;
        let n_ratings = least + (spare * fullness) as usize;
        let world = generate(&WorldConfig {
            n_users, n_items, n_ratings, latent_dim, taste_strength, seed,
            devotion, late_share, sitting, every_item_rated,
            n_genres: n_entities, n_directors: n_entities, n_actors: n_entities, n_tags: n_entities,
            ..WorldConfig::default()
        });
        let rows = rows(&world);
        prop_assert_eq!(rows.len(), n_ratings);
        let pairs: HashSet<(usize, usize)> = rows.iter().map(|row| (row.0, row.1)).collect();
        prop_assert_eq!(pairs.len(), n_ratings);
        for &(user, item, stars, time) in &rows {
            prop_assert!(user < n_users && item < n_items);
            prop_assert!((0.5..=5.0).contains(&stars) && (stars * 2.0).fract() == 0.0);
            prop_assert!((1_420_070_400..1_577_836_800).contains(&time));
        }
        for pair in rows.windows(2) {
            prop_assert!(pair[0].0 < pair[1].0 || (pair[0].0 == pair[1].0 && pair[0].3 <= pair[1].3));
        }
        let last = rows.last().map(|row| row.0);
        prop_assert_eq!(last, Some(n_users - 1), "every user rates");
        if every_item_rated {
            prop_assert!(counts(&world).iter().all(|&count| count > 0), "every item is rated");
        }
        prop_assert!(world.text_vectors().values.iter().all(|x| x.is_finite()));
        prop_assert!(world.truth.true_scores(0, 0).iter().all(|x| x.is_finite()));
    }
}
