//! The OAuth endpoints.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{CLIENT, Inner, ROBOT, SECRET, Shared, answer, pairs};

const PUBLIC: &[u8] = include_bytes!("../../data/google-key.public.der");

type Fields = BTreeMap<String, String>;

/// Where the person says yes or no: their browser is sent back at once.
pub async fn consent(State(shared): State<Arc<Shared>>, RawQuery(asked): RawQuery) -> Response {
    let asked = pairs(asked.unwrap_or_default().as_bytes());
    let mut inner = shared.lock();
    let back = &asked["redirect_uri"];
    let here = back.starts_with("http://127.0.0.1:");
    if !here || asked["client_id"] != CLIENT || asked["access_type"] != "offline" {
        return (StatusCode::BAD_REQUEST, "redirect_uri_mismatch").into_response();
    }
    let mut url = url::Url::parse(back).expect("an address");
    if inner.refuses {
        url.query_pairs_mut().append_pair("error", "access_denied");
    } else {
        inner.issued += 1;
        let code = format!("4/code-{}", inner.issued);
        let scopes = inner
            .allows
            .clone()
            .unwrap_or_else(|| asked["scope"].clone());
        inner.codes.insert(code.clone(), (back.clone(), scopes));
        url.query_pairs_mut().append_pair("code", &code);
    }
    url.query_pairs_mut().append_pair("state", &asked["state"]);
    (StatusCode::FOUND, [(header::LOCATION, url.to_string())]).into_response()
}

pub async fn token(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let form = pairs(&body);
    let mut inner = shared.lock();
    let given = match form["grant_type"].as_str() {
        "refresh_token" => known(&form).and_then(|()| refreshed(&inner, &form)),
        "authorization_code" => known(&form).and_then(|()| exchanged(&mut inner, &form)),
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => asserted(&inner, &form),
        _ => Err("unsupported_grant_type"),
    };
    let (refresh, scopes) = match given {
        Ok(given) => given,
        Err(word) => {
            let status = if word == "invalid_client" { 401 } else { 400 };
            let why = "Token has been expired or revoked.";
            return answer(status, &json!({ "error": word, "error_description": why }));
        }
    };
    inner.issued += 1;
    let access = format!("ya29.access-{}", inner.issued);
    inner.access.insert(access.clone());
    let mut body = json!({
        "access_token": access, "expires_in": 3599, "scope": scopes, "token_type": "Bearer",
    });
    if let Some(token) = refresh {
        body["refresh_token"] = token.into();
    }
    if inner.testing {
        body["refresh_token_expires_in"] = 604_799.into();
    }
    answer(200, &body)
}

type Given = Result<(Option<String>, String), &'static str>;

fn known(form: &Fields) -> Result<(), &'static str> {
    let is_known = form["client_id"] == CLIENT && form["client_secret"] == SECRET;
    is_known.then_some(()).ok_or("invalid_client")
}

fn refreshed(inner: &Inner, form: &Fields) -> Given {
    let scopes = inner.refresh.get(&form["refresh_token"]);
    let scopes = scopes.cloned().ok_or("invalid_grant")?;
    Ok((None, scopes))
}

fn exchanged(inner: &mut Inner, form: &Fields) -> Given {
    let (back, scopes) = inner.codes.remove(&form["code"]).ok_or("invalid_grant")?;
    if back != form["redirect_uri"] {
        return Err("redirect_uri_mismatch");
    }
    inner.issued += 1;
    let token = format!("1//refresh-{}", inner.issued);
    inner.refresh.insert(token.clone(), scopes.clone());
    Ok((Some(token), scopes))
}

/// RFC 7523, with RS256.
fn asserted(inner: &Inner, form: &Fields) -> Given {
    let (signed, signature) = form["assertion"].rsplit_once('.').ok_or("invalid_grant")?;
    let decoded = |text: &str| {
        let padded = BASE64_URL_SAFE.decode(text);
        padded.or_else(|_| BASE64_URL_SAFE_NO_PAD.decode(text))
    };
    let key = ring::signature::UnparsedPublicKey::new(
        &ring::signature::RSA_PKCS1_2048_8192_SHA256,
        PUBLIC,
    );
    let signature = decoded(signature).map_err(|_| "invalid_grant")?;
    key.verify(signed.as_bytes(), &signature)
        .map_err(|_| "invalid_grant")?;
    let claims = signed.split('.').nth(1).ok_or("invalid_grant")?;
    let claims = decoded(claims).map_err(|_| "invalid_grant")?;
    let claims: Value = serde_json::from_slice(&claims).map_err(|_| "invalid_grant")?;
    let lasts = claims["exp"].as_i64().unwrap_or(0) - claims["iat"].as_i64().unwrap_or(0);
    let right = claims["iss"] == ROBOT
        && claims["aud"] == format!("{}/token", inner.url)
        && (1..=3600).contains(&lasts);
    let scopes = claims["scope"].as_str().unwrap_or_default().to_owned();
    right.then_some((None, scopes)).ok_or("invalid_grant")
}
