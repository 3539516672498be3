//! Names that read like those of films and of the people who make them.
//!
//! Each function counts through its word lists, so that two numbers never share a name.

use std::array::from_fn;

const GENRES: &str = "Drama,Comedy,Thriller,Action,Romance,Adventure,Crime,Science Fiction,Horror,Fantasy,Mystery,\
    Children,Animation,War,Musical,Western,Documentary,Film Noir";
const SCHOOLS: &str =
    "Nordic,Gothic,Urban,Pastoral,Maritime,Arctic,Surreal,Baroque,Alpine,Tropical,Political,Domestic";
const GIVEN: &str = "Ada,Bruno,Clara,Dario,Edith,Felix,Greta,Hugo,Ines,Jonas,Katya,Leon,Mira,Nils,Olga,Pablo,Quinn,\
    Rosa,Stefan,Tessa,Umberto,Vera,Walter,Ximena,Yusuf,Zelda,Amara,Boris,Chiara,Desmond,Elena,Farid,Gwen,Henrik,\
    Isolde,Jasper,Kenji,Lucia,Marek,Noor";
const FAMILY: &str = "Abernathy,Bellweather,Castellan,Duvall,Eriksen,Fontaine,Grimaldi,Hallberg,Ivanova,Jankowski,\
    Kowal,Lindqvist,Marchetti,Nakagawa,Okafor,Petrov,Quintero,Rasmussen,Sandoval,Tremaine,Ulrich,Valois,Whitfield,\
    Xenakis,Yamada,Zeller,Ashdown,Brandt,Corvin,Delacroix,Esposito,Falk,Galanis,Haddad,Iversen,Juhasz,Keating,\
    Laurent,Moreau,Novak,Oyelaran";
const QUALITIES: &str = "bleak,clever,slow,dreamlike,gritty,tender,violent,witty,surprising,nostalgic,elegant,absurd,\
    tense,colourful,melancholy,raw,playful,grand,quiet,dark,warm,cold,strange,predictable,bold,sparse,lush,cynical,\
    hopeful,haunting";
const SUBJECTS: &str = "ending,dialogue,friendship,photography,revenge,soundtrack,city,family,humour,plot,chase,\
    childhood,journey,heist,marriage,battle,courtroom,small town,future,past,winter,summer,villain,heroine,betrayal,\
    road trip,seaside,school,space,costumes,monologue,love triangle,twist,silence,machines,politics,memory,dance,\
    kitchen,ghosts,animals";
const OPENINGS: [&str; 6] = ["The ", "", "Return to the ", "Beyond the ", "Song of the ", "My "];
const ADJECTIVES: &str = "Silent,Crimson,Last,Broken,Golden,Hidden,Burning,Distant,Forgotten,Paper,Iron,Midnight,\
    Wandering,Hollow,Electric,Second,Stolen,Frozen,Gentle,Restless,Invisible,Scarlet,Northern,Crooked,Patient,Wild,\
    Velvet,Thirteenth,Lonely,Glass,Sleeping,Savage,Endless,Borrowed,Quiet,Bitter,Winter,Perfect,Drowned,Secret,\
    Reluctant,Honest,Clockwork,Painted,Blind,Lucky,Sunken,White";
const NOUNS: &str = "Harbour,Orchard,Witness,Lantern,Garden,Station,Letter,Mountain,Empire,Daughter,River,Carnival,\
    Soldier,Island,Mirror,Summer,Bridge,Detective,Kingdom,Piano,Storm,Tailor,Highway,Lighthouse,Stranger,Wolf,\
    Theatre,Promise,Machine,Wedding,Desert,Shadow,Hotel,Voyage,Circus,Sparrow,Valley,Bargain,Satellite,Heir,Alibi,\
    Horizon,Cathedral,Gambler,Tide,Village,Comet,Anthem,Labyrinth";

/// Strides that share no factor with the sizes of the lists they walk.
const STRIDE: usize = 1_009;
const TITLE_STRIDE: usize = 5_003;

/// A film's title without its year; films beyond the first 14,112 are sequels.
pub(super) fn title(number: usize) -> String {
    let (adjectives, nouns) = (words(ADJECTIVES), words(NOUNS));
    let sizes = [OPENINGS.len(), adjectives.len(), nouns.len()];
    let ([opening, adjective, noun], round) = walk(number, sizes, TITLE_STRIDE);
    numbered(format!("{}{} {}", OPENINGS[opening], adjectives[adjective], nouns[noun]), round)
}

/// A person's name, with middle initials beyond the first 1,640.
pub(super) fn person(number: usize) -> String {
    let (given, family) = (words(GIVEN), words(FAMILY));
    let ([first, last], round) = walk(number, [given.len(), family.len()], STRIDE);
    format!("{}{} {}", given[first], initials(round), family[last])
}

/// A tag, such as "bleak ending".
pub(super) fn tag(number: usize) -> String {
    let (qualities, subjects) = (words(QUALITIES), words(SUBJECTS));
    let ([quality, subject], round) = walk(number, [qualities.len(), subjects.len()], STRIDE);
    numbered(format!("{} {}", qualities[quality], subjects[subject]), round)
}

/// A genre, the common ones first.
pub(super) fn genre(number: usize) -> String {
    let (genres, schools) = (words(GENRES), words(SCHOOLS));
    let Some(beyond) = number.checked_sub(genres.len()) else {
        return genres[number].to_owned();
    };
    let ([genre, school], round) = walk(beyond, [genres.len(), schools.len()], 1);
    numbered(format!("{} {}", schools[school], genres[genre]), round)
}

fn words(list: &'static str) -> Vec<&'static str> {
    list.split(',').collect()
}

/// Where a number leads among all combinations of lists of these sizes, and how often it went round them.
fn walk<const N: usize>(number: usize, sizes: [usize; N], stride: usize) -> ([usize; N], usize) {
    let total: usize = sizes.iter().product();
    let mut left = number % total * stride % total;
    let places = from_fn(|list| {
        let place = left % sizes[list];
        left /= sizes[list];
        place
    });
    (places, number / total)
}

fn numbered(name: String, round: usize) -> String {
    if round == 0 { name } else { format!("{name} {}", round + 1) }
}

fn initials(mut round: usize) -> String {
    let mut initials = String::new();
    while round > 0 {
        initials.push(' ');
        initials.push((b'A' + ((round - 1) % 26) as u8) as char);
        initials.push('.');
        round = (round - 1) / 26;
    }
    initials
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_read_like_names() {
        assert_eq!(title(1), "My Frozen Detective");
        assert_eq!(title(14_113), "My Frozen Detective 2");
        assert_eq!(person(0), "Ada Abernathy");
        assert_eq!(person(1_640 * 28), "Ada B. A. Abernathy");
        assert_eq!(tag(0), "bleak ending");
        assert_eq!(genre(17), "Film Noir");
        assert_eq!(genre(18), "Nordic Drama");
    }

    #[test]
    fn no_two_of_fifty_thousand_names_are_alike() {
        let kinds: [fn(usize) -> String; 4] = [title, person, tag, genre];
        for name in kinds {
            let names: HashSet<String> = (0..50_000).map(name).collect();
            assert_eq!(names.len(), 50_000);
        }
    }
}
