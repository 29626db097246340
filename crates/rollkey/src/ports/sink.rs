//! The door to consumers. No adapter is named here.

use super::{BoxError, CertificateDer};
use crate::secret::SecretBytes;
use futures_util::future::BoxFuture;
use rollkey_core::{Delivered, Generation, SinkId, Thumbprint, Timestamp};

/// What a sink is given.
pub struct Delivery {
    /// The key's certificate, followed by those of its issuers if there are any.
    pub certificates: Vec<CertificateDer>,
    /// The private key as PKCS#8; `None` where it cannot leave its keystore.
    pub private_key: Option<SecretBytes>,
    /// Which key this is.
    pub thumbprint: Thumbprint,
    /// What the keystore was seen at. An older one than the sink holds is refused.
    pub generation: Generation,
    /// What the consumers' application is called, for friendly names.
    pub application: String,
}

/// Where consumers read the key that they are to use.
pub trait Sink: Send + Sync {
    /// What an operator calls it, unique for the application.
    fn name(&self) -> &str;

    /// What consumers read now, and since when; `None` if nothing was delivered completely, its
    /// notification included.
    fn delivered(&self) -> BoxFuture<'_, Result<Option<Delivered>, SinkError>>;

    /// Puts the key where consumers read it, and tells them. Doing it twice does no harm.
    ///
    /// # Errors
    ///
    /// A failed notification is a failed delivery: the consumers hold the new key or do not, and
    /// nobody knows. It must be tried again.
    fn deliver<'a>(
        &'a self,
        delivery: &'a Delivery,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), SinkError>>;
}

/// A delivery did not succeed, or a sink could not say what it holds.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The sink holds the key of a later generation. Look again.
    #[error("sink `{sink}` holds generation {}, later than {}", .holds.0, .offered.0)]
    Newer {
        /// Its name.
        sink: String,
        /// What it holds.
        holds: Generation,
        /// What it was offered.
        offered: Generation,
    },
    /// The key cannot leave its keystore, and this sink has no use for a certificate alone.
    #[error("sink `{sink}` needs the private key, which cannot leave its keystore")]
    KeyStays {
        /// Its name.
        sink: String,
    },
    /// It could not be read or written. Try again when the cause is mended.
    #[error("sink `{sink}` could not {action} {place}")]
    Io {
        /// Its name.
        sink: String,
        /// `read`, `write`, …
        action: &'static str,
        /// The file or folder.
        place: String,
        /// Why not.
        #[source]
        source: BoxError,
    },
    /// What it holds was not put there by us, or does not make sense. Nothing was changed.
    #[error("sink `{sink}` at {place}: {problem}")]
    Foreign {
        /// Its name.
        sink: String,
        /// The file or folder.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A command of the sink, or its notification, failed.
    #[error("sink `{sink}`: the {role} command {outcome}{}", if .stderr.is_empty() { String::new() } else { format!(": {stderr}") })]
    Command {
        /// Its name.
        sink: String,
        /// `exec` or `notify`.
        role: &'static str,
        /// `exited with 1`, `was killed by signal 9`, `did not start: …`, `did not end in 60s`.
        outcome: String,
        /// The last line that it wrote to standard error.
        stderr: String,
    },
}

/// The sinks of one application, in the order of their [`SinkId`]s.
pub type Sinks = Vec<Box<dyn Sink>>;

/// The id of the n-th sink.
pub fn sink_id(n: usize) -> SinkId {
    SinkId(u8::try_from(n).unwrap_or(u8::MAX))
}
