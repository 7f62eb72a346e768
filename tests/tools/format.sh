# format: the trace that the chapter prints in bytes is a trace, and means what the chapter says.
. "$(dirname "$0")/common"
need xxd
sed -n '/^000000[0-9a-f]*: /p' "$top"/src.nw/81-*.nw | xxd -r >printed.lt
[ -s printed.lt ] || fail "the chapter prints no trace"
demand printed.lt malloc=1 calloc=1 aligned=1 realloc=1 free=1 live_bytes=1200 live_blocks=2 threads=1
