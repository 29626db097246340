//! Crates that must not be in the tree, and crates that must be there once.
//!
//! `deny.toml` says the same to whoever has cargo-deny; this needs nothing installed.

use super::House;

/// Never, whoever asks for it.
const BANNED: &[&str] = &[
    "boring",
    "boring-sys",
    "boring-sys2",
    "gnutls",
    "mbedtls",
    "native-tls",
    "openssl",
    "openssl-src",
    "openssl-sys",
    "ring",
    "rustls-openssl",
    "s2n-tls",
    "s2n-tls-sys",
    "tokio-native-tls",
    "wolfssl",
    "wolfssl-sys",
];

/// TLS stacks of an operating system, which are also the way to its trust store: allowed to those
/// who read that store, and to nobody else.
const STORES: &[&str] = &["schannel", "security-framework"];
const READERS: &[&str] = &["rustls-native-certs", "rustls-platform-verifier"];

/// A second version of one of these is a second stack.
const ONCE: &[&str] = &[
    "aws-lc-rs",
    "aws-lc-sys",
    "axum",
    "h2",
    "http",
    "hyper",
    "hyper-rustls",
    "hyper-util",
    "reqwest",
    "rustls",
    "rustls-platform-verifier",
    "rustls-webpki",
    "tokio",
    "tokio-rustls",
];

pub(super) fn stacks(house: &House) -> Vec<String> {
    house.in_trees(|tree| {
        let banned = BANNED.iter().flat_map(|name| tree.named(name));
        let mut breaches: Vec<_> =
            banned.map(|p| format!("{} {} by {}", p.name, p.version, tree.way_to(p))).collect();
        for store in STORES.iter().flat_map(|name| tree.named(name)) {
            for user in tree.needed_by(store).filter(|user| !READERS.contains(&user.name.as_str()))
            {
                breaches.push(format!(
                    "{} {} by {}, which is no reader of trust stores",
                    store.name,
                    store.version,
                    tree.way_to(user)
                ));
            }
        }
        breaches
    })
}

pub(super) fn twins(house: &House) -> Vec<String> {
    house.in_trees(|tree| {
        let mut breaches = Vec::new();
        for name in ONCE {
            let found: Vec<_> = tree.named(name).collect();
            if found.len() > 1 {
                let ways: Vec<_> =
                    found.iter().map(|p| format!("{} by {}", p.version, tree.way_to(p))).collect();
                breaches.push(format!("{name} {}", ways.join(", and ")));
            }
        }
        breaches
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banned_crate_is_found_however_deep_with_the_way_to_it() {
        let house = House::of_crates("rollkey-cli > reqwest@0.13.0 > native-tls@0.2.0");
        assert_eq!(stacks(&house), ["native-tls 0.2.0 by rollkey-cli > reqwest > native-tls"]);
        let house = House::of_crates("rollkey-core >dev p12@1.0.0 >build openssl-sys@0.9.0");
        assert_eq!(stacks(&house), ["openssl-sys 0.9.0 by rollkey-core > p12 > openssl-sys"]);
    }

    #[test]
    fn the_trust_store_may_be_read_and_its_tls_not_used() {
        let sound = "rollkey > rustls-platform-verifier@0.7.0 > schannel@0.1.0";
        assert!(stacks(&House::of_crates(sound)).is_empty());
        let house = House::of_crates(&format!("{sound}\nrollkey > curl@0.4.0 > schannel@0.1.0"));
        assert_eq!(
            stacks(&house),
            ["schannel 0.1.0 by rollkey > curl, which is no reader of trust stores"]
        );
    }

    #[test]
    fn a_second_version_is_found_with_both_ways() {
        let house = House::of_crates(
            "rollkey > reqwest@0.13.0
             rollkey-emulator >dev oauth@1.0.0 > reqwest@0.12.0",
        );
        let found = twins(&house);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("0.12.0 by rollkey-emulator > oauth > reqwest"), "{found:?}");
        assert!(found[0].contains("0.13.0 by rollkey > reqwest"), "{found:?}");
    }
}
