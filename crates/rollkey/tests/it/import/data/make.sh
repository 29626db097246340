#!/bin/sh
# How the files here were made, with OpenSSL 3.0. The password is `secret` throughout.
# They are for tests alone: these keys are public.
set -eu

days=36500
openssl req -x509 -newkey rsa:2048 -nodes -days $days -subj /CN=root -keyout root.key -out root.crt
for name in inter leaf; do
    openssl req -newkey rsa:2048 -nodes -subj /CN=$name -keyout $name.key -out $name.csr
done
openssl x509 -req -in inter.csr -CA root.crt -CAkey root.key -days $days -out inter.crt \
    -set_serial 2
openssl x509 -req -in leaf.csr -CA inter.crt -CAkey inter.key -days $days -out leaf.crt \
    -set_serial 3

openssl rsa -in leaf.key -traditional -out leaf-pkcs1.key
openssl rsa -in leaf.key -traditional -des3 -passout pass:secret -out leaf-old.key
openssl pkcs8 -topk8 -in leaf.key -passout pass:secret -v2 aes256 -out leaf-pbes2.key
openssl pkcs8 -topk8 -in leaf.key -passout pass:secret -v1 PBE-SHA1-3DES -out leaf-pbes1.key
openssl pkcs8 -topk8 -in leaf.key -passout pass:secret -scrypt -out leaf-scrypt.key
openssl pkcs8 -topk8 -in leaf.key -passout pass:secret -v2 camellia256 -out leaf-camellia.key
openssl x509 -in leaf.crt -trustout -addtrust clientAuth -out leaf-trusted.crt
openssl crl2pkcs7 -nocrl -certfile leaf.crt -out leaf.p7b
openssl pkey -in leaf.key -pubout -out leaf.pub
cat inter.crt root.crt >chain.crt
openssl pkcs12 -export -in leaf.crt -inkey leaf.key -certfile chain.crt -name leaf \
    -passout pass:secret -out leaf.pfx
# What people paste: attributes, subjects and issuers stand between the blocks.
openssl pkcs12 -in leaf.pfx -passin pass:secret -nodes -out leaf-bundle.pem
# The leaf once more, with the same key and other dates.
openssl x509 -req -in leaf.csr -CA inter.crt -CAkey inter.key -days 36400 -out leaf-again.crt \
    -set_serial 4

: >index
openssl ca -gencrl -keyfile root.key -cert root.crt -crldays $days -md sha256 -out root.crl \
    -config /dev/stdin <<CONFIG
[ca]
default_ca = it
[it]
database = index
CONFIG

openssl ecparam -name prime256v1 -genkey -out ec.key
openssl req -x509 -key ec.key -days $days -subj /CN=ec -out ec.crt
openssl genpkey -algorithm ed25519 -out ed25519.key
openssl req -x509 -key ed25519.key -days $days -subj /CN=ed25519 -out ed25519.crt
openssl genpkey -algorithm ed448 -out ed448.key
openssl req -x509 -key ed448.key -days $days -subj /CN=ed448 -out ed448.crt
openssl dsaparam -out dsa.params 2048
openssl gendsa -out dsa.key dsa.params
openssl req -x509 -key dsa.key -days $days -subj /CN=dsa -out dsa.crt
openssl req -x509 -newkey rsa:1024 -nodes -days $days -subj /CN=small -keyout small.key \
    -out small.crt
rm -f openssh.key openssh.key.pub
ssh-keygen -q -t rsa -b 2048 -N '' -C '' -f openssh.key
rm -f index* dsa.params chain.crt openssh.key.pub inter.csr root.key inter.key
