//! What an object and a field are, and how they are looked up.

use super::custom;
use crate::settings::Settings;

/// An object: its name, the first three characters of its ids, its fields.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) name: &'static str,
    pub(crate) prefix: &'static str,
    /// Its own fields; [`Object::fields`] adds those that every object has.
    pub(crate) own: &'static [Field],
    /// What of them must be there at creation; [`Object::required_fields`] adds the admins'.
    pub(crate) required: &'static [&'static str],
    /// Search looks for its records.
    pub(crate) searchable: bool,
    /// The simulator lets its records be written.
    pub(crate) writable: bool,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A record's own id.
    Id,
    /// A reference to objects with these prefixes.
    Reference(&'static [&'static str]),
    /// Text of at most so many characters.
    Text(usize),
    /// Long text: like text, but no filter or order may name it.
    Area(usize),
    /// A phone number: up to 40 characters of anything, found by its digits.
    Phone,
    /// An e-mail address of up to 80 characters.
    Email,
    /// A list of values that the API does not enforce.
    Picklist,
    /// A list of values that the API enforces.
    Restricted(&'static [&'static str]),
    /// A whole number of up to so many digits.
    Int(u32),
    Bool,
    /// A day without a zone.
    Date,
    /// An instant.
    DateTime,
}

/// A field of an object.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// What messages and pages call it.
    pub(crate) label: &'static str,
    pub(crate) kind: Kind,
    pub(crate) create: bool,
    pub(crate) update: bool,
}

/// A field that can be written.
pub(crate) const fn field(name: &'static str, label: &'static str, kind: Kind) -> Field {
    Field { name, label, kind, create: true, update: true }
}

impl Field {
    /// It is Salesforce's own: derived, or set otherwise.
    pub(crate) const fn read_only(self) -> Self {
        Self { create: false, update: false, ..self }
    }

    /// It can be set once.
    pub(crate) const fn create_only(self) -> Self {
        Self { update: false, ..self }
    }

    /// Its kind may stand in `WHERE` and `ORDER BY`.
    pub(crate) fn filterable(&self) -> bool {
        !matches!(self.kind, Kind::Area(_))
    }
}

impl Object {
    /// The fields that Salesforce gave it.
    pub(crate) fn standard_fields(&self) -> impl Iterator<Item = &'static Field> {
        super::tables::SYSTEM.iter().chain(self.own)
    }

    /// All its fields: Salesforce's, and those of the org's admins.
    pub(crate) fn fields(&self, settings: &Settings) -> impl Iterator<Item = &'static Field> {
        self.standard_fields().chain(settings.custom_fields_of(self.name).filter_map(custom::field))
    }

    /// A field of Salesforce's by its API name; letters' case does not count.
    pub(crate) fn standard_field(&self, name: &str) -> Option<&'static Field> {
        self.standard_fields().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// A field by its API name; letters' case does not count.
    pub(crate) fn field(&self, name: &str, settings: &Settings) -> Option<&'static Field> {
        self.fields(settings).find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// What must be there at creation.
    pub(crate) fn required_fields<'a>(&self, settings: &'a Settings) -> impl Iterator<Item = &'a str> {
        let custom = settings.custom_fields_of(self.name).filter(|field| field.required);
        self.required.iter().copied().chain(custom.map(|field| field.name.as_str()))
    }

    /// A field that the user can see.
    pub(crate) fn visible_field(&self, name: &str, settings: &Settings) -> Option<&'static Field> {
        self.field(name, settings).filter(|field| !settings.hides_field(self.name, field.name))
    }
}

/// An object by its API name, if the user can see it; letters' case does not count.
pub(crate) fn visible_object(name: &str, settings: &Settings) -> Option<&'static Object> {
    object(name).filter(|object| !settings.hides_object(object.name))
}

/// An object by its API name; letters' case does not count.
pub(crate) fn object(name: &str) -> Option<&'static Object> {
    super::tables::ALL.iter().copied().find(|object| object.name.eq_ignore_ascii_case(name))
}

/// The object that ids of this prefix belong to.
pub(crate) fn object_of(prefix: &str) -> Option<&'static Object> {
    super::tables::ALL.iter().copied().find(|object| object.prefix == prefix)
}
