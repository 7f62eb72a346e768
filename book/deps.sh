#!/bin/sh
# deps.sh SET 'PACKAGES' ... -- install with apt what is not installed yet.
# DRY=1 prints the sets and does nothing.
set -eu
all=
while [ $# -gt 1 ]; do
    [ -z "${DRY:-}" ] || printf '%-6s %s\n' "$1" "$2"
    all="$all $2"; shift 2
done
[ -z "${DRY:-}" ] || exit 0
if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "deps: no apt here; install what your system calls these Debian packages:" >&2
    printf '%s\n' "$all" | fold -s -w 78 | sed 's/^/  /' >&2
    echo "deps: to build the library cc and make are enough: run make" >&2
    exit 1
fi
want=
for p in $all; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true) in
    installed*) ;;
    *) case " $want " in *" $p "*) ;; *) want="$want $p" ;; esac ;;
    esac
done
[ -n "$want" ] || { echo "deps: everything is installed"; exit 0; }
if [ "$(id -u)" != 0 ]; then
    echo "deps: run as root:  sudo make deps" >&2
    echo "deps: that is: apt-get install --no-install-recommends$want" >&2
    exit 1
fi
have= ; none=
apt-get update -q
for p in $want; do      # a package this release lacks is named, not fatal
    if apt-cache show "$p" >/dev/null 2>&1; then have="$have $p"; else none="$none $p"; fi
done
[ -z "$none" ] || echo "deps: this release has no$none" >&2
[ -z "$have" ] || DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $have
