//! The GUIDs of Entra, each a type of its own: an [`ObjectId`] is not an [`AppId`] is not a
//! [`KeyId`]. Most refused proofs come from one standing where another belongs.
//!
//! ```
//! # use rollkey_core::{Algorithm, ObjectId, Timestamp, Thumbprint, UnsignedProof};
//! # fn f(id: ObjectId, signer: Thumbprint, now: Timestamp) {
//! let proof = UnsignedProof::new(id, signer, Algorithm::Rs256, now);
//! # }
//! ```
//!
//! With an application ID this does not compile:
//!
//! ```compile_fail,E0308
//! # use rollkey_core::{Algorithm, AppId, Timestamp, Thumbprint, UnsignedProof};
//! # fn f(id: AppId, signer: Thumbprint, now: Timestamp) {
//! let proof = UnsignedProof::new(id, signer, Algorithm::Rs256, now);
//! # }
//! ```

use std::fmt;
use std::str::FromStr;

/// A text that is no GUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseIdError {
    /// Not 36 characters.
    Length(usize),
    /// Neither a hexadecimal digit nor a hyphen in its place, at this position from 0.
    Character(usize),
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(n) => write!(
                f,
                "not a GUID: it has {n} characters, not 36 as in 01234567-89ab-cdef-0123-456789abcdef"
            ),
            Self::Character(at) => write!(f, "not a GUID: character {} is out of place", at + 1),
        }
    }
}

impl std::error::Error for ParseIdError {}

const HYPHENS: [usize; 4] = [8, 13, 18, 23];

fn parse(text: &str) -> Result<[u8; 16], ParseIdError> {
    if text.chars().count() != 36 {
        return Err(ParseIdError::Length(text.chars().count()));
    }
    let mut bytes = [0; 16];
    let mut digits = 0;
    for (at, c) in text.chars().enumerate() {
        if HYPHENS.contains(&at) {
            if c != '-' {
                return Err(ParseIdError::Character(at));
            }
            continue;
        }
        let digit = c.to_digit(16).ok_or(ParseIdError::Character(at))? as u8;
        bytes[digits / 2] = bytes[digits / 2] * 16 + digit;
        digits += 1;
    }
    Ok(bytes)
}

fn write(bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (n, byte) in bytes.iter().enumerate() {
        if matches!(n, 4 | 6 | 8 | 10) {
            f.write_str("-")?;
        }
        write!(f, "{byte:02x}")?;
    }
    Ok(())
}

macro_rules! guid {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Read in any case, shown in lower case with hyphens.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The id with these bytes, in the order in which they are written.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The bytes in the order in which they are written.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

guid! {
    /// `id` of an application or of a service principal in Graph: what addresses it, and the
    /// issuer of a proof of possession. Not the [`AppId`].
    ObjectId
}
guid! {
    /// `appId` of an application, which login calls `client_id`: the issuer of a client assertion.
    AppId
}
guid! {
    /// `keyId` of a key credential, given by Graph when the key is registered.
    KeyId
}
guid! {
    /// The directory in which an application lives.
    TenantId
}
guid! {
    /// `jti` of a token that we make.
    TokenId
}

impl TokenId {
    /// Makes 16 random bytes into a GUID of version 4: six of the bits are not random.
    pub const fn random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = 0x40 + bytes[6] % 0x10;
        bytes[8] = 0x80 + bytes[8] % 0x40;
        Self(bytes)
    }
}
