# nginx: worker processes and threads, gzip, a reload under load; every answer must be right.
. "$(dirname "$0")/common"
need nginx nginx-light
need ab apache2-utils
need perl
n=6000; [ -z "$SHORT" ] || n=1500

mkdir -p html logs
perl -e 'my $x = 5; for (1 .. 6000) { $x = ($x * 1103515245 + 12345) & 0x7fffffff; print "line $_: ", $x >> 8, "\n" }' >html/big.txt
head -c 700 html/big.txt >html/small.txt

serve() {         # serve DIRECTORY COMMAND...
    dir=$1; shift
    mkdir -p "$dir"
    p=$(port)
    cat >"$dir/nginx.conf" <<X
daemon off; master_process on; worker_processes 2; pid $WORK/$dir/pid; error_log $WORK/$dir/error.log;
events { worker_connections 256; }
http {
    access_log off; root $WORK/html; gzip on; gzip_types text/plain; gzip_comp_level 4;
    client_body_temp_path $WORK/$dir/t1; proxy_temp_path $WORK/$dir/t2; fastcgi_temp_path $WORK/$dir/t3;
    uwsgi_temp_path $WORK/$dir/t4; scgi_temp_path $WORK/$dir/t5;
    server { listen 127.0.0.1:$p; location /again/ { proxy_pass http://127.0.0.1:$p/; } }
}
X
    [ "$(id -u)" != 0 ] || echo "user root;" >>"$dir/nginx.conf"
    "$@" nginx -e "$WORK/$dir/error.log" -p "$WORK/$dir" -c "$WORK/$dir/nginx.conf" &
    pid=$!
    servers="$servers $pid"
    listening "$p"
    if [ "$dir" = with ]; then
        mapped "$pid"
        for child in $(cat "/proc/$pid/task/$pid/children"); do mapped "$child"; done
    fi
    for path in small.txt again/big.txt; do
        ab -q -n "$n" -c 16 -H 'Accept-Encoding: gzip' "http://127.0.0.1:$p/$path" >"$dir/ab" 2>&1 ||
            fail "ab: $(tail -n 5 "$dir/ab")"
        [ "$path" != small.txt ] || kill -HUP "$pid"
        grep -E '^(Complete|Failed|Non-2xx)' "$dir/ab" | tee -a "$dir/answers"
    done
    perl -MIO::Socket::INET -e '
        for my $path ("big.txt", "again/small.txt", "nothing") {
            my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0]) or die;
            print $s "GET /$path HTTP/1.0\r\n\r\n";
            my $body = do { local $/; <$s> }; $body =~ s/^(Date|ETag|Last-Modified):.*\r\n//mg; print $body;
        }' "$p" >>"$dir/answers"
    kill -QUIT "$pid"
    ended "$pid"
    wait "$pid" || fail "nginx ended with status $?"
    # A worker that dies is started again by its master: look for that.
    if grep -E 'exited on signal|\[(alert|emerg|crit)\]' "$dir/error.log"; then fail "see the error log above"; fi
}
serve without env
serve with "$WORK/under"
same without/answers with/answers
loaded nginx
