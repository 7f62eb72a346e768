# redis-server: load by redis-benchmark, a background save (fork) in the middle, reload; same keys.
# timeout: 240
. "$(dirname "$0")/common"
need redis-server
need redis-benchmark redis-tools
need redis-cli redis-tools
need perl
n=40000; [ -z "$SHORT" ] || n=8000

cat >fill.pl <<'X'
my $x = 3;
sub rnd { $x = ($x * 1103515245 + 12345) & 0x7fffffff; return ($x >> 8) % $_[0] }
for my $i (1 .. 30000) {
    print "SET s$i ", 'v' x (1 + rnd(300)), "\r\n";
    print "HSET h", rnd(500), " f$i ", rnd(1e6), "\r\n";
    print "RPUSH l", rnd(200), " e", rnd(1e6), "\r\n";
    print "ZADD z", rnd(100), " ", rnd(1e6), " m$i\r\n";
    print "SADD t", rnd(100), " ", rnd(1e6), "\r\n";
    print "APPEND s", 1 + rnd($i), " ", 'y' x (1 + rnd(200)), "\r\n";
    print "DEL s", 1 + rnd($i), "\r\n" if !rnd(3);
}
X
perl fill.pl >commands

session() {       # session DIRECTORY COMMAND...: start, load, save, stop, start again, digest
    dir=$1; shift
    mkdir -p "$dir"
    for start in first second; do
        p=$(port)
        "$@" redis-server --port "$p" --bind 127.0.0.1 --dir "$WORK/$dir" --save '' \
            --appendonly no --io-threads 2 --daemonize no --enable-debug-command yes \
            --activedefrag no >"$dir/log.$start" 2>&1 &
        pid=$!
        servers="$servers $pid"
        listening "$p"
        [ "$dir" != with ] || mapped "$(redis-cli -p "$p" info server | sed -n 's/^process_id:\([0-9]*\).*/\1/p')"
        if [ $start = first ]; then
            redis-cli -p "$p" --pipe <commands >"$dir/pipe" 2>&1 || fail "redis-cli --pipe: $(cat "$dir/pipe")"
            redis-cli -p "$p" bgsave
            redis-benchmark -p "$p" -n "$n" -c 20 -P 8 -d 200 -r 20000 --threads 2 \
                -t set,get,incr,lpush,lpop,sadd,hset,zadd,spop -q >"$dir/benchmark" 2>&1 ||
                fail "redis-benchmark: $(cat "$dir/benchmark")"
            for i in $(seq 100); do
                redis-cli -p "$p" info persistence | grep -q 'rdb_bgsave_in_progress:0' && break
                sleep 0.1
            done
            redis-cli -p "$p" info persistence | grep -q 'rdb_last_bgsave_status:ok' || fail "background save"
            redis-cli -p "$p" flushall >/dev/null
            redis-cli -p "$p" --pipe <commands >/dev/null
            redis-cli -p "$p" debug digest >"$dir/digest.first"
            redis-cli -p "$p" shutdown save || :
        else
            redis-cli -p "$p" debug digest >"$dir/digest.second"
            redis-cli -p "$p" dbsize >>"$dir/digest.second"
            redis-cli -p "$p" memory purge >/dev/null
            redis-cli -p "$p" shutdown nosave || :
        fi
        ended "$pid"
        wait "$pid" || fail "redis-server ended with status $?: $(tail -n 5 "$dir/log.$start")"
    done
    same "$dir/digest.first" "$dir/digest.first"
}
session without env
session with "$WORK/under"
same without/digest.first with/digest.first
same without/digest.second with/digest.second
[ "$(cat with/digest.first)" = "$(head -n 1 with/digest.second)" ] || fail "the reloaded data differ"
loaded redis-server
