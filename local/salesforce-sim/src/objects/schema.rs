//! What an object is, and what a field is.

/// An object of Salesforce.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) name: &'static str,
    /// The first three characters of its records' ids.
    pub(crate) prefix: &'static str,
    /// Its own fields; [`Object::standard_fields`] adds the system fields.
    pub(crate) own: &'static [Field],
    /// The fields that a new record must have; [`Object::required_fields`] adds the admins' own.
    pub(crate) required: &'static [&'static str],
    /// Whether search finds its records.
    pub(crate) searchable: bool,
    /// Whether the simulator can write its records.
    pub(crate) writable: bool,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The record's own id.
    Id,
    /// The id of a record whose object has one of these prefixes.
    Reference(&'static [&'static str]),
    /// Text with a maximum length.
    Text(usize),
    /// Long text with a maximum length. Cannot be filtered or sorted by.
    Area(usize),
    /// A phone number: up to 40 characters of anything, found by its digits.
    Phone,
    /// An e-mail address of up to 80 characters.
    Email,
    /// A list of values that the API does not enforce.
    Picklist,
    /// A list of values that the API enforces.
    Restricted(&'static [&'static str]),
    /// An integer with a maximum number of digits.
    Int(u32),
    Bool,
    /// A date without a time zone.
    Date,
    /// An instant.
    DateTime,
}

/// A field of an object.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// Its name in messages and on pages.
    pub(crate) label: &'static str,
    pub(crate) kind: Kind,
    /// Whether a create may set it.
    pub(crate) create: bool,
    /// Whether an update may change it.
    pub(crate) update: bool,
}

/// The fields that every object has.
static SYSTEM: &[Field] = &[
    field("Id", "Record ID", Kind::Id).read_only(),
    field("IsDeleted", "Deleted", Kind::Bool).read_only(),
    field("CreatedDate", "Created Date", Kind::DateTime).read_only(),
    field("CreatedById", "Created By ID", Kind::Reference(USERS)).read_only(),
    field("LastModifiedDate", "Last Modified Date", Kind::DateTime).read_only(),
    field("LastModifiedById", "Last Modified By ID", Kind::Reference(USERS)).read_only(),
    field("SystemModstamp", "System Modstamp", Kind::DateTime).read_only(),
];

/// The prefix of the ids of users.
pub(crate) const USERS: &[&str] = &["005"];

/// A field that can be written.
pub(crate) const fn field(name: &'static str, label: &'static str, kind: Kind) -> Field {
    Field { name, label, kind, create: true, update: true }
}

impl Field {
    /// Only Salesforce sets it.
    pub(crate) const fn read_only(self) -> Self {
        Self { create: false, update: false, ..self }
    }

    /// A create can set it, an update cannot change it.
    pub(crate) const fn create_only(self) -> Self {
        Self { update: false, ..self }
    }

    /// Whether its kind may appear in `WHERE` and `ORDER BY`.
    pub(crate) fn filterable(&self) -> bool {
        !matches!(self.kind, Kind::Area(_))
    }
}

impl Object {
    /// The fields that Salesforce defines.
    pub(crate) fn standard_fields(&self) -> impl Iterator<Item = &'static Field> {
        SYSTEM.iter().chain(self.own)
    }

    /// A standard field by its API name, ignoring case.
    pub(crate) fn standard_field(&self, name: &str) -> Option<&'static Field> {
        self.standard_fields().find(|field| field.name.eq_ignore_ascii_case(name))
    }
}
