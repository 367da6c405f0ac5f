//! SOSL: `FIND {…} IN … FIELDS RETURNING …` (docs/salesforce-api.md#search).

use serde_json::{Value, json};

use super::{
    clauses::Clauses,
    condition::{Scope, resolve},
    lexer::{Reader, Token},
    term::{self, Piece, Term, finds_phone, finds_text},
};
use crate::{
    error::ApiError,
    objects::{
        fields::visible_object,
        schema::{Field, Kind, Object},
        store::{Fields, Record},
        tables,
        write::Context,
    },
};

/// Maximum number of rows of a search (docs/salesforce-api.md#search).
const MAX_ROWS: usize = 2_000;
/// Maximum number of rows of one object without `WHERE` or `ORDER BY`.
const MAX_PLAIN_ROWS: usize = 250;

/// Which fields to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    All,
    Name,
    Email,
    Phone,
}

/// An object in `RETURNING`.
struct Returned {
    object: &'static Object,
    fields: Vec<&'static str>,
    clauses: Clauses,
}

/// Runs a search.
pub(crate) fn search(context: &Context<'_>, source: &str) -> Result<Value, ApiError> {
    if source.len() > 100_000 {
        return Err(ApiError::new(400, "MALFORMED_SEARCH", "Search string is too long"));
    }
    let (term, rest) = find(source)?;
    let mut reader = Reader::new(source, rest, "MALFORMED_SEARCH")?;
    let group = group(&mut reader)?;
    let returned = returning(&mut reader, context)?;
    let overall = if reader.takes("LIMIT") { reader.number()? } else { MAX_ROWS };
    if !reader.at_end() {
        return Err(reader.unexpected());
    }
    let plain_limit = MAX_PLAIN_ROWS.min(MAX_ROWS / returned.len().max(1));
    let rows = returned.iter().map(|returned| returned.rows(context, &term, group, plain_limit)).collect();
    Ok(json!({"searchRecords": distribute(rows, overall)}))
}

/// Parses `FIND {…}`: the term, and the offset of the rest.
fn find(source: &str) -> Result<(Term, usize), ApiError> {
    let no_term = || {
        let message = "No search term found. The search term must be enclosed in braces.";
        ApiError::new(400, "MALFORMED_SEARCH", message)
    };
    let after_find = source.len() - source.trim_start().len() + 4;
    let begins = source.get(..after_find).is_some_and(|head| head.trim_start().eq_ignore_ascii_case("find"));
    let tail = source.get(after_find..).filter(|_| begins).ok_or_else(no_term)?;
    let start = after_find + (tail.len() - tail.trim_start().len()) + 1;
    if !tail.trim_start().starts_with('{') {
        return Err(no_term());
    }
    let end = closing_brace(&source[start..]).map(|offset| start + offset).ok_or_else(no_term)?;
    Ok((term::read(source, start, &source[start..end])?, end + 1))
}

/// The offset of the first unescaped closing brace.
fn closing_brace(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(offset, c)| {
        let closes = c == '}' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(offset)
    })
}

fn group(reader: &mut Reader<'_>) -> Result<Group, ApiError> {
    if !reader.takes("IN") {
        return Ok(Group::All);
    }
    let group = match reader.next() {
        Some(Token::Word(word)) => match word.to_uppercase().as_str() {
            "ALL" | "SIDEBAR" => Group::All,
            "NAME" => Group::Name,
            "EMAIL" => Group::Email,
            "PHONE" => Group::Phone,
            other => return Err(malformed_token(other)),
        },
        _ => return Err(malformed_token("IN")),
    };
    reader.expect("FIELDS")?;
    Ok(group)
}

fn malformed_token(token: &str) -> ApiError {
    ApiError::new(400, "MALFORMED_SEARCH", format!("Malformed search token: {token}"))
}

/// The objects after `RETURNING`; without it, the ids of all searchable objects.
fn returning(reader: &mut Reader<'_>, context: &Context<'_>) -> Result<Vec<Returned>, ApiError> {
    if !reader.takes("RETURNING") {
        let objects = tables::ALL.iter().filter(|object| object.searchable);
        let visible = objects.filter(|object| !context.settings.hides_object(object.name));
        return Ok(visible.map(|object| Returned::ids_of(object)).collect());
    }
    let mut all: Vec<Returned> = vec![];
    loop {
        let returned = Returned::read(reader, context)?;
        if all.iter().any(|other| std::ptr::eq(other.object, returned.object)) {
            let message = format!("duplicate object in RETURNING: {}", returned.object.name);
            return Err(reader.error_here("MALFORMED_SEARCH", &message));
        }
        all.push(returned);
        if !reader.takes_symbol(",") {
            break;
        }
    }
    if all.len() > 1 && all.iter().any(|returned| returned.clauses.offset > 0) {
        return Err(reader.error_here("MALFORMED_SEARCH", "OFFSET requires a single object"));
    }
    Ok(all)
}

impl Returned {
    fn ids_of(object: &'static Object) -> Self {
        Self { object, fields: vec!["Id"], clauses: Clauses::default() }
    }

    fn read(reader: &mut Reader<'_>, context: &Context<'_>) -> Result<Self, ApiError> {
        let name = reader.name()?;
        let object = visible_object(&name, context.settings).ok_or_else(|| {
            let message = format!(
                "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append \
                 the '__c' after the entity name."
            );
            ApiError::new(400, "INVALID_TYPE", message)
        })?;
        if !object.searchable {
            return Err(ApiError::not_simulated(&format!("searching for a {}", object.name)));
        }
        if !reader.takes_symbol("(") {
            return Ok(Self::ids_of(object));
        }
        let scope = Scope::new(context, object);
        let mut fields = vec![];
        loop {
            // Refuses a keyword here: there must be a field before any clause.
            let name = reader.name()?;
            fields.push(resolve(reader, &name, scope)?.name);
            if !reader.takes_symbol(",") {
                break;
            }
        }
        let clauses = Clauses::read(reader, scope)?;
        reader.expect_symbol(")")?;
        Ok(Self { object, fields, clauses })
    }

    /// The rows of this object: matched by their indexed version, returned in their current one.
    fn rows(&self, context: &Context<'_>, term: &Term, group: Group, plain_limit: usize) -> Vec<Value> {
        let found = context.org.of(self.object).filter(|record| {
            let matches = |fields| term.matches(&|word| finds(word, record, fields, group, context));
            !record.is("IsDeleted") && record.indexed(context.now).is_some_and(matches)
        });
        let found = found.filter(|record| self.clauses.matches(record)).cloned().collect();
        let is_plain = self.clauses.condition.is_none() && self.clauses.order.is_empty();
        let limit = self.clauses.limit.unwrap_or(if is_plain { plain_limit } else { MAX_ROWS });
        let page = self.clauses.page(found);
        page.iter().take(limit).map(|record| record.to_json(self.fields.iter().copied())).collect()
    }
}

/// Whether a word finds one of the record's searched fields.
fn finds(word: &[Piece], record: &Record, fields: &Fields, group: Group, context: &Context<'_>) -> bool {
    let searched = |field: &&'static Field| {
        !context.settings.hides_field(record.object.name, field.name)
            && match (group, field.kind) {
                (Group::All, Kind::Text(_) | Kind::Area(_) | Kind::Phone | Kind::Email)
                | (Group::Email, Kind::Email)
                | (Group::Phone, Kind::Phone) => true,
                (Group::Name, Kind::Text(_)) => field.name.ends_with("Name"),
                _ => false,
            }
    };
    record.object.fields(context.settings).filter(searched).any(|field| {
        let stored = fields.get(field.name).and_then(Value::as_str).unwrap_or_default();
        match field.kind {
            Kind::Phone => finds_phone(word, stored, context.settings.suffix_match),
            _ => finds_text(word, stored),
        }
    })
}

/// Distributes the overall limit evenly over the objects. What one does not use goes to the others.
fn distribute(rows: Vec<Vec<Value>>, overall: usize) -> Vec<Value> {
    let mut takes = vec![0; rows.len()];
    let mut remaining = overall;
    while remaining > 0 {
        let mut took_any = false;
        for (take, rows) in takes.iter_mut().zip(&rows) {
            if *take < rows.len() && remaining > 0 {
                *take += 1;
                remaining -= 1;
                took_any = true;
            }
        }
        if !took_any {
            break;
        }
    }
    rows.into_iter().zip(takes).flat_map(|(rows, take)| rows.into_iter().take(take)).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use crate::{control::NewRecord, testing::Bench};

    fn found(bench: &mut Bench, search: &str) -> Vec<String> {
        let response = bench.get("/search/", search).unwrap();
        let records = response["searchRecords"].as_array().unwrap().clone();
        records.iter().map(|record| record["Name"].as_str().unwrap_or("?").to_owned()).collect()
    }

    const RETURNING: &str = "IN PHONE FIELDS RETURNING Lead(Id, Name WHERE IsConverted = false ORDER BY LastModifiedDate DESC \
                             LIMIT 200), Contact(Id, Name ORDER BY LastModifiedDate DESC LIMIT 200)";

    #[test]
    fn people_are_found_by_the_digits_of_their_numbers() {
        let mut bench = Bench::new();
        for (term, expected) in [
            ("2345550123", &["Ada Sample"][..]),
            ("2345550130 OR 12345550130", &["Bea Twin", "Ben Twin"]),
            ("2345550140", &["Cleo Faxonly"]),
            ("2345550150", &[]),
            ("2345550150*", &["Dev Extension"]),
            ("2345550160", &["Conny Converted"]),
            ("2345550147", &[]),
            ("12345550147", &["Grace Example"]),
            ("02079460123", &["Iris London"]),
            ("442079460123", &[]),
            ("12345550151", &["Kim Assisted"]),
        ] {
            assert_eq!(found(&mut bench, &format!("FIND {{{term}}} {RETURNING}")), expected, "{term}");
        }
    }

    #[test]
    fn a_converted_lead_is_found_unless_it_is_filtered_out() {
        let search = "FIND {2345550160} IN PHONE FIELDS RETURNING Lead(Id, Name)";
        assert_eq!(found(&mut Bench::new(), search), ["Conny Converted"]);
    }

    #[test]
    fn the_response_is_one_flat_list() {
        let mut bench = Bench::new();
        let ada = bench.person("Ada Sample");
        let search = "FIND {2345550123} IN PHONE FIELDS RETURNING Contact(Id), Lead(Id, MobilePhone)";
        assert_eq!(
            bench.get("/search", search).unwrap(),
            json!({"searchRecords": [{
                "attributes": {"type": "Lead", "url": format!("/services/data/v60.0/sobjects/Lead/{ada}")},
                "Id": ada, "MobilePhone": null,
            }]})
        );
        assert_eq!(
            bench.get("/search", "FIND {9999999999} IN PHONE FIELDS").unwrap(),
            json!({"searchRecords": []})
        );
    }

    #[test]
    fn a_new_record_is_found_after_the_index_delay() {
        let mut bench = Bench::new();
        let lead = json!({"LastName": "Late", "Company": "X", "Phone": "(234) 555-0170"});
        let id = bench.create("Lead", lead).unwrap();
        let search = format!("FIND {{2345550170}} {RETURNING}");
        assert!(found(&mut bench, &search).is_empty());
        bench.world.clock.advance(TimeDelta::seconds(121));
        assert_eq!(found(&mut bench, &search), ["Late"]);

        bench.update("Lead", &id, json!({"Phone": "(234) 555-0171"})).unwrap();
        assert_eq!(found(&mut bench, &search), ["Late"], "the index still has the old number");
        bench.world.clock.advance(TimeDelta::seconds(121));
        assert!(found(&mut bench, &search).is_empty());

        let new = NewRecord::indexed("Contact", json!({"LastName": "Soon", "Phone": "2345550172"}));
        bench.world.add_record(new).unwrap();
        assert_eq!(found(&mut bench, &format!("FIND {{2345550172}} {RETURNING}")), ["Soon"]);
    }

    #[test]
    fn a_deleted_record_is_not_found() {
        let mut bench = Bench::new();
        let ada = bench.person("Ada Sample");
        bench.request("DELETE", &format!("/sobjects/Lead/{ada}"), None);
        assert!(found(&mut bench, &format!("FIND {{2345550123}} {RETURNING}")).is_empty());
    }

    #[test]
    fn limits_apply_to_each_object_and_overall() {
        let mut bench = Bench::new();
        for n in 0..5 {
            bench.add("Lead", json!({"LastName": format!("L{n}"), "Phone": "2345550180"}));
            bench.add("Contact", json!({"LastName": format!("C{n}"), "Phone": "2345550180"}));
        }
        let search = |tail: &str| format!("FIND {{2345550180}} IN PHONE FIELDS RETURNING {tail}");
        assert_eq!(found(&mut bench, &search("Lead(Name LIMIT 2), Contact(Name)")).len(), 7);
        assert_eq!(found(&mut bench, &search("Lead(Name), Contact(Name) LIMIT 4")), ["L0", "L1", "C0", "C1"]);
        assert_eq!(found(&mut bench, &search("Lead(Name LIMIT 1), Contact(Name) LIMIT 4")).len(), 4);
        assert_eq!(
            found(&mut bench, &search("Lead(Name ORDER BY Name DESC LIMIT 2 OFFSET 1)")),
            ["L3", "L2"]
        );
    }

    #[test]
    fn malformed_searches_are_refused() {
        for (search, expected) in [
            (
                "2345550123",
                "400 MALFORMED_SEARCH: No search term found. The search term must be enclosed in braces.",
            ),
            ("FIND 2345550123", "400 MALFORMED_SEARCH: No search term found."),
            ("FIND {2345550123", "400 MALFORMED_SEARCH: No search term found."),
            ("FIND {x}", "400 INVALID_SEARCH: search term must be longer than one character: x"),
            ("FIND {(234) 555-0123} IN PHONE FIELDS", "400 MALFORMED_SEARCH: \nFIND {(234) 555-0123}"),
            ("FIND {2345550123} IN TYPE FIELDS", "400 MALFORMED_SEARCH: Malformed search token: TYPE"),
            ("FIND {2345550123} RETURNING Lead(LIMIT 10)", "400 MALFORMED_SEARCH"),
            ("FIND {2345550123} RETURNING Lead(Id), Lead(Id)", "400 MALFORMED_SEARCH"),
            (
                "FIND {2345550123} RETURNING Nothing(Id)",
                "400 INVALID_TYPE: sObject type 'Nothing' is not supported",
            ),
            ("FIND {2345550123} RETURNING Lead(Foo)", "400 INVALID_FIELD"),
            ("FIND {2345550123} RETURNING Lead(Id WHERE Foo = 'x')", "400 INVALID_FIELD"),
            ("FIND {2345550123} RETURNING Lead(Id) nonsense", "400 MALFORMED_SEARCH"),
        ] {
            let error = Bench::new().get("/search", search).unwrap_err();
            assert!(error.starts_with(expected), "{search}: {error}");
        }
    }

    #[test]
    fn one_hidden_object_fails_the_whole_search() {
        let mut bench = Bench::new();
        bench.world.settings.hidden_objects = vec!["Lead".into()];
        let error = bench.get("/search", &format!("FIND {{2345550123}} {RETURNING}")).unwrap_err();
        assert!(error.starts_with("400 INVALID_TYPE: sObject type 'Lead' is not supported"), "{error}");
    }

    #[test]
    fn a_hidden_field_is_neither_returned_nor_searched() {
        let mut bench = Bench::new();
        bench.world.settings.hidden_fields = vec!["Lead.Phone".into()];
        assert!(found(&mut bench, &format!("FIND {{2345550123}} {RETURNING}")).is_empty());
        let error = bench.get("/search", "FIND {2345550123} RETURNING Lead(Phone)").unwrap_err();
        assert!(
            error.starts_with("400 INVALID_FIELD") && error.contains("'Phone' on entity 'Lead'"),
            "{error}"
        );
    }

    #[test]
    fn other_orgs_are_not_searched() {
        assert!(
            !found(&mut Bench::new(), &format!("FIND {{2345550123}} {RETURNING}"))
                .contains(&"Olga Elsewhere".to_owned())
        );
    }

    #[test]
    fn names_are_found_in_name_fields_only() {
        let search = |group: &str| format!("FIND {{sample}} IN {group} FIELDS RETURNING Lead(Name)");
        assert_eq!(found(&mut Bench::new(), &search("NAME")), ["Ada Sample"]);
        assert_eq!(found(&mut Bench::new(), &search("ALL")), ["Ada Sample"]);
        assert!(found(&mut Bench::new(), &search("PHONE")).is_empty());
    }
}
