# perl: hashes, sorts, regular expressions, string growth, a fork.
# timeout: 240
. "$(dirname "$0")/common"
need perl

cat >heavy.pl <<'X'
use strict; use warnings;
my $x = 42;
sub rnd { $x = ($x * 1103515245 + 12345) & 0x7fffffff; return $x >> 8 }
my (%count, @words);
push @words, join '', map { chr(97 + rnd() % 26) } 1 .. 3 + rnd() % 12 for 1 .. 120_000;
$count{$_}++ for @words;
my @top = (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count)[0 .. 50];
print "$_ $count{$_}\n" for @top;
my $text = join ' ', @words;
my $hits = () = $text =~ /\b(\w*?([aeiou])\w*\2)\b/g;
print "hits $hits\n";
(my $copy = $text) =~ s/(\w+) (\w+)/$2-$1/g;
print length($copy), ' ', unpack('%32C*', $copy), "\n";
my %tree;
for (@words) { my $t = \%tree; $t = $t->{$_} //= {} for split //, substr $_, 0, 6; }
sub depth { my $t = shift; my $n = 0; for (values %$t) { my $d = depth($_); $n += 1 + $d } return $n }
print 'nodes ', depth(\%tree), "\n";
undef %tree;
my $s = '';
for (1 .. 300_000) { $s .= rnd() % 10; $s = substr $s, 5000 if length $s > 10_000 }
print unpack('%32C*', $s), "\n";
my @rows = map { [ $_, $words[$_], [ map { rnd() } 1 .. rnd() % 8 ] ] } 0 .. 50_000;
@rows = sort { $a->[1] cmp $b->[1] || $a->[0] <=> $b->[0] } @rows;
print join(',', map { $_->[0] } @rows[0 .. 30]), "\n";
splice @rows, rnd() % @rows, 100 for 1 .. 200;
print scalar(@rows), "\n";
my $pid = fork // die; if (!$pid) { my @a = map { "x$_" x 10 } 1 .. 10_000; exit(@a == 10_000 ? 7 : 1) }
waitpid $pid, 0; print 'child ', $? >> 8, "\n";
X
export PERL_HASH_SEED=0
both perl perl heavy.pl
loaded perl
