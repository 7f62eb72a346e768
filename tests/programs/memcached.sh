# memcached: four threads, clients that set, get, append and delete; every value is checked.
. "$(dirname "$0")/common"
need memcached
need perl
n=15000; [ -z "$SHORT" ] || n=4000

cat >client.pl <<'X'
use strict; use IO::Socket::INET;
my ($port, $me, $n) = @ARGV;
my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die;
my ($x, %have, $sum) = ($me);
sub rnd { $x = ($x * 1103515245 + 12345) & 0x7fffffff; return ($x >> 8) % $_[0] }
for (1 .. $n) {
    my $k = "c$me-" . rnd(400);
    my $op = rnd(4);
    if ($op < 2) {
        my $v = chr(97 + rnd(26)) x rnd($op ? 8000 : 100);
        print $s "set $k 0 0 ", length $v, "\r\n$v\r\n"; <$s> eq "STORED\r\n" or die "set"; $have{$k} = $v;
    } elsif ($op == 2) {
        print $s "get $k\r\n";
        my $l = <$s>;
        if ($l =~ /^VALUE \S+ 0 (\d+)/) {
            read $s, my $v, $1 + 2; <$s> eq "END\r\n" or die "end";
            die "value of $k" unless defined $have{$k} && "$have{$k}\r\n" eq $v; $sum += length $v;
        } else { die "lost $k: $l" if defined $have{$k} }
    } else {
        print $s "delete $k\r\n"; my $l = <$s>;
        die "delete $k: $l" if ($l eq "DELETED\r\n") != defined $have{$k}; delete $have{$k};
    }
    if (!rnd(500)) { $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die }
}
print "client $me: $sum\n";
X
serve() {
    dir=$1; shift
    mkdir -p "$dir"
    p=$(port)
    user=; [ "$(id -u)" != 0 ] || user="-u root"
    "$@" memcached -l 127.0.0.1 -p "$p" -U 0 -t 4 -m 256 $user &
    pid=$!
    servers="$servers $pid"
    listening "$p"
    [ "$dir" != with ] || mapped "$pid"
    clients=
    for i in 1 2 3 4; do
        perl client.pl "$p" $i "$n" >"$dir/client.$i" 2>&1 & clients="$clients $!"
    done
    for c in $clients; do wait "$c" || fail "a client: $(cat "$dir"/client.*)"; done
    cat "$dir"/client.* >"$dir/answers"
    kill -TERM "$pid"
    ended "$pid"
    wait "$pid" || fail "memcached ended with status $?"
}
serve without env
serve with "$WORK/under"
same without/answers with/answers
loaded memcached
