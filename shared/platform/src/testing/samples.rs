//! The sample events in the folder `events`, for the functions' tests.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its samples fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events");

/// The events `events/<function>.<case>.json`, each with what is expected of it. The cases must be exactly these, so
/// that no sample has no expectation.
///
/// # Panics
///
/// If they are not, or cannot be read.
pub fn of<'a, T: Copy>(function: &str, expected: &[(&'a str, T)]) -> Vec<(&'a str, String, T)> {
    let is_of_function = |file: &String| file.split('.').next() == Some(function);
    let found: BTreeSet<_> = files().into_iter().filter(is_of_function).collect();
    let named: BTreeMap<_, _> =
        expected.iter().map(|expected| (format!("{function}.{}.json", expected.0), expected)).collect();
    assert_eq!(found, named.keys().cloned().collect(), "the samples and what is expected of them");
    let read = |file: &String| fs::read_to_string(Path::new(FOLDER).join(file)).unwrap();
    named.iter().map(|(file, (case, expected))| (*case, read(file), *expected)).collect()
}

/// The names of all samples.
///
/// # Panics
/// If the folder cannot be read.
pub fn files() -> Vec<String> {
    fs::read_dir(FOLDER).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}
