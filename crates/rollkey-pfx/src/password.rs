//! The forms in which one password has been fed to key derivations.
//!
//! The standards know two: PKCS#12 (RFC 7292 appendix B.1) wants UTF-16 in big-endian order with a
//! terminating zero, PKCS#5 (RFC 8018) wants octets, in practice UTF-8. Programs have done
//! otherwise, and their files are still about. We therefore try, in this order:
//!
//! | family | form | who wrote it |
//! | --- | --- | --- |
//! | PKCS#12 | UTF-16 with terminator | everybody |
//! | PKCS#12 | nothing at all, if the password is empty | Windows and OpenSSL without a password |
//! | PKCS#12 | each octet of the UTF-8 as one character | OpenSSL before 1.1 |
//! | PKCS#5 | UTF-8 | everybody |
//! | PKCS#5 | the low octet of each character | old Bouncy Castle, Latin-1 terminals |
//! | PKCS#5 | UTF-16 with terminator | old NSS (Firefox) |
//!
//! Every form is erased when dropped. No form may reach an error or a log.

use zeroize::Zeroizing;

/// Which kind of key derivation a form of the password is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// The derivation of PKCS#12 itself.
    Pkcs12,
    /// PBKDF1 and PBKDF2.
    Pkcs5,
}

/// All forms of one password, the likeliest first.
pub(crate) struct Forms {
    pkcs12: Vec<Zeroizing<Vec<u8>>>,
    pkcs5: Vec<Zeroizing<Vec<u8>>>,
}

impl Forms {
    pub(crate) fn of(password: &str) -> Self {
        let mut pkcs12 = vec![utf16(password.encode_utf16(), password.len())];
        if password.is_empty() {
            pkcs12.push(Zeroizing::default());
        }
        let mut pkcs5 = vec![utf8(password)];
        if !password.is_ascii() {
            pkcs12.push(utf16(password.bytes().map(u16::from), password.len()));
            pkcs5.push(low_octets(password));
        }
        pkcs5.push(utf16(password.encode_utf16(), password.len()));
        Self { pkcs12, pkcs5 }
    }

    pub(crate) fn family(&self, family: Family) -> &[Zeroizing<Vec<u8>>] {
        match family {
            Family::Pkcs12 => &self.pkcs12,
            Family::Pkcs5 => &self.pkcs5,
        }
    }

    /// Puts the form that has just fitted before all others: the rest of the file is likely to have
    /// been made with it.
    pub(crate) fn prefer(&mut self, family: Family, index: usize) {
        let forms = match family {
            Family::Pkcs12 => &mut self.pkcs12,
            Family::Pkcs5 => &mut self.pkcs5,
        };
        forms[..=index].rotate_right(1);
    }
}

/// What PKCS#12 wants of a password that it is written with.
pub(crate) fn for_pkcs12(password: &str) -> Zeroizing<Vec<u8>> {
    utf16(password.encode_utf16(), password.len())
}

/// What PKCS#5 wants of a password that it is written with.
pub(crate) fn for_pkcs5(password: &str) -> Zeroizing<Vec<u8>> {
    utf8(password)
}

fn utf8(password: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(password.as_bytes().to_vec())
}

/// `at_most`: an upper bound of the number of units, so that the buffer never moves.
fn utf16(units: impl Iterator<Item = u16>, at_most: usize) -> Zeroizing<Vec<u8>> {
    let mut form = Zeroizing::new(Vec::with_capacity(2 * at_most + 2));
    form.extend(units.chain([0]).flat_map(u16::to_be_bytes));
    form
}

fn low_octets(password: &str) -> Zeroizing<Vec<u8>> {
    let mut form = Zeroizing::new(Vec::with_capacity(password.len()));
    form.extend(password.encode_utf16().map(|unit| unit as u8));
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(password: &str, family: Family) -> Vec<Vec<u8>> {
        Forms::of(password).family(family).iter().map(|form| form.to_vec()).collect()
    }

    #[test]
    fn a_plain_password_has_one_form_in_pkcs12() {
        assert_eq!(forms("ab", Family::Pkcs12), [b"\0a\0b\0\0"]);
        assert_eq!(forms("ab", Family::Pkcs5), [&b"ab"[..], b"\0a\0b\0\0"]);
    }

    #[test]
    fn an_empty_password_may_be_a_terminator_or_nothing() {
        assert_eq!(forms("", Family::Pkcs12), [&b"\0\0"[..], b""]);
        assert_eq!(forms("", Family::Pkcs5), [&b""[..], b"\0\0"]);
    }

    #[test]
    fn an_emoji_is_a_pair_of_surrogates() {
        assert_eq!(forms("🔑", Family::Pkcs12)[0], [0xd8, 0x3d, 0xdd, 0x11, 0, 0]);
        assert_eq!(forms("🔑", Family::Pkcs5)[0], "🔑".as_bytes());
    }

    #[test]
    fn an_umlaut_may_have_been_read_as_latin_1() {
        assert_eq!(
            forms("ä", Family::Pkcs12),
            [[0, 0xe4, 0, 0].as_slice(), &[0, 0xc3, 0, 0xa4, 0, 0]]
        );
        assert_eq!(forms("ä", Family::Pkcs5)[1], [0xe4]);
    }

    #[test]
    fn the_form_that_fitted_goes_first_and_the_others_keep_their_order() {
        let mut forms = Forms::of("ä");
        forms.prefer(Family::Pkcs5, 2);
        let order: Vec<usize> = forms.family(Family::Pkcs5).iter().map(|form| form.len()).collect();
        assert_eq!(order, [4, 2, 1]);
    }
}
