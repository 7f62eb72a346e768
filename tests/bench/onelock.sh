#!/bin/sh
# onelock.sh -- what chapter 3 shows of the one-lock allocator; make bench-onelock
#
# figures/data/onelock-words.csv   the words of three pieces, with real addresses
# figures/data/onelock-map.csv     the heap of a Perl program, a line a moment
# figures/data/onelock-sums.csv    its bytes at the same moments
# figures/data/onelock-facts.csv   single numbers
# The program makes an index of the words in this book's chapters 08 to 90, as they are
# in the working tree.  Addresses are not randomized, so a run can be repeated.
set -eu
cd "$(dirname "$0")/../.."
: "${CC:=cc}" "${OUT:=figures/data}"
mkdir -p build/bench
command -v perl >/dev/null || { echo "onelock: perl is missing (Debian package perl)" >&2; exit 1; }
setarch -R true || { echo "onelock: setarch -R does not work here" >&2; exit 1; }
$CC -std=gnu17 -O1 -no-pie -fno-builtin -Wall -Wextra -o build/bench/onelock_words \
    tests/bench/onelock_words.c -Lbuild -l:libonelock.so -Wl,-rpath,"$PWD/build"
$CC -std=gnu17 -O2 -fPIC -shared -fno-builtin -Wall -Wextra -iquote tangled \
    -o build/bench/onelock_map.so tests/bench/onelock_map.c

remarks() {
    echo "# $(uname -srm); $($CC --version | head -n 1); $(getconf GNU_LIBC_VERSION); perl $(perl -e 'print $^V')"
    echo "# $(date -u +%Y-%m-%d), make bench-onelock"
}

setarch -R build/bench/onelock_words build/bench/words.csv
{ remarks; cat build/bench/words.csv; } >$OUT/onelock-words.csv

cat >build/bench/index.pl <<'X'
# An index of words: all words, then without those that stand once, then the places
# of the others as lines of text, then without the index.
use strict; use warnings;
my %index;
for my $file (@ARGV) {
    open my $in, '<', $file or die "$file: $!";
    while (my $line = <$in>) {
        while ($line =~ /([A-Za-z_]\w+)/g) { push @{ $index{$1} }, "$file:$." }
    }
}
for my $word (keys %index) { delete $index{$word} if @{ $index{$word} } < 3 }
my @lines;
for my $word (sort keys %index) { push @lines, "$word: " . join ', ', @{ $index{$word} } }
my $n = keys %index;
%index = ();
my %first;
for my $line (@lines) { push @{ $first{substr $line, 0, 1} }, length $line }
@lines = ();
my @again = map { [ $_, map { $_ * 2 } @{ $first{$_} } ] } sort keys %first;
print "$n words\n";
X
map=build/bench/map.csv sums=build/bench/sums.csv
# photographs EVERY BUCKET NBUCKETS
photographs() {
    : >$map
    : >$sums
    env PERL_HASH_SEED=0 PERL_PERTURB_KEYS=0 LC_ALL=C MAP_FILE=$map MAP_SUMS=$sums MAP_EVERY=$1 \
        MAP_BUCKET=$2 MAP_NBUCKETS=$3 \
        LD_PRELOAD="$PWD/build/bench/onelock_map.so:$PWD/build/libonelock.so" \
        setarch -R perl build/bench/index.pl src.nw/0[89]-*.nw src.nw/[1-9]*.nw >build/bench/index.out
}
# Once to see how long and how large; then 150 moments of 200 buckets.
photographs 1000 4096 1
every=$(awk -F, 'END { print int($1 / 150) }' $sums)
bucket=$(awk -F, '$2 > most { most = $2 } END { print 4096 * int(most / 200 / 4096 + 1) }' $sums)
photographs "$every" "$bucket" 200
{ remarks; echo "# percent of $bucket bytes that is live; a line every $every calls of malloc and free"
  cat $map; } >$OUT/onelock-map.csv
{ remarks; echo moment,calls,held,live,free; awk '{ print NR "," $0 }' $sums; } >$OUT/onelock-sums.csv
{
    remarks
    echo fact,value
    awk -F, '$3 > most { most = $3; held = $2 }
        { nfree = $4; last = $3; end = $2; calls = $1 }
        END { printf "moments,%d\ncalls,%d\nlivepeak,%d\nheldpeak,%d\nliveend,%d\nheldend,%d\nfreeend,%d\n",
              NR, calls, most, held, last, end, nfree
              printf "usedpeak,%.0f\nusedend,%.0f\n", 100 * most / held, 100 * last / end }' $sums
    printf 'every,%d\nbucket,%d\nbucketkib,%d\n' "$every" "$bucket" $((bucket / 1024))
    echo "lines,$(sed 's|/\*.*\*/||; /^ *\/\*/,/\*\//d; /^ *$/d' tangled/onelock/onelock.c | wc -l)"
    echo "words,$(sed 's/ .*//' build/bench/index.out)"
} >$OUT/onelock-facts.csv
echo "onelock: wrote $OUT/onelock-*.csv"
