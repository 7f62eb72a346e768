/* inject.h -- stand between the library and the kernel, and refuse what one likes.
 *
 * The library under test is opened by dlopen in a process whose own malloc is the
 * C library's.  A seccomp filter sends SIGSYS for each system call whose instruction
 * lies in text that was mapped later than the filter, which is the library's, and
 * for no other; the handler counts the call, and refuses it or makes it.  So the
 * release build is tested as it is, from its very first call on, and the process
 * around it never notices. */
#ifndef INJECT_H
#define INJECT_H

#include "../stress/stress.h"
#include "../stress/build_library.h"
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#if defined __x86_64__
#define NUMBER_GET_FS SYS_arch_prctl
#define REG_NUMBER(u) (u)->uc_mcontext.gregs[REG_RAX]
#define REG_ANSWER(u) (u)->uc_mcontext.gregs[REG_RAX]
#define REG_ARGUMENTS(u)                                                            \
    { (u)->uc_mcontext.gregs[REG_RDI], (u)->uc_mcontext.gregs[REG_RSI],             \
      (u)->uc_mcontext.gregs[REG_RDX], (u)->uc_mcontext.gregs[REG_R10],             \
      (u)->uc_mcontext.gregs[REG_R8], (u)->uc_mcontext.gregs[REG_R9] }
#elif defined __aarch64__
#define NUMBER_GET_FS (-1)              /* there is no such call */
#define REG_NUMBER(u) (long)(u)->uc_mcontext.regs[8]
#define REG_ANSWER(u) (u)->uc_mcontext.regs[0]
#define REG_ARGUMENTS(u)                                                            \
    { (long)(u)->uc_mcontext.regs[0], (long)(u)->uc_mcontext.regs[1],               \
      (long)(u)->uc_mcontext.regs[2], (long)(u)->uc_mcontext.regs[3],               \
      (long)(u)->uc_mcontext.regs[4], (long)(u)->uc_mcontext.regs[5] }
#endif

/* Every system call that the library makes; what the book lists, and no more. */
enum call { MMAP, MUNMAP, MADVISE, MREMAP, MPROTECT, PRLIMIT, AFFINITY, FUTEX, WRITE,
            OPENAT, READ, CLOSE, FCNTL, GET_FS, NCALLS, OTHER = NCALLS };

static const struct { const char *name; long number; int error; } calls[NCALLS] = {
    { "mmap", SYS_mmap, ENOMEM },       { "munmap", SYS_munmap, ENOMEM },
    { "madvise", SYS_madvise, EINVAL }, { "mremap", SYS_mremap, ENOMEM },
    { "mprotect", SYS_mprotect, ENOMEM }, { "prlimit64", SYS_prlimit64, EPERM },
    { "sched_getaffinity", SYS_sched_getaffinity, EPERM }, { "futex", SYS_futex, ENOSYS },
    { "write", SYS_write, EBADF },      { "openat", SYS_openat, EMFILE },
    { "read", SYS_read, EIO },          { "close", SYS_close, EBADF },
    { "fcntl", SYS_fcntl, EMFILE },     { "arch_prctl", NUMBER_GET_FS, EINVAL },
};

/* What to refuse, and what was seen; shared with the process that judges. */
enum mode { NOTHING, ONCE, FROM, AT_RANDOM, COMMIT };
struct plan {
    enum mode mode;
    enum call call;                     /* ONCE, FROM: this one; OTHER: any */
    unsigned long n;                    /* ONCE, FROM: the n-th, from 1 */
    uint64_t state;                     /* AT_RANDOM: one in four */
    long most;                          /* COMMIT: bytes that may be writable */
    atomic_ulong seen[NCALLS + 1];
    atomic_ulong nrefused;
    atomic_long mapped, committed;      /* bytes of the library's mappings */
    atomic_long unmap_refused;          /* bytes that it could not give back */
    long unknown, resident;             /* bytes at the end */
    long first_other;                   /* a call that is not in the list */
};
static struct plan *plan;

static long plain_call(long n, const long *a)
{
#if defined __x86_64__
    register long r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
    long answer;
    __asm__ volatile("syscall" : "=a"(answer)
                     : "a"(n), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return answer;
#elif defined __aarch64__
    register long x8 __asm__("x8") = n, x0 __asm__("x0") = a[0], x1 __asm__("x1") = a[1],
        x2 __asm__("x2") = a[2], x3 __asm__("x3") = a[3], x4 __asm__("x4") = a[4],
        x5 __asm__("x5") = a[5];
    __asm__ volatile("svc 0" : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#endif
}

static enum call call_of(long number)
{
    enum call c = 0;
    while (c < OTHER && calls[c].number != number)
        c++;
    return c;
}

/* How many bytes would the call make writable?  As strict accounting counts them. */
static long commits(enum call c, const long *a)
{
    if (c == MMAP)
        return a[2] & PROT_WRITE ? a[1] : 0;
    if (c == MPROTECT)
        return a[2] & PROT_WRITE ? a[1] : 0;
    return c == MREMAP && a[2] > a[1] ? a[2] - a[1] : 0;
}

/* May a system refuse it?  A wake it may not: futex(2) knows no error for the word of
 * a lock that is there, and a filter that forbids futex has forbidden the wait, too.
 * A wake lost between two that are granted would be our own invention. */
static bool can_be_refused(enum call c, const long *a)
{
    return c != FUTEX || (a[1] & FUTEX_CMD_MASK) != FUTEX_WAKE;
}

static bool is_refused(enum call c, const long *a, unsigned long n)
{
    if (!can_be_refused(c, a))
        return false;
    switch (plan->mode) {
    case ONCE:      return c == plan->call && n == plan->n;
    case FROM:      return c == plan->call && n >= plan->n;
    case AT_RANDOM: return (plan->call == OTHER || c == plan->call)
                           && (draw(&plan->state) >> 20) % 4 == 0;
    case COMMIT:    return commits(c, a) > 0 && plan->committed + commits(c, a) > plan->most;
    default:        return false;
    }
}

/* A call that was made: keep the accounts. */
static void account(enum call c, const long *a)
{
    long grown = c == MMAP ? a[1] : c == MUNMAP ? -a[1] : c == MREMAP ? a[2] - a[1] : 0;
    plan->mapped += grown;
    plan->committed += c == MUNMAP || (c == MREMAP && grown < 0) ? grown : commits(c, a);
}

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    const long a[6] = REG_ARGUMENTS(u);
    enum call c = call_of(info->si_syscall);
    int saved = errno;

    (void)signal;
    unsigned long n = 1 + plan->seen[c]++;
    if (c == OTHER)
        plan->first_other = info->si_syscall;
    if (is_refused(c, a, n)) {
        plan->nrefused++;
        if (c == MUNMAP)
            plan->unmap_refused += a[1];
        REG_ANSWER(u) = -(c == OTHER ? ENOSYS : calls[c].error);
    } else {
        long answer = plain_call(info->si_syscall, a);
        if (answer >= 0 || answer < -4095)
            account(c, a);
        REG_ANSWER(u) = answer;
    }
    errno = saved;
}

/* Send SIGSYS for each call from text that is not mapped yet.  What is mapped now,
 * this program, the C library, the loader and the vdso, goes on undisturbed.  False
 * where this kernel takes no such filter. */
static bool intercept_what_comes(void)
{
    enum { IP = offsetof(struct seccomp_data, instruction_pointer), MOST = 12 };
    struct sock_filter code[6 * MOST + 1];
    struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO | SA_NODEFER };
    unsigned n = 0, nranges = 0;
    char line[600], flags[8];
    FILE *f = fopen("/proc/self/maps", "r");

    demand(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx %7s", &from, &to, flags) != 3 || flags[2] != 'x')
            continue;
        demand(++nranges <= MOST && from >> 32 == (to - 1) >> 32);
        const struct sock_filter range[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, IP + 4),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(from >> 32), 0, 4),
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, IP),
            BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)from, 0, 2),
            BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)(to - 1) + 1, 1, 0),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        memcpy(code + n, range, sizeof range);
        n += sizeof range / sizeof range[0];
    }
    fclose(f);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
    struct sock_fprog program = { (unsigned short)n, code };
    return sigaction(SIGSYS, &action, NULL) == 0
           && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
           && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* The library's own calls; the process's are the C library's. */
static struct {
    void *(*malloc)(size_t), *(*calloc)(size_t, size_t), *(*realloc)(void *, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void (*free)(void *);
    size_t (*malloc_usable_size)(void *);
    int (*malloc_trim)(size_t);
    void (*lit_report)(int);
} lib;

/* Open the library, every one of its calls being seen; false where this kernel
 * cannot do that. */
static bool open_library(const char *path)
{
    if (!intercept_what_comes())
        return false;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        fail("%s", dlerror());
    *(void **)&lib.malloc = dlsym(library, "malloc");
    *(void **)&lib.calloc = dlsym(library, "calloc");
    *(void **)&lib.realloc = dlsym(library, "realloc");
    *(void **)&lib.aligned_alloc = dlsym(library, "aligned_alloc");
    *(void **)&lib.free = dlsym(library, "free");
    *(void **)&lib.malloc_usable_size = dlsym(library, "malloc_usable_size");
    *(void **)&lib.malloc_trim = dlsym(library, "malloc_trim");
    *(void **)&lib.lit_report = dlsym(library, "lit_report");
    demand(lib.malloc != NULL && lib.malloc != malloc && lib.lit_report != NULL);
    return true;
}

#endif
