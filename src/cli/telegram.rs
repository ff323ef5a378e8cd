//! `reveille telegram pair`

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::by_hand::{engine, told_to_end};
use super::context::Context;
use super::out::{errln, outln};
use crate::config::Config;
use crate::config::folder::Folder;
use crate::config::secrets::Secrets;
use crate::engine::Daemon;
use crate::engine::chats::Pairing;
use crate::error::Error;
use crate::store::lock::ProcessLock;
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
const LOOK: Duration = Duration::from_millis(300);

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let What::Pair = arguments.what;
    let (folder, config) = context.config()?;
    let Some(settings) = &config.settings.telegram else {
        let what = "there is no [telegram] in config/reveille.toml";
        let hint = "`reveille setup` asks for what it needs and writes it";
        return Err(Error::usage(what).hint(hint));
    };
    // Without it nobody hears the code.
    let (secrets, _) = Secrets::load(&folder);
    if let Err(why) = secrets.get(&settings.token) {
        return Err(Error::usage(format!("the bot's token is not there: {why}")));
    }
    if let Some(owner) = settings.owner {
        errln!("The configuration names user {owner} as the owner: nobody else can pair.");
    }
    match &context.lent {
        Some(lent) => context.block_on(pair(context, &lent.store))?,
        None => alone(context, folder, config),
    }
}

/// Reads the chats itself, for as long as it takes.
fn alone(context: &Context, folder: Folder, config: Config) -> Result<u8, Error> {
    let lock = ProcessLock::acquire(&context.state, context.clock.id());
    let lock = lock.map_err(Error::from)?;
    let store = context.open_store(Mode::Threaded)?;
    let engine = engine(context, folder, config, store, lock.name());
    context.block_on(async {
        let mut daemon = Daemon::start(engine).await.map_err(Error::from)?;
        daemon.bring_chats(Arc::new(|_| Box::pin(async { String::new() })));
        let paired = pair(context, daemon.store()).await;
        daemon.stop().await;
        paired
    })?
}

async fn pair(context: &Context, store: &Store) -> Result<u8, Error> {
    let clock = context.clock.as_ref();
    let pairing = Pairing::begin(store, context.clock.id().as_u128(), clock.now());
    let pairing = pairing.await.map_err(Error::from)?;
    outln!(
        "Send this to the bot within ten minutes: /pair {}",
        pairing.code
    );
    let mut ended = std::pin::pin!(told_to_end());
    while clock.now() < pairing.until && pairing.is_open(store).map_err(Error::from)? {
        tokio::select! {
            () = clock.sleep(LOOK) => {}
            () = &mut ended => break,
        }
    }
    if let Some(owner) = pairing.ended(store).await.map_err(Error::from)? {
        outln!("User {owner} is the owner now.");
        return Ok(0);
    }
    errln!(
        "error: nobody sent the code in time, or it was guessed wrong five times\nhint: try it again"
    );
    Ok(1)
}
