//! Which key and which certificate, and whether they are fit for use.

use super::contents::{Found, FoundKey, KeyDer};
use super::der;
use super::error::{ImportError, MAX_BITS, MIN_BITS};
use super::{ImportWarning, Imported};
use crate::certificate::{self, CertificateInfo, KeyAlgorithm};
use crate::keystore::signing::{RsaKey, RsaKeyError};
use crate::ports::CertificateDer;
use rollkey_core::{MAX_CLOCK_ERROR, Thumbprint, Timestamp};
use std::sync::Arc;

/// Chooses the key that fits a valid certificate, and puts the issuers of that behind it.
pub(super) fn judge(found: Found, now: Timestamp) -> Result<Imported, ImportError> {
    let Found { keys, certificates, mut warnings } = found;
    if certificates.is_empty() {
        return Err(ImportError::NoCertificate);
    }
    if keys.is_empty() {
        return Err(ImportError::NoKey);
    }
    let usable = usable(&keys)?;
    let (key, leaf) = choose(&usable, &certificates, now)?;

    let chain = chain(leaf, &certificates);
    let unrelated = certificates.iter().filter(|(_, info)| !chain.contains(&info.thumbprint));
    warnings
        .extend(unrelated.map(|(_, info)| ImportWarning::UnrelatedCertificate(info.thumbprint)));
    let unused = keys.iter().enumerate().filter(|(n, _)| !key.same.contains(n));
    warnings.extend(unused.map(|(_, other)| ImportWarning::UnusedKey(other.algorithm.clone())));
    let by_thumbprint = |wanted: &Thumbprint| {
        certificates.iter().find(|(_, info)| info.thumbprint == *wanted).map(|(der, _)| der.clone())
    };
    Ok(Imported {
        certificates: chain.iter().filter_map(by_thumbprint).collect(),
        private_key: key.key.to_pkcs8().map_err(|source| key.unreadable(source))?,
        key: Arc::clone(&key.key),
        info: leaf.clone(),
        warnings,
    })
}

/// A key that could sign, and where it stands among those that were found. The same key may well
/// stand in both of two files.
struct Usable<'a> {
    key: Arc<RsaKey>,
    place: &'a str,
    same: Vec<usize>,
}

impl Usable<'_> {
    fn unreadable(&self, source: RsaKeyError) -> ImportError {
        ImportError::UnreadableKey { place: self.place.to_owned(), source }
    }
}

/// The keys that could sign; if there is none, what is wrong with the first.
fn usable(keys: &[FoundKey]) -> Result<Vec<Usable<'_>>, ImportError> {
    let mut usable: Vec<Usable<'_>> = Vec::new();
    let mut refusal = None;
    for (n, found) in keys.iter().enumerate() {
        match read(found) {
            Ok(key) => match usable.iter_mut().find(|there| there.key.spki() == key.spki()) {
                Some(there) => there.same.push(n),
                None => {
                    usable.push(Usable { key: Arc::new(key), place: &found.place, same: vec![n] })
                }
            },
            Err(error) => _ = refusal.get_or_insert(error),
        }
    }
    match refusal {
        Some(error) if usable.is_empty() => Err(error),
        _ => Ok(usable),
    }
}

fn read(found: &FoundKey) -> Result<RsaKey, ImportError> {
    let unreadable = |source| ImportError::UnreadableKey { place: found.place.clone(), source };
    let Some(key) = &found.der else {
        return Err(ImportError::KeyType { algorithm: found.algorithm.clone() });
    };
    let bits = match key {
        KeyDer::Pkcs8(der) => der::pkcs8_rsa_bits(der.expose()),
        KeyDer::Pkcs1(der) => der::pkcs1_bits(der.expose()),
    };
    match bits {
        Some(bits) if bits < MIN_BITS => return Err(ImportError::KeyTooSmall { bits }),
        Some(bits) if bits > MAX_BITS => return Err(ImportError::KeyTooLarge { bits }),
        // What it is, the one who can read it will say.
        _ => (),
    }
    match key {
        KeyDer::Pkcs8(der) => RsaKey::from_pkcs8(der.expose()),
        KeyDer::Pkcs1(der) => RsaKey::from_pkcs1(der.expose()),
    }
    .map_err(unreadable)
}

/// The one pair that is valid now.
fn choose<'a, 'k>(
    keys: &'a [Usable<'k>],
    certificates: &'a [(CertificateDer, CertificateInfo)],
    now: Timestamp,
) -> Result<(&'a Usable<'k>, &'a CertificateInfo), ImportError> {
    let pairs: Vec<_> = keys
        .iter()
        .flat_map(|key| certificates.iter().map(move |certificate| (key, certificate)))
        .filter(|(key, (der, _))| key.key.fits(der))
        .map(|(key, (_, info))| (key, info))
        .collect();
    let thumbprints = |infos: &mut dyn Iterator<Item = &CertificateInfo>| {
        infos.map(|info| info.thumbprint).collect::<Vec<_>>()
    };
    let sound: Vec<_> =
        pairs.iter().copied().filter(|(_, info)| refusal(info, now).is_none()).collect();
    match (&sound[..], pairs.iter().max_by_key(|(_, info)| info.not_after)) {
        ([one], _) => Ok(*one),
        ([], None) => Err(ImportError::DoesNotFit {
            certificates: thumbprints(&mut certificates.iter().map(|(_, info)| info)),
        }),
        // Of several that are of no use, the latest is the one that was meant.
        ([], Some((_, info))) => Err(refusal(info, now).unwrap_or(ImportError::NoCertificate)),
        (several, _) => Err(ImportError::Ambiguous {
            certificates: thumbprints(&mut several.iter().map(|(_, info)| *info)),
        }),
    }
}

/// What is wrong with a certificate that fits its key.
fn refusal(info: &CertificateInfo, now: Timestamp) -> Option<ImportError> {
    let certificate = info.thumbprint;
    match info {
        _ if info.key.algorithm != KeyAlgorithm::Rsa => {
            Some(ImportError::KeyType { algorithm: info.key.algorithm.clone() })
        }
        _ if info.not_after <= now => {
            Some(ImportError::Expired { certificate, not_after: info.not_after })
        }
        _ if info.not_before > now + MAX_CLOCK_ERROR => {
            Some(ImportError::NotYetValid { certificate, not_before: info.not_before })
        }
        _ => None,
    }
}

/// `leaf` and the issuers above it, as far as they are there.
fn chain(
    leaf: &CertificateInfo,
    certificates: &[(CertificateDer, CertificateInfo)],
) -> Vec<Thumbprint> {
    let mut chain = vec![leaf.thumbprint];
    let mut below = leaf;
    while !below.self_signed {
        let of_below = certificates.iter().find(|(_, info)| info.thumbprint == below.thumbprint);
        let above = certificates.iter().find(|(der, info)| {
            // Each comes once only: names can go round in circles.
            !chain.contains(&info.thumbprint)
                && of_below.is_some_and(|(below, _)| certificate::issued_by(below, der))
        });
        let Some((_, above)) = above else { break };
        chain.push(above.thumbprint);
        below = above;
    }
    chain
}
