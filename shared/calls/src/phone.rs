//! Phone numbers: the caller's and those stored in Salesforce, compared in libphonenumber's sense.
