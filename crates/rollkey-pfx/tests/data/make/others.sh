#!/usr/bin/env bash
# Makes files with GnuTLS and NSS, of the key in chain.pfx: others.sh DIRECTORY
set -euo pipefail
out=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

say() { printf '%s\t%s\t%s\t%s\n' "$@"; }
openssl pkcs12 -in "$out/chain.pfx" -passin pass:secret -nodes -nocerts | openssl pkey -out leaf.key
openssl pkcs12 -in "$out/chain.pfx" -passin pass:secret -nokeys -clcerts | openssl x509 -out leaf.crt

gnutls() { # name, arguments of certtool
  local name=$1
  shift
  certtool --to-p12 --load-privkey leaf.key --load-certificate leaf.crt --p12-name leaf --outder \
    --outfile "$out/$name.pfx" "$@" >&2
}
gnutls gnutls-aes256 --password pässwörd --pkcs-cipher aes-256
gnutls gnutls-3des-pbes2 --password secret --pkcs-cipher 3des
gnutls gnutls-arcfour --password pässwörd --pkcs-cipher arcfour
gnutls gnutls-null --null-password --empty-password
say gnutls-aes256 pässwörd 1 1
say gnutls-3des-pbes2 secret 1 1
say gnutls-arcfour pässwörd 1 1
say gnutls-null "" 1 1

certutil -N -d sql:. --empty-password >&2
pk12util -i "$out/chain.pfx" -W secret -d sql:. >&2
nss() { # name, password, more arguments of pk12util
  local name=$1 password=$2
  shift 2
  pk12util -o "$out/$name.pfx" -n "leaf rsa2048" -W "$password" -d sql:. "$@" >&2
  say "$name" "$password" 1 3
}
nss nss-default "pä🔑ss€"
nss nss-plain-certificates "" -C none
