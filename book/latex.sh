#!/bin/sh
# latex.sh FILE.tex OUTDIR -- lualatex until the numbers stand still; prints the
# page count and the overfull lines and pages; names the cause when it fails.
set -u
tex=$1; out=$2; job=$(basename "$tex" .tex)
sums() { cat "$out/$job.aux" "$out/$job.toc" "$out/$job.lof" "$out/$job.out" 2>/dev/null | cksum; }
pass=0; before=none
while [ $pass -lt 5 ]; do
    pass=$((pass + 1))
    if ! lualatex -interaction=nonstopmode -halt-on-error -file-line-error \
         -output-directory="$out" "$tex" > "$out/$job.out.txt" 2>&1; then
        echo "latex: pass $pass over $tex failed:" >&2
        grep -n -m 1 -A 8 -E '^(!|[^ ]+:[0-9]+: )' "$out/$job.log" >&2 || tail -n 20 "$out/$job.out.txt" >&2
        at=$(sed -n 's/^[^ ]*\.tex:\([0-9][0-9]*\): .*/\1/p' "$out/$job.log" | head -n 1)
        if [ -n "$at" ]; then
            echo "latex: in this chapter, near this text:" >&2
            head -n "$at" "$tex" | grep -E '^\\(chapter|loomchapter|hypertarget|begin\{chunk\})' | tail -n 2 >&2
            sed -n "$((at - 1)),$((at + 1))p" "$tex" >&2
        fi
        rm -f "$out/$job.aux"       # half an .aux would fail the next run too
        exit 1
    fi
    after=$(sums)
    [ "$after" = "$before" ] && break
    before=$after
done
pages=$(sed -n 's/^Output written on .*(\([0-9]*\) pages.*/\1/p' "$out/$job.log")
awk '/^Overfull \\[hv]box/ { w = $3; gsub(/[^0-9.]/, "", w); if (w + 0 > 1) { n++; hit = 1; printf "  %s", $0; next } }
     hit { print "  " substr($0, 1, 90); hit = 0 }
     END { print n + 0 > "'"$out/$job.overfull"'" }' "$out/$job.log" | head -n 40
missing=$(grep -c '^Missing character' "$out/$job.log")
[ "$missing" = 0 ] || { grep '^Missing character' "$out/$job.log" | sort | uniq -c | head -n 8; }
echo "latex: $pages pages, $pass passes, $(cat "$out/$job.overfull") overfull lines and pages, $missing missing characters"
