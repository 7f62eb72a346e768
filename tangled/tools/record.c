/* Tangled from src.nw/81-watching.nw; edit that, not this. */
/* record.c -- stands in front of an allocator and writes down its calls.
 *
 * LITMALLOC_TRACE names the file; LITMALLOC_TRACE_PID says which process may
 * have that name, all others add their number.  Calls no allocator itself. */

#define _GNU_SOURCE
#include "trace.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Declare what the recorder keeps.  [81-watching.nw: A call] */
struct buffer {
    atomic_int lock;
    bool shared;                /* several threads', until they are gone */
    struct buffer *next, *previous;
    uint64_t ticket, address;   /* of the last event */
    unsigned char *at;          /* where the next one goes */
    struct trace_block head;    /* directly before what it heads */
    unsigned char events[BLOCK_BYTES];
};
_Static_assert(offsetof(struct buffer, events)
               == offsetof(struct buffer, head) + sizeof(struct trace_block),
               "a block is written in one piece");

static _Thread_local struct buffer *mine;
static _Thread_local bool busy;

/* Declare what the recorder keeps, continued.
 * [81-watching.nw: An event] */
static struct buffer common = {.shared = true, .at = common.events};
static struct buffer *buffers;          /* one a living thread; under lists */
static atomic_int lists;
static uint32_t nthreads;               /* that have begun; under lists */
static pthread_key_t at_thread_end;
static _Atomic uint64_t tickets = 1;
static atomic_bool recording;

/* Declare what the recorder keeps, continued.  [81-watching.nw: A block] */
static struct {
    atomic_int lock;
    int fd;                     /* -1: not open yet */
    pid_t pid, parent, first;   /* first: who may have the plain name */
    dev_t dev;
    ino_t ino;
    uint64_t start_ns;          /* CLOCK_MONOTONIC */
    char path[3072], name[4096];  /* as given; as opened */
} file = {.fd = -1};

/* Declare what the recorder keeps, continued.
 * [81-watching.nw: A process] */
static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void (*free)(void *);
} next;
static atomic_int state;                /* 0 asleep, 1 waking up, 2 awake */

/* Lock without the help of anybody.  [81-watching.nw: An event] */
static void hold(atomic_int *lock)
{
    while (atomic_exchange_explicit(lock, 1, memory_order_acquire) != 0)
        sched_yield();
}

static void let_go(atomic_int *lock)
{
    atomic_store_explicit(lock, 0, memory_order_release);
}

/* Say something on standard error.  [81-watching.nw: A block] */
static char *put_text(char *at, char *end, const char *text)
{
    while (*text != '\0' && at < end)
        *at++ = *text++;
    return at;
}

static void stop_recording(const char *what, int error)
{
    char line[5000], *at = line, *end = line + sizeof line - 1;

    atomic_store(&recording, false);
    at = put_text(at, end, "litmalloc: record: ");
    at = put_text(at, end, file.name[0] != '\0' ? file.name : file.path);
    at = put_text(at, end, ": ");
    at = put_text(at, end, what != NULL ? what : strerrordesc_np(error));
    at = put_text(at, end, "; recording has stopped, the program goes on");
    *at++ = '\n';
    if (write(2, line, (size_t)(at - line)) < 0)
        return;                 /* there is nobody to tell */
}

/* Write to the file, quietly.  [81-watching.nw: A block] */
/* write(2), but the signal for a file that may not grow stays out. */
static ssize_t write_quietly(const void *bytes, size_t n)
{
    const struct timespec at_once = {0, 0};
    sigset_t too_large, before;
    ssize_t w;
    int error;

    sigemptyset(&too_large);
    sigaddset(&too_large, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &too_large, &before);
    w = write(file.fd, bytes, n);
    error = errno;
    if (w < 0 && error == EFBIG)
        sigtimedwait(&too_large, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return w;
}

/* Write to the file, quietly, continued.  [81-watching.nw: A block] */
static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The second number of /proc/self/statm is in pages. */
static uint32_t resident_kib(void)
{
    char text[128] = "", *second;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    if (read(fd, text, sizeof text - 1) < 0)
        text[0] = '\0';
    close(fd);
    second = strchr(text, ' ');
    return second == NULL ? 0 : (uint32_t)strtoul(second, NULL, 10)
                                * (uint32_t)(sysconf(_SC_PAGESIZE) / 1024);
}

/* Write to the file, or stop recording.  [81-watching.nw: A block] */
static bool is_our_file(int fd)
{
    struct stat s;

    return fstat(fd, &s) == 0 && s.st_dev == file.dev && s.st_ino == file.ino;
}

/* Somebody has closed our descriptor, and maybe opened another under it. */
static bool reopen_file(void)
{
    file.fd = open(file.name, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file.fd >= 0 && is_our_file(file.fd))
        return true;
    if (file.fd >= 0)
        close(file.fd);
    file.fd = -1;
    return false;
}

/* Write to the file, or stop recording, continued.
 * [81-watching.nw: A block] */
static void write_all(const void *bytes, size_t n)
{
    struct stat before;
    ssize_t w = 0;

    if (!is_our_file(file.fd) && !reopen_file()) {
        stop_recording("the file is gone", 0);
        return;
    }
    fstat(file.fd, &before);
    for (size_t done = 0; done < n; done += (size_t)w) {
        w = write_quietly((const char *)bytes + done, n - done);
        if (w < 0 && errno == EINTR)
            w = 0;
        else if (w < 0) {
            stop_recording(NULL, errno);
            if (ftruncate(file.fd, before.st_size) != 0)
                stop_recording("its end is torn", 0);
            return;
        }
    }
}

/* Open the file of this process.  [81-watching.nw: A block] */
static char *put_count(char *at, char *end, unsigned long n)
{
    char digits[24], *d = digits + sizeof digits - 1;

    *d = '\0';
    do
        *--d = (char)('0' + n % 10);
    while ((n /= 10) != 0);
    return put_text(at, end, d);
}

/* The n-th name that this process may try. */
static void name_file(unsigned long n)
{
    char *at = file.name, *end = file.name + sizeof file.name - 1;

    at = put_text(at, end, file.path);
    if (n > 0 || file.pid != file.first) {
        at = put_text(at, end, ".");
        at = put_count(at, end, (unsigned long)file.pid);
    }
    if (n > 1 || (n == 1 && file.pid != file.first)) {
        at = put_text(at, end, ".");
        at = put_count(at, end, n);
    }
    *at = '\0';
}

/* Open the file of this process, continued.  [81-watching.nw: A block] */
static void write_head(void)
{
    struct trace_head h = {
        .magic = TRACE_MAGIC,
        .version = TRACE_VERSION,
        .bytes = sizeof h,
        .pid = (uint32_t)file.pid,
        .parent = (uint32_t)file.parent,
        .start_ns = now_ns(CLOCK_REALTIME),
    };

    strncpy(h.program, program_invocation_short_name, sizeof h.program - 1);
    write_all(&h, sizeof h);
}

/* Open the file of this process, continued.  [81-watching.nw: A block] */
static bool open_file(void)
{
    struct stat s;
    int fd = -1, high;

    for (unsigned long n = 0; fd < 0 && n < 1000; n++) {
        name_file(n);
        fd = open(file.name, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC,
                  0666);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    if (fd < 0) {
        stop_recording(NULL, errno);
        return false;
    }
    high = fcntl(fd, F_DUPFD_CLOEXEC, 600);
    if (high >= 0)
        close(fd);
    file.fd = high >= 0 ? high : fd;
    if (fstat(file.fd, &s) == 0) {
        file.dev = s.st_dev;
        file.ino = s.st_ino;
    }
    write_head();
    return true;
}

/* Write a block to the file.  [81-watching.nw: A block] */
/* The block and what follows it, in one piece, at the end of the file. */
static void write_block(struct trace_block *h)
{
    size_t n = sizeof *h + h->nbytes;

    h->ns = now_ns(CLOCK_MONOTONIC) - file.start_ns;
    h->resident = resident_kib();
    h->sum = 0;
    h->sum = trace_sum(TRACE_SUM_START, h, n);
    write_all(h, n);
}

/* Empty a buffer into the file.  [81-watching.nw: A block] */
static void flush(struct buffer *b)
{
    struct trace_block *h = &b->head;
    int error = errno;

    h->nbytes = (uint32_t)(b->at - b->events);
    if (h->nevents > 0 && atomic_load(&recording)) {
        h->mark = TRACE_EVENTS;
        hold(&file.lock);
        if (file.fd >= 0 || open_file())
            write_block(h);
        let_go(&file.lock);
    }
    h->nevents = 0;
    b->at = b->events;
    errno = error;
}

/* Begin and end a thread's buffer.  [81-watching.nw: A thread] */
static struct buffer *begin_buffer(void)
{
    struct buffer *b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (b == MAP_FAILED)
        return mine = &common;
    b->at = b->events;
    hold(&lists);
    b->head.thread = ++nthreads;
    b->next = buffers;
    if (buffers != NULL)
        buffers->previous = b;
    buffers = b;
    let_go(&lists);
    mine = b;
    pthread_setspecific(at_thread_end, b);
    return b;
}

/* Begin and end a thread's buffer, continued.
 * [81-watching.nw: A thread] */
static void end_buffer(void *it)
{
    struct buffer *b = it;

    busy = true;
    hold(&lists);
    hold(&b->lock);
    flush(b);
    mine = &common;
    if (b->previous != NULL)
        b->previous->next = b->next;
    else
        buffers = b->next;
    if (b->next != NULL)
        b->next->previous = b->previous;
    let_go(&lists);
    munmap(b, sizeof *b);
    busy = false;
}

/* Put an event into a buffer.  [81-watching.nw: An event] */
static void put_number(struct buffer *b, uint64_t x)
{
    for (; x >= 128; x /= 128)
        *b->at++ = (unsigned char)(x % 128 + 128);
    *b->at++ = (unsigned char)x;
}

static void begin_block(struct buffer *b, uint64_t ticket)
{
    b->head.first = ticket;
    b->ticket = ticket - 1;
    b->address = 0;
}

static void put_event(struct buffer *b, unsigned kind, unsigned align_log,
                      size_t size, uint64_t address)
{
    uint64_t ticket = atomic_fetch_add(&tickets, 1);
    int64_t step;

    if (b->head.nevents++ == 0)
        begin_block(b, ticket);
    *b->at++ = (unsigned char)(kind | (ticket == b->ticket + 1 ? EV_NEXT : 0));
    if (ticket != b->ticket + 1)
        put_number(b, ticket - b->ticket);
    if (kind == EV_ALIGNED)
        *b->at++ = (unsigned char)align_log;
    if (kind != EV_FREE && kind != EV_REALLOC)
        put_number(b, size);
    step = (int64_t)(address - b->address);
    put_number(b, 2 * (uint64_t)(step < 0 ? ~step : step) + (step < 0));
    b->ticket = ticket;
    b->address = address;
}

/* Put an event into a buffer, continued.  [81-watching.nw: An event] */
/* Note an event of this thread: see trace.h for what it consists of. */
static void note(unsigned kind, unsigned align_log, size_t size, const void *p)
{
    struct buffer *b;

    if (!atomic_load_explicit(&recording, memory_order_relaxed))
        return;
    b = mine != NULL ? mine : begin_buffer();
    hold(&b->lock);
    if (b->at > b->events + BLOCK_BYTES - EVENT_BYTES)
        flush(b);
    put_event(b, kind, align_log, size, (uintptr_t)p);
    let_go(&b->lock);
}

/* Find the allocator behind us.  [81-watching.nw: A process] */
static _Alignas(64) unsigned char early[16384];
static size_t early_used;

static bool is_early(const void *p)
{
    return (uintptr_t)p - (uintptr_t)early < sizeof early;
}

static void *take_early(size_t size)
{
    size_t n = (size + 15) & ~(size_t)15;
    void *p = early + early_used;

    if (size > sizeof early || n > sizeof early - early_used)
        return NULL;
    early_used += n;
    return p;
}

/* Find the allocator behind us, continued.  [81-watching.nw: A process] */
static void *next_malloc(size_t size)
{
    return next.malloc != NULL ? next.malloc(size) : take_early(size);
}

static void *next_calloc(size_t n, size_t size)
{
    size_t bytes;

    if (next.calloc != NULL)
        return next.calloc(n, size);
    return __builtin_mul_overflow(n, size, &bytes) ? NULL : take_early(bytes);
}

/* A block of ours grows out of our hands; its old size is not known. */
static void *move_early(void *old, size_t size)
{
    size_t most = (size_t)(early + sizeof early - (unsigned char *)old);
    void *p = next_malloc(size);

    if (p != NULL)
        memcpy(p, old, size < most ? size : most);
    return p;
}

/* Find the allocator behind us, continued.  [81-watching.nw: A process] */
static void *find(const char *name)
{
    void *p = dlsym(RTLD_NEXT, name);

    if (p == NULL) {
        stop_recording("there is no allocator behind the recorder", 0);
        abort();
    }
    return p;
}

static void find_allocator(void)
{
    *(void **)&next.posix_memalign = find("posix_memalign");
    *(void **)&next.memalign = find("memalign");
    *(void **)&next.aligned_alloc = find("aligned_alloc");
    *(void **)&next.realloc = find("realloc");
    *(void **)&next.calloc = find("calloc");
    *(void **)&next.free = find("free");
    *(void **)&next.malloc = find("malloc");
}

/* Begin, fork and end a recorded process.  [81-watching.nw: A process] */
static void prepare_fork(void);
static void resume_parent(void);
static void begin_child(void);

static void wake_up(void)
{
    const char *path = getenv("LITMALLOC_TRACE");
    const char *first = getenv("LITMALLOC_TRACE_PID");

    find_allocator();
    file.pid = getpid();
    file.first = first != NULL ? (pid_t)strtol(first, NULL, 10) : file.pid;
    file.start_ns = now_ns(CLOCK_MONOTONIC);
    if (path == NULL || strlen(path) >= sizeof file.path)
        return;
    strcpy(file.path, path);
    pthread_key_create(&at_thread_end, end_buffer);
    pthread_atfork(prepare_fork, resume_parent, begin_child);
    atomic_store(&recording, true);
}

/* Begin, fork and end a recorded process, continued.
 * [81-watching.nw: A process] */
/* May this call be recorded?  If so, the thread is busy until leave(). */
static bool enter(void)
{
    int asleep = 0;

    if (busy)
        return false;
    busy = true;
    if (atomic_load_explicit(&state, memory_order_acquire) != 2) {
        if (atomic_compare_exchange_strong(&state, &asleep, 1)) {
            wake_up();
            atomic_store_explicit(&state, 2, memory_order_release);
        }
        while (atomic_load_explicit(&state, memory_order_acquire) != 2)
            sched_yield();
    }
    return true;
}

static void leave(void)
{
    busy = false;
}

/* Begin, fork and end a recorded process, continued.
 * [81-watching.nw: A process] */
static void prepare_fork(void)
{
    busy = true;
    hold(&lists);
    hold(&file.lock);
}

static void resume_parent(void)
{
    let_go(&file.lock);
    let_go(&lists);
    busy = false;
}

static void begin_child(void)
{
    for (struct buffer *b = buffers, *after; b != NULL; b = after) {
        after = b->next;
        munmap(b, sizeof *b);
    }
    buffers = mine = NULL;
    memset(&common.head, 0, sizeof common.head);
    common.at = common.events;
    common.lock = 0;
    nthreads = 0;
    atomic_store(&tickets, 1);
    close(file.fd);
    file.fd = -1;
    file.parent = file.pid;
    file.pid = getpid();
    resume_parent();
}

/* Begin, fork and end a recorded process, continued.
 * [81-watching.nw: A process] */
/* Write all buffers; only in the process that they belong to. */
static void flush_all(void)
{
    hold(&lists);
    for (struct buffer *b = buffers; b != NULL; b = b->next) {
        hold(&b->lock);
        flush(b);
        let_go(&b->lock);
    }
    hold(&common.lock);
    flush(&common);
    let_go(&common.lock);
    let_go(&lists);
}

__attribute__((destructor)) static void finish(void)
{
    struct trace_block end = {.mark = TRACE_END};

    if (busy || !atomic_load(&recording) || getpid() != file.pid)
        return;
    busy = true;
    flush_all();
    end.first = atomic_load(&tickets) - 1;
    end.thread = nthreads;
    hold(&file.lock);
    if (file.fd >= 0)
        write_block(&end);
    let_go(&file.lock);
    atomic_store(&recording, false);
    busy = false;
}

/* Begin, fork and end a recorded process, continued.
 * [81-watching.nw: A process] */
void _exit(int status)
{
    finish();
    syscall(SYS_exit_group, status);
    __builtin_unreachable();
}

void _Exit(int status)
{
    _exit(status);
}

static void before_exec(void)
{
    if (busy || !atomic_load(&recording) || file.fd < 0 || getpid() != file.pid)
        return;
    busy = true;
    flush_all();
    busy = false;
}

int execve(const char *path, char *const argv[], char *const envp[])
{
    int (*exec)(const char *, char *const[], char *const[]);

    before_exec();
    *(void **)&exec = dlsym(RTLD_NEXT, "execve");
    return exec(path, argv, envp);
}

/* Begin, fork and end a recorded process, continued.
 * [81-watching.nw: A process] */
int execv(const char *path, char *const argv[])
{
    int (*exec)(const char *, char *const[]);

    before_exec();
    *(void **)&exec = dlsym(RTLD_NEXT, "execv");
    return exec(path, argv);
}

int execvp(const char *path, char *const argv[])
{
    int (*exec)(const char *, char *const[]);

    before_exec();
    *(void **)&exec = dlsym(RTLD_NEXT, "execvp");
    return exec(path, argv);
}

/* The program that was asked for has a trace even if it never allocates, and
 * hears at once of a file that cannot be written. */
__attribute__((constructor)) static void begin(void)
{
    if (!enter())
        return;
    hold(&file.lock);
    if (atomic_load(&recording) && file.pid == file.first && file.fd < 0)
        open_file();
    let_go(&file.lock);
    leave();
}

/* Stand in for the allocator.  [81-watching.nw: A call] */
void *malloc(size_t size)
{
    void *p;

    if (!enter())
        return next_malloc(size);
    p = next.malloc(size);
    note(EV_MALLOC, 0, size, p);
    leave();
    return p;
}

void free(void *p)
{
    if (p == NULL || is_early(p))
        return;
    if (enter()) {
        note(EV_FREE, 0, 0, p);
        leave();
    }
    next.free(p);
}

/* Stand in for the allocator, continued.  [81-watching.nw: A call] */
void *calloc(size_t n, size_t size)
{
    void *p;

    if (!enter())
        return next_calloc(n, size);
    p = next.calloc(n, size);
    note(EV_CALLOC, 0, n * size, p);
    leave();
    return p;
}

void *realloc(void *old, size_t size)
{
    void *p;

    if (is_early(old))
        return move_early(old, size);
    if (!enter())
        return next.realloc(old, size);
    if (old != NULL)
        note(EV_REALLOC, 0, 0, old);
    p = next.realloc(old, size);
    note(old != NULL ? EV_RESULT : EV_MALLOC, 0, size, p);
    leave();
    return p;
}

/* Stand in for the allocator, continued.  [81-watching.nw: A call] */
static unsigned log_of(size_t alignment)
{
    return alignment == 0 ? 0 : (unsigned)__builtin_ctzll(alignment);
}

static void *aligned(size_t alignment, size_t size,
                     void *(**ask)(size_t, size_t))
{
    bool outer = enter();       /* only now do we know whom to ask */
    void *p = (*ask)(alignment, size);

    if (outer) {
        note(EV_ALIGNED, log_of(alignment), size, p);
        leave();
    }
    return p;
}

void *memalign(size_t alignment, size_t size)
{
    return aligned(alignment, size, &next.memalign);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return aligned(alignment, size, &next.aligned_alloc);
}

/* Stand in for the allocator, continued.  [81-watching.nw: A call] */
int posix_memalign(void **out, size_t alignment, size_t size)
{
    bool outer = enter();
    int error = next.posix_memalign(out, alignment, size);

    if (outer) {
        if (error == 0)
            note(EV_ALIGNED, log_of(alignment), size, *out);
        leave();
    }
    return error;
}

void *valloc(size_t size)
{
    return memalign((size_t)sysconf(_SC_PAGESIZE), size);
}

void *pvalloc(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return memalign(page, size + (-size & (page - 1)));
}

/* Stand in for the allocator, continued.  [81-watching.nw: A call] */
void *reallocarray(void *old, size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(old, bytes);
}

void cfree(void *p)
{
    free(p);
}

void free_sized(void *p, size_t size)
{
    (void)size;
    free(p);
}

void free_aligned_sized(void *p, size_t alignment, size_t size)
{
    (void)alignment, (void)size;
    free(p);
}

/* Stand in for the allocator, continued.  [81-watching.nw: A call] */
typedef void *operator_new(size_t, ...);

/* p, or what the operator of this name says when there is no memory. */
static void *or_ask(void *p, const char *name, size_t size, uintptr_t more)
{
    operator_new *ask;

    if (p != NULL)
        return p;
    *(void **)&ask = dlsym(RTLD_NEXT, name);
    if (ask == NULL)
        abort();
    return ask(size, more);
}

#define NEW(name) \
    void *name(size_t n) { return or_ask(malloc(n), #name, n, 0); }
#define NEW_NOTHROW(name) \
    void *name(size_t n, void *t) { (void)t; return malloc(n); }
#define NEW_ALIGNED(name) \
    void *name(size_t n, size_t a) \
    { return or_ask(memalign(a, n), #name, n, a); }
#define NEW_ALIGNED_NOTHROW(name) \
    void *name(size_t n, size_t a, void *t) { (void)t; return memalign(a, n); }
#define DELETE(name) \
    void name(void *p, ...) { free(p); }

/* Stand in for the allocator, continued.  [81-watching.nw: A call] */
NEW(_Znwm)
NEW(_Znam)
NEW_NOTHROW(_ZnwmRKSt9nothrow_t)
NEW_NOTHROW(_ZnamRKSt9nothrow_t)
NEW_ALIGNED(_ZnwmSt11align_val_t)
NEW_ALIGNED(_ZnamSt11align_val_t)
NEW_ALIGNED_NOTHROW(_ZnwmSt11align_val_tRKSt9nothrow_t)
NEW_ALIGNED_NOTHROW(_ZnamSt11align_val_tRKSt9nothrow_t)
DELETE(_ZdlPv)
DELETE(_ZdaPv)
DELETE(_ZdlPvm)
DELETE(_ZdaPvm)
DELETE(_ZdlPvRKSt9nothrow_t)
DELETE(_ZdaPvRKSt9nothrow_t)
DELETE(_ZdlPvSt11align_val_t)
DELETE(_ZdaPvSt11align_val_t)
DELETE(_ZdlPvmSt11align_val_t)
DELETE(_ZdaPvmSt11align_val_t)
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t)
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t)
