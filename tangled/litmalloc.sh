#!/bin/sh
# Tangled from src.nw/80-around.nw; edit that, not this.
# litmalloc: runs a program on the litmalloc allocator.
library='@LIBRARY@'
tools='@TOOLS@'

# Answer questions about the wrapper itself.  [80-around.nw: The wrapper]
case ${1-} in
--help | -h)
    echo "usage: litmalloc PROGRAM [ARGUMENT...]"
    echo "       litmalloc record|replay|plot ...     (to watch a heap)"
    echo "Runs PROGRAM on litmalloc.  Options: LITMALLOC_CONF=key:value,..."
    echo "See litmalloc(1)."
    exit 0
    ;;
--version)
    echo "litmalloc @VERSION@"
    exit 0
    ;;
--library)
    echo "$library"
    exit 0
    ;;
esac
# Record, replay or plot, and end.  [80-around.nw: The wrapper]
case ${1-} in
record | replay | plot)
    if [ ! -r "$tools/watch.sh" ]; then
        echo "litmalloc: there are no tools at $tools" >&2
        exit 2
    fi
    exec sh "$tools/watch.sh" "$tools" "$library" "$@"
    ;;
esac
# Refuse to run without a library or a program.  [80-around.nw: The wrapper]
if [ $# -eq 0 ]; then
    echo "litmalloc: which program? (litmalloc --help)" >&2
    exit 2
fi
if [ ! -r "$library" ]; then
    echo "litmalloc: there is no library at $library" >&2
    exit 2
fi
LD_PRELOAD="$library${LD_PRELOAD:+:$LD_PRELOAD}" exec "$@"
