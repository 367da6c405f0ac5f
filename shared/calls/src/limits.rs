//! The limits that people meet. The API's description has these, too.

use std::ops::RangeInclusive;

/// How long an appointment lasts, in minutes.
pub const APPOINTMENT_MINUTES: RangeInclusive<u32> = 1..=1440;
/// How long the row of a finished call stays in the ledger, in days.
pub const RETENTION_DAYS: RangeInclusive<u32> = 30..=3650;
/// How many calls one request lists.
pub const LISTED_CALLS: RangeInclusive<u32> = 1..=100;
