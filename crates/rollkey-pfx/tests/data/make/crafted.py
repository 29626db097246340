"""Makes files that no program at hand writes, field by field: crafted.py DIRECTORY"""

import random
import sys
from hashlib import pbkdf2_hmac, sha1
from hmac import digest as hmac
from pathlib import Path

from asn1 import algorithm, indefinite, integer, octets, oid, parse, seq, tlv
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

directory = Path(sys.argv[1])
PKCS7_TYPE, PKCS9, PKCS12 = "1.2.840.113549.1.7", "1.2.840.113549.1.9", "1.2.840.113549.1.12"
PBKDF2, PBES2, PBMAC1 = (f"1.2.840.113549.1.5.{number}" for number in (12, 13, 14))
AES_256_CBC = "2.16.840.1.101.3.4.1.42"
HMAC = {"sha1": 7, "sha224": 8, "sha256": 9, "sha384": 10, "sha512": 11, "sha512_256": 13}
PASSWORD = "secret"


def load(name, password=b"secret"):
    pfx = (directory / f"{name}.pfx").read_bytes()
    key, certificate, _ = pkcs12.load_key_and_certificates(pfx, password)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return der, certificate.public_bytes(Encoding.DER)


key, certificate = load("key-p256")
other_key, other_certificate = load("key-ed")


def put(name, data, *expected, password=PASSWORD):
    (directory / f"crafted-{name}.pfx").write_bytes(data)
    print(f"crafted-{name}", password, *expected, sep="\t")


# Encryption.
def bmp(password):
    return password.encode("utf-16-be") + b"\0\0"


def hmac_oid(name):
    return f"1.2.840.113549.2.{HMAC[name]}"


def pbes2(
    plain, password=PASSWORD.encode(), prf="sha256", state_prf=True, key_length=None,
    claimed_iterations=None, iv_length=16, derivation=PBKDF2, cipher=AES_256_CBC,
):
    """AlgorithmIdentifier and ciphertext."""
    salt, iv = random.randbytes(8), random.randbytes(16)
    if prf == "sha512_256":
        derived = pbkdf2_sha512_256(password, salt, 1000)
    else:
        derived = pbkdf2_hmac(prf, password, salt, 1000, 32)
    padder, encryptor = PKCS7(128).padder(), Cipher(algorithms.AES256(derived), modes.CBC(iv)).encryptor()
    encrypted = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    iterations = 1000 if claimed_iterations is None else claimed_iterations
    parameters = octets(salt) + integer(iterations)
    if key_length is not None:
        parameters += integer(key_length)
    if state_prf:
        parameters += algorithm(hmac_oid(prf))
    scheme = seq(algorithm(derivation, seq(parameters)), algorithm(cipher, octets(iv[:iv_length])))
    return algorithm(PBES2, scheme), encrypted


def pbkdf2_sha512_256(password, salt, iterations):
    link = block = hmac(password, salt + b"\0\0\0\1", "sha512_256")
    for _ in range(iterations - 1):
        link = hmac(password, link, "sha512_256")
        block = bytes(a ^ b for a, b in zip(block, link))
    return block


def pkcs12_mac_key(password, salt, iterations):
    """RFC 7292 appendix B for a key of 20 bytes with SHA-1: one round is enough."""
    fill = lambda text: (text * 64)[: (len(text) + 63) // 64 * 64]
    link = sha1(b"\x03" * 64 + fill(salt) + fill(password)).digest()
    for _ in range(iterations - 1):
        link = sha1(link).digest()
    return link


# Structure.
def attribute(kind, value):
    return seq(oid(f"{PKCS9}.{kind}"), tlv(0x31, value))


def bag(kind, value, *attributes):
    return seq(oid(f"{PKCS12}.10.1.{kind}"), tlv(0xA0, value), tlv(0x31, *attributes) if attributes else b"")


def key_bag(der=key, *attributes):
    return bag(1, der, *attributes)


def certificate_bag(der=certificate, *attributes, kind=1):
    return bag(3, seq(oid(f"{PKCS9}.22.{kind}"), tlv(0xA0, octets(der))), *attributes)


def data(*bags):
    return seq(oid(f"{PKCS7_TYPE}.1"), tlv(0xA0, octets(seq(*bags))))


def encrypted_data(scheme, encrypted):
    info = seq(oid(f"{PKCS7_TYPE}.1"), scheme, tlv(0x80, encrypted))
    return seq(oid(f"{PKCS7_TYPE}.6"), tlv(0xA0, seq(integer(0), info)))


def sealed(**options):
    """A safe with everything, encrypted."""
    return encrypted_data(*pbes2(seq(key_bag(), certificate_bag()), **options))


def mac_data(safes, password=PASSWORD):
    salt = random.randbytes(8)
    code = hmac(pkcs12_mac_key(bmp(password), salt, 1000), safes, "sha1")
    return seq(seq(algorithm("1.3.14.3.2.26"), octets(code)), octets(salt), integer(1000))


def pbmac1_data(safes, hash_name, length, stated=True, password=PASSWORD.encode()):
    salt = random.randbytes(16)
    derived = pbkdf2_hmac(hash_name, password, salt, 1000, length)
    stated = integer(length) if stated else b""
    parameters = seq(octets(salt), integer(1000), stated, algorithm(hmac_oid(hash_name)))
    scheme = seq(algorithm(PBKDF2, parameters), algorithm(hmac_oid(hash_name)))
    code = hmac(derived, safes, hash_name)
    return seq(seq(algorithm(PBMAC1, scheme), octets(code)), octets(b"NOT USED"), integer(1))


def pfx(*safes, mac=mac_data, version=3, kind=1):
    safes = seq(*safes)
    return seq(
        integer(version),
        seq(oid(f"{PKCS7_TYPE}.{kind}"), tlv(0xA0, octets(safes))),
        mac(safes) if mac else b"",
    )


# Schemes.
put("key-length-stated", pfx(sealed(key_length=32)), 1, 1)
put("prf-left-out", pfx(sealed(prf="sha1", state_prf=False)), 1, 1)
for prf in ("sha224", "sha384", "sha512", "sha512_256"):
    put(f"prf-{prf.replace('_', '-')}", pfx(sealed(prf=prf)), 1, 1)
put("old-nss-utf16", pfx(sealed(password=bmp(PASSWORD))), 1, 1)
put("pbmac1-sha512", pfx(sealed(), mac=lambda safes: pbmac1_data(safes, "sha512", 64)), 1, 1)
put("pbmac1-sha1", pfx(sealed(), mac=lambda safes: pbmac1_data(safes, "sha1", 20)), 1, 1)

# Contents.
link = lambda octet: attribute(21, octets(bytes([octet])))
nested = bag(6, seq(bag(6, seq(key_bag(), bag(6, seq(certificate_bag()))))))
put("nested", pfx(data(nested)), 1, 1)
crl = bag(4, seq(oid(f"{PKCS9}.23.1"), tlv(0xA0, octets(b"no list"))))
secret = bag(5, seq(oid("1.2.3.4"), tlv(0xA0, octets(b"no secret"))))
unknown = bag(99, octets(b"nothing"))
sdsi = certificate_bag(tlv(0x16, b"no certificate"), kind=2)
put("other-bags", pfx(data(crl, secret, unknown, sdsi, key_bag(), certificate_bag())), 1, 1)
crossed = [key_bag(key, link(1)), certificate_bag(certificate, link(2))]
crossed += [key_bag(other_key, link(2)), certificate_bag(other_certificate, link(1))]
put("links-crossed", pfx(data(*crossed)), 2, 2)
unlinked = [certificate_bag(other_certificate), certificate_bag(), key_bag(), key_bag(other_key)]
put("unlinked", pfx(data(*unlinked)), 2, 2)
odd_names = [
    key_bag(key, attribute(20, tlv(0x0C, "Schlüssel".encode()))),
    certificate_bag(certificate, attribute(20, tlv(0x1E, b"odd")), tlv(0x05)),
]
put("odd-names", pfx(data(*odd_names)), 1, 1)
put("no-mac-plain", pfx(data(key_bag(), certificate_bag()), mac=None), 1, 1, password="")
put("no-safes", pfx(), 0, 0)


# BER throughout.
def to_ber(encoded):
    """The same elements in indefinite lengths, and strings in pieces."""
    out = b""
    for tag, content in parse(encoded):
        if tag == 0x04 and len(content) > 20:
            out += indefinite(0x24, *(octets(content[at : at + 20]) for at in range(0, len(content), 20)))
        elif tag == 0x80:
            out += indefinite(0xA0, *(octets(content[at : at + 100]) for at in range(0, len(content), 100)))
        elif tag & 0x20:
            out += indefinite(tag, to_ber(content))
        else:
            out += tlv(tag, content)
    return out


def content_info_in_ber(content):
    """Also what is packed in the octet strings of a safe."""
    kind = parse(parse(content)[0][1])
    if kind[0][1] != parse(oid(f"{PKCS7_TYPE}.1"))[0][1]:
        return to_ber(content)
    inner = parse(kind[1][1])[0][1]
    return to_ber(seq(oid(f"{PKCS7_TYPE}.1"), tlv(0xA0, octets(to_ber(inner)))))


safes = indefinite(0x30, content_info_in_ber(data(key_bag())),
                   content_info_in_ber(encrypted_data(*pbes2(to_ber(seq(certificate_bag()))))))
authenticated = seq(oid(f"{PKCS7_TYPE}.1"), tlv(0xA0, octets(safes)))
put("ber-throughout", to_ber(seq(integer(3), authenticated, mac_data(safes))), 1, 1)

# Refused.
put("scrypt", pfx(sealed(derivation="1.3.6.1.4.1.11591.4.11")), "E", "UnsupportedAlgorithm")
put("gcm", pfx(sealed(cipher="2.16.840.1.101.3.4.1.46")), "E", "UnsupportedAlgorithm")
put("signed", pfx(data(key_bag()), kind=2, mac=None), "E", "PublicKeyMode")
enveloped = seq(oid(f"{PKCS7_TYPE}.3"), tlv(0xA0, seq(integer(0))))
put("enveloped", pfx(enveloped), "E", "PublicKeyMode")
put("version-1", pfx(data(key_bag()), version=1), "E", "UnsupportedVersion")
put("key-length-wrong", pfx(sealed(key_length=16)), "E", "Malformed")
put("iv-short", pfx(sealed(iv_length=8)), "E", "Malformed")
put("no-iterations", pfx(sealed(claimed_iterations=0)), "E", "Malformed")
put("endless-safe", pfx(sealed(claimed_iterations=2**31 - 1)), "E", "TooManyIterations")
put("endless-64-bits", pfx(sealed(claimed_iterations=2**63)), "E", "TooManyIterations")
short = lambda safes: pbmac1_data(safes, "sha256", 1)
unstated = lambda safes: pbmac1_data(safes, "sha256", 32, stated=False)
put("pbmac1-short-key", pfx(sealed(), mac=short), "E", "Malformed")
put("pbmac1-key-length-left-out", pfx(sealed(), mac=unstated), "E", "Malformed")
second = encrypted_data(*pbes2(seq(certificate_bag()), password=b"another"))
put("second-password", pfx(sealed(), second), "E", "PartLocked")
put("no-mac-second-password", pfx(second, sealed(), mac=None), "E", "PartLocked")
