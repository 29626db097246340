//! What we write is read by programs that know nothing of us.

use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12ImportPolicy};

use crate::write::{PROFILES, Source};

#[test]
fn p12_keystore_reads_what_we_write() {
    let source = Source::from("chain");
    for profile in PROFILES {
        for password in ["", "secret", "pässwörd€"] {
            let file = source.write(Some("alias"), password, profile);
            let store = KeyStore::from_pkcs12(&file, password, Pkcs12ImportPolicy::Strict)
                .unwrap_or_else(|error| panic!("{profile:?} {password:?}: {error}"));
            assert_eq!(store.entries_len(), 1);
            let Some(KeyStoreEntry::PrivateKeyChain(chain)) = store.entry("alias") else {
                panic!("a key with its chain, under its name")
            };
            assert_eq!(chain.key().as_der(), source.key);
            let certificates: Vec<&[u8]> =
                chain.certs().iter().map(|certificate| certificate.as_der()).collect();
            assert_eq!(certificates, source.certificates);
        }
    }
}
