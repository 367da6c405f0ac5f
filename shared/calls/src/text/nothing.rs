//! Placeholders that people, forms and language models write for nothing.

use super::words::words;

/// Longer texts are not placeholders.
const LONGEST: usize = 60;

/// Placeholders on their own, as [`words`] normalizes them, in the languages of Vapi's users.
const WORDS: &[&str] = &[
    // English
    "na",
    "n a",
    "n d",
    "none",
    "none given",
    "none provided",
    "none specified",
    "none mentioned",
    "none stated",
    "none noted",
    "null",
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
    "to be determined",
    "to be decided",
    "to be announced",
    // German
    "keine",
    "keine angabe",
    "keine angaben",
    "k a",
    "ohne angabe",
    "unbekannt",
    "unbestimmt",
    "nichts",
    "entfallt",
    // Spanish
    "desconocido",
    "desconocida",
    "ninguno",
    "ninguna",
    "sin especificar",
    "sin datos",
    "sin informacion",
    "por determinar",
    "por definir",
    // French
    "inconnu",
    "inconnue",
    "aucun",
    "aucune",
    "rien",
    "sans objet",
    "a determiner",
    "a definir",
    // Portuguese
    "desconhecido",
    "desconhecida",
    "nenhum",
    "nenhuma",
    "sem informacao",
    "nao informado",
    // Italian
    "sconosciuto",
    "sconosciuta",
    "nessuno",
    "nessuna",
    "niente",
    "da definire",
    // Dutch
    "onbekend",
    "geen",
    "n v t",
    "niets",
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
    // Russian, Turkish, Chinese, Japanese, Korean
    "не указано",
    "неизвестно",
    "нет",
    "belirtilmedi",
    "yok",
    "无",
    "未知",
    "未提供",
    "なし",
    "不明",
    "없음",
];

/// Negations and the words they negate; endings are ignored (see [`stem`]).
const NEGATED: &[(&str, &[&str])] = &[
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
            "captured",
            "collected",
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
            "festgelegt",
            "spezifiziert",
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
            "se proporciono",
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

/// What may follow the negated word: “not specified by the caller”.
const AFTER_NEGATION: [&str; 5] = ["by", "in", "during", "on", "at"];

/// Whether a text is only a placeholder: signs such as `-` and `?`, or words, in any case and with a final period.
/// `not_provided`, `not-provided` and `NotProvided` all mean “not provided”.
pub(super) fn says_nothing(text: &str) -> bool {
    if text.len() > LONGEST {
        return false;
    }
    let words = words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let has_plus = text.contains('+');
    words.is_empty() && !has_plus || WORDS.contains(&words.join(" ").as_str()) || is_negated(&words)
}

/// “not provided”, “not yet provided by the caller”, “no date provided”.
fn is_negated(words: &[&str]) -> bool {
    let end = words.iter().position(|word| AFTER_NEGATION.contains(word)).unwrap_or(words.len());
    let [first, rest @ ..] = &words[..end] else { return false };
    let rest = rest.strip_prefix(&["yet"]).unwrap_or(rest);
    let is = |not: &str, negated: &str| {
        NEGATED.iter().any(|(word, all)| *word == not && all.iter().any(|one| stem(one) == stem(negated)))
    };
    match (first, rest) {
        (&"no", [_, participle]) if is("not", participle) => true,
        (first, rest) => !rest.is_empty() && is(first, &rest.join(" ")),
    }
}

/// A word without endings for gender and number: `especificada` equals `especificado`.
fn stem(word: &str) -> &str {
    word.trim_end_matches(['a', 'e', 'o', 's'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_say_nothing() {
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
            "k.A.",
            "NotProvided",
            "notMentioned",
            "not yet provided",
            "Not specified by the caller",
            "No date provided",
            "не указано",
            "未提供",
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
    fn other_texts_are_kept() {
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
