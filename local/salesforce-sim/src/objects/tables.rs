//! The field tables: names, types and lengths as Salesforce documents them (docs/salesforce-api.md#task,
//! docs/salesforce-api.md#event).

use super::schema::{
    Kind::{Area, Bool, Date, DateTime, Email, Int, Phone, Picklist, Reference, Restricted, Text},
    Object, USERS, field,
};

const PEOPLE: &[&str] = &["003", "00Q"];
const ACCOUNTS: &[&str] = &["001"];

/// All objects, in the order in which a search without `RETURNING` returns them.
pub(crate) static ALL: &[&Object] =
    &[&ACCOUNT, &CONTACT, &LEAD, &TASK, &EVENT, &USER, &ORGANIZATION, &TASK_STATUS];

/// An object by its API name, ignoring case.
pub(crate) fn object(name: &str) -> Option<&'static Object> {
    ALL.iter().copied().find(|object| object.name.eq_ignore_ascii_case(name))
}

/// The object whose records' ids have this prefix.
pub(crate) fn object_by_prefix(prefix: &str) -> Option<&'static Object> {
    ALL.iter().copied().find(|object| object.prefix == prefix)
}

pub(crate) static TASK: Object = Object {
    name: "Task",
    prefix: "00T",
    required: &[],
    searchable: false,
    writable: true,
    own: &[
        field("WhoId", "Name ID", Reference(PEOPLE)),
        field("WhatId", "Related To ID", Reference(ACCOUNTS)),
        field("OwnerId", "Assigned To ID", Reference(USERS)),
        field("AccountId", "Account ID", Reference(ACCOUNTS)).read_only(),
        field("Subject", "Subject", Text(255)),
        field("Status", "Status", Picklist),
        field("Priority", "Priority", Restricted(&["High", "Normal", "Low"])),
        field("IsHighPriority", "High Priority", Bool).read_only(),
        field("IsClosed", "Closed", Bool).read_only(),
        field("IsArchived", "Archived", Bool).read_only(),
        field("CompletedDateTime", "Completed Date", DateTime).read_only(),
        field("ActivityDate", "Due Date Only", Date),
        field("Description", "Description", Area(32_000)),
        field("Type", "Type", Picklist),
        field(
            "TaskSubtype",
            "Task Subtype",
            Restricted(&["Task", "Email", "LinkedIn", "List Email", "Cadence", "Call"]),
        )
        .create_only(),
        field("CallType", "Call Type", Restricted(&["Inbound", "Internal", "Outbound"])),
        field("CallDurationInSeconds", "Call Duration", Int(8)),
        field("CallDisposition", "Call Result", Text(255)),
        field("CallObject", "Call Object Identifier", Text(255)),
        field("IsReminderSet", "Reminder Set", Bool),
        field("ReminderDateTime", "Reminder Date/Time", DateTime),
    ],
};

pub(crate) static EVENT: Object = Object {
    name: "Event",
    prefix: "00U",
    required: &[],
    searchable: false,
    writable: true,
    own: &[
        field("WhoId", "Name ID", Reference(PEOPLE)),
        field("WhatId", "Related To ID", Reference(ACCOUNTS)),
        field("OwnerId", "Assigned To ID", Reference(USERS)),
        field("AccountId", "Account ID", Reference(ACCOUNTS)).read_only(),
        field("Subject", "Subject", Text(255)),
        field("Location", "Location", Text(255)),
        field("IsAllDayEvent", "All-Day Event", Bool),
        field("ActivityDateTime", "Due Date Time", DateTime),
        field("ActivityDate", "Due Date Only", Date),
        field("StartDateTime", "Start Date Time", DateTime),
        field("EndDateTime", "End Date Time", DateTime),
        field("EndDate", "End Date Only", Date).read_only(),
        field("DurationInMinutes", "Duration", Int(8)),
        field("Description", "Description", Area(32_000)),
        field("Type", "Type", Picklist),
        field("ShowAs", "Show Time As", Restricted(&["Busy", "OutOfOffice", "Free"])),
        field("EventSubtype", "Event Subtype", Restricted(&["Event"])).create_only(),
        field("IsPrivate", "Private", Bool),
        field("IsArchived", "Archived", Bool).read_only(),
        field("IsReminderSet", "Reminder Set", Bool),
        field("ReminderDateTime", "Reminder Date/Time", DateTime),
    ],
};

pub(crate) static LEAD: Object = Object {
    name: "Lead",
    prefix: "00Q",
    required: &["LastName", "Company"],
    searchable: true,
    writable: true,
    own: &[
        field("Name", "Full Name", Text(121)).read_only(),
        field("FirstName", "First Name", Text(40)),
        field("LastName", "Last Name", Text(80)),
        field("Company", "Company", Text(255)),
        field("Title", "Title", Text(128)),
        field("Phone", "Phone", Phone),
        field("MobilePhone", "Mobile Phone", Phone),
        field("Fax", "Fax", Phone),
        field("Email", "Email", Email),
        field("Status", "Status", Picklist),
        field("LeadSource", "Lead Source", Picklist),
        field("Street", "Street", Text(255)),
        field("City", "City", Text(40)),
        field("State", "State/Province", Text(80)),
        field("PostalCode", "Zip/Postal Code", Text(20)),
        field("Country", "Country", Text(80)),
        field("Description", "Description", Area(32_000)),
        field("OwnerId", "Owner ID", Reference(USERS)),
        field("IsConverted", "Converted", Bool).read_only(),
        field("ConvertedDate", "Converted Date", Date).read_only(),
        field("ConvertedAccountId", "Converted Account ID", Reference(ACCOUNTS)).read_only(),
        field("ConvertedContactId", "Converted Contact ID", Reference(&["003"])).read_only(),
    ],
};

pub(crate) static CONTACT: Object = Object {
    name: "Contact",
    prefix: "003",
    required: &["LastName"],
    searchable: true,
    writable: true,
    own: &[
        field("AccountId", "Account ID", Reference(ACCOUNTS)),
        field("Name", "Full Name", Text(121)).read_only(),
        field("FirstName", "First Name", Text(40)),
        field("LastName", "Last Name", Text(80)),
        field("Title", "Title", Text(128)),
        field("Department", "Department", Text(80)),
        field("Phone", "Business Phone", Phone),
        field("MobilePhone", "Mobile Phone", Phone),
        field("HomePhone", "Home Phone", Phone),
        field("OtherPhone", "Other Phone", Phone),
        field("AssistantPhone", "Asst. Phone", Phone),
        field("Fax", "Business Fax", Phone),
        field("Email", "Email", Email),
        field("LeadSource", "Lead Source", Picklist),
        field("MailingStreet", "Mailing Street", Text(255)),
        field("MailingCity", "Mailing City", Text(40)),
        field("MailingState", "Mailing State/Province", Text(80)),
        field("MailingPostalCode", "Mailing Zip/Postal Code", Text(20)),
        field("MailingCountry", "Mailing Country", Text(80)),
        field("Description", "Contact Description", Area(32_000)),
        field("OwnerId", "Owner ID", Reference(USERS)),
    ],
};

pub(crate) static ACCOUNT: Object = Object {
    name: "Account",
    prefix: "001",
    required: &["Name"],
    searchable: true,
    writable: false,
    own: &[
        field("Name", "Account Name", Text(255)),
        field("Phone", "Account Phone", Phone),
        field("Fax", "Account Fax", Phone),
        field("OwnerId", "Owner ID", Reference(USERS)),
    ],
};

pub(crate) static USER: Object = Object {
    name: "User",
    prefix: "005",
    required: &[],
    searchable: false,
    writable: false,
    own: &[
        field("Username", "Username", Text(80)),
        field("Name", "Full Name", Text(121)),
        field("Email", "Email", Email),
        field("IsActive", "Active", Bool),
        field("TimeZoneSidKey", "Time Zone", Picklist),
        field("LocaleSidKey", "Locale", Picklist),
        field("LanguageLocaleKey", "Language", Picklist),
    ],
};

pub(crate) static ORGANIZATION: Object = Object {
    name: "Organization",
    prefix: "00D",
    required: &[],
    searchable: false,
    writable: false,
    own: &[
        field("Name", "Name", Text(80)),
        field("Country", "Country", Text(80)),
        field("TimeZoneSidKey", "Time Zone", Picklist),
        field("IsSandbox", "Is Sandbox", Bool),
        field("OrganizationType", "Edition", Picklist),
    ],
};

pub(crate) static TASK_STATUS: Object = Object {
    name: "TaskStatus",
    prefix: "01J",
    required: &[],
    searchable: false,
    writable: false,
    own: &[
        field("MasterLabel", "Master Label", Text(255)),
        field("ApiName", "API Name", Text(255)),
        field("SortOrder", "Sort Order", Int(8)),
        field("IsDefault", "Is Default", Bool),
        field("IsClosed", "Closed", Bool),
    ],
};
