//! `reveille telegram pair`

use std::time::Duration;

use clap::{Args, Subcommand};

use super::context::Context;
use super::out::{errln, outln};
use crate::engine::chats::{self, Pairing};
use crate::error::Error;
use crate::store::{Mode, Store};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a person the owner: shows a code for ten minutes, to be sent to the bot from their phone
    Pair,
}

/// How often it is looked whether somebody paired.
const LOOK: Duration = Duration::from_millis(500);

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let What::Pair = arguments.what;
    let (_, config) = context.config()?;
    if config.settings.telegram.is_none() {
        let what = "there is no [telegram] in config/reveille.toml";
        let hint = "get a token from @BotFather (/newbot), then write `[telegram]` and `token.env = \"TELEGRAM_TOKEN\"`";
        return Err(Error::usage(what).hint(hint));
    }
    if context.lent.is_none() {
        let what = "no daemon runs that could hear the code";
        return Err(Error::usage(what)
            .hint("`reveille daemon`, or `sudo systemctl start reveille`, then this again"));
    }
    let store = context.open_store(Mode::Inline)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Error::bug(format!("no runtime: {error}")))?;
    runtime.block_on(pair(context, &store))
}

async fn pair(context: &Context, store: &Store) -> Result<u8, Error> {
    let before = chats::owner(store).map_err(Error::from)?;
    let clock = context.clock.as_ref();
    let pairing = Pairing::begin(store, context.clock.id().as_u128(), clock.now());
    let pairing = pairing.await.map_err(Error::from)?;
    outln!(
        "Send this to the bot within ten minutes: /pair {}",
        pairing.code
    );
    while clock.now() < pairing.until {
        clock.sleep(LOOK).await;
        let owner = chats::owner(store).map_err(Error::from)?;
        match pairing.is_open(store).map_err(Error::from)? {
            false if owner.is_some() && owner != before => {
                outln!("User {} is the owner now.", owner.unwrap_or_default());
                return Ok(0);
            }
            false if owner == before && owner.is_some() => {
                outln!(
                    "User {} is the owner, as before.",
                    owner.unwrap_or_default()
                );
                return Ok(0);
            }
            false => break,
            true => {}
        }
    }
    errln!(
        "error: nobody sent the code in time, or it was guessed wrong five times\nhint: try it again"
    );
    Ok(1)
}
