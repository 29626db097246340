"""Makes files with Python's cryptography, and damages others: edited.py DIRECTORY"""

import random
import sys
from hashlib import pbkdf2_hmac
from hmac import digest as hmac
from pathlib import Path

from asn1 import algorithm, indefinite, integer, octets, oid, open_pfx, parse, seq, tlv
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

directory = Path(sys.argv[1])


def read(name):
    return (directory / f"{name}.pfx").read_bytes()


def put(name, password, data, *expected):
    (directory / f"{name}.pfx").write_bytes(data)
    print(name, password, *expected, sep="\t")


# What Python writes, and what .NET would.
key, leaf, others = pkcs12.load_key_and_certificates(read("chain"), b"secret")
one = others[:1]
serialize = pkcs12.serialize_key_and_certificates
put("py-best", "secret", serialize(b"n", key, leaf, one, BestAvailableEncryption(b"secret")), 1, 2)
put("py-noenc", "", serialize(b"n", key, leaf, None, NoEncryption()), 1, 1)
for name, scheme, mac in [
    ("py-dotnet-3des", pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC, hashes.SHA1()),
    ("py-dotnet9-aes256", pkcs12.PBES.PBESv2SHA256AndAES256CBC, hashes.SHA256()),
]:
    encryption = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(2000)
        .key_cert_algorithm(scheme)
        .hmac_hash(mac)
        .build(b"secret")
    )
    put(name, "secret", serialize(b"n", key, leaf, None, encryption), 1, 1)

# BER around DER.
base = read("modern-aes256")
safes, mac = open_pfx(base)
DATA = "1.2.840.113549.1.7.1"


def ber(content):
    holder = indefinite(0x30, oid(DATA), indefinite(0xA0, content))
    return indefinite(0x30, integer(3), holder, seq(mac))


pieces = [octets(safes[at : at + 1000]) for at in range(0, len(safes), 1000)]
put("ber-indefinite", "secret", ber(octets(safes)), 1, 1)
put("ber-constructed-octets", "secret", ber(indefinite(0x24, *pieces)), 1, 1)
content = parse(base)[0][1]
long_length = b"\x30\x83" + len(content).to_bytes(3, "big") + content
put("ber-long-length", "secret", long_length, 1, 1)


def with_mac(mac_data):
    holder = seq(oid(DATA), tlv(0xA0, octets(safes)))
    return seq(integer(3), holder, mac_data)


# PBMAC1 (RFC 9579).
HMAC_SHA256 = "1.2.840.113549.2.9"
salt = random.randbytes(16)
derived = pbkdf2_hmac("sha256", b"secret", salt, 2048, 32)
parameters = seq(octets(salt), integer(2048), integer(32), algorithm(HMAC_SHA256))
derivation = algorithm("1.2.840.113549.1.5.12", parameters)
pbmac1 = algorithm("1.2.840.113549.1.5.14", seq(derivation, algorithm(HMAC_SHA256)))
digest_info = seq(pbmac1, octets(hmac(derived, safes, "sha256")))
put("pbmac1-sha256", "secret", with_mac(seq(digest_info, octets(b"NOT USED"), integer(1))), 1, 1)


# Damage.
def flipped(data, at):
    data = bytearray(data)
    data[at] ^= 1
    return bytes(data)


put("neg-wrong-password", "wrong", base, "E", "WrongPassword")
put("neg-wrong-password-3des", "wrong", read("win-3des-2000"), "E", "WrongPassword")
put("neg-nomac-wrong-password", "wrong", read("nomac"), "E", "WrongPassword")
put("neg-truncated-90pct", "secret", base[: len(base) * 9 // 10], "E", "Truncated")
put("neg-truncated-10b", "secret", base[:10], "E", "Truncated")
put("neg-empty", "secret", b"", "E", "NotPfx")
put("neg-random", "secret", random.Random(1).randbytes(3000), "E", "NotPfx")
put("neg-flip-in-content", "secret", flipped(base, 500), "E", "Altered")
put("neg-flip-in-mac", "secret", flipped(base, -40), "E", "Altered")
put("neg-pem-file", "secret", leaf.public_bytes(Encoding.PEM), "E", "NotPfx")
put("trailing-garbage", "secret", base + b"\0\0\r\n", 1, 1)
put("neg-nomac-flip", "secret", flipped(read("nomac"), 700), 1, 1)
digest_info, mac_salt, _ = parse(mac)
endless = seq(seq(digest_info[1]), octets(mac_salt[1]), integer(2**31 - 1))
put("neg-dos-mac-iter", "secret", with_mac(endless), "E", "TooManyIterations")
