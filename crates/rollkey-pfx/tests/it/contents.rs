//! What comes out of a file besides the number of keys and certificates.

use rollkey_pfx::{Fit, IgnoredBag, MatchedBy, Warning, fit, read};

use crate::corpus::file;

#[test]
fn names_and_links_are_read() {
    let contents = read(&file("friendly-utf8"), "secret").unwrap();
    let (key, certificate) = (&contents.keys[0], &contents.certificates[0]);
    assert_eq!(key.friendly_name.as_deref(), Some("Schlüssel für Straße"));
    assert_eq!(certificate.friendly_name, key.friendly_name);
    assert_eq!(key.local_key_id.as_ref().map(Vec::len), Some(20));
    assert_eq!(certificate.local_key_id, key.local_key_id);
}

#[test]
fn a_chain_is_put_in_order_whatever_the_order_of_the_file() {
    for name in ["chain", "chain-leaf-last", "bc-default", "nss-default"] {
        let password = if name == "nss-default" { "pä🔑ss€" } else { "secret" };
        let contents = read(&file(name), password).unwrap();
        let [identity] = &contents.identities()[..] else { panic!("{name}: one key") };
        let leaf = identity.certificate.expect("a leaf");
        let holds = |der: &[u8], text: &str| {
            der.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
        };
        assert_eq!(holds(&leaf.der, "leaf rsa2048"), 1, "{name}");
        let [intermediate, root] = &identity.chain[..] else { panic!("{name}: two issuers") };
        assert_eq!(holds(&intermediate.der, "Test Int"), 1, "{name}");
        assert_eq!(holds(&root.der, "Test Root"), 2, "{name}: self-issued");
    }
}

#[test]
fn a_public_key_is_believed_before_a_link() {
    for name in ["crafted-links-crossed", "crafted-unlinked"] {
        let contents = read(&file(name), "secret").unwrap();
        for identity in contents.identities() {
            assert_eq!(identity.matched_by, Some(MatchedBy::PublicKey), "{name}");
            let certificate = identity.certificate.expect("both are there");
            assert_eq!(fit(identity.key.pkcs8.as_der(), &certificate.der), Fit::Yes, "{name}");
        }
        let (one, other) = (&contents.keys[0], &contents.certificates);
        let fits = other.iter().filter(|bag| fit(one.pkcs8.as_der(), &bag.der) == Fit::Yes);
        assert_eq!(fits.count(), 1, "{name}");
    }
}

#[test]
fn a_link_is_believed_where_the_public_key_cannot_be_told() {
    let contents = read(&file("ssl-key-ed448"), "secret").unwrap();
    let identity = &contents.identities()[0];
    assert_eq!(identity.matched_by, Some(MatchedBy::LocalKeyId));
    assert_eq!(identity.certificate, contents.certificates.first());
}

#[test]
fn a_key_without_its_certificate_stands_alone() {
    let contents = read(&file("key-only"), "secret").unwrap();
    let identity = &contents.identities()[0];
    assert!(identity.certificate.is_none() && identity.chain.is_empty());
    assert_eq!(identity.matched_by, None);
}

#[test]
fn what_is_no_certificate_fits_nothing_and_does_not_fail() {
    let key = &read(&file("key-only"), "secret").unwrap().keys[0];
    for nonsense in [&[][..], &[0x30, 0], &[0x30, 0x80, 0, 0], b"-----BEGIN"] {
        assert_eq!(fit(key.pkcs8.as_der(), nonsense), Fit::Unknown);
        assert_eq!(fit(nonsense, nonsense), Fit::Unknown);
    }
}

#[test]
fn oddities_are_told_and_harmless() {
    let warnings = |name: &str, password| read(&file(name), password).unwrap().warnings;
    assert_eq!(warnings("modern-aes256", "secret"), []);
    assert_eq!(warnings("trailing-garbage", "secret"), [Warning::TrailingBytes { count: 4 }]);
    assert_eq!(warnings("nomac", "secret"), [Warning::NoMac]);
    assert_eq!(warnings("crafted-odd-names", "secret"), [Warning::UnreadableAttribute]);
    let ignored = warnings("java-secret-and-trusted", "secret");
    assert_eq!(ignored, [Warning::IgnoredBag { kind: IgnoredBag::Secret }]);
    let told: Vec<String> =
        warnings("crafted-other-bags", "secret").iter().map(Warning::to_string).collect();
    assert_eq!(
        told,
        [
            "a revocation list in the PFX file was left aside",
            "a secret that is no private key in the PFX file was left aside",
            "an unknown bag 1.2.840.113549.1.12.10.1.99 in the PFX file was left aside",
            "an SDSI certificate in the PFX file was left aside",
        ],
    );
}

#[test]
fn the_checksum_is_reported() {
    assert!(read(&file("modern-aes256"), "secret").unwrap().mac_checked);
    assert!(!read(&file("nomac"), "secret").unwrap().mac_checked);
}

#[test]
fn debug_shows_no_key() {
    let contents = read(&file("key-ed"), "secret").unwrap();
    let shown = format!("{contents:?} {:?}", contents.identities());
    assert!(shown.contains("pkcs8: Pkcs8(..)"), "{shown}");
    let der = contents.keys[0].pkcs8.as_der();
    // The last bytes of the seed, as any derived `Debug` would show them.
    let tail: Vec<String> = der[der.len() - 4..].iter().map(u8::to_string).collect();
    assert!(!shown.contains(&tail.join(", ")), "{shown}");
}

#[test]
fn a_key_in_ber_comes_out_as_der() {
    let ber = read(&file("crafted-ber-throughout"), "secret").unwrap();
    // Made of the same key.
    let der = read(&file("crafted-nested"), "secret").unwrap();
    assert_eq!(ber.keys[0].pkcs8.as_der(), der.keys[0].pkcs8.as_der());
}
