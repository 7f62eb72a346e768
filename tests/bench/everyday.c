/* everyday.c -- what programs do with memory, each habit by itself. */

#include "workloads.h"

/* ---- cfrac: numbers of arbitrary length, a block each, that live for one
 * operation.  Pollard's rho method on a product of two primes; every sum,
 * product and remainder is a new block, as in the factoring programs that
 * Zorn and Grunwald, Hoard's authors and Evans measured. */

struct number {
    uint32_t n;                 /* digits, the lowest first; none: zero */
    uint32_t digit[];
};

static struct number *number_of(const uint64_t *parts, unsigned n)
{
    struct number *r;

    while (n > 0 && parts[n - 1] == 0)
        n--;
    r = demand(sizeof *r + n * sizeof *r->digit);
    r->n = n;
    for (unsigned i = 0; i < n; i++)
        r->digit[i] = (uint32_t)parts[i];
    return r;
}

static struct number *multiply_add(const struct number *a,
                                   const struct number *b, uint32_t c)
{
    uint64_t sum[16] = { c };

    for (unsigned i = 0; i < a->n; i++) {
        uint64_t carry = 0;
        for (unsigned k = 0; k < b->n || carry != 0; k++) {
            uint64_t d = k < b->n ? b->digit[k] : 0;
            carry += sum[i + k] + a->digit[i] * d;
            sum[i + k] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    return number_of(sum, 16);
}

/* a mod m; m has one or two digits. */
static struct number *remainder_of(const struct number *a,
                                   const struct number *m)
{
    uint64_t by = m->digit[0] | (m->n > 1 ? (uint64_t)m->digit[1] << 32 : 0);
    unsigned __int128 left = 0;

    for (unsigned i = a->n; i-- > 0;)
        left = (left << 32 | a->digit[i]) % by;
    return number_of((uint64_t[]){ (uint32_t)left, (uint64_t)left >> 32 }, 2);
}

static struct number *difference(const struct number *a, const struct number *b)
{
    uint64_t x = 0, y = 0, d;

    for (unsigned i = 2; i-- > 0;) {
        x = x << 32 | (i < a->n ? a->digit[i] : 0);
        y = y << 32 | (i < b->n ? b->digit[i] : 0);
    }
    d = x > y ? x - y : y - x;
    return number_of((uint64_t[]){ (uint32_t)d, d >> 32 }, 2);
}

/* The greatest common divisor of a and m (so of a and m * m, as m is not
 * divisible by a square); takes a, leaves m. */
static struct number *common_divisor(struct number *a, const struct number *m)
{
    struct number *b = multiply_add(m, m, 0), *r;

    while (a->n != 0) {
        r = remainder_of(b, a);
        free(b);
        b = a;
        a = r;
    }
    free(a);
    return b;
}

/* x*x + 1 mod m; takes x. */
static struct number *step(struct number *x, const struct number *m)
{
    struct number *square = multiply_add(x, x, 1), *r = remainder_of(square, m);

    free(square);
    free(x);
    return r;
}

static void cfrac(void)
{
    uint64_t product = UINT64_C(2147483647) * UINT64_C(2147483629);
    struct number *m = number_of((uint64_t[]){ (uint32_t)product,
                                               product >> 32 }, 2);
    struct number *x = number_of((uint64_t[]){ 2 }, 1);
    struct number *y = number_of((uint64_t[]){ 2 }, 1), *d;

    unsigned found = 0;

    for (long n = 0; n < 300000; n++) {
        x = step(x, m);
        y = step(step(y, m), m);
        d = difference(x, y);
        if (d->n == 0) {
            free(d);
            continue;
        }
        d = common_divisor(d, m);
        found += d->n > 1 || d->digit[0] > 1;
        free(d);
    }
    free(x);
    free(y);
    free(m);
    if (found == 0) {
        fprintf(stderr, "workloads: cfrac found no divisor\n");
        exit(1);
    }
}

/* ---- trees: a program that builds structures of small nodes and drops them
 * whole, while one of them lasts. */

struct node {
    struct node *left, *right;
};

static struct node *grow(int depth)
{
    struct node *n = demand(sizeof *n);

    n->left = depth == 0 ? NULL : grow(depth - 1);
    n->right = depth == 0 ? NULL : grow(depth - 1);
    return n;
}

static void fell(struct node *n)
{
    if (n->left != NULL)
        fell(n->left);
    if (n->right != NULL)
        fell(n->right);
    free(n);
}

static void plant(int number)
{
    (void)number;
    struct node *lasting = grow(15);

    for (int n = 240 / nthreads; n > 0; n--)
        fell(grow(15));
    fell(lasting);
}

static void trees(void)
{
    in_threads(plant);
}

/* ---- graph: nodes with lists of neighbours that grow, a walk over all of
 * them, some nodes replaced; tens of MiB in blocks of 24 to some hundred
 * bytes. */

enum { NODES = 150000, EDGES = 1200000, REWIRED = 200000 };

struct vertex {
    uint32_t n, room, seen;
    struct vertex **neighbours;
    char *label;
};

static void join(struct vertex *from, struct vertex *to)
{
    if (from->n == from->room) {
        from->room = from->room == 0 ? 2 : from->room * 2;
        from->neighbours = demand_more(from->neighbours, from->room
                                       * sizeof *from->neighbours);
    }
    from->neighbours[from->n++] = to;
}

static size_t walk(struct vertex *start, uint32_t mark)
{
    size_t n = 0, room = 1024, seen = 0;
    struct vertex **todo = demand(room * sizeof *todo);

    start->seen = mark;
    todo[n++] = start;
    while (n > 0) {
        struct vertex *v = todo[--n];
        seen++;
        for (uint32_t i = 0; i < v->n; i++) {
            if (v->neighbours[i]->seen == mark)
                continue;
            v->neighbours[i]->seen = mark;
            if (n == room)
                todo = demand_more(todo, (room *= 2) * sizeof *todo);
            todo[n++] = v->neighbours[i];
        }
    }
    free(todo);
    return seen;
}

static void graph(void)
{
    uint64_t seed = seed_of(4);
    struct vertex **v = demand(NODES * sizeof *v);

    for (int i = 0; i < NODES; i++) {
        v[i] = calloc(1, sizeof **v);
        v[i]->label = written(8 + next_random(&seed) % 60);
    }
    for (int i = 0; i < EDGES; i++)
        join(v[next_random(&seed) % NODES], v[next_random(&seed) % NODES]);
    if (walk(v[0], 1) < NODES / 2)
        exit(1);
    for (int i = 0; i < REWIRED; i++) {
        struct vertex *w = v[next_random(&seed) % NODES];
        free(w->neighbours);
        free(w->label);
        w->label = written(8 + next_random(&seed) % 60);
        w->neighbours = NULL;
        w->n = w->room = 0;
        for (int k = 0; k < 3; k++)
            join(w, v[next_random(&seed) % NODES]);
    }
    walk(v[1], 2);
    for (int i = 0; i < NODES; i++) {
        free(v[i]->neighbours);
        free(v[i]->label);
        free(v[i]);
    }
    free(v);
}

/* ---- strings: words counted in a table, lines put together from words and
 * thrown away, as a script interpreter or a log filter does. */

enum { WORDS = 2000, BUCKETS = 16384, LINES = 60000 };

struct word {
    struct word *next;
    unsigned count;
    char text[];
};

static struct word *count_word(struct word **table, const char *text, size_t n)
{
    uint32_t hash = 2166136261u;
    struct word *w;

    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    for (w = table[hash % BUCKETS]; w != NULL; w = w->next)
        if (strncmp(w->text, text, n) == 0 && w->text[n] == '\0')
            break;
    if (w == NULL) {
        w = demand(sizeof *w + n + 1);
        memcpy(w->text, text, n);
        w->text[n] = '\0';
        w->count = 0;
        w->next = table[hash % BUCKETS];
        table[hash % BUCKETS] = w;
    }
    w->count++;
    return w;
}

static char *append(char *line, const char *word)
{
    size_t a = strlen(line), b = strlen(word);
    char *longer = demand(a + b + 2);

    memcpy(longer, line, a);
    longer[a] = ' ';
    memcpy(longer + a + 1, word, b + 1);
    free(line);
    return longer;
}

static void strings(void)
{
    uint64_t seed = seed_of(5);
    struct word **table = calloc(BUCKETS, sizeof *table), *w;

    for (int i = 0; i < LINES; i++) {
        char *line = strdup("");
        for (int k = 0; k < 16; k++) {
            char text[64];
            int n = snprintf(text, sizeof text, "%.*s%u",
                             (int)(next_random(&seed) % 20),
                             "antidisestablishmentarianism",
                             (unsigned)(next_random(&seed) % WORDS));
            line = append(line, count_word(table, text, (size_t)n)->text);
        }
        free(line);
    }
    for (int i = 0; i < BUCKETS; i++)
        while ((w = table[i]) != NULL) {
            table[i] = w->next;
            free(w);
        }
    free(table);
}

/* ---- vector: grows by realloc to 4 MB. */

static void vector(void)
{
    for (int n = 0; n < 200; n++) {
        size_t room = 4;
        uint32_t *v = demand(room * sizeof *v);
        for (size_t used = 0; used < 1000000; used++) {
            if (used == room)
                v = demand_more(v, (room += room / 2) * sizeof *v);
            v[used] = (uint32_t)used;
        }
        free(v);
    }
}

/* ---- vectors: 200 vectors that grow in turn, so that none can be grown in
 * place by luck; up to 100 KB each. */

static void vectors(void)
{
    enum { N = 200 };
    char *v[N] = { NULL };
    size_t used[N] = { 0 }, room[N] = { 0 };
    uint64_t seed = seed_of(6);

    for (int n = 0; n < 1000000; n++) {
        size_t i = next_random(&seed) % N, more = 1 + next_random(&seed) % 300;
        if (used[i] + more > room[i]) {
            room[i] = (used[i] + more) * 5 / 4;
            v[i] = demand_more(v[i], room[i]);
        }
        memset(v[i] + used[i], (int)n, more);
        used[i] += more;
        if (used[i] > 100000) {
            free(v[i]);
            v[i] = NULL;
            used[i] = room[i] = 0;
        }
    }
    for (int i = 0; i < N; i++)
        free(v[i]);
}

/* ---- large: eight blocks of 64 KiB to 8 MiB at a time, all pages written. */

static void large(void)
{
    uint64_t seed = seed_of(7);
    char *p[8] = { NULL };

    for (int n = 0; n < 450; n++) {
        size_t i = next_random(&seed) % 8;
        size_t size = (size_t)65536 << next_random(&seed) % 8;
        free(p[i]);
        size -= next_random(&seed) % (size / 4);
        p[i] = demand(size);
        for (size_t k = 0; k < size; k += 4096)
            p[i][k] = 1;
    }
    for (int i = 0; i < 8; i++)
        free(p[i]);
}

/* ---- calloc: zeroed blocks of 16 bytes to 256 KiB, read through. */

static void zeroed(void)
{
    uint64_t seed = seed_of(8), sum = 0;
    char *p[256] = { NULL };

    for (int n = 0; n < 2000000; n++) {
        size_t i = next_random(&seed) % 256;
        size_t most = n % 500 == 0 ? 262144 : n % 16 == 0 ? 4096 : 512;
        size_t size = 16 + next_random(&seed) % most;
        free(p[i]);
        p[i] = calloc(1, size);
        sum += (unsigned char)p[i][size / 2];
        memset(p[i], 1, size);
    }
    for (int i = 0; i < 256; i++)
        free(p[i]);
    if (sum != 0)
        exit(1);
}

/* ---- aligned: blocks on boundaries of 32 to 128 bytes (mimalloc 2.0.9 misaligns
 * some of 256). */

static void aligned(void)
{
    uint64_t seed = seed_of(9);
    char *p[1000] = { NULL };

    for (int n = 0; n < 8000000; n++) {
        size_t i = next_random(&seed) % 1000;
        size_t alignment = (size_t)32 << next_random(&seed) % 3;
        size_t size = alignment * (1 + next_random(&seed) % 4);
        free(p[i]);
        p[i] = aligned_alloc(alignment, size);
        if (p[i] == NULL || (uintptr_t)p[i] % alignment != 0)
            exit(1);
        p[i][0] = 1;
    }
    for (int i = 0; i < 1000; i++)
        free(p[i]);
}

/* ---- churn: blocks of 16 to 512 bytes replaced at random. */

enum { TABLE = 20000, CHURNED = 16000000 };

static void replace(int number)
{
    uint64_t seed = seed_of(number);
    char **table = calloc(TABLE, sizeof *table);

    for (long n = CHURNED / nthreads; n > 0; n--) {
        char **at = &table[next_random(&seed) % TABLE];
        free(*at);
        *at = written(16 + next_random(&seed) % 497);
    }
    for (int i = 0; i < TABLE; i++)
        free(table[i]);
    free(table);
}

static void churn(void)
{
    in_threads(replace);
}

/* ---- lifo, fifo, shuffled: batches of 5 000 x 64 bytes, freed in reverse, in
 * order, or in neither. */

enum { BATCH = 5000, ROUNDS = 6000 };

static void batches(int way)
{
    static char *p[BATCH];
    static uint16_t order[BATCH];
    uint64_t seed = seed_of(way);

    for (int i = 0; i < BATCH; i++)
        order[i] = (uint16_t)(way == 0 ? BATCH - 1 - i : i);
    for (int i = BATCH - 1; way == 2 && i > 0; i--) {
        size_t k = next_random(&seed) % (size_t)(i + 1);
        uint16_t o = order[i];
        order[i] = order[k];
        order[k] = o;
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BATCH; i++)
            p[i] = written(64);
        for (int i = 0; i < BATCH; i++)
            free(p[order[i]]);
    }
}

static void lifo(void)
{
    batches(0);
}

static void fifo(void)
{
    batches(1);
}

static void shuffled(void)
{
    batches(2);
}

/* ---- heap: a program with 60 MiB of small blocks: read in, used for a while,
 * dropped; three times over. */

enum { HEAP_BLOCKS = 400000, HEAP_USES = 600000 };

static void heap(void)
{
    uint64_t seed = seed_of(10);
    char **p = demand(HEAP_BLOCKS * sizeof *p);

    for (int phase = 0; phase < 2; phase++) {
        for (int i = 0; i < HEAP_BLOCKS; i++) {
            size_t size = 16 + next_random(&seed) % 273;
            p[i] = demand(size);
            memset(p[i], phase, size);
        }
        for (int n = 0; n < HEAP_USES; n++) {
            size_t i = next_random(&seed) % HEAP_BLOCKS;
            if (n % 4 == 0) {
                free(p[i]);
                p[i] = written(16 + next_random(&seed) % 273);
            } else {
                p[i][0]++;
            }
        }
        for (int i = 0; i < HEAP_BLOCKS; i++)
            free(p[i]);
    }
    free(p);
}

/* ---- burst: 8 MiB that last, then 100 MiB that come and go at once. */

enum { LASTING = 65536, BURST = 800000 };

static char *lasting[LASTING];

static void burst(void)
{
    uint64_t seed = seed_of(11);
    char **p = demand(BURST * sizeof *p);

    for (int i = 0; i < LASTING; i++)
        memset(lasting[i] = demand(128), 1, 128);
    for (int i = 0; i < BURST; i++) {
        size_t size = 16 + next_random(&seed) % 230;
        memset(p[i] = demand(size), 2, size);
    }
    for (int i = 0; i < BURST; i++)
        free(p[i]);
    free(p);
    live_at_end = (size_t)LASTING * 128;
}

const struct workload everyday[] = {
    { "cfrac", cfrac, "numbers of a few digits, for one operation each" },
    { "trees", trees, "binary trees grown and felled" },
    { "graph", graph, "150 000 nodes with growing lists" },
    { "strings", strings, "words counted, lines put together" },
    { "vector", vector, "one vector grown by realloc to 4 MB" },
    { "vectors", vectors, "200 vectors that grow in turn" },
    { "large", large, "64 KiB to 8 MiB, every page written" },
    { "calloc", zeroed, "zeroed blocks, 16 bytes to 256 KiB" },
    { "aligned", aligned, "blocks on boundaries of 32 to 128" },
    { "churn", churn, "16 to 512 bytes, replaced at random" },
    { "lifo", lifo, "5 000 x 64 bytes, freed in reverse" },
    { "fifo", fifo, "5 000 x 64 bytes, freed in order" },
    { "shuffled", shuffled, "5 000 x 64 bytes, freed in neither order" },
    { "heap", heap, "60 MiB of small blocks, used and dropped" },
    { "burst", burst, "8 MiB that last and 100 MiB that go" },
    { NULL, NULL, NULL },
};
