//! What people call time zones. An abbreviation is not a zone: in July, people say “2 PM EST” and mean New York time,
//! which is EDT then, and `CST` is Chicago or Shanghai. So a word has several meanings, and is only used if they
//! agree on the instant, or if one of them is the workspace's own zone.

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};

use crate::time_zone::TimeZone;

/// One meaning of a word.
#[derive(Debug, Clone, Copy)]
struct Meaning {
    /// The zone where people use the word.
    place: &'static str,
    /// The offset that the word stands for, minutes; `None` if it is whatever applies there.
    offset: Option<i32>,
}

const fn clock(place: &'static str) -> Meaning {
    Meaning { place, offset: None }
}

const fn exactly(place: &'static str, minutes: i32) -> Meaning {
    Meaning { place, offset: Some(minutes) }
}

const NEW_YORK: &str = "America/New_York";
const CHICAGO: &str = "America/Chicago";
const DENVER: &str = "America/Denver";
const LOS_ANGELES: &str = "America/Los_Angeles";
const LONDON: &str = "Europe/London";
const BERLIN: &str = "Europe/Berlin";
const SYDNEY: &str = "Australia/Sydney";

/// Words in lower case, and their meanings.
const WORDS: &[(&[&str], &[Meaning])] = &[
    (&["et", "eastern", "eastern time"], &[clock(NEW_YORK)]),
    (&["us eastern", "new york time"], &[clock(NEW_YORK)]),
    (&["est", "eastern standard time"], &[exactly(NEW_YORK, -300)]),
    (&["edt", "eastern daylight time"], &[exactly(NEW_YORK, -240)]),
    (&["ct", "central", "central time"], &[clock(CHICAGO)]),
    (&["us central"], &[clock(CHICAGO)]),
    (&["cst"], &[exactly(CHICAGO, -360), exactly("Asia/Shanghai", 480)]),
    (&["central standard time"], &[exactly(CHICAGO, -360)]),
    (&["cdt", "central daylight time"], &[exactly(CHICAGO, -300)]),
    (&["mt", "mountain", "mountain time", "us mountain"], &[clock(DENVER)]),
    (&["mst"], &[exactly(DENVER, -420)]),
    (&["mountain standard time"], &[exactly(DENVER, -420)]),
    (&["mdt", "mountain daylight time"], &[exactly(DENVER, -360)]),
    (&["pt", "pacific", "pacific time", "us pacific"], &[clock(LOS_ANGELES)]),
    (&["pst"], &[exactly(LOS_ANGELES, -480)]),
    (&["pacific standard time"], &[exactly(LOS_ANGELES, -480)]),
    (&["pdt", "pacific daylight time"], &[exactly(LOS_ANGELES, -420)]),
    (&["alaska time"], &[clock("America/Anchorage")]),
    (&["akst"], &[exactly("America/Anchorage", -540)]),
    (&["akdt"], &[exactly("America/Anchorage", -480)]),
    (&["hst", "hawaii time"], &[clock("Pacific/Honolulu")]),
    (&["atlantic time"], &[clock("America/Halifax")]),
    (&["ast"], &[exactly("America/Halifax", -240)]),
    (&["adt"], &[exactly("America/Halifax", -180)]),
    (&["brt"], &[exactly("America/Sao_Paulo", -180)]),
    (&["uk time", "london time"], &[clock(LONDON)]),
    (&["greenwich mean time"], &[exactly(LONDON, 0)]),
    (&["bst"], &[exactly(LONDON, 60)]),
    (&["british summer time"], &[exactly(LONDON, 60)]),
    (&["central european time", "german time"], &[clock(BERLIN)]),
    (&["cet", "mez"], &[exactly(BERLIN, 60)]),
    (&["cest", "mesz", "central european summer time"], &[exactly(BERLIN, 120)]),
    (&["eet"], &[exactly("Europe/Athens", 120)]),
    (&["eest"], &[exactly("Europe/Athens", 180)]),
    (&["msk"], &[exactly("Europe/Moscow", 180)]),
    (&["sast"], &[exactly("Africa/Johannesburg", 120)]),
    (&["gst"], &[exactly("Asia/Dubai", 240)]),
    (&["ist"], &[exactly("Asia/Kolkata", 330), exactly("Asia/Jerusalem", 120), exactly("Europe/Dublin", 60)]),
    (&["india standard time", "indian standard time", "india time"], &[clock("Asia/Kolkata")]),
    (&["idt"], &[exactly("Asia/Jerusalem", 180)]),
    (&["sgt"], &[exactly("Asia/Singapore", 480)]),
    (&["hkt"], &[exactly("Asia/Hong_Kong", 480)]),
    (&["jst"], &[exactly("Asia/Tokyo", 540)]),
    (&["kst"], &[exactly("Asia/Seoul", 540)]),
    (&["awst"], &[exactly("Australia/Perth", 480)]),
    (&["acst"], &[exactly("Australia/Adelaide", 570)]),
    (&["acdt"], &[exactly("Australia/Adelaide", 630)]),
    (&["aest"], &[exactly(SYDNEY, 600)]),
    (&["aedt"], &[exactly(SYDNEY, 660)]),
    (&["nzst"], &[exactly("Pacific/Auckland", 720)]),
    (&["nzdt"], &[exactly("Pacific/Auckland", 780)]),
];

/// Words with additional meanings, which count only in workspaces in that zone.
const ONLY_LOCAL: &[(&[&str], &[Meaning])] = &[
    (&["et", "eastern", "eastern time"], &[clock(SYDNEY), clock("Australia/Brisbane")]),
    (&["est", "eastern standard time"], &[exactly(SYDNEY, 600)]),
    (&["edt", "eastern daylight time"], &[exactly(SYDNEY, 660)]),
    (&["ct", "central", "central time"], &[clock("Australia/Adelaide"), clock("Australia/Darwin")]),
    (&["cst", "central standard time"], &[exactly("Australia/Adelaide", 570)]),
    (&["mst"], &[exactly("Asia/Kuala_Lumpur", 480)]),
    (&["pst"], &[exactly("Asia/Manila", 480)]),
    (&["ast"], &[exactly("Asia/Riyadh", 180)]),
    (&["bst"], &[exactly("Asia/Dhaka", 360)]),
];

/// A word and its meanings.
#[derive(Debug, Clone, Copy)]
pub(in crate::appointment) struct Word {
    meanings: &'static [Meaning],
    local_meanings: &'static [Meaning],
}

/// Finds a word; `None` if it is unknown.
pub(super) fn find(word: &str) -> Option<Word> {
    let word = word.to_lowercase().replace('_', " ").replace('.', "");
    let word = word.split_whitespace().collect::<Vec<_>>().join(" ");
    let of = |table: &[(&[&str], &'static [Meaning])]| {
        table.iter().find(|(words, _)| words.contains(&word.as_str())).map(|(_, meanings)| *meanings)
    };
    of(WORDS).map(|meanings| Word { meanings, local_meanings: of(ONLY_LOCAL).unwrap_or_default() })
}

impl Word {
    /// The instant of a local time in the zone that the word names. If it is ambiguous, it is the meaning that is
    /// also the `workspace`'s local time; or, for a workspace in the United States, the only meaning there. `None` if
    /// it stays ambiguous.
    pub(super) fn instant(self, local: NaiveDateTime, workspace: TimeZone) -> Option<DateTime<Utc>> {
        let of = |meanings: &[Meaning]| -> Vec<_> {
            meanings.iter().flat_map(|meaning| meaning.instants(local)).collect()
        };
        let own = workspace.instant(local);
        if of(self.local_meanings).contains(&own) {
            return Some(own);
        }
        let all = of(self.meanings);
        let is_in_us = is_us_zone(workspace.name());
        let here = self.meanings.iter().filter(|meaning| is_in_us && is_us_zone(meaning.place));
        let here: Vec<_> = here.flat_map(|meaning| meaning.instants(local)).collect();
        only(&all).or_else(|| all.contains(&own).then_some(own)).or_else(|| only(&here))
    }

    /// The zone of the first meaning.
    pub(super) fn zone(self) -> TimeZone {
        self.meanings.first().map_or(TimeZone::UTC, |meaning| meaning.zone())
    }
}

fn only(instants: &[DateTime<Utc>]) -> Option<DateTime<Utc>> {
    let first = instants.first()?;
    instants.iter().all(|instant| instant == first).then_some(*first)
}

/// Whether a zone is in the United States.
fn is_us_zone(zone: &str) -> bool {
    const AREAS: [&str; 4] = ["US/", "America/Indiana/", "America/Kentucky/", "America/North_Dakota/"];
    const PLACES: [&str; 14] = [
        NEW_YORK,
        CHICAGO,
        DENVER,
        LOS_ANGELES,
        "America/Anchorage",
        "America/Boise",
        "America/Detroit",
        "America/Indianapolis",
        "America/Juneau",
        "America/Menominee",
        "America/Nome",
        "America/Phoenix",
        "America/Sitka",
        "Pacific/Honolulu",
    ];
    PLACES.contains(&zone) || AREAS.iter().any(|area| zone.starts_with(area))
}

impl Meaning {
    fn zone(self) -> TimeZone {
        TimeZone::find(self.place).unwrap_or(TimeZone::UTC)
    }

    /// The instants that a local time may mean: by the zone's rules, and by the word's offset.
    fn instants(self, local: NaiveDateTime) -> impl Iterator<Item = DateTime<Utc>> {
        let offset = self.offset.and_then(|minutes| FixedOffset::east_opt(minutes * 60));
        let by_offset = offset.map(|offset| (local - offset).and_utc());
        std::iter::once(self.zone().instant(local)).chain(by_offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(word: &str, local: &str, workspace: &str) -> Option<String> {
        let instant = find(word).unwrap().instant(local.parse().unwrap(), workspace.parse().unwrap());
        instant.map(|instant| instant.format("%d %H:%M").to_string())
    }

    const WINTER: &str = "2027-01-27T14:00:00";
    const SUMMER: &str = "2027-07-27T14:00:00";

    #[test]
    fn every_word_is_listed_once_with_zones_that_exist() {
        let mut seen = Vec::new();
        for (words, meanings) in WORDS {
            assert!(meanings.iter().all(|meaning| TimeZone::find(meaning.place).is_some()), "{words:?}");
            for word in *words {
                assert!(!seen.contains(word), "{word}");
                seen.push(word);
            }
        }
    }

    #[test]
    fn a_word_is_read_if_it_means_one_instant() {
        for (word, local, workspace, expected) in [
            ("EST", WINTER, "America/New_York", Some("27 19:00")),
            ("EST", WINTER, "Europe/London", Some("27 19:00")),
            ("EST", WINTER, "Australia/Sydney", Some("27 03:00")),
            ("EST", WINTER, "Australia/Brisbane", Some("27 04:00")),
            ("E.S.T.", WINTER, "America/Los_Angeles", Some("27 19:00")),
            ("Eastern", SUMMER, "America/Los_Angeles", Some("27 18:00")),
            ("eastern  time", WINTER, "Asia/Tokyo", Some("27 19:00")),
            ("US Eastern", WINTER, "Asia/Tokyo", Some("27 19:00")),
            ("Eastern", WINTER, "Australia/Sydney", Some("27 03:00")),
            // People say it all year and mean the local time.
            ("EST", SUMMER, "America/New_York", Some("27 18:00")),
            ("EST", SUMMER, "America/Los_Angeles", None),
            ("EDT", SUMMER, "America/Los_Angeles", Some("27 18:00")),
            ("MST", SUMMER, "America/Phoenix", Some("27 21:00")),
            ("CST", WINTER, "America/New_York", Some("27 20:00")),
            ("CST", WINTER, "Asia/Shanghai", Some("27 06:00")),
            ("CST", WINTER, "Europe/London", None),
            ("CST", WINTER, "America/Sao_Paulo", None),
            ("CST", SUMMER, "America/Chicago", Some("27 19:00")),
            ("PST", WINTER, "America/New_York", Some("27 22:00")),
            ("IST", WINTER, "America/New_York", None),
            ("IST", WINTER, "Asia/Kolkata", Some("27 08:30")),
            ("BST", SUMMER, "Europe/London", Some("27 13:00")),
            ("BST", SUMMER, "America/New_York", Some("27 13:00")),
            ("BST", SUMMER, "Asia/Dhaka", Some("27 08:00")),
            ("MEZ", WINTER, "America/New_York", Some("27 13:00")),
            ("AEST", WINTER, "Australia/Sydney", Some("27 03:00")),
        ] {
            assert_eq!(at(word, local, workspace).as_deref(), expected, "{word} {local} {workspace}");
        }
    }
}
