//! Calendars and events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta};
use serde_json::{Map, Value, json};

use super::{Inner, OWN, Shared, answer, pairs, says};

type Asked = BTreeMap<String, String>;

pub async fn calendars(State(shared): State<Arc<Shared>>) -> Response {
    let inner = shared.lock();
    let items: Vec<Value> = inner
        .calendars
        .keys()
        .map(|id| {
            let role = if inner.read_only.contains(id) {
                "reader"
            } else {
                "owner"
            };
            let mut entry =
                json!({ "id": id, "summary": format!("Calendar {id}"), "accessRole": role });
            if id == OWN {
                entry["primary"] = true.into();
            }
            entry
        })
        .collect();
    answer(200, &json!({ "items": items }))
}

pub async fn list_or_insert(
    State(shared): State<Arc<Shared>>,
    Path(calendar): Path<String>,
    method: Method,
    RawQuery(asked): RawQuery,
    body: Bytes,
) -> Response {
    let asked = pairs(asked.unwrap_or_default().as_bytes());
    let body: Option<Value> = serde_json::from_slice(&body).ok();
    let mut inner = shared.lock();
    let Some(calendar) = inner.known(&calendar) else {
        return says(404, "notFound", "Not Found");
    };
    match (method, body) {
        (Method::GET, _) => inner.list(&calendar, &asked),
        (Method::POST, Some(event)) => inner.insert(&calendar, event, &asked),
        _ => says(400, "badRequest", "Bad Request"),
    }
}

pub async fn one(
    State(shared): State<Arc<Shared>>,
    Path((calendar, id)): Path<(String, String)>,
    method: Method,
    RawQuery(asked): RawQuery,
    body: Bytes,
) -> Response {
    let asked = pairs(asked.unwrap_or_default().as_bytes());
    let body: Option<Value> = serde_json::from_slice(&body).ok();
    let mut inner = shared.lock();
    let Some(calendar) = inner.known(&calendar) else {
        return says(404, "notFound", "Not Found");
    };
    let Some(mut event) = inner.find(&calendar, &id) else {
        return says(404, "notFound", "Not Found");
    };
    if method == Method::GET {
        return answer(200, &part(&event, fields(&asked).as_deref()));
    }
    if inner.read_only.contains(&calendar) {
        return says(
            403,
            "requiredAccessLevel",
            "You need to have writer access to this calendar.",
        );
    }
    match (method, body) {
        (Method::DELETE, _) => {
            if event["status"] == "cancelled" {
                return says(410, "deleted", "Resource has been deleted");
            }
            event["status"] = "cancelled".into();
            inner.put(&calendar, event);
            axum::http::StatusCode::NO_CONTENT.into_response()
        }
        (Method::PATCH, Some(patch)) => {
            merge(&mut event, patch);
            inner.take(&calendar, event, &asked)
        }
        (Method::PUT, Some(whole)) => inner.take(&calendar, whole, &asked),
        _ => says(400, "badRequest", "Bad Request"),
    }
}

pub async fn instances(
    State(shared): State<Arc<Shared>>,
    Path((calendar, id)): Path<(String, String)>,
    RawQuery(asked): RawQuery,
) -> Response {
    let asked = pairs(asked.unwrap_or_default().as_bytes());
    let inner = shared.lock();
    let Some(calendar) = inner.known(&calendar) else {
        return says(404, "notFound", "Not Found");
    };
    let original = &asked["originalStart"];
    let tail = match DateTime::parse_from_rfc3339(original) {
        Ok(at) => at.to_utc().format("%Y%m%dT%H%M%SZ").to_string(),
        Err(_) => original.replace('-', ""),
    };
    // What was split off another series names its instances as that one does.
    let base = id.split("_R").next().unwrap_or(&id);
    let found = inner.stored(&calendar, &format!("{base}_{tail}"));
    let found = found.or_else(|| inner.unchanged(&calendar, &id, &format!("{base}_{tail}"), &tail));
    let fields = fields(&asked);
    let items: Vec<Value> = found
        .iter()
        .map(|event| part(event, fields.as_deref()))
        .collect();
    answer(200, &json!({ "items": items }))
}

impl Inner {
    fn known(&self, calendar: &str) -> Option<String> {
        let calendar = if calendar == "primary" { OWN } else { calendar };
        self.calendars
            .contains_key(calendar)
            .then(|| calendar.to_owned())
    }

    /// Puts an event there, with the marks that Google gives.
    pub fn put(&mut self, calendar: &str, mut event: Value) -> Value {
        self.changes += 1;
        let id = event["id"].as_str().expect("an id").to_owned();
        event["etag"] = format!("\"{}\"", self.changes).into();
        for (key, value) in [
            ("status", "confirmed".to_owned()),
            ("kind", "calendar#event".to_owned()),
            ("iCalUID", format!("{id}@google.com")),
        ] {
            if event[key].is_null() {
                event[key] = value.into();
            }
        }
        let events = self.calendars.entry(calendar.to_owned()).or_default();
        events.retain(|(_, known)| known["id"] != id.as_str());
        events.push((self.changes, event.clone()));
        event
    }

    fn stored(&self, calendar: &str, id: &str) -> Option<Value> {
        let mut events = self.calendars.get(calendar)?.iter();
        events
            .find(|(_, event)| event["id"] == id)
            .map(|(_, event)| event.clone())
    }

    /// An event, or an instance that nobody changed yet.
    pub fn find(&self, calendar: &str, id: &str) -> Option<Value> {
        if let Some(event) = self.stored(calendar, id) {
            return Some(event);
        }
        let (series, tail) = id.rsplit_once('_')?;
        if series.contains("_R") {
            return None;
        }
        // Of the series, or of what was split off it.
        let part = format!("{series}_R");
        let mut ids = self.calendars.get(calendar)?.iter();
        let of = ids.find_map(|(_, event)| {
            let known = event["id"].as_str()?;
            (known == series || known.starts_with(&part)).then_some(known)
        });
        self.unchanged(calendar, of?, id, tail)
    }

    fn unchanged(&self, calendar: &str, series: &str, id: &str, tail: &str) -> Option<Value> {
        let mut event = self.stored(calendar, series)?;
        event["recurrence"].as_array()?;
        let series_start = event["start"].clone();
        let (start, end) = if let Ok(day) = NaiveDate::parse_from_str(tail, "%Y%m%d") {
            let lasts = date(&event["end"])? - date(&series_start)?;
            (json!({ "date": day }), json!({ "date": day + lasts }))
        } else {
            let at = NaiveDateTime::parse_from_str(tail, "%Y%m%dT%H%M%SZ")
                .ok()?
                .and_utc();
            let lasts: TimeDelta = time(&event["end"])? - time(&series_start)?;
            let zone = &series_start["timeZone"];
            let moment = |at: DateTime<chrono::Utc>| json!({ "dateTime": at.to_rfc3339(), "timeZone": zone });
            (moment(at), moment(at + lasts))
        };
        let fields = event.as_object_mut()?;
        fields.remove("recurrence");
        event["id"] = id.into();
        event["recurringEventId"] = series.into();
        event["originalStartTime"] = start.clone();
        event["start"] = start;
        event["end"] = end;
        Some(event)
    }

    fn list(&self, calendar: &str, asked: &Asked) -> Response {
        if asked.get("singleEvents").map(String::as_str) != Some("false") {
            return says(400, "badRequest", "this fake does not expand");
        }
        let since = match asked
            .get("syncToken")
            .map(|token| token.strip_prefix("sync-"))
        {
            None => 0,
            Some(token) => match token.and_then(|number| number.parse::<u64>().ok()) {
                None => return says(400, "invalid", "Invalid sync token value."),
                Some(number) if number < self.forgotten => {
                    return says(
                        410,
                        "fullSyncRequired",
                        "Sync token is no longer valid, a full sync is required.",
                    );
                }
                Some(number) => number,
            },
        };
        let whole = !asked.contains_key("syncToken");
        let shown = |event: &Value| {
            !whole || event["status"] != "cancelled" || !event["recurringEventId"].is_null()
        };
        let events: Vec<&Value> = self.calendars[calendar]
            .iter()
            .filter(|(changed, event)| *changed > since && shown(event))
            .map(|(_, event)| event)
            .collect();
        let most: usize = asked["maxResults"].parse().expect("a number");
        let size = self.page.unwrap_or(most).min(most);
        let from: usize = asked
            .get("pageToken")
            .map_or(0, |token| token.parse().expect("a page"));
        let fields = fields(asked);
        let page = events.iter().skip(from).take(size);
        let items: Vec<Value> = page.map(|event| sparse(event, fields.as_deref())).collect();
        let mut body = json!({ "kind": "calendar#events", "items": items });
        if from + size < events.len() {
            body["nextPageToken"] = (from + size).to_string().into();
        } else {
            body["nextSyncToken"] = format!("sync-{}", self.changes).into();
        }
        answer(200, &body)
    }

    fn insert(&mut self, calendar: &str, mut event: Value, asked: &Asked) -> Response {
        if self.read_only.contains(calendar) {
            return says(
                403,
                "requiredAccessLevel",
                "You need to have writer access to this calendar.",
            );
        }
        let given = event["id"].as_str().map(str::to_owned);
        let id = given.unwrap_or_else(|| format!("made{}", self.changes));
        if self.stored(calendar, &id).is_some() {
            return says(409, "duplicate", "The requested identifier already exists.");
        }
        event["id"] = id.into();
        self.take(calendar, event, asked)
    }

    fn take(&mut self, calendar: &str, event: Value, asked: &Asked) -> Response {
        for key in ["start", "end"] {
            if event[key]["date"].is_null() == event[key]["dateTime"].is_null() {
                return says(400, "invalid", "Invalid start time.");
            }
        }
        let event = self.put(calendar, event);
        answer(200, &part(&event, fields(asked).as_deref()))
    }
}

/// A list names of a cancelled instance no more than Google promises.
fn sparse(event: &Value, fields: Option<&str>) -> Value {
    let mut event = event.clone();
    if event["status"] == "cancelled" {
        let kept = [
            "id",
            "etag",
            "status",
            "recurringEventId",
            "originalStartTime",
            "kind",
        ];
        let fields = event.as_object_mut().expect("an event");
        fields.retain(|key, _| kept.contains(&key.as_str()));
    }
    part(&event, fields)
}

/// What `fields` names of an event.
fn fields(asked: &Asked) -> Option<String> {
    let all = asked.get("fields")?;
    let items = all.split_once("items(").map(|(_, rest)| rest);
    Some(
        items
            .map_or(all.as_str(), |rest| &rest[..rest.len() - 1])
            .to_owned(),
    )
}

fn part(event: &Value, fields: Option<&str>) -> Value {
    let Some(fields) = fields else {
        return event.clone();
    };
    let named: BTreeSet<&str> = fields
        .split(',')
        .map(|name| name.split('(').next().unwrap_or(name))
        .collect();
    let kept = event.as_object().expect("an event").iter();
    let kept: Map<String, Value> = kept
        .filter(|(key, _)| named.contains(key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    kept.into()
}

/// RFC 7396.
fn merge(into: &mut Value, patch: Value) {
    match patch {
        Value::Object(fields) => {
            for (key, value) in fields {
                merge(&mut into[key], value);
            }
        }
        other => *into = other,
    }
}

fn date(time: &Value) -> Option<NaiveDate> {
    time["date"].as_str()?.parse().ok()
}

fn time(time: &Value) -> Option<DateTime<chrono::FixedOffset>> {
    DateTime::parse_from_rfc3339(time["dateTime"].as_str()?).ok()
}
