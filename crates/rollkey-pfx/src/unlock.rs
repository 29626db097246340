//! Tries a password, in all its forms, on what is locked with it, and keeps the account.
//!
//! Whoever wants to derive a key from the password must come through here, so that no derivation
//! escapes the limits. It does not know the structure of the file.

use zeroize::Zeroizing;

use crate::ber;
use crate::error::ReadError;
use crate::limits::{Limits, Work};
use crate::mac::Mac;
use crate::password::Forms;
use crate::scheme::Scheme;

/// A password at work on one file.
pub(crate) struct Unlocker<'l> {
    forms: Forms,
    work: Work<'l>,
    limits: &'l Limits,
    proven: bool,
}

impl<'l> Unlocker<'l> {
    pub(crate) fn new(password: &str, limits: &'l Limits) -> Self {
        Self { forms: Forms::of(password), work: Work::new(limits), limits, proven: false }
    }

    /// Whether the password has fitted anything yet.
    pub(crate) fn is_proven(&self) -> bool {
        self.proven
    }

    pub(crate) fn max_depth(&self) -> u8 {
        self.limits.max_depth
    }

    /// Whether the checksum is that of `content` under this password.
    pub(crate) fn verify(&mut self, mac: &Mac, content: &[u8]) -> Result<bool, ReadError> {
        let (iterations, rounds) = mac.cost();
        for index in 0..self.forms.family(mac.family()).len() {
            self.work.book(iterations, rounds)?;
            if mac.verify(&self.forms.family(mac.family())[index], content) {
                self.forms.prefer(mac.family(), index);
                self.proven = true;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Decrypts `data`, or nothing if this password does not.
    ///
    /// Everything that a PFX file encrypts is a SEQUENCE. What decrypts to something else was not
    /// decrypted; good padding alone comes about by chance once in 256 times.
    pub(crate) fn decrypt(
        &mut self,
        scheme: &Scheme,
        data: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, ReadError> {
        let (iterations, rounds) = scheme.cost();
        for index in 0..self.forms.family(scheme.family()).len() {
            self.work.book(iterations, rounds)?;
            let plain = scheme.decrypt(&self.forms.family(scheme.family())[index], data);
            if let Some(plain) = plain
                && ber::is_one_sequence(&plain, self.limits.max_depth)
            {
                self.forms.prefer(scheme.family(), index);
                self.proven = true;
                return Ok(Some(plain));
            }
        }
        Ok(None)
    }
}
