#!/usr/bin/env bash
# Makes files with OpenSSL and keytool: openssl.sh DIRECTORY
set -euo pipefail
out=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

say() { printf '%s\t%s\t%s\t%s\n' "$@"; }

# A root, an intermediate, and a leaf for each kind of key.
openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.crt -days 3650 -subj "/CN=Test Root"
openssl req -newkey rsa:2048 -nodes -keyout int.key -out int.csr -subj "/CN=Test Int"
printf 'basicConstraints=critical,CA:TRUE\n' > ca.ext
openssl x509 -req -in int.csr -CA root.crt -CAkey root.key -CAcreateserial -days 3650 -extfile ca.ext -out int.crt
leaf() { # name, arguments of genpkey
  local name=$1
  shift
  openssl genpkey "$@" -out "$name.key"
  openssl req -new -key "$name.key" -out "$name.csr" -subj "/CN=leaf $name"
  openssl x509 -req -in "$name.csr" -CA int.crt -CAkey int.key -CAcreateserial -days 365 -out "$name.crt"
}
leaf rsa2048 -algorithm RSA -pkeyopt rsa_keygen_bits:2048
leaf rsa3072 -algorithm RSA -pkeyopt rsa_keygen_bits:3072
leaf rsa4096 -algorithm RSA -pkeyopt rsa_keygen_bits:4096
leaf p256 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
leaf ed -algorithm ED25519
leaf ed448 -algorithm ED448
leaf p521 -algorithm EC -pkeyopt ec_paramgen_curve:P-521
leaf rsapss -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048
openssl req -x509 -key rsa2048.key -out self.crt -days 365 -subj "/CN=self signed"
cat int.crt root.crt > chain.pem

pfx() { # name, password, more arguments of pkcs12
  local name=$1 password=$2
  shift 2
  openssl pkcs12 -export -inkey rsa2048.key -in rsa2048.crt -out "$out/$name.pfx" -passout "pass:$password" "$@"
  say "$name" "$password" 1 1
}
old=(-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1)
both() { echo -certpbe "$1" -keypbe "$1"; }

pfx modern-aes256 secret
pfx legacy-rc2-3des secret -legacy
pfx win-3des-2000 secret "${old[@]}" -iter 2000
pfx win-aes256-sha256-2000 secret -iter 2000
pfx win-keysig-csp-lmk secret "${old[@]}" -iter 2000 -keysig -CSP "Microsoft Enhanced RSA and AES Cryptographic Provider" -LMK
pfx win-keyex secret -keyex
pfx empty-password-aes ""
pfx empty-password-3des "" "${old[@]}" -iter 2000
pfx keynone-certnone secret $(both NONE)
pfx certnone secret -certpbe NONE
pfx nomac secret -nomac
pfx nomac-unencrypted "" -nomac $(both NONE)
pfx friendly secret -name "my app cert"
pfx friendly-utf8 secret -name "Schlüssel für Straße"
pfx pw-nonascii "pässwörd€"
pfx pw-nonascii-3des "pässwörd€" "${old[@]}"
pfx pw-emoji "pä🔑ss"
pfx pw-emoji-3des "pä🔑ss" "${old[@]}"
pfx pw-long "$(printf 'x%.0s' $(seq 300))"
pfx iter-1 secret -iter 1
pfx iter-100k secret -iter 100000
pfx iter-600k secret -iter 600000
pfx iter-2M secret -iter 2000000
pfx aes128 secret $(both AES-128-CBC)
pfx aes192 secret $(both AES-192-CBC)
pfx mac-sha1 secret -macalg sha1
pfx mac-sha384 secret -macalg sha384
pfx mac-sha512 secret -macalg sha512
pfx rc2-128 secret -legacy -certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-3DES
pfx rc4-128 secret -legacy $(both PBE-SHA1-RC4-128)
pfx 2des secret $(both PBE-SHA1-2DES)
pfx desede3-pbes2 secret $(both DES-EDE3-CBC)
pfx ssl-mac-sha224 secret -macalg sha224
pfx ssl-mac-sha512-256 secret -macalg sha512-256
pfx ssl-mac-sha3-256 secret -macalg sha3-256
pfx ssl-rc2-40 secret -legacy $(both PBE-SHA1-RC2-40)
pfx ssl-rc4-40 secret -legacy $(both PBE-SHA1-RC4-40)
pfx ssl-pbes2-des secret -legacy $(both DES-CBC)
pfx ssl-pbes2-rc2 secret -legacy -certpbe RC2-CBC -keypbe RC2-40-CBC
pfx ssl-pbes2-rc2-64 secret -legacy $(both RC2-64-CBC)
pfx ssl-pbe-sha1-des secret -legacy $(both PBE-SHA1-DES)
pfx ssl-pbe-sha1-rc2-64 secret -legacy $(both PBE-SHA1-RC2-64)
pfx ssl-noiter secret -noiter -nomaciter
pfx ssl-keynone secret -keypbe NONE

# Refused by name.
refused() { # arguments of pfx
  pfx "$@" > "$work/ignored"
  say "$1" "$2" E UnsupportedAlgorithm
}
refused camellia secret $(both CAMELLIA-256-CBC)
refused ssl-aria secret $(both ARIA-256-CBC)
refused ssl-mac-md5 secret -macalg md5
refused ssl-pbe-md5-des secret -legacy $(both PBE-MD5-DES)

# A password that an old program, or one on a Latin-1 terminal, took for other characters.
misread() { # name, the password as it was misread, more arguments of pkcs12
  pfx "$@" > "$work/ignored"
  say "$1" "päss" 1 1
}
misread ssl-mojibake-3des "pÃ¤ss" "${old[@]}"
misread ssl-latin1-aes $'p\xe4ss'
misread ssl-latin1-3des $'p\xe4ss' -legacy

export_as() { # name, keys, certificates, arguments of pkcs12
  local name=$1 keys=$2 certificates=$3
  shift 3
  openssl pkcs12 -export -out "$out/$name.pfx" -passout pass:secret "$@"
  say "$name" secret "$keys" "$certificates"
}
cat root.crt int.crt rsa2048.crt > reversed.pem
export_as chain 1 3 -inkey rsa2048.key -in rsa2048.crt -certfile chain.pem
export_as chain-leaf-last 1 3 -inkey rsa2048.key -in reversed.pem
export_as certs-only 0 1 -nokeys -in rsa2048.crt
export_as key-only 1 0 -inkey rsa2048.key -nocerts
export_as selfsigned 1 1 -inkey rsa2048.key -in self.crt
for key in rsa3072 rsa4096 p256 ed rsapss; do
  export_as "key-$key" 1 1 -inkey "$key.key" -in "$key.crt"
done
export_as ssl-key-ed448 1 1 -inkey ed448.key -in ed448.crt
export_as ssl-key-p521 1 1 -inkey p521.key -in p521.crt

# No password, which the command cannot do.
cat > no_password.c <<'C'
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    EVP_PKEY *key = PEM_read_PrivateKey(fopen("rsa2048.key", "r"), 0, 0, 0);
    X509 *certificate = PEM_read_X509(fopen("rsa2048.crt", "r"), 0, 0, 0);
    int scheme = atoi(argv[2]);
    PKCS12 *pfx = PKCS12_create(NULL, "n", key, certificate, NULL, scheme, scheme, 2000, 2000, 0);
    FILE *file = fopen(argv[1], "w");
    return pfx && i2d_PKCS12_fp(file, pfx) && fclose(file) == 0 ? 0 : 1;
}
C
cc no_password.c -o no_password -lcrypto
./no_password "$out/null-password-3des.pfx" 146 # PBE-SHA1-3DES
./no_password "$out/null-password-aes.pfx" 427  # AES-256-CBC
./no_password "$out/null-password-noenc.pfx" -1
for name in 3des aes noenc; do say "null-password-$name" "" 1 1; done

java_key() { # file, alias, more arguments of keytool
  local file=$1 alias=$2
  shift 2
  keytool "$@" -genkeypair -keyalg RSA -keysize 2048 -alias "$alias" -dname "CN=$alias" \
    -keystore "$out/$file.pfx" -storetype PKCS12 -storepass secret1 -validity 100
}
java_key java-single one
java_key java-legacy one -J-Dkeystore.pkcs12.legacy
java_key java-multikey one
java_key java-multikey two
say java-single secret1 1 1
say java-legacy secret1 1 1
say java-multikey secret1 2 2
