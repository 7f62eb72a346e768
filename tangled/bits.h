/* Tangled from src.nw/10-bits.nw; edit that, not this. */
/* bits.h -- the floor: what the compiler and the processor give us.
 *
 * Stands on nothing.  Every other file may include it. */

#ifndef LIT_BITS_H
#define LIT_BITS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fix the grains of memory.  [10-bits.nw: Three grains] */
/* The grain of the page heap and of the page map.  The system's own page may
 * be smaller (4 KiB), the same, or larger (64 KiB); pages.h knows it. */
enum { PAGE_SHIFT = 14, CHUNK_SHIFT = 22, QUANTUM_SHIFT = 4 };
enum {
    QUANTUM = 1 << QUANTUM_SHIFT,
    PAGE = 1 << PAGE_SHIFT,
    CHUNK = 1 << CHUNK_SHIFT,
    CHUNK_PAGES = CHUNK / PAGE,
    CACHE_LINE = 64
};

/* Say whether this is a debug build.
 * [10-bits.nw: Two builds from one text] */
#ifdef LIT_DEBUG
enum { DEBUG = 1 };
#else
enum { DEBUG = 0 };
#endif

/* What this code believes here.  Gone in release builds.  It traps instead
 * of printing: the C library's own assert may allocate. */
#define assert(e) ((void)(DEBUG && !(e) && (__builtin_trap(), 0)))

#define static_assert _Static_assert

/* Say what the compiler should know.
 * [10-bits.nw: A word with the compiler] */
#define likely(e)   __builtin_expect(!!(e), 1)
#define unlikely(e) __builtin_expect(!!(e), 0)

#define EXPORT       __attribute__((visibility("default")))
#define HIDDEN       __attribute__((visibility("hidden")))
#define COLD         __attribute__((noinline, cold))
#define NOINLINE     __attribute__((noinline))
#define INLINE       static inline __attribute__((always_inline))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))

/* Declares a function that is what `resolver` says when the loader asks.
 * Over the attribute clang 14 dies when it links with -flto. */
#ifdef __clang__
#define CHOSEN(name, resolver)                                               \
    __asm__(".hidden " #name "\n.set " #name ", " #resolver                 \
            "\n.type " #name ", %gnu_indirect_function");                   \
    HIDDEN void name(void)
#else
#define CHOSEN(name, resolver)                                               \
    HIDDEN void name(void) __attribute__((ifunc(#resolver)))
#endif

/* These look after memory only from their own start on. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED
#elif defined __clang__
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

/* Name the promises about locks.  [10-bits.nw: Promises about locks] */
/* Lock promises, checked by clang's -Wthread-safety; gcc sees nothing. */
#ifdef __clang__
#define CAPABILITY(x) __attribute__((capability(x)))
#define REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define EXCLUDES(...) __attribute__((locks_excluded(__VA_ARGS__)))
#define ACQUIRE(...)  __attribute__((acquire_capability(__VA_ARGS__)))
#define RELEASE(...)  __attribute__((release_capability(__VA_ARGS__)))
#define UNCHECKED     __attribute__((no_thread_safety_analysis))
#else
#define CAPABILITY(x)
#define REQUIRES(...)
#define EXCLUDES(...)
#define ACQUIRE(...)
#define RELEASE(...)
#define UNCHECKED
#endif

/* For a read that races on purpose; the argument stands at the function. */
#define RACY __attribute__((no_sanitize("thread")))

/* Ask questions about powers of two.  [10-bits.nw: Powers of two] */
/* 2 to the k: a shift by name, for a bare one would look like a chunk. */
#define POW2(k) ((uintptr_t)1 << (k))

INLINE bool is_pow2(uintptr_t x)
{
    return x != 0 && (x & (x - 1)) == 0;
}

/* Round down and up to a multiple of `unit`, a power of two. */
INLINE uintptr_t round_down(uintptr_t x, uintptr_t unit)
{
    return x & ~(unit - 1);
}

INLINE uintptr_t round_up(uintptr_t x, uintptr_t unit)
{
    return (x + unit - 1) & ~(unit - 1);
}

/* Find single bits in a word.  [10-bits.nw: One bit in a word] */
/* The largest k with 2 to the k at most x; x is not 0. */
INLINE unsigned floor_log2(uint64_t x)
{
    return 63 - (unsigned)__builtin_clzll(x);
}

/* The smallest k with 2 to the k at least x; x is not 0. */
INLINE unsigned ceil_log2(uint64_t x)
{
    return x <= 1 ? 0 : floor_log2(x - 1) + 1;
}

/* The index of the lowest bit set; x is not 0. */
INLINE unsigned lowest_bit(uint64_t x)
{
    return (unsigned)__builtin_ctzll(x);
}

/* Cut words at a bit.  [10-bits.nw: One bit in a word] */
/* Bits i.. of a word up to the top, and the n lowest. */
INLINE uint64_t bits_from(unsigned i)
{
    return ~UINT64_C(0) << i;
}

INLINE uint64_t bits_below(unsigned n)
{
    return n >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1;
}

/* Treat an array of words as a row of bits.  [10-bits.nw: Rows of bits] */
/* Bit i of an array of words. */
INLINE bool bit_test(const uint64_t *words, size_t i)
{
    return (words[i / 64] >> (i % 64)) & 1;
}

INLINE void bit_set(uint64_t *words, size_t i)
{
    words[i / 64] |= UINT64_C(1) << (i % 64);
}

INLINE void bit_clear(uint64_t *words, size_t i)
{
    words[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

/* Find the first bit from an index on.  [10-bits.nw: Rows of bits] */
/* The first bit set in words[0..nwords) at index `from` or above;
 * nwords * 64 if there is none. */
INLINE size_t bit_find(const uint64_t *words, size_t nwords, size_t from)
{
    for (size_t w = from / 64; w < nwords; w++) {
        uint64_t v = words[w];
        if (w == from / 64)
            v &= bits_from(from % 64);
        if (v != 0)
            return w * 64 + lowest_bit(v);
    }
    return nwords * 64;
}

/* Throw dice.  [10-bits.nw: Dice] */
/* The next number of a row that begins with *state.  No cipher: it makes
 * guessing hard and not impossible.  Source: Knuth, TAOCP vol. 2, 3.3.4. */
INLINE uint32_t random_next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005)
             + UINT64_C(1442695040888963407);
    return (uint32_t)(*state / POW2(32));
}

/* Enter the kernel and wait, on this processor.
 * [10-bits.nw: The machine] */
/* One system call, without the C library: nothing to interpose, and errno
 * stays as it was.  Returns the kernel's answer, -errno on failure. */
#if defined(__x86_64__)

/* Speak x86-64.  [10-bits.nw: The machine] */
INLINE long system_call(long n, long a, long b, long c, long d, long e,
                        long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long answer;

    __asm__ volatile("syscall"
                     : "=a"(answer)
                     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    return answer;
}

/* Tell the processor that we are waiting for another one. */
INLINE void relax(void)
{
    __builtin_ia32_pause();
}

/* Does the calling thread have thread-local variables yet?  Asks the kernel
 * for its register: arch_prctl(ARCH_GET_FS, ...). */
INLINE bool has_tls(void)
{
    uintptr_t fs = 0;

    system_call(158, 0x1003, (long)&fs, 0, 0, 0, 0);
    return fs != 0;
}

/* The unit in which a shared object's data can be protected. */
enum { SEAL_ALIGNMENT = 4096 };

/* Step in one instruction.  [10-bits.nw: The machine] */
/* Move a pointer that lies in memory one slot on, or one slot back. */
INLINE void step_on(void ***at)
{
    __asm__("addq $8, %0" : "+m"(*at) : : "cc");
}

INLINE void step_back(void ***at)
{
    __asm__("subq $8, %0" : "+m"(*at) : : "cc");
}

/* A pointer, in the register in which a function returns one. */
INLINE void *as_result(void *p)
{
    __asm__("" : "+a"(p));
    return p;
}
#elif defined(__aarch64__)

/* Speak aarch64.  [10-bits.nw: The machine] */
INLINE long system_call(long n, long a, long b, long c, long d, long e,
                        long f)
{
    register long x8 __asm__("x8") = n;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;

    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}

INLINE void relax(void)
{
    __asm__ volatile("isb" ::: "memory");
}

INLINE bool has_tls(void)
{
    return __builtin_thread_pointer() != NULL;
}

enum { SEAL_ALIGNMENT = 65536 };

/* Step as the processor can.  [10-bits.nw: The machine] */
INLINE void step_on(void ***at)
{
    ++*at;
}

INLINE void step_back(void ***at)
{
    --*at;
}

INLINE void *as_result(void *p)
{
    return p;
}
#else
#error "litmalloc knows x86-64 and aarch64; add your processor here"
#endif

#endif
