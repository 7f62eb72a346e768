# xz, gzip and openssl: threads and large buffers; the bytes must be the same both ways.
. "$(dirname "$0")/common"
need xz xz-utils
need gzip
need openssl
need perl

perl -e 'my $x = 9; for (1 .. 500000) { $x = ($x * 1103515245 + 12345) & 0x7fffffff; print $x >> 16, $_ % 7 ? " " : "\n" }' >data
both xz xz -T2 --block-size=400KiB -4 -c data
both unxz xz -T2 -dc xz.with
same data unxz.with
both gzip gzip -9nc data
both gunzip gzip -dc gzip.with
same data gunzip.with
both aes openssl enc -aes-256-cbc -pbkdf2 -iter 20000 -S 0011223344556677 -pass pass:word -in data
both sha openssl dgst -sha512 -sha3-256 data
loaded xz gzip openssl
# A key, a certificate request and a signature: many small allocations.
under openssl genrsa -out key 2048 2>/dev/null
under openssl req -new -x509 -key key -subj /CN=test -days 1 -out cert
under openssl dgst -sha256 -sign key -out signature data
openssl x509 -in cert -noout -pubkey >public
openssl dgst -sha256 -verify public -signature signature data
under openssl verify -CAfile cert cert
under openssl speed -seconds 1 -multi 2 sha256 >/dev/null 2>&1 || fail "openssl speed"
