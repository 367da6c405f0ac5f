//! The limits that users see. Tests check that the card's form, the API description, the template and the
//! documents state the same ones (`crate::generated`).

use std::ops::RangeInclusive;

/// How long an appointment may last, in minutes.
pub const APPOINTMENT_MINUTES: RangeInclusive<u32> = 1..=1440;
/// How long the row of a finished call may stay in the ledger, in days.
pub const RETENTION_DAYS: RangeInclusive<u32> = 30..=3650;
/// How many calls one request lists.
pub const LISTED_CALLS: RangeInclusive<u32> = 1..=100;
/// How long a write that Salesforce has received may take to commit, in seconds (docs/contract.md#the-settle-bound).
pub const SETTLE_SECONDS: RangeInclusive<u64> = 1..=3600;
/// How many records of an object one search returns at most. If it returns that many, there may be more.
pub const FOUND_RECORDS: usize = 200;
/// How many refused fields an attempt leaves out before it gives up on the write.
pub const MAX_OMITTED_FIELDS: usize = 8;
/// How many records in a row may turn out to be gone before that is an error.
pub const RECORDS_GONE: usize = 3;
