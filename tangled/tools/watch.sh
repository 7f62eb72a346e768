#!/bin/sh
# Tangled from src.nw/89-tools.nw; edit that, not this.
# watch.sh TOOLS LIBRARY record|replay|plot ... -- see litmalloc(1).
set -eu
tools=$1 library=$2 word=$3
shift 3
fail() { echo "litmalloc: $word: $*" >&2; exit 2; }
on=$library out=

# Choose the allocator that is watched.  [89-tools.nw: Three words for the wrapper]
# The preload list for the allocator called $1.
allocator() {
    case $1 in
    system) on= ;;
    litmalloc) on=$library ;;
    *[/]*) on=$1 ;;
    *) fail "allocator $1: say system, litmalloc, or the path of a library" ;;
    esac
    [ -z "$on" ] || [ -r "$on" ] || fail "there is no library at $on"
}

# Record a program.  [89-tools.nw: Three words for the wrapper]
record() {
    while getopts a:o: option; do
        case $option in
        a) allocator "$OPTARG" ;;
        o) out=$OPTARG ;;
        *) exit 2 ;;
        esac
    done
    shift $((OPTIND - 1))
    [ -n "$out" ] && [ $# -gt 0 ] ||
        fail "which? litmalloc record [-a ALLOCATOR] -o TRACE PROGRAM..."
    case $out in [/]*) ;; *) out=$PWD/$out ;; esac
    [ -r "$tools/record.so" ] || fail "there is no recorder at $tools/record.so"
    command -v "$1" >/dev/null || fail "there is no program $1"
    rm -f "$out" "$out".[0-9]*
    on=$tools/record.so${on:+:$on}
    LITMALLOC_TRACE=$out LITMALLOC_TRACE_PID=$$ \
        LD_PRELOAD=$on${LD_PRELOAD:+:$LD_PRELOAD} exec "$@"
}

# Replay a trace.  [89-tools.nw: Three words for the wrapper]
replay() {
    if [ "${1-}" = -a ]; then
        [ $# -gt 1 ] || fail "-a wants an allocator"
        allocator "$2"
        shift 2
    fi
    [ -x "$tools/replay" ] || fail "there is no player at $tools/replay"
    on=$on${LD_PRELOAD:+${on:+:}$LD_PRELOAD}
    LD_PRELOAD=$on exec "$tools/replay" "$@"
}

# Plot a trace.  [89-tools.nw: Three words for the wrapper]
plot() {
    kind=address colour=fill previous=
    for word_of_line; do
        case $previous in
        -o) out=$word_of_line ;;
        --kind) kind=$word_of_line ;;
        --colour) colour=$word_of_line ;;
        esac
        previous=$word_of_line
    done
    [ -n "$out" ] || fail "where to? (-o FILE.svg, .pdf, .png or .csv)"
    # Take the option -o out of the arguments.  [89-tools.nw: Three words for the wrapper]
    n=$#
    while [ $n -gt 0 ]; do
        if [ "$1" = -o ]; then
            shift 2
            n=$((n - 2))
        else
            set -- "$@" "$1"
            shift
            n=$((n - 1))
        fi
    done
    table=$(mktemp) && trap 'rm -f "$table"' EXIT
    "$tools/picture" "$@" >"$table"
    case $out in
    *.csv) cp "$table" "$out"; return ;;
    *.svg | *.pdf | *.png) ;;
    *) fail "$out: .svg, .pdf, .png or .csv" ;;
    esac
    command -v gnuplot >/dev/null ||
        fail "gnuplot is missing; it comes with Debian's package gnuplot-nox"
    gnuplot -e "kind='$kind'; colour='$colour'; data='$table'; outfile='$out'" \
        "$tools/plot.gp" || { rm -f "$out"; fail "gnuplot has failed"; }
}

case $word in
record) record "$@" ;;
replay) replay "$@" ;;
plot) plot "$@" ;;
esac
