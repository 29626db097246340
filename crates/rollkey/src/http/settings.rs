//! What an operator may say about connections: whom to trust, and which proxy to go through.
//!
//! The one place that names the TLS provider. It is never installed for the whole process: a
//! service that uses this library may have another.

use super::error::SettingsError;
use super::{CONNECT_TIMEOUT, IDLE_TIMEOUT, WHOLE_TIMEOUT};
use crate::ports::CertificateDer;
use reqwest::Url;
use rustls::RootCertStore;
use rustls_platform_verifier::Verifier;
use std::fmt;
use std::sync::Arc;

/// How to connect.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Whose certificates are believed.
    pub trust: Trust,
    /// What to go through. The library reads no environment variable; a command may pass
    /// `HTTPS_PROXY` and `NO_PROXY` on.
    pub proxy: Option<Proxy>,
}

/// Whose certificates are believed.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// The authorities of this machine.
    #[default]
    Platform,
    /// Those, and these: what a `ca-file` means. A proxy that inspects TLS lets some hosts pass
    /// uninspected, often those of Microsoft's login; so both kinds are needed at once.
    PlatformAnd(Vec<CertificateDer>),
    /// These alone: for an emulator, so that its client cannot talk to the real service by
    /// mistake. Nothing is read from this machine.
    Only(Vec<CertificateDer>),
}

impl Trust {
    /// The certificates of a PEM file, one at least.
    ///
    /// # Errors
    ///
    /// If it is no PEM, or holds none.
    pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer>, SettingsError> {
        let blocks = pem::parse_many(pem)
            .map_err(|error| SettingsError::Authorities(format!("not PEM: {error}")))?;
        let certificates: Vec<_> = blocks
            .into_iter()
            .filter(|block| block.tag() == "CERTIFICATE")
            .map(|block| CertificateDer(block.into_contents()))
            .collect();
        match certificates.is_empty() {
            true => Err(SettingsError::Authorities("it holds no certificate".to_owned())),
            false => Ok(certificates),
        }
    }
}

/// An HTTP proxy.
#[derive(Clone)]
pub struct Proxy {
    url: Url,
    bypass: Option<String>,
}

impl Proxy {
    /// A proxy at `http://[user:password@]host[:port]` or `https://…`, and the hosts that are not
    /// reached through it, as `NO_PROXY` lists them.
    ///
    /// # Errors
    ///
    /// If the address is anything else.
    pub fn new(url: &str, bypass: Option<&str>) -> Result<Self, SettingsError> {
        let url = Url::parse(url).map_err(|_| SettingsError::Proxy("it is not a URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(SettingsError::Proxy("it is neither http nor https"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(SettingsError::Proxy("it names no host"));
        }
        Ok(Self { url, bypass: bypass.map(str::to_owned) })
    }

    /// Its address as it may be shown: without user and password.
    pub fn address(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{}://{host}:{port}", self.url.scheme()),
            None => format!("{}://{host}", self.url.scheme()),
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({})", self.address())
    }
}

impl Settings {
    pub(super) fn client(&self, user_agent: &str) -> Result<reqwest::Client, SettingsError> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls()?)
            .https_only(true)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(WHOLE_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .user_agent(user_agent);
        if let Some(proxy) = &self.proxy {
            let bypass = proxy.bypass.as_deref().and_then(reqwest::NoProxy::from_string);
            let proxy = reqwest::Proxy::all(proxy.url.clone())
                .map_err(|_| SettingsError::Proxy("it is refused"))?;
            builder = builder.proxy(proxy.no_proxy(bypass));
        }
        builder.build().map_err(|error| SettingsError::Client(error.to_string()))
    }

    fn tls(&self) -> Result<rustls::ClientConfig, SettingsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| SettingsError::Client(error.to_string()))?;
        let extra = match &self.trust {
            Trust::Platform => [].as_slice(),
            Trust::PlatformAnd(extra) => extra,
            Trust::Only(only) => {
                return Ok(builder.with_root_certificates(store(only)?).with_no_client_auth());
            }
        };
        // Not every verifier says which of the extra ones it cannot read.
        store(extra)?;
        let extra = extra.iter().map(|der| der.0.clone().into());
        let verifier = Verifier::new_with_extra_roots(extra, provider)
            .map_err(|error| SettingsError::Platform(error.to_string()))?;
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        Ok(builder.with_no_client_auth())
    }
}

fn store(certificates: &[CertificateDer]) -> Result<RootCertStore, SettingsError> {
    let mut store = RootCertStore::empty();
    for (n, der) in certificates.iter().enumerate() {
        store.add(der.0.clone().into()).map_err(|error| {
            SettingsError::Authorities(format!("certificate {}: {error}", n + 1))
        })?;
    }
    Ok(store)
}
