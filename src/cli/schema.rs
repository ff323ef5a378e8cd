//! `reveille schema`

use std::fs;

use clap::Args;

use super::context::Context;
use super::out::outln;
use crate::config::folder::Folder;
use crate::config::schema;
use crate::error::Error;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Print the schema of the job file, and write nothing
    #[arg(long, conflicts_with = "settings")]
    job: bool,

    /// Print the schema of the configuration, and write nothing
    #[arg(long)]
    settings: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    if arguments.job {
        outln!("{}", schema::text(&schema::job()).trim_end());
        return Ok(0);
    }
    if arguments.settings {
        outln!("{}", schema::text(&schema::settings()).trim_end());
        return Ok(0);
    }
    let Folder::Disk(root) = context.folder()? else {
        let hint = "`reveille init DIR` makes one; `reveille schema --job` prints";
        return Err(Error::usage("there is no folder to write the schemas to").hint(hint));
    };
    for (name, schema) in [
        ("config/job.schema.json", schema::job()),
        ("config/reveille.schema.json", schema::settings()),
    ] {
        let path = root.join(name);
        fs::write(&path, schema::text(&schema))
            .map_err(|error| Error::usage(format!("cannot write {}: {error}", path.display())))?;
        outln!("{}", path.display());
    }
    Ok(0)
}
