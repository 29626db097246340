//! The clouds: where login and Graph are, and which scope a token for Graph needs.
//!
//! Addresses only. No request is made here and no secret comes in. A tenant lives in one cloud,
//! tokens do not pass between them, and so both addresses always come from the same [`Cloud`].
//!
//! # Source
//!
//! Microsoft Graph documentation, "National cloud deployments"; for China's login,
//! "Certificate credentials" at docs.azure.cn.

use reqwest::Url;
use rollkey_core::TenantId;
use std::fmt;
use std::str::FromStr;

/// A pair of login and Graph that belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cloud {
    /// The public cloud, GCC included.
    #[default]
    Global,
    /// US Government L4 (GCC High).
    UsGovL4,
    /// US Government L5 (DoD). Its login is that of L4.
    UsGovL5,
    /// China, operated by 21Vianet.
    China,
    /// Another: an emulator, or a cloud that is newer than this version.
    Custom {
        /// Where tokens are had.
        login: BaseUrl,
        /// Where the directory is.
        graph: BaseUrl,
    },
}

impl Cloud {
    /// The clouds that have a name.
    pub const NAMED: [Cloud; 4] = [Cloud::Global, Cloud::UsGovL4, Cloud::UsGovL5, Cloud::China];

    /// A cloud with these two addresses, each `https://host` or `https://host:port`.
    ///
    /// # Errors
    ///
    /// If one of them is anything else.
    pub fn custom(login: &str, graph: &str) -> Result<Self, CloudError> {
        let address = |which, url: &str| {
            url.parse().map_err(|problem| CloudError::Address { which, url: shown(url), problem })
        };
        Ok(Self::Custom { login: address("login", login)?, graph: address("graph", graph)? })
    }

    /// Its name in configuration; `custom` has none of its own.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGovL4 => "us-gov-l4",
            Self::UsGovL5 => "us-gov-l5",
            Self::China => "china",
            Self::Custom { .. } => "custom",
        }
    }

    /// Where tokens are had: `https://host`, without a slash at its end.
    pub fn login(&self) -> &str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGovL4 | Self::UsGovL5 => "https://login.microsoftonline.us",
            // The documentation of Graph still names `login.chinacloudapi.cn`; Microsoft's own
            // libraries take both for one and prefer this.
            Self::China => "https://login.partner.microsoftonline.cn",
            Self::Custom { login, .. } => login.as_str(),
        }
    }

    /// Where the directory is: `https://host`, without a slash at its end.
    pub fn graph(&self) -> &str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGovL4 => "https://graph.microsoft.us",
            Self::UsGovL5 => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
            Self::Custom { graph, .. } => graph.as_str(),
        }
    }

    /// The scope of a token for Graph.
    pub fn graph_scope(&self) -> String {
        format!("{}/.default", self.graph())
    }

    /// Where the applications of a tenant sign in, and the audience of their assertions.
    pub fn token_endpoint(&self, tenant: TenantId) -> String {
        format!("{}/{tenant}/oauth2/v2.0/token", self.login())
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Cloud {
    type Err = CloudError;

    fn from_str(name: &str) -> Result<Self, CloudError> {
        Self::NAMED
            .into_iter()
            .find(|cloud| cloud.name() == name)
            .ok_or_else(|| CloudError::Name(name.to_owned()))
    }
}

/// `https://host` or `https://host:port`, and nothing after it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    /// One slash at the end is passed over.
    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        let url = Url::parse(text).map_err(|_| BaseUrlError::NotAUrl)?;
        if url.scheme() != "https" {
            return Err(BaseUrlError::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Query);
        }
        if url.path() != "/" {
            return Err(BaseUrlError::Path);
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Not the address of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseUrlError {
    /// Not a URL.
    #[error("it is not a URL like https://host")]
    NotAUrl,
    /// Secrets are sent there.
    #[error("it is not https")]
    NotHttps,
    /// A name or a password before the host.
    #[error("it names a user")]
    UserInfo,
    /// A query or a fragment.
    #[error("it has a query or a fragment")]
    Query,
    /// The paths of the services are ours to add.
    #[error("it has a path")]
    Path,
}

/// A cloud that we do not know, or whose address makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloudError {
    /// No cloud has this name.
    #[error("no cloud is named `{0}`: expected global, us-gov-l4, us-gov-l5 or china")]
    Name(String),
    /// One of the addresses of a custom cloud.
    #[error("the {which} address `{url}` cannot be used: {problem}")]
    Address {
        /// `login` or `graph`.
        which: &'static str,
        /// As it was written, without user and query.
        url: String,
        /// What is wrong with it.
        problem: BaseUrlError,
    },
}

/// An address as far as it may be shown: a refused one may hold a password.
fn shown(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) => format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default()),
        Err(_) => {
            let bare = url.split(['?', '#']).next().unwrap_or_default();
            bare.rsplit('@').next().unwrap_or_default().to_owned()
        }
    }
}
