#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.0-or-later
# Makes the keys of the fuzz targets, and the corpus files that depend on them, anew: tests/fuzz/make-seeds.sh
# Other files in the corpus stay: what a fuzzer found, and the MIME samples, which need no keys.
set -euo pipefail
cd "$(dirname "$0")"
plombe=${PLOMBE_BIN:-../../target/debug/plombe}
plombe=$(realpath "$plombe")
scratch=$(mktemp -d)
trap 'GNUPGHOME=$scratch/gpg gpgconf --kill all || true; rm -rf "$scratch"' EXIT

alice() { PLOMBE_HOME=$scratch/alice "$plombe" --quiet "$@"; }
bob() { PLOMBE_HOME=$scratch/bob "$plombe" --quiet "$@"; }
mallory() { PLOMBE_HOME=$scratch/mallory "$plombe" --quiet "$@"; }
seed() { cat >"corpus/$1"; }

alice key generate alice@example.test --no-passphrase --expires never
bob key generate bob@example.test --no-passphrase --expires never
bob key generate bob.v6@example.test --no-passphrase --expires never --profile rfc9580
mallory key generate mallory@example.test --no-passphrase --expires never
mkdir -p keys
alice key export --binary alice@example.test >keys/alice.pgp
bob key export --secret bob@example.test >keys/bob.tsk
bob key export --secret bob.v6@example.test >>keys/bob.tsk
bob key export bob@example.test bob.v6@example.test >"$scratch/bob.pgp"
alice key import "$scratch/bob.pgp"
mallory key import keys/alice.pgp
mallory key import "$scratch/bob.pgp"

text="$scratch/text" short="$scratch/short" password="$scratch/password"
printf 'The offer stands until Friday.\n- Alice\n' >"$text" # entry/signed.rs knows both
printf '1,200 EUR\n' >"$short"
printf "bob's password\n" >"$password"

alice encrypt --sign-as alice@example.test --to bob@example.test "$text" | seed message/v4-signed
alice encrypt --sign-as alice@example.test --to bob.v6@example.test "$text" | seed message/v6-signed
alice encrypt --to bob@example.test --armor "$short" | seed message/v4-unsigned-armored
alice encrypt --to bob.v6@example.test --pad "$short" | seed message/v6-padded
alice encrypt --hidden-to bob@example.test "$short" | seed message/v4-hidden
alice encrypt --password-file "$password" "$short" | seed message/password
mallory encrypt --sign-as mallory@example.test --to bob@example.test "$short" | seed message/unknown-signer

alice sign "$text" | seed verdict/inline
alice sign --binary --text "$text" | seed verdict/inline-text-mode
alice sign --cleartext "$text" | seed verdict/cleartext
alice sign --detached "$short" | seed verdict/detached
mallory sign --binary "$short" | seed verdict/unknown-signer

# GnuPG writes what we do not: compression, old packet headers, partial lengths.
export GNUPGHOME=$scratch/gpg
mkdir -m 700 "$GNUPGHOME"
alice key export --secret alice@example.test | gpg --batch --quiet --import
bob key export bob@example.test | gpg --batch --quiet --import # without the v6 one, which it does not know
gpg --batch --quiet --compress-algo zlib --sign -o - "$text" | seed verdict/gpg-zlib
gpg --batch --quiet --compress-algo bzip2 --sign -o - "$short" | seed verdict/gpg-bzip2
gpg --batch --quiet --trust-model always --compress-algo zip --sign --encrypt -r bob@example.test -o - "$text" |
    seed message/gpg-compressed
gpg --batch --quiet --trust-model always --set-filename '../../etc/passwd' --encrypt -r bob@example.test -o - "$short" |
    seed message/gpg-hostile-name

alice key export alice@example.test | seed armor/certificate
alice sign "$short" | seed armor/message
alice sign --detached "$short" | seed armor/signature
printf -- '-----BEGIN PGP MESSAGE-----\nComment: a\n b\n\n\n=njUN\n-----END PGP MESSAGE-----\n' | seed armor/odd-headers

cp keys/alice.pgp corpus/certificate/v4
bob key export --binary bob.v6@example.test | seed certificate/v6
cp keys/bob.tsk corpus/certificate/two-tsks
mallory key revoke --yes mallory@example.test >/dev/null
mallory key export --binary mallory@example.test | seed certificate/revoked

plain="$scratch/plain.eml"
printf '%s\r\n' 'From: Alice <alice@example.test>' 'To: bob@example.test' 'Subject: Offer' \
    'Date: Sat, 21 Nov 2026 10:00:00 +0000' 'Message-ID: <1@example.test>' 'MIME-Version: 1.0' \
    'Content-Type: text/plain; charset=utf-8' '' 'Dear Bob,' '' 'the offer stands until Friday.' '' 'Alice' >"$plain"
cp "$plain" corpus/mail/plain.eml
alice mail seal <"$plain" | seed mail/sealed.eml
sed 's/^To: bob@/To: bob.v6@/' "$plain" | alice mail seal | seed mail/sealed-v6.eml
alice mail seal --unsigned --no-autocrypt <"$plain" | seed mail/sealed-unsigned.eml
alice mail seal --sign-only <"$plain" | seed mail/signed.eml
{
    sed '/^\r$/q' "$plain"
    printf 'Dear Bob,\r\n\r\nthe offer stands until Friday.\r\n\r\nAlice\r\n' | alice sign --cleartext
} | seed mail/inline-cleartext.eml
{
    sed '/^\r$/q' "$plain"
    alice encrypt --armor --to bob@example.test "$short"
} | seed mail/inline-encrypted.eml
# As Exchange leaves it.
sed 's#multipart/encrypted; *#multipart/mixed; #' corpus/mail/sealed.eml | seed mail/exchange.eml

echo "seeds: $(find corpus -type f | wc -l) files, $(du -sh --apparent-size corpus | cut -f1)"
