//! Keys that people bring: taken into custody as the current one.

use super::{FileKeystore, key_file, state};
use crate::import::Imported;
use crate::keystore::{Adoption, CustodyError, Roster};
use fail::fail_point;
use rollkey_core::{Held, Slot, Timestamp};

impl FileKeystore {
    /// Takes a key that people brought into custody, as the current one.
    ///
    /// Doing it twice does no harm.
    ///
    /// # Errors
    ///
    /// If there is another current key, or those of a change.
    pub async fn import(&self, material: &Imported, now: Timestamp) -> Result<Held, CustodyError> {
        self.take_in(material, now, Roster::adopt).await
    }

    /// As [`import`](Self::import), but a key that is current becomes a previous one: for when
    /// somebody registered another by hand, because no key that is held was accepted any more.
    ///
    /// # Errors
    ///
    /// If the key is held in another slot, or those of a change.
    pub async fn replace(&self, material: &Imported, now: Timestamp) -> Result<Held, CustodyError> {
        self.take_in(material, now, Roster::supersede).await
    }

    async fn take_in(
        &self,
        material: &Imported,
        now: Timestamp,
        place: fn(&mut Roster, Held) -> Result<Adoption, CustodyError>,
    ) -> Result<Held, CustodyError> {
        let _custody = self.custody().await?;
        let held = Held {
            thumbprint: material.info().thumbprint,
            slot: Slot::Current,
            since: now,
            not_after: material.info().not_after,
        };
        let mut roster = self.look()?;
        if let Adoption::Already(there) = place(&mut roster, held)? {
            return Ok(there);
        }
        key_file::write(
            &self.folder,
            held.thumbprint,
            material.certificates(),
            material.private_key(),
        )?;
        fail_point!("keystore::import::key_written");
        state::write(&self.folder, &roster)?;
        fail_point!("keystore::import::state_switched");
        Ok(held)
    }
}
