# damage: a trace that was cut or changed is refused, and the message says where.
. "$(dirname "$0")/common"
program busy <<'C'
#include <stdlib.h>
int main(void) { for (int i = 0; i < 60000; i++) free(malloc(i % 5000)); return 0; }
C
"$lit" record -o b.lt ./busy
demand b.lt malloc=60000 free=60000
size=$(wc -c <b.lt)
[ "$size" -gt 140000 ] || fail "too short a trace for this test: $size"
# refuse FILE PATTERN
refuse() {
    for tool in "replay" "plot -o x.csv"; do
        status=0; "$lit" $tool "$1" >out 2>err || status=$?
        [ $status = 2 ] || fail "$tool $1: exit status $status"
        grep -Eq "$2" err || fail "$tool $1: says $(cat err)"
    done
    echo "$1: $(cat err)"
}
: >empty.lt;                            refuse empty.lt 'at offset 0: this is no trace'
refuse nowhere.lt 'nowhere.lt: No such file'
head -c 50 b.lt >head.lt;               refuse head.lt 'at offset 0: this is no trace'
cp busy text.lt;                        refuse text.lt 'at offset 0: this is no trace'
head -c 90 b.lt >block.lt;              refuse block.lt 'at offset 64: 26 bytes, too few'
head -c 1000 b.lt >events.lt;           refuse events.lt 'at offset 64: a block of [0-9]+ bytes, and 896 are there'
head -c $((size - 1)) b.lt >end.lt;     refuse end.lt "at offset $((size - 40)): 39 bytes"
change() { cp b.lt "$1"; printf '\377' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
change sum.lt 5000;                     refuse sum.lt 'at offset 64: the checksum'
change mark.lt 64;                      refuse mark.lt 'at offset 64: no block begins'
change late.lt $((size - 60));          refuse late.lt 'at offset [1-9][0-9]{4,}: the checksum'
change length.lt 75;                    refuse length.lt 'at offset 64: no block has'
change version.lt 8;                    refuse version.lt 'version 255'
# With --partial, what stands before the damage.
"$lit" replay --partial --csv late.lt >part.csv 2>err || fail "--partial"
n=$(awk -F, 'NR == 2 { print $3 }' part.csv)
[ "$n" -gt 10000 ] && [ "$n" -lt 60000 ] || fail "--partial found $n"
# No damage at random may crash the reader.
i=0
most=40; [ -z "$SHORT" ] || most=10
while [ $i -lt $most ]; do
    i=$((i + 1))
    change random.lt $(( (i * 7919 * 7919) % size ))
    status=0; "$lit" replay random.lt >/dev/null 2>&1 || status=$?
    [ $status = 0 ] || [ $status = 2 ] || fail "byte $(( (i * 7919 * 7919) % size )): exit status $status"
done
