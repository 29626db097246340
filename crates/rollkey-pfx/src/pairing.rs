//! Puts each private key together with its certificate and the chain above it.
//!
//! The order of certificates in a file means nothing: Java writes the leaf first, OpenSSL can be
//! made to write it last. What decides is, first, whether the public key fits, and only then the
//! link that the file states (`localKeyId`), because links have been seen to be wrong and keys
//! cannot be. No signature is verified: a chain here is an order of names, not of trust.

use crate::contents::{CertificateBag, Contents, KeyBag};
use crate::public_key::{Fit, Names, fit};

/// A private key with what belongs to it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Identity<'a> {
    /// The private key.
    pub key: &'a KeyBag,
    /// Its certificate, the leaf. None if the file holds none, or none that can be told.
    pub certificate: Option<&'a CertificateBag>,
    /// The certificates above the leaf, its issuer first. Each is the issuer of the one before *by
    /// name*; the chain ends with a self-issued certificate, or where the file has no more.
    pub chain: Vec<&'a CertificateBag>,
    /// How the certificate was found.
    pub matched_by: Option<MatchedBy>,
}

/// How a certificate was found for a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MatchedBy {
    /// Its public key is that of the private key. As sure as can be.
    PublicKey,
    /// The file says so, by `localKeyId`, and the public keys could not be compared.
    LocalKeyId,
}

impl Contents {
    /// Each private key with its certificate and chain, in the order of the keys in the file.
    ///
    /// If several certificates fit a key (it was certified anew), the one with the same
    /// `localKeyId` is taken, else the first.
    pub fn identities(&self) -> Vec<Identity<'_>> {
        self.keys.iter().map(|key| self.identity_of(key)).collect()
    }

    fn identity_of<'a>(&'a self, key: &'a KeyBag) -> Identity<'a> {
        let linked = |certificate: &&CertificateBag| {
            key.local_key_id.is_some() && key.local_key_id == certificate.local_key_id
        };
        let with_fit = |wanted: Fit| {
            let fits = move |bag: &&CertificateBag| fit(key.pkcs8.as_der(), &bag.der) == wanted;
            self.certificates.iter().filter(fits)
        };
        let by_key = with_fit(Fit::Yes).find(linked).or_else(|| with_fit(Fit::Yes).next());
        let (certificate, matched_by) = match by_key {
            Some(certificate) => (Some(certificate), Some(MatchedBy::PublicKey)),
            None => {
                let certificate = with_fit(Fit::Unknown).find(linked);
                (certificate, certificate.map(|_| MatchedBy::LocalKeyId))
            }
        };
        let chain = certificate.map(|leaf| self.chain_above(leaf)).unwrap_or_default();
        Identity { key, certificate, chain, matched_by }
    }

    /// The issuers of `leaf`, from below.
    fn chain_above(&self, leaf: &CertificateBag) -> Vec<&CertificateBag> {
        let mut chain: Vec<&CertificateBag> = Vec::new();
        let mut below = leaf;
        while let Some(names) = Names::of(&below.der)
            && names.issuer != names.subject
        {
            let above = self.certificates.iter().find(|bag| {
                // A certificate may come once only: names can go round in circles.
                bag.der != leaf.der
                    && chain.iter().all(|seen| seen.der != bag.der)
                    && Names::of(&bag.der).is_some_and(|above| above.subject == names.issuer)
            });
            let Some(above) = above else { break };
            chain.push(above);
            below = above;
        }
        chain
    }
}
