//! Why there was no answer: whether the request left, and what stood in its way.
//!
//! The texts are for people. A secret cannot enter: of a foreign error only its innermost text is
//! kept, which tells of names, certificates and connections.

use super::answer::Unread;
use rustls::CertificateError;
use std::error::Error;
use std::fmt;

/// A request was not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// It never left: whatever it asked for has not been done.
    #[error("could not connect to {host}{}: {obstacle}", via(.proxy.as_deref()))]
    NotSent {
        /// Whom it was for.
        host: String,
        /// The proxy on the way, if there is one.
        proxy: Option<String>,
        /// What stood in the way.
        obstacle: Obstacle,
        /// In the words of whoever found out.
        #[source]
        cause: Cause,
    },
    /// It left, or may have, and no complete answer came: what it asked for may have been done.
    #[error("{host} was asked and {loss}")]
    NoAnswer {
        /// Who was asked.
        host: String,
        /// What came instead.
        loss: Loss,
        /// In the words of whoever found out.
        #[source]
        cause: Option<Cause>,
    },
    /// No request could be made at all.
    #[error("requests cannot be made with these settings")]
    Settings(#[from] SettingsError),
}

/// What stands in the way of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// The name is not known.
    Name,
    /// Nobody there listens, or the network does not lead there.
    Network,
    /// It took too long.
    Timeout,
    /// Its certificate is not issued by an authority that we trust: most often a proxy that
    /// inspects TLS and whose authority was not given.
    Untrusted,
    /// Its certificate is for another name, has expired, or is otherwise unfit.
    Certificate,
    /// The TLS handshake failed for another reason.
    Tls,
    /// The request itself makes no sense.
    Request,
}

impl Obstacle {
    /// Whether it may be gone in a moment. A certificate does not mend itself.
    pub fn may_pass(self) -> bool {
        matches!(self, Self::Name | Self::Network | Self::Timeout)
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "its name could not be resolved",
            Self::Network => "the network does not lead there",
            Self::Timeout => "it took too long",
            Self::Untrusted => "its certificate is not issued by an authority that we trust",
            Self::Certificate => "its certificate does not suit it",
            Self::Tls => "the TLS handshake failed",
            Self::Request => "the request makes no sense",
        })
    }
}

/// What came instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// Nothing, for as long as we waited.
    Timeout,
    /// The connection ended before the answer did.
    Broken,
    /// More than we read.
    TooLong,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => {
                write!(f, "did not answer in {} s", super::WHOLE_TIMEOUT.as_secs())
            }
            Self::Broken => f.write_str("the connection broke before the answer was complete"),
            Self::TooLong => {
                write!(f, "answered with more than {} MiB", super::MAX_BODY / (1024 * 1024))
            }
        }
    }
}

/// Settings that no client can be made from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The given authorities.
    #[error("the file of certificate authorities cannot be used: {0}")]
    Authorities(String),
    /// The authorities of the platform.
    #[error("the certificate authorities of this machine cannot be used: {0}")]
    Platform(String),
    /// The proxy.
    #[error("the address of the proxy cannot be used: {0}")]
    Proxy(&'static str),
    /// Something else, which should not be possible.
    #[error("the HTTP client cannot be built: {0}")]
    Client(String),
}

/// The innermost text of a foreign error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause(String);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Cause {}

impl HttpError {
    /// Whether it is certain that the request never left.
    pub fn never_left(&self) -> bool {
        matches!(self, Self::NotSent { .. } | Self::Settings(_))
    }

    /// What stood in the way, if it never left.
    pub fn obstacle(&self) -> Option<Obstacle> {
        match self {
            Self::NotSent { obstacle, .. } => Some(*obstacle),
            Self::NoAnswer { .. } | Self::Settings(_) => None,
        }
    }

    pub(super) fn cause(&self) -> Option<String> {
        self.source().map(ToString::to_string)
    }

    pub(super) fn sending(host: String, proxy: Option<String>, error: reqwest::Error) -> Self {
        let error = error.without_url();
        let cause = Cause::of(&error);
        if !error.is_connect() && !error.is_builder() {
            let loss = if error.is_timeout() { Loss::Timeout } else { Loss::Broken };
            return Self::NoAnswer { host, loss, cause: Some(cause) };
        }
        Self::NotSent { host, proxy, obstacle: obstacle(&error), cause }
    }

    pub(super) fn lost(host: String, unread: Unread) -> Self {
        match unread {
            Unread::TooLong => Self::NoAnswer { host, loss: Loss::TooLong, cause: None },
            Unread::Broken(error) => {
                let error = error.without_url();
                let loss = if error.is_timeout() { Loss::Timeout } else { Loss::Broken };
                Self::NoAnswer { host, loss, cause: Some(Cause::of(&error)) }
            }
        }
    }
}

fn via(proxy: Option<&str>) -> String {
    proxy.map(|proxy| format!(" through the proxy {proxy}")).unwrap_or_default()
}

fn obstacle(error: &reqwest::Error) -> Obstacle {
    if error.is_builder() {
        return Obstacle::Request;
    }
    match tls(error) {
        // The second is what an authority of the same name and another key looks like: one that
        // was made anew.
        Some(rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        )) => Obstacle::Untrusted,
        Some(rustls::Error::InvalidCertificate(_)) => Obstacle::Certificate,
        Some(_) => Obstacle::Tls,
        None if error.is_dns() => Obstacle::Name,
        None if error.is_timeout() => Obstacle::Timeout,
        None => Obstacle::Network,
    }
}

/// The errors of a chain, from the outermost in. What an `io::Error` was made of is no `source` of
/// it, and would be passed over.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        match wrapped {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

fn tls(error: &reqwest::Error) -> Option<&rustls::Error> {
    chain(error).find_map(|error| error.downcast_ref())
}

impl Cause {
    fn of(error: &reqwest::Error) -> Self {
        let text = chain(error).last().map(ToString::to_string).unwrap_or_default();
        // Some libraries end with the address of a page for programmers.
        Self(text.split(": https://").next().unwrap_or_default().to_owned())
    }
}
