# installed: after make install the wrapper finds its tools where they were put.
. "$(dirname "$0")/common"
need pandoc
make -s -C "$top" install PREFIX="$WORK/usr" >log 2>&1 || fail "make install: $(tail -n 1 log)"
for f in record.so replay picture plot.gp watch.sh; do [ -s "usr/lib/litmalloc/$f" ] || fail "there is no $f"; done
usr/bin/litmalloc record -o i.lt ls / >out || fail "record: exit status $?"
[ -s out ] || fail "ls said nothing"
usr/bin/litmalloc replay i.lt | grep -q '^i.lt: process [0-9]*, ls, 1 threads$' || fail "replay"
usr/bin/litmalloc plot -o i.csv i.lt && [ -s i.csv ] || fail "plot"
for word in record replay plot; do
    grep -q "$word" usr/share/man/man1/litmalloc.1 || fail "the manual does not know $word"
    status=0; usr/bin/litmalloc $word >out 2>err || status=$?
    [ $status = 2 ] && grep -q 'litmalloc' err || fail "$word without arguments: status $status"
done
status=0; usr/bin/litmalloc record -a nothing -o i.lt ls 2>err || status=$?
[ $status = 2 ] && grep -q 'say system, litmalloc' err || fail "an allocator that there is not: $(cat err)"
status=0; usr/bin/litmalloc record -o i.lt no-such-program 2>err || status=$?
[ $status = 2 ] && grep -q 'no program no-such' err || fail "a program that there is not: $(cat err)"
make -s -C "$top" uninstall PREFIX="$WORK/usr" >>log 2>&1
[ -z "$(find usr -name '*litmalloc*')" ] || fail "uninstall leaves $(find usr -name '*litmalloc*' | head -n 1)"
