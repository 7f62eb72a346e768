# compilers: gcc and clang, without optimization and with all of it, across files too.
# timeout: 900
. "$(dirname "$0")/common"
need gcc gcc
need clang clang
AR_HERE=ar
for CC_HERE in gcc clang; do
    for level in -O0 "-O3 -flto"; do
        say="$CC_HERE$(echo "$level" | tr -d ' ')"
        part "$CC_HERE $level"
        if [ "$CC_HERE $level" = "clang -O3 -flto" ]; then
            command -v ld.lld >/dev/null || { leave_out "$say" "ld.lld is missing (Debian package lld)"; continue; }
            level="$level -fuse-ld=lld -Wno-unused-command-line-argument"
        fi
        # The archive would need a plugin for -flto: the objects are linked themselves.
        rooms $level
        preloadable $level
        files="tests/portable/whose.c tests/model/random.c tests/model/threads.c"
        case $SHORT$level in ?-O0) files=tests/portable/whose.c ;; esac
        for file in $files; do
            name=$(basename $file .c)
            program $file "$WORK/$name" -fno-lto
            RUN="env LD_PRELOAD=$WORK/liblitmalloc.so" try "$name $say" "$WORK/$name"
        done
    done
done
verdict
