//! Finds each country's numbering plan in libphonenumber's metadata at build time, so that no process has to do it at
//! startup: that was 7 % of the instructions of sync's first call.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

use prost::{Message, bytes::Bytes};

const METADATA: &str = "src/phone/metadata.bin";

/// `PhoneMetadataCollection` with undecoded plans.
#[derive(Message)]
struct Collection {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    plans: Vec<Bytes>,
}

/// The needed fields of each plan, from `PhoneMetadata`.
#[derive(Message)]
struct Head {
    #[prost(string, tag = "9")]
    id: String,
    #[prost(int32, tag = "10")]
    country_code: i32,
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={METADATA}");
    let metadata = Bytes::from(fs::read(METADATA)?);
    let plans = Collection::decode(metadata.clone())?.plans;
    let mut table = format!(
        "#[expect(clippy::unreadable_literal, reason = \"nobody reads it\")]\nstatic PLANS: [Plan; {}] = [\n",
        plans.len()
    );
    for plan in plans {
        let Head { id, country_code } = Head::decode(plan.clone())?;
        // UN M.49 for the world: numbers without a country.
        let region = if id == "001" { "World" } else { &id };
        let begin = plan.as_ptr().addr() - metadata.as_ptr().addr();
        let end = begin + plan.len();
        assert_eq!(
            metadata.get(begin..end),
            Some(plan.as_ref()),
            "prost copied a plan instead of referring to the metadata"
        );
        writeln!(
            table,
            "Plan {{ region: Region::{region}, code: {country_code}, encoded: {begin}..{end} }},"
        )?;
    }
    table.push_str("];\n");
    Ok(fs::write(Path::new(&env::var("OUT_DIR")?).join("plans.rs"), table)?)
}
