#!/bin/sh
# whole.sh FILE.pdf TANGLED -- every line of the C in TANGLED is in the PDF's text.
#
# Left out: blank lines and what tangling put in: the first line, and the comments
# that name chunks.  Compared after taking out all white space, which pdftotext
# renders as it sees fit.
set -eu
pdf=$1; tangled=$2
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
pdftotext -layout -nopgbrk "$pdf" "$tmp/text"
for f in $(find "$tangled" -type f | sort); do
    awk -v f="$f" '
        FNR == 1 && /Tangled from/ || FNR == 2 && /Tangled from/ { next }
        /^[ \t]*(\/\*|#) .*\[[0-9][^]]*\.nw: .*\]( \*\/)?$/ { held = ""; next }
        /^[ \t]*\* \[[0-9][^]]*\.nw: .*\] \*\/$/ { held = ""; next }    # a comment of two lines
        held != "" { print held; held = "" }
        !/[^ \t]/ { next }
        /^<!-- Tangled from/ { next }
        { held = f ":" FNR "\t" $0 }
        END { if (held != "") print held }' "$f"
done > "$tmp/lines"
awk -F '\t' '
    NR == FNR { s = $0; gsub(/[ \t\302\240]/, "", s); text = text "\n" s; have[s] = 1; next }
    { at = $1; s = $0; sub(/^[^\t]*\t/, "", s); shown = s; gsub(/[ \t\302\240]/, "", s); n++
      if (s in have) next
      if (index(text, s)) next
      print at ": this line is not in the book: " shown; bad++ }
    END { printf "check-book: %d lines of tangled/, %d not in the book\n", n, bad; exit bad > 0 }
' "$tmp/text" "$tmp/lines"
