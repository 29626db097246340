//! Every form in which a certificate and its key may come.

use super::{assert_leaf, data, der, import_bytes, import_files};
use base64::Engine as _;
use rollkey::import::{Source, certificates};

const LEAF: &[&str] = &["CN=leaf"];
const CHAIN: &[&str] = &["CN=leaf", "CN=inter", "CN=root"];

#[test]
fn a_certificate_and_its_key_in_two_files_in_any_order() {
    assert_leaf(import_files(&["leaf.crt", "leaf.key"], None), LEAF);
    assert_leaf(import_files(&["leaf.key", "leaf.crt"], None), LEAF);
}

#[test]
fn a_certificate_and_its_key_in_one_file_in_any_order() {
    let (certificate, key) = (data("leaf.crt"), data("leaf.key"));
    assert_leaf(import_bytes(&[&[&*certificate, &*key].concat()], None), LEAF);
    assert_leaf(import_bytes(&[&[&*key, &*certificate].concat()], None), LEAF);
}

#[test]
fn a_key_in_pkcs1() {
    assert_leaf(import_files(&["leaf.crt", "leaf-pkcs1.key"], None), LEAF);
}

#[test]
fn an_encrypted_key_with_its_password() {
    for key in ["leaf-pbes2.key", "leaf-pbes1.key"] {
        assert_leaf(import_files(&["leaf.crt", key], Some("secret")), LEAF);
        assert_leaf(import_bytes(&[&der("leaf.crt"), &der(key)], Some("secret")), LEAF);
    }
}

#[test]
fn a_password_that_is_not_needed_does_no_harm() {
    assert_leaf(import_files(&["leaf.crt", "leaf.key"], Some("secret")), LEAF);
}

#[test]
fn der_in_every_combination() {
    for key in ["leaf.key", "leaf-pkcs1.key"] {
        assert_leaf(import_bytes(&[&der("leaf.crt"), &der(key)], None), LEAF);
        assert_leaf(import_bytes(&[&der("leaf.crt"), &data(key)], None), LEAF);
    }
}

#[test]
fn a_pfx_with_a_chain() {
    assert_leaf(import_files(&["leaf.pfx"], Some("secret")), CHAIN);
}

#[test]
fn a_pfx_in_base64_as_a_vault_hands_it_out() {
    let encoded = base64::engine::general_purpose::STANDARD.encode(data("leaf.pfx"));
    assert_leaf(import_bytes(&[encoded.as_bytes()], Some("secret")), CHAIN);
    assert_leaf(import_bytes(&[format!("{encoded}\r\n").as_bytes()], Some("secret")), CHAIN);
}

#[test]
fn a_bundle_with_attributes_between_the_blocks() {
    assert_leaf(import_files(&["leaf-bundle.pem"], None), CHAIN);
}

#[test]
fn the_chain_is_put_in_order_whatever_the_order_of_the_files() {
    let shuffled = [data("root.crt"), data("leaf.key"), data("inter.crt"), data("leaf.crt")];
    assert_leaf(import_bytes(&[&shuffled.concat()], None), CHAIN);
    let without_the_one_between = [data("root.crt"), data("leaf.key"), data("leaf.crt")].concat();
    let imported = assert_leaf(import_bytes(&[&without_the_one_between], None), LEAF);
    assert_eq!(imported.warnings().len(), 1, "the root belongs to nothing: {imported:?}");
}

#[test]
fn windows_line_ends_and_byte_order_marks() {
    let text = String::from_utf8(data("leaf-bundle.pem")).unwrap();
    let windows = text.replace('\n', "\r\n");
    let utf16: Vec<u16> = windows.encode_utf16().collect();
    let little: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    let old_mac = text.replace('\n', "\r");
    let indented = text.replace('\n', "\n  ");
    for file in [
        windows.clone().into_bytes(),
        [b"\xef\xbb\xbf", windows.as_bytes()].concat(),
        [b"\xff\xfe", &*little].concat(),
        [b"\xfe\xff", &*big].concat(),
        old_mac.into_bytes(),
        indented.into_bytes(),
    ] {
        assert_leaf(import_bytes(&[&file], None), CHAIN);
    }
}

#[test]
fn text_around_the_blocks_in_an_old_encoding() {
    let latin1 = [&b"Schl\xfcssel f\xfcr die Abrechnung\n"[..], &data("leaf-bundle.pem")].concat();
    assert_leaf(import_bytes(&[&latin1], None), CHAIN);
}

#[test]
fn what_openssl_trusts_a_certificate_for_is_no_part_of_it() {
    let imported = import_files(&["leaf-trusted.crt", "leaf.key"], None);
    assert_eq!(assert_leaf(imported, LEAF).certificates()[0].0, der("leaf.crt"));
}

#[test]
fn the_same_in_both_files_counts_once() {
    let imported = assert_leaf(import_files(&["leaf-bundle.pem", "leaf.crt"], None), CHAIN);
    assert!(imported.warnings().is_empty(), "{imported:?}");
    let again = import_files(&["leaf-bundle.pem", "leaf.crt", "leaf-pkcs1.key"], None);
    assert!(assert_leaf(again, CHAIN).warnings().is_empty());
}

#[test]
fn of_several_keys_the_one_that_fits_is_taken() {
    let keys = [data("ec.key"), data("small.key"), data("leaf.key")].concat();
    let imported = assert_leaf(import_bytes(&[&keys, &data("leaf.crt")], None), LEAF);
    let said: Vec<_> = imported.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "another private key (elliptic curve) was left aside",
            "another private key (RSA) was left aside",
        ]
    );
}

#[test]
fn certificates_alone_are_read_without_their_keys() {
    let read = |name, password: Option<&str>| {
        let bytes = data(name);
        let password = password.map(|text| text.to_owned().into());
        certificates(&[Source { name, bytes: &bytes }], password.as_ref()).unwrap().len()
    };
    assert_eq!(read("leaf.crt", None), 1);
    assert_eq!(read("leaf-bundle.pem", None), 3);
    assert_eq!(read("leaf.pfx", Some("secret")), 3);

    let locked = [data("leaf-pbes2.key"), data("leaf-old.key"), data("leaf.crt")].concat();
    let source = Source { name: "locked", bytes: &locked };
    assert_eq!(certificates(&[source], None).unwrap().len(), 1);
    let source = Source { name: "leaf.key", bytes: &data("leaf.key") };
    let refused = certificates(&[source], None).unwrap_err();
    assert_eq!(refused.to_string(), "there is no certificate");
}
