//! The sign-in of a person: their browser comes back to a listener of this machine (RFC 8252, section 7.3) with a code, which
//! yup-oauth2 changes into a token.
//!
//! The listener is ours: yup-oauth2's own waits for ever when the person says no, and takes a code from anybody.

use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use google_calendar3::hyper_util::client::legacy::Client;
use google_calendar3::hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use yup_oauth2::authenticator_delegate::InstalledFlowDelegate;
use yup_oauth2::storage::{TokenInfo, TokenStorage, TokenStorageError};
use yup_oauth2::{
    CustomHyperClientBuilder, Error, InstalledFlowAuthenticator, InstalledFlowReturnMethod,
};

use super::account::{Write, client_secret, connector};
use super::call::root;
use super::probe;
use super::token::Kept;
use super::{READ, WRITE};
use crate::calendar::remote::RemoteError;
use crate::clock::{Clock, timeout};

/// How long the person has.
pub const SIGN_IN_LIMIT: Duration = Duration::from_secs(300);

/// What a sign-in is for.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// The account's name, `[google.NAME]`.
    pub name: &'a str,
    /// The OAuth client's secret: JSON.
    pub client: &'a str,
    /// Whether for changes too.
    pub write: Write,
    /// Where the browser comes back to, on 127.0.0.1; 0 is any free one.
    pub port: u16,
}

/// Has a person sign in: `show` is given the address that they have to open, and the port that their browser comes back to.
///
/// # Errors
/// `Refused`: they said no, or nothing for [`SIGN_IN_LIMIT`]; the port is taken. `SignIn`: the client is not one. `Net`.
pub async fn sign_in(
    asking: Asking<'_>,
    clock: &Arc<dyn Clock>,
    show: impl Fn(&str, u16) + Send + Sync + 'static,
) -> Result<Kept, RemoteError> {
    let secret = client_secret(asking.name, asking.client)?;
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, asking.port)).await;
    let taken = |error| {
        let port = asking.port;
        RemoteError::Refused(format!(
            "cannot listen on 127.0.0.1:{port}: {error}; try another `--port`"
        ))
    };
    let listener = bound.map_err(taken)?;
    let port = listener.local_addr().map_err(taken)?.port();
    let person = Person {
        back: format!("http://127.0.0.1:{port}"),
        state: clock.id().simple().to_string(),
        listener: Mutex::new(Some(listener)),
        show: Box::new(move |url| show(url, port)),
    };
    let caught = Caught::default();
    let client = CustomHyperClientBuilder::from(
        Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build::<_, String>(connector()?),
    );
    let built = InstalledFlowAuthenticator::with_client(
        secret.clone(),
        InstalledFlowReturnMethod::Interactive,
        client,
    )
    .flow_delegate(Box::new(person))
    .force_account_selection(true)
    .with_storage(Box::new(caught.clone()))
    .build()
    .await;
    let authenticator =
        built.map_err(|_| RemoteError::Answer("the sign-in cannot begin".to_owned()))?;
    let mut scopes = vec![READ];
    if asking.write == Write::Yes {
        scopes.push(WRITE);
    }
    match timeout(&**clock, SIGN_IN_LIMIT, authenticator.token(&scopes)).await {
        Err(_) => {
            let why = "nobody signed in within 5 minutes: run it again";
            return Err(RemoteError::Refused(why.to_owned()));
        }
        Ok(Err(error)) => return Err(refused(error)),
        Ok(Ok(_)) => {}
    }
    let token = caught.0.lock().ok().and_then(|mut caught| caught.take());
    let refresh_token = token.and_then(|token| token.refresh_token);
    let Some(refresh_token) = refresh_token else {
        let why = "Google gave no refresh token: run it again";
        return Err(RemoteError::Answer(why.to_owned()));
    };
    // What Google says beside a token comes with the next one, and the token is tried by that.
    let fresh = probe::refresh(&secret, &refresh_token, clock).await;
    let fresh = fresh.map_err(|failed| failed.into_remote(asking.name, asking.write))?;
    let now = clock.now();
    Ok(Kept {
        refresh_token,
        access_token: Some(fresh.access_token),
        expires_at: Some(now + fresh.lasts),
        granted_at: now,
        scopes: fresh
            .scopes
            .unwrap_or_else(|| scopes.into_iter().map(str::to_owned).collect()),
        ends_at: fresh.refresh_lasts.map(|lasts| now + lasts),
        email: None,
    })
}

fn refused(error: Error) -> RemoteError {
    let said = match error {
        Error::UserError(why) => why,
        Error::AuthError(error) => {
            format!("Google refuses: {}", probe::one_line(&error.to_string()))
        }
        Error::HttpClientError(error) => {
            return RemoteError::Net(format!("no way to Google's sign-in: {}", root(&error)));
        }
        _ => return RemoteError::Answer("Google's sign-in gave no token".to_owned()),
    };
    RemoteError::Refused(said)
}

/// Shows the address, and waits for what the browser brings.
struct Person {
    back: String,
    /// What only Google's answer to this question brings back (RFC 6749, section 10.12).
    state: String,
    listener: Mutex<Option<TcpListener>>,
    show: Box<dyn Fn(&str) + Send + Sync>,
}

impl InstalledFlowDelegate for Person {
    fn redirect_uri(&self) -> Option<&str> {
        Some(&self.back)
    }

    fn present_user_url<'a>(
        &'a self,
        url: &'a str,
        _: bool,
    ) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>> {
        Box::pin(async move {
            let listener = self.listener.lock().ok().and_then(|mut one| one.take());
            let listener = listener.ok_or("the sign-in was begun twice")?;
            (self.show)(&format!("{url}&state={}", self.state));
            let (brings, mut brought) = mpsc::channel(1);
            let router = Router::new()
                .fallback(came)
                .with_state((self.state.clone(), brings));
            tokio::select! {
                answer = brought.recv() => answer.unwrap_or_else(|| Err("the listener ended".to_owned())),
                _ = axum::serve(listener, router) => Err("the listener ended".to_owned()),
            }
        })
    }
}

type Brings = (String, mpsc::Sender<Result<String, String>>);

async fn came(
    State((state, brings)): State<Brings>,
    RawQuery(query): RawQuery,
) -> (StatusCode, &'static str) {
    let query = query.unwrap_or_default();
    let field = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    };
    if field("state").as_ref() != Some(&state) {
        return (
            StatusCode::BAD_REQUEST,
            "This is not what Reveille waits for.\n",
        );
    }
    let answer = match (field("code"), field("error")) {
        (Some(code), None) => Ok(code),
        (_, Some(error)) if error == "access_denied" => {
            Err("you said no in the browser: nothing was changed".to_owned())
        }
        (_, error) => {
            let error = error.unwrap_or_else(|| "it brought no code".to_owned());
            Err(format!("Google refuses: {}", probe::one_line(&error)))
        }
    };
    let words = match answer {
        Ok(_) => "Reveille has it. You may close this window.\n",
        Err(_) => "Reveille has got no permission. You may close this window.\n",
    };
    // A second answer is nobody's.
    let _ = brings.try_send(answer);
    (StatusCode::OK, words)
}

/// Where the token comes to, refresh token and all.
#[derive(Clone, Default)]
struct Caught(Arc<Mutex<Option<TokenInfo>>>);

#[async_trait::async_trait]
impl TokenStorage for Caught {
    async fn set(&self, _: &[&str], token: TokenInfo) -> Result<(), TokenStorageError> {
        if let Ok(mut caught) = self.0.lock() {
            *caught = Some(token);
        }
        Ok(())
    }

    async fn get(&self, _: &[&str]) -> Option<TokenInfo> {
        None
    }
}
