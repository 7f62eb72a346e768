# double_free: a second free ends the process with a sentence.
set -eu
cat >"$WORK/twice.c" <<'X'
#include <stdlib.h>
int main(int argc, char **argv)
{
    char *volatile p = malloc(1000), *volatile q = malloc(1000);
    (void)argv;
    if (q == NULL)
        return 2;
    free(p);
    free(argc > 1 ? p + 16 : p);
    return 0;
}
X
${CC:-cc} -fno-builtin -w -o "$WORK/twice" "$WORK/twice.c"
for argument in '' inside; do
    status=0
    env LD_PRELOAD="$LIB" "$WORK/twice" $argument 2>"$WORK/message" || status=$?
    [ $status = 134 ] || { echo "failed: exit status $status"; exit 1; }
    grep -qx 'onelock: free(): this is no live block' "$WORK/message" ||
        { echo "failed: wrote: $(cat "$WORK/message")"; exit 1; }
done
