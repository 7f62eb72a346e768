#!/bin/sh
# spell.sh FILE.nw... -- words of the prose that hunspell and book/words.txt do not know.
set -u
here=$(dirname "$0"); bad=0
out=$(mktemp); trap 'rm -f "$out"' EXIT
for f; do
    # Blank what is no prose, keeping the lines: chunks, code, mathematics, labels, addresses.
    awk '/^<<.*>>=/ { code = 1 } /^@( |$)/ { if (code) { code = 0; print ""; next } }
         /^```/ { fence = !fence; print ""; next }
         /^---$/ && (NR < 3 || yaml) { yaml = !yaml; print ""; next }
         /^\$\$/ { if ($0 !~ /^\$\$.*\$\$/) math = !math; print ""; next }
         { print (math || code || fence || yaml || /^:::/) ? "" : $0 }' "$f" |
    sed -E 's/\[\[[^]]*(\][^]]+)*\]\]+/ /g; s/`[^`]*`/ /g; s/\$\$[^$]*\$\$/ /g; s/\$[^$]*\$/ /g; s/\{[#.][^}]*\}/ /g;
            s/\]\([^)]*\)/ /g; s/-?@[A-Za-z][A-Za-z0-9:_-]*/ /g; s/https?:[^ )>]*/ /g; s/[0-9]+[a-z]*/ /g; s/’/'"'"'/g; s/'"'"'s\b//g; s/\\[A-Za-z]+/ /g' |
    hunspell -d en_US -p "$here/words.txt" -u3 2>/dev/null | sed -E "s|^[^:]*:([0-9]+): Locate: ([^ |]*).*|$f:\1: \2|; s|^[^:]*:([0-9]+): ([^|]*).*|$f:\1: \2|" > "$out"
    [ -s "$out" ] && { cat "$out"; bad=1; }
done
[ $bad = 0 ] || { echo "spell: correct these, or put them into book/words.txt"; exit 1; }
echo "spell: nothing unknown in $# files"
