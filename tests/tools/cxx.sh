# cxx: operator new and delete are seen on every allocator, and exceptions pass through the recorder.
. "$(dirname "$0")/common"
need "${CXX%% *}" g++
cat >ops.cc <<'C'
#include <new>
#include <cstddef>
struct alignas(128) Wide { char c[300]; };
struct Plain { long x[5]; ~Plain() {} };
int main()
{
    for (int i = 0; i < 100; i++) { delete new Plain; delete[] new Plain[3]; }
    for (int i = 0; i < 50; i++) { delete new Wide; delete[] new Wide[2]; }
    for (int i = 0; i < 30; i++) operator delete(operator new(10, std::nothrow), std::nothrow);
    try { operator new(std::size_t(1) << 60); return 1; } catch (std::bad_alloc &) {}
    try { operator new(std::size_t(1) << 60, std::align_val_t(64)); return 2; } catch (std::bad_alloc &) {}
    if (operator new(std::size_t(1) << 60, std::nothrow)) return 3;
    return 0;
}
C
"$CXX" -std=c++17 -O0 -w -fno-builtin ops.cc -o ops || fail "ops.cc does not build"
for a in $allocators; do
    lib=$a; [ "$a" != litmalloc ] || lib=$("$lit" --library); [ "$a" != system ] || lib=
    alone=0; LD_PRELOAD=$lib ./ops 2>/dev/null || alone=$?
    with=0; "$lit" record -a "$a" -o o.lt ./ops 2>err || with=$?
    [ $alone = $with ] || fail "ops on $a: exit status $with, without us $alone"
    case $a in system | litmalloc) [ $with = 0 ] || fail "ops on $a: exit status $with" ;; esac
    [ $with = 0 ] || { echo "$a: exit status $with, as without us"; continue; }   # cannot throw
    [ ! -s err ] || fail "ops on $a: $(cat err)"
    demand o.lt lost=0 unknown=0 unseen=0
    n=$(value o.lt aligned)     # and one refused, maybe by two doors
    [ "$n" -ge 101 ] && [ "$n" -le 104 ] || fail "$a: $n aligned"
    n=$(value o.lt malloc)      # and what the C++ library needs itself
    [ "$n" -ge 230 ] && [ "$n" -le 260 ] || fail "$a: $n mallocs"
done
