#!/bin/sh
# demo.sh LIBRARY PDF -- a real program on the allocator, and where the book is.
set -eu
lib=$1; pdf=$2
case $lib in /*) ;; *) lib=$PWD/$lib ;; esac
work='
import json, threading
def build(n):
    rows = [{"id": i, "name": "row %d" % i, "tags": [str(i * k) for k in range(8)]} for i in range(n)]
    return json.loads(json.dumps(rows))
threads = [threading.Thread(target=build, args=(20000,)) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print("python3 built and parsed", sum(len(json.dumps(r)) for r in build(20000)), "bytes of JSON on litmalloc")
'
python=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null || true)    # not a shim of it
if [ -n "$python" ]; then set -- "$python" -c "$work"
else set -- sh -c 'ls -lR /usr/share | sort | wc -l'; fi
echo "demo: $1 runs under $lib; its heap at the end:"
echo
LITMALLOC_CONF=stats:true LD_PRELOAD=$lib PYTHONMALLOC=malloc "$@"
echo
echo "demo: the book is $pdf, the library $lib"
echo "demo: yours next:  LD_PRELOAD=$lib PROGRAM ARGS"
