//! What people, forms and language models write where there is nothing to write.

/// Longer texts say something.
const LONGEST: usize = 60;

/// Words that stand alone, without case, accents, stops and slashes (see [`plain`]). The languages are those that Vapi's users write.
const WORDS: &[&str] = &[
    // English
    "na",
    "n a",
    "none",
    "none given",
    "none provided",
    "none specified",
    "none mentioned",
    "none stated",
    "none noted",
    "nil",
    "null",
    "nan",
    "undefined",
    "unknown",
    "unspecified",
    "undetermined",
    "undisclosed",
    "nothing",
    "empty",
    "blank",
    "missing",
    "no data",
    "no information",
    "no info",
    "tbd",
    "tba",
    "tbc",
    "to be determined",
    "to be decided",
    "to be announced",
    "to be confirmed",
    // German
    "keine",
    "keine angabe",
    "keine angaben",
    "ohne angabe",
    "ka",
    "k a",
    "unbekannt",
    "unbestimmt",
    "nichts",
    "entfallt",
    "noch offen",
    // Spanish
    "desconocido",
    "desconocida",
    "ninguno",
    "ninguna",
    "nada",
    "nd",
    "sin especificar",
    "sin datos",
    "sin informacion",
    "por determinar",
    "por definir",
    "por confirmar",
    // French
    "inconnu",
    "inconnue",
    "aucun",
    "aucune",
    "rien",
    "sans objet",
    "nc",
    "a determiner",
    "a definir",
    "a confirmer",
    // Portuguese
    "desconhecido",
    "desconhecida",
    "nenhum",
    "nenhuma",
    "sem informacao",
    "nao informado",
    "a confirmar",
    // Italian
    "sconosciuto",
    "sconosciuta",
    "nessuno",
    "nessuna",
    "niente",
    "da definire",
    "da confermare",
    // Dutch
    "onbekend",
    "geen",
    "niets",
    "nvt",
    "niet van toepassing",
    "nog te bepalen",
    // Polish, Swedish, Danish, Norwegian
    "brak",
    "brak danych",
    "nieznany",
    "nie dotyczy",
    "okand",
    "ingen",
    "ukendt",
    "ukjent",
];

/// What is denied, after the word that denies it; each without its ending (see [`stem`]).
const DENIED: &[(&str, &[&str])] = &[
    (
        "not",
        &[
            "provided",
            "specified",
            "mentioned",
            "given",
            "discussed",
            "available",
            "applicable",
            "stated",
            "noted",
            "known",
            "recorded",
            "disclosed",
            "indicated",
            "determined",
            "shared",
            "found",
            "yet known",
            "yet determined",
        ],
    ),
    (
        "nicht",
        &[
            "angegeben",
            "genannt",
            "erwahnt",
            "bekannt",
            "verfugbar",
            "zutreffend",
            "besprochen",
            "mitgeteilt",
            "vorhanden",
        ],
    ),
    (
        "no",
        &[
            "especificado",
            "mencionado",
            "proporcionado",
            "indicado",
            "informado",
            "facilitado",
            "definido",
            "disponible",
            "aplica",
            "aplicable",
            "se menciona",
            "se especifico",
        ],
    ),
    (
        "non",
        &[
            "precise",
            "specifie",
            "mentionne",
            "fourni",
            "communique",
            "renseigne",
            "indique",
            "defini",
            "disponible",
            "applicable",
            "specificato",
            "fornito",
            "menzionato",
            "indicato",
            "precisato",
            "definito",
            "disponibile",
            "applicabile",
        ],
    ),
    (
        "nao",
        &[
            "especificado",
            "informado",
            "mencionado",
            "fornecido",
            "indicado",
            "definido",
            "disponivel",
            "aplicavel",
            "se aplica",
        ],
    ),
    ("niet", &["opgegeven", "vermeld", "gespecificeerd", "genoemd", "beschikbaar", "bekend"]),
    ("nie", &["podano", "okreslono"]),
    ("ej", &["angivet", "kant"]),
    ("inte", &["angivet", "kant"]),
    ("ikke", &["oplyst", "angivet", "oppgitt"]),
];

/// Whether a text says only that there is nothing: signs such as `-` and `?`, or words, in any case and with a final stop.
pub(super) fn says_nothing(text: &str) -> bool {
    if text.len() > LONGEST {
        return false;
    }
    let text = plain(text);
    let is_denied = || {
        DENIED.iter().any(|(word, denied)| {
            let rest = text.strip_prefix(word).and_then(|rest| rest.strip_prefix(' ')).map(stem);
            rest.is_some_and(|rest| denied.iter().any(|denied| stem(denied) == rest))
        })
    };
    text.is_empty() || WORDS.contains(&text.as_str()) || is_denied()
}

/// Lower case, without accents, stops, slashes, quotes and brackets; `not_provided` and `not-provided` are “not provided”.
fn plain(text: &str) -> String {
    let words = text.chars().flat_map(char::to_lowercase).filter_map(|c| match c {
        '_' | '-' | '–' | '—' => Some(' '),
        // The last are accents that are characters of their own.
        '.'
        | '…'
        | '/'
        | '\\'
        | '?'
        | '!'
        | '*'
        | '"'
        | '\''
        | '“'
        | '”'
        | '('
        | ')'
        | '['
        | ']'
        | '<'
        | '>'
        | '\u{300}'..='\u{36F}' => None,
        other => Some(super::without_accent(other)),
    });
    words.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A word without what gender and number change: `especificada` is `especificado`.
fn stem(word: &str) -> &str {
    word.trim_end_matches(['a', 'e', 'o', 's'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_signs_for_nothing_say_nothing() {
        for text in [
            "",
            "-",
            "—",
            "?",
            "...",
            "N/A",
            "n.a.",
            "NA",
            "n/a.",
            "None",
            "none given",
            "None.",
            "(none)",
            "null",
            "undefined",
            "TBD",
            "tba.",
            "Unknown",
            "Not Provided",
            "not provided.",
            "NOT_SPECIFIED",
            "not-mentioned",
            "not given",
            "Not discussed",
            "not available",
            "not applicable",
            "not stated",
            "Keine Angabe",
            "keine Angabe.",
            "k. A.",
            "nicht erwähnt",
            "No especificado",
            "no especificada",
            "No disponible",
            "ninguna",
            "Non précisé",
            "non pre\u{301}cise\u{301}e",
            "Non spécifiée",
            "inconnue",
            "À définir",
            "Não informado",
            "não especificada",
            "Non specificato",
            "Niet opgegeven",
            "n.v.t.",
            "Nie podano",
            "Ej angivet",
            "ikke oplyst",
        ] {
            assert!(says_nothing(text), "{text:?}");
        }
    }

    #[test]
    fn what_says_something_is_kept() {
        for text in [
            "noon",
            "no",
            "No",
            "Nein",
            "N",
            "not booked",
            "not confirmed",
            "Not before 2 PM",
            "available",
            "Nancy",
            "0",
            "A",
            "+",
            "Knee",
            "no parking",
            "Consultation (none before)",
            "pending",
            "nothing but the roof",
            "Tuesday?",
            "非公開",
        ] {
            assert!(!says_nothing(text), "{text:?}");
        }
    }
}
