#!/bin/sh
# tangle.sh DEST FILE.nw... -- every file of the web into DEST, or nothing.
#
# With LINES=1 in the environment the C carries #line directives instead of the
# names of chunks.  A file that comes out as it was keeps its time; a file the
# web no longer has is removed.
set -eu
dest=$1; shift
here=$(dirname "$0")
lib=${NOWEB_LIB:-/usr/lib/noweb}
lines=${LINES:-}
[ "$lines" = 1 ] || lines=        # a terminal's height is no wish of ours
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT

fail() { echo "make tangle: $*; nothing written" >&2; exit 1; }

[ -f "${1:-}" ] || fail "there is no ${1:-.nw file}"
"$lib/markup" "$@" > "$tmp/stage" || 
    fail "noweb could not read the source (<< in prose or in a fenced block is written @<<, or inside [[ ]])"
: > "$tmp/roots"
awk -v roots="$tmp/roots" -f "$here/web.awk" "$tmp/stage" >&2 || fail "the web has the faults above"

mkdir "$tmp/out"
while read -r root from; do
    mkdir -p "$tmp/out/$(dirname "$root")"
    first="Tangled from $from; edit that, not this."
    case $root in
    *.c|*.h)     kind=c;    banner="/* $first */" ;;
    *.sh|*.in|*.gp|*.py) kind=sh;   banner="# $first" ;;
    *.md)        kind=none; banner="<!-- $first -->" ;;
    *)           kind=none; banner= ;;
    esac
    if [ -n "$lines" ] && [ $kind = c ]; then
        notangle -L -R"$root" "$@" > "$tmp/body" || fail "notangle -L -R$root failed"
        cp "$tmp/body" "$tmp/out/$root"
        continue
    fi
    notangle -filter "awk -v kind=$kind -f $here/secref.awk" -R"$root" "$@" > "$tmp/body" ||
        fail "notangle -R$root failed"
    {   # A script keeps its #! line first, a page its YAML block.
        case $(head -n 1 "$tmp/body") in
        '#!'*) head -n 1 "$tmp/body"; echo "$banner"; tail -n +2 "$tmp/body" ;;
        ---)   cat "$tmp/body"; printf '\n%s\n' "$banner" ;;
        *)     [ -z "$banner" ] || echo "$banner"; cat "$tmp/body" ;;
        esac
    } | sed 's/[[:space:]]*$//' > "$tmp/out/$root"
done < "$tmp/roots"

mkdir -p "$dest"
changed=0
(cd "$tmp/out" && find . -type f) | sed 's|^\./||' | sort > "$tmp/new"
while read -r f; do
    mkdir -p "$dest/$(dirname "$f")"
    cmp -s "$tmp/out/$f" "$dest/$f" 2>/dev/null ||
        { cp "$tmp/out/$f" "$dest/$f.new" && mv "$dest/$f.new" "$dest/$f"; changed=$((changed + 1)); }
done < "$tmp/new"
(cd "$dest" && find . -type f) | sed 's|^\./||' | sort > "$tmp/old"
while read -r f; do
    case $f in *.o|*.d|*.so|*.a) continue ;; esac
    [ -e "$tmp/out/$f" ] || { echo "tangle: $dest/$f is no longer in the web; removed"; rm -f "$dest/$f"; }
done < "$tmp/old"
echo "tangle: $(wc -l < "$tmp/roots" | tr -d ' ') files in $dest, $changed changed"
