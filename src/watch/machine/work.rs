//! What the task begins and others do: looks around, looks at files, offers, what is written down.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Done, LOOKS, MOST_OFFERS, Machine};
use crate::watch::folders::Owner;
use crate::watch::look::{self, Ask, Looked};
use crate::watch::memory::{CHUNK, Mark};
use crate::watch::survey::{End, Seen, Survey};
use crate::watch::verdict::{Answer, Verdict};
use crate::watch::version::Version;
use crate::watch::{Change, Grouping, Receipt, Settled, Told};

impl Machine {
    /// A look around.
    pub(super) fn survey(&mut self, owner: Owner, now: Duration) {
        let Some(post) = self.posts.get_mut(&owner) else {
            return;
        };
        post.poll(now);
        if post.surveying.is_some() || now < post.not_before {
            return;
        }
        let Some(scope) = post.wants.take() else {
            return;
        };
        post.round += 1;
        post.surveying = Some(now);
        self.scopes.insert(owner, scope.clone());
        let mut survey = Survey {
            owner,
            round: post.round,
            patterns: Arc::clone(&post.patterns),
            scope,
            mounts: post.mark.mounts.clone(),
            folders: Arc::clone(&self.folders),
            sees: self.sees.clone(),
            end: End::default(),
        };
        let first = (!post.is_ready).then(|| (post.key.clone(), self.store.clone()));
        tokio::task::spawn_blocking(move || {
            if let Some((key, store)) = first {
                let remembered = match key.read(&store) {
                    Ok(remembered) => remembered,
                    Err(error) => {
                        let forgotten = Seen::Forgotten(error.to_string());
                        let _ = survey.sees.blocking_send((owner, survey.round, forgotten));
                        return;
                    }
                };
                if let Some(mark) = &remembered.mark {
                    survey.mounts.clone_from(&mark.mounts);
                }
                let remembered = Seen::Remembered(remembered);
                let _ = survey.sees.blocking_send((owner, survey.round, remembered));
            }
            survey.run();
        });
    }

    /// Looks at files that settled.
    pub(super) fn look(&mut self, owner: Owner, now: Duration) {
        let room = MOST_OFFERS.saturating_sub(self.offers.len());
        let Some(post) = self.posts.get_mut(&owner) else {
            return;
        };
        if post.is_looking || room == 0 {
            return;
        }
        let grouping = post.tracker.grouping();
        let most = match grouping {
            Grouping::Each => LOOKS.min(room),
            Grouping::Together => CHUNK,
        };
        let asks: Vec<Ask> = post
            .tracker
            .take(most, now)
            .into_iter()
            .map(|path| Ask {
                known: post.tracker.known(&path),
                path,
            })
            .collect();
        if asks.is_empty() {
            return;
        }
        post.is_looking = true;
        let mounts: Vec<PathBuf> = post.mark.mounts.values().cloned().collect();
        let ends = self.ends.clone();
        tokio::task::spawn_blocking(move || {
            let mut room = look::ROOM;
            let mut look = |ask| {
                if grouping == Grouping::Each {
                    room = look::ROOM;
                }
                look::look(ask, &mounts, &mut room)
            };
            let looked = asks.into_iter().map(&mut look).collect();
            let _ = ends.send(Done::Looked(owner, looked));
        });
    }

    /// What the looks found, and what is told of it.
    pub(super) fn looked(&mut self, owner: Owner, looked: Vec<Looked>, now: Duration) {
        let Some(post) = self.posts.get_mut(&owner) else {
            return;
        };
        post.is_looking = false;
        let mut told = Vec::new();
        let mut quiet = Vec::new();
        for looked in looked {
            match post.tracker.looked(&looked.path, looked.found, now) {
                Verdict::Wait => {}
                Verdict::Tell(change) => told.push((looked, change)),
                Verdict::Remember => quiet.push((looked.path.clone(), looked.found.version())),
            }
        }
        let grouping = post.tracker.grouping();
        if !quiet.is_empty() {
            self.write_down(owner, quiet, None);
        }
        match grouping {
            Grouping::Each => {
                for one in told {
                    let payload = look::told(&one.0, one.1);
                    self.offer(owner, payload, vec![one]);
                }
            }
            Grouping::Together if told.is_empty() => {}
            Grouping::Together => {
                let files = told
                    .iter()
                    .map(|(looked, change)| look::told(looked, *change));
                let payload = json!({ "files": files.collect::<Vec<_>>() });
                self.offer(owner, payload, told);
            }
        }
    }

    fn offer(&mut self, owner: Owner, payload: Value, files: Vec<(Looked, Change)>) {
        self.next += 1;
        let ticket = self.next;
        let key = &self.posts[&owner].key;
        let changes = files.iter();
        let changes = changes.map(|(file, _)| key.change(&file.path, file.found.version()));
        let settled = Settled {
            job: key.job.clone(),
            trigger: key.trigger.clone(),
            payload,
            cursors: changes.collect(),
            receipt: Receipt {
                ticket,
                answers: Some(self.answers.clone()),
            },
        };
        let paths = files.into_iter().map(|(file, _)| file.path).collect();
        self.offers.insert(ticket, (owner, paths));
        // With nobody there to hear, the receipt refuses.
        let _ = self.tells.send(Told::Settled(settled));
    }

    /// Writes down what is remembered without an event; once that is done, what the first look was of.
    pub(super) fn save(&mut self, owner: Owner, now: Duration) {
        let Some(post) = self.posts.get_mut(&owner) else {
            return;
        };
        if post.is_saving || post.surveying.is_some() && post.tracker.unsaved() < CHUNK {
            return;
        }
        let unsaved = post.tracker.take_unsaved(CHUNK, now);
        let is_new = post.saved.as_ref() != Some(&post.mark) && post.mark != Mark::default();
        let mark = (is_new && post.tracker.unsaved() == 0 && !post.tracker.is_resting(now))
            .then(|| post.mark.clone());
        if unsaved.is_empty() && mark.is_none() {
            return;
        }
        post.is_saving = true;
        self.write_down(owner, unsaved, mark);
    }

    fn write_down(
        &mut self,
        owner: Owner,
        versions: Vec<(PathBuf, Option<Version>)>,
        mark: Option<Mark>,
    ) {
        let key = &self.posts[&owner].key;
        let changes = versions
            .iter()
            .map(|(path, version)| key.change(path, *version));
        let marks = mark.iter().map(|mark| key.mark(mark));
        let changes: Vec<_> = changes.chain(marks).collect();
        let paths = versions.into_iter().map(|(path, _)| path).collect();
        let (store, ends) = (self.store.clone(), self.ends.clone());
        tokio::spawn(async move {
            let answer = match store.remember(changes).await {
                Ok(()) => Answer::Accepted,
                Err(_) => Answer::Refused,
            };
            let _ = ends.send(Done::Saved(owner, paths, mark, answer));
        });
    }
}
