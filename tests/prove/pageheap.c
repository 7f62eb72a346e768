/* prove: pageheap
 * property: the page heap does what a row of letters would do: best fit, lowest, dirty first; nothing lost or joined wrongly; the page map agrees
 * room: pageheap
 * method: explicit states, real code
 * bound: every sequence of operations on one chunk of 8 pages, to the end of the states
 * geometry: bits.h | s/PAGE_SHIFT = 14, CHUNK_SHIFT = 22/PAGE_SHIFT = 14, CHUNK_SHIFT = 17/
 * control: pageheap.c | s/b = free_behind\(r\)\) != NULL/b = free_behind(r)) != NULL \&\& b->npages != 2/ | a neighbour of two pages is not joined
 * control: pageheap.c | s/b->npages < more/b->npages + 1 < more/ | a run grows into its neighbour
 * control: run.c | s/pagemap_set\(run_address\(r\), r->npages, CLASS_NONE\)/pagemap_set(run_address(r), 1, CLASS_NONE)/ | a run leaves the map page by page
 * control: pageheap.c | s/round_up\(run_address\(r\), alignment\)/run_address(r)/ | alignment forgotten
 *
 * prove: pageheap-raw
 * property: the same, and no stale byte of a record matters
 * room: pageheap
 * method: explicit states, real code
 * bound: every sequence of 7 operations on one chunk of 8 pages; states told apart by every byte
 * geometry: bits.h | s/PAGE_SHIFT = 14, CHUNK_SHIFT = 22/PAGE_SHIFT = 14, CHUNK_SHIFT = 17/
 * control: pageheap.c | s/last->first = \(uint16_t\)first;/last->first = npages > 2 ? (uint16_t)first : last->first;/ | the last page of a short run does not know its first */

#include "pageheap.c"
#include "decay.c"
#include "fresh.c"
#include "run.c"
#include "sizeclass.c"

#include "prove.h"

/* ---- the world around the room ---------------------------------------------------- */

struct options options = { .thp_from = -1 };      /* a huge page is larger than this chunk */
size_t pages_size = 4096;
char __libc_single_threaded = 1;
static bool purge_works = true, chunk_given;
static struct chunk *returned;
static uint8_t map[4 * CHUNK_PAGES];
uint8_t *pagemap_classes = map;
uintptr_t pagemap_npages = 4 * CHUNK_PAGES;
struct chunk **pagemap_chunks;

void mutex_start(struct mutex *m, enum rank rank) { m->rank = rank; }
void mutex_wait(struct mutex *m) { (void)m; violated("a lock taken twice"); }
void mutex_wake(struct mutex *m) { (void)m; }
void mutex_note(const struct mutex *m, bool taken)
{
    if (atomic_load(&((struct mutex *)m)->word) == (uint32_t)taken)
        violated("a lock taken or let go twice");
    atomic_store(&((struct mutex *)m)->word, taken);
}

void pagemap_set(uintptr_t address, size_t npages, unsigned c)
{
    memset(map + address / PAGE, (int)c, npages);
}

uint64_t pages_now_ms(void) { return 0; }
bool pages_purge(void *p, size_t n) { (void)p; (void)n; return purge_works; }
void chunk_put(struct chunk *c) { returned = c; }
void pages_populate_huge(void *p, size_t n) { (void)p; (void)n; violated("a huge page"); }

/* ---- one world: the room's records, and the row of letters ----------------------------- */

enum { MAX_PAGES = CHUNK_PAGES, START = 2 * CHUNK };

/* Page by page: 0 clean, 1 dirty, k + 2: run k taken.  USED: pages before `limit` are
 * real; those above are one large run that is never given back. */
struct world {
    struct pageheap heap;
    struct chunk chunk;
    uint8_t map[CHUNK_PAGES];
    bool has_chunk;
    uint8_t letter[CHUNK_PAGES];        /* '.' clean, '#' dirty, 'a'+first taken */
    uint8_t small[CHUNK_PAGES];         /* class of the run that starts here, 0: large */
};

static struct world w;
static size_t limit;                    /* pages in play */

struct chunk *chunk_take(struct arena *arena)
{
    (void)arena;
    return &w.chunk;
}

static bool is_taken(size_t i) { return w.letter[i] >= 'a'; }

/* Only what is in use is backed, and what lies ahead of it in the chunk. */
void pages_populate(void *p, size_t n)
{
    size_t first = ((uintptr_t)p - START) / PAGE;

    hold(n > 0 && (uintptr_t)p >= START && first + n / PAGE <= CHUNK_PAGES);
}

static size_t length(size_t i)
{
    size_t n = 1;

    while (i + n < CHUNK_PAGES && w.letter[i + n] == w.letter[i])
        n++;
    return n;
}

/* What pageheap_take ought to answer: the first page, or CHUNK_PAGES. */
static size_t model_fit(size_t npages, size_t grain, bool *zeroed)
{
    size_t wanted = npages + grain - 1, best = CHUNK_PAGES, shortest = CHUNK_PAGES + 1;

    for (char letter = '#'; best == CHUNK_PAGES; letter = '.') {
        for (size_t i = 0; i < CHUNK_PAGES; i += length(i))
            if (w.letter[i] == letter && length(i) >= wanted && length(i) < shortest) {
                best = i;
                shortest = length(i);
            }
        *zeroed = letter == '.';
        if (letter == '.')
            break;
    }
    return best == CHUNK_PAGES ? best : (best + grain - 1) / grain * grain;
}

/* Every letter against every record. */
static void compare(void)
{
    size_t ndirty = 0, nused = 0, nfree = 0, shelved = 0;

    if (!w.has_chunk) {
        hold(w.heap.npages == 0 && w.heap.oldest == NULL && w.heap.ndirty == 0);
        for (size_t n = 0; n < NSIZES; n++)
            hold(w.heap.dirty.runs[n].root == NULL && w.heap.clean.runs[n].root == NULL);
        return;
    }
    for (size_t i = 0, n; i < CHUNK_PAGES; i += n) {
        const struct run *r = &w.chunk.runs[i];
        n = length(i);
        hold(r->first == i && r->npages == n && r->chunk == &w.chunk);
        hold(w.chunk.runs[i + n - 1].first == i);
        hold(r->state == (w.letter[i] == '.' ? RUN_CLEAN : w.letter[i] == '#' ? RUN_DIRTY
                          : w.small[i] ? RUN_SMALL : RUN_LARGE));
        for (size_t k = 0; k < n; k++)
            hold(pagemap_class((void *)(START + (i + k) * PAGE))
                 == (is_taken(i) ? w.small[i] : 0));
        for (size_t k = 0; is_taken(i) && w.small[i] && k < n; k++)
            hold(run_of(&w.chunk, START + (i + k) * PAGE) == r);
        *(is_taken(i) ? &nused : w.letter[i] == '#' ? &ndirty : &nfree) += n;
        shelved += !is_taken(i);
    }
    hold(w.heap.nused == nused && w.heap.ndirty == ndirty);
    hold(w.chunk.nfree == nfree + ndirty);
    for (size_t n = 0; n < NSIZES; n++) {
        hold(bit_test(w.heap.dirty.nonempty, n) == (w.heap.dirty.runs[n].root != NULL));
        hold(bit_test(w.heap.clean.nonempty, n) == (w.heap.clean.runs[n].root != NULL));
    }
    hold(pageheap_check(&w.heap));
}

/* ---- the operations ------------------------------------------------------------------- */

/* An operation is a number; those that cannot be done now answer false. */
enum { GROW, PURGE, PURGE_FAILS, TAKE = 4, NTAKES = CHUNK_PAGES * 3, SMALLS = TAKE + NTAKES,
       NSMALLS = 7, PUT = SMALLS + NSMALLS, RESIZE = PUT + CHUNK_PAGES,
       NOPS = RESIZE + CHUNK_PAGES * CHUNK_PAGES };

static const uint8_t class_of_pages[8] = { 0, 1, 17, 21, 23, 41, 42, 43 };

static void paint(size_t first, size_t n, uint8_t letter)
{
    memset(w.letter + first, letter, n);
}

/* The model's way of giving back: the whole chunk leaves when all of it is free. */
static void settle_model(void)
{
    if (!w.has_chunk)
        return;
    for (size_t i = 0; i < CHUNK_PAGES; i++)
        if (is_taken(i)) {
            hold(returned == NULL);
            return;
        }
    hold(returned == &w.chunk);
    returned = NULL;
    w.has_chunk = false;
}

static bool take(size_t npages, size_t grain, unsigned c)
{
    bool zeroed = false, want_zeroed = false;
    size_t at = model_fit(npages, grain, &want_zeroed);
    struct run *r = pageheap_take(&w.heap, npages, grain * PAGE,
                                  c ? RUN_SMALL : RUN_LARGE, &zeroed);

    if (at == CHUNK_PAGES) {
        hold(r == NULL);
        return false;
    }
    hold(r == &w.chunk.runs[at]);
    hold(zeroed == want_zeroed);
    paint(at, npages, (uint8_t)('a' + at));
    w.small[at] = (uint8_t)c;
    if (c)
        run_cut(r, c);
    return true;
}

static bool put(size_t first)
{
    struct run *r = &w.chunk.runs[first];

    if (!w.has_chunk || first >= limit || w.letter[first] != 'a' + first)
        return false;
    enum run_state state = w.small[first] ? RUN_SMALL : RUN_LARGE;
    hold(!pageheap_put(&w.heap, r, state == RUN_SMALL ? RUN_LARGE : RUN_SMALL));
    if (w.small[first])
        run_uncut(r);
    hold(pageheap_put(&w.heap, r, state));
    paint(first, length(first), '#');
    settle_model();
    return true;
}

static bool resize(size_t first, size_t npages)
{
    if (!w.has_chunk || w.letter[first] != 'a' + first || w.small[first] || first >= limit)
        return false;
    size_t old = length(first), behind = first + old;
    bool may = npages <= old
               || (behind < CHUNK_PAGES && !is_taken(behind)
                   && length(behind) >= npages - old);
    if (npages == old)
        return false;
    hold(pageheap_resize(&w.heap, &w.chunk.runs[first], npages) == may);
    if (may && npages > old)
        paint(behind, npages - old, (uint8_t)('a' + first));
    else if (may)
        paint(first + npages, old - npages, '#');
    return may;
}

static bool purge(bool works)
{
    if (!w.has_chunk || w.heap.ndirty == 0)
        return false;
    size_t ndirty = w.heap.ndirty;
    purge_works = works;
    size_t nbytes = pageheap_purge(&w.heap, 0, true);
    hold(nbytes == (works ? ndirty * PAGE : 0));
    for (size_t i = 0; works && i < CHUNK_PAGES; i++)
        if (w.letter[i] == '#')
            w.letter[i] = '.';
    settle_model();
    return true;
}

static bool grow(void)
{
    bool dirty = w.chunk.dirty;

    if (w.has_chunk)
        return false;
    hold(pageheap_grow(&w.heap));
    w.has_chunk = true;
    paint(0, CHUNK_PAGES, dirty ? '#' : '.');
    if (limit < CHUNK_PAGES) {      /* the rest of the chunk is out of play */
        bool zeroed;
        struct run *r = pageheap_take(&w.heap, CHUNK_PAGES, PAGE, RUN_LARGE, &zeroed);
        hold(pageheap_resize(&w.heap, r, limit));
        struct run *rest = pageheap_take(&w.heap, CHUNK_PAGES - limit, PAGE, RUN_LARGE,
                                         &zeroed);
        hold(rest->first == limit);
        hold(pageheap_put(&w.heap, r, RUN_LARGE));
        paint(0, limit, '#');
        paint(limit, CHUNK_PAGES - limit, (uint8_t)('a' + limit));
        w.small[limit] = 0;
    }
    return true;
}

static bool operate(unsigned op)
{
    if (op == GROW)
        return grow();
    if (!w.has_chunk)
        return false;
    if (op == PURGE || op == PURGE_FAILS)
        return purge(op == PURGE);
    if (op >= RESIZE)
        return resize((op - RESIZE) / CHUNK_PAGES, (op - RESIZE) % CHUNK_PAGES + 1);
    if (op >= PUT)
        return put(op - PUT);
    if (op >= SMALLS)
        return take(op - SMALLS + 1, 1, class_of_pages[op - SMALLS + 1]);
    if (op >= TAKE)
        return take((op - TAKE) % CHUNK_PAGES + 1, (size_t)1 << (op - TAKE) / CHUNK_PAGES, 0);
    return false;
}

static const char *name_of(unsigned op)
{
    static char text[40];

    if (op >= RESIZE)
        sprintf(text, "resize %zu to %zu", (size_t)(op - RESIZE) / CHUNK_PAGES,
                (size_t)(op - RESIZE) % CHUNK_PAGES + 1);
    else if (op >= PUT)
        sprintf(text, "put %u", op - PUT);
    else if (op >= SMALLS)
        sprintf(text, "take small %u", op - SMALLS + 1);
    else if (op >= TAKE)
        sprintf(text, "take %zu aligned %u", (size_t)(op - TAKE) % CHUNK_PAGES + 1,
                1u << (op - TAKE) / CHUNK_PAGES);
    else
        strcpy(text, op == GROW ? "grow" : op == PURGE ? "purge" : "purge refused");
    return text;
}

/* ---- the search ------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

struct print { uint64_t a, b; };

static bool raw;

static void see(struct print *p, uint64_t v)
{
    p->a = mix(p->a, v);
    p->b = mix(p->b ^ v, v + 0x632be59bd9b4e019);
}

static void see_heap(struct print *p, const struct heapnode *n)
{
    for (; n != NULL; n = n->next) {
        see(p, n->key);
        see_heap(p, n->child);
    }
    see(p, 1);
}

/* The live part: letters, who is small, the shapes of the heaps, the dirty line. */
static struct print print_world(void)
{
    struct print p = { 1, 2 };

    if (raw) {
        const uint64_t *words = (const uint64_t *)&w;
        for (size_t i = 0; i < sizeof w / 8; i++)
            see(&p, words[i]);
        return p;
    }
    for (size_t i = 0; w.has_chunk && i < CHUNK_PAGES; i++)
        see(&p, (uint64_t)(w.letter[i] * 256 + (is_taken(i) ? w.small[i] : 0)));
    see(&p, w.has_chunk * 2 + w.chunk.dirty);
    for (size_t n = 0; w.has_chunk && n < NSIZES; n++) {
        see_heap(&p, w.heap.dirty.runs[n].root);
        see_heap(&p, w.heap.clean.runs[n].root);
    }
    for (const struct run *r = w.heap.oldest; r != NULL; r = r->newer)
        see(&p, r->first);
    return p;
}

enum { MOST = 1 << 23 };
static struct state { struct print print; uint32_t parent; uint16_t op, depth; } *states;
static uint32_t *table, nstates;

static uint32_t *place_of(struct print p)
{
    uint32_t i = (uint32_t)p.a & (2 * MOST - 1);

    while (table[i] != 0 && (states[table[i]].print.a != p.a || states[table[i]].print.b != p.b))
        i = (i + 1) & (2 * MOST - 1);
    return &table[i];
}

static void add(struct print p, uint32_t parent, unsigned op)
{
    uint32_t *place = place_of(p);

    if (*place != 0)
        return;
    if (++nstates == MOST)
        violated("more than %d states: enlarge MOST", MOST);
    *place = nstates;
    states[nstates] = (struct state){ p, parent, (uint16_t)op,
                                      (uint16_t)(parent ? states[parent].depth + 1 : 0) };
}

/* Make the world that state i stands for, by doing again what led to it. */
static void replay(uint32_t i)
{
    uint16_t way[4096];
    unsigned n = 0;

    for (; states[i].parent != 0; i = states[i].parent)
        way[n++] = states[i].op;
    memset(&w, 0, sizeof w);
    memset(map, 0, sizeof map);
    w.chunk.address = START;
    pageheap_start(&w.heap, NULL);
    while (n > 0)
        operate(way[--n]);
}

static uint32_t at;
static unsigned doing;

static void tell(void)
{
    uint16_t way[4096];
    unsigned n = 0;

    for (uint32_t i = at; states[i].parent != 0; i = states[i].parent)
        way[n++] = states[i].op;
    for (unsigned step = 1; n > 0; step++)
        printf("step %u: %s\n", step, name_of(way[--n]));
    printf("last: %s\n", name_of(doing));
}

int main(int argc, char **argv)
{
    static struct world before;
    static uint8_t map_before[sizeof map];
    uint64_t moves = 0;
    unsigned most = 65535;

    raw = argc > 1 && strcmp(argv[1], "pageheap-raw") == 0;
    limit = raw ? CHUNK_PAGES : IS_QUICK ? 4 : CHUNK_PAGES;
    if (raw)
        most = IS_QUICK ? 4 : 7;
    options.decay_ms = 10000;
    before_dying = tell;
    states = calloc(MOST, sizeof *states);
    table = calloc(2 * MOST, sizeof *table);
    hold(states != NULL && table != NULL);
    add((struct print){ 0, 0 }, 0, 0);
    for (at = 1; at <= nstates; at++) {
        if (states[at].depth >= most)
            continue;
        replay(at);
        before = w;
        memcpy(map_before, map, sizeof map);
        for (unsigned op = 0; op < NOPS; op++) {
            doing = op;
            if (operate(op)) {
                compare();
                moves++;
                add(print_world(), at, op);
            } else {
                compare();
            }
            w = before;
            memcpy(map, map_before, sizeof map);
        }
    }
    for (uint32_t i = 1, d = 0, n = 0; i <= nstates + 1; i++) {
        if (i > nstates || states[i].depth != d) {
            printf("level %u %u\n", d, n);
            d++;
            n = 0;
        }
        n++;
    }
    printf("depth %u\nmoves %" PRIu64 "\nstates %u\n", states[nstates].depth, moves, nstates);
    return 0;
}
