/* test_heap.c -- the pairing heap: H1 to H4, and a plain model of it. */

#include "heap.h"

#include "unit.h"

enum { N = 1000, STEPS = 8000 };

static struct heapnode nodes[N];
static bool in[N];

static size_t check_below(const struct heapnode *parent)
{
    size_t count = 0;
    const struct heapnode *before = parent;

    for (const struct heapnode *n = parent->child; n != NULL; n = n->next) {
        ck_assert_uint_ge(n->key, parent->key);             /* H1 */
        ck_assert_ptr_eq(n->previous, before);              /* H2 */
        count += 1 + check_below(n);
        before = n;
    }
    return count;
}

static size_t check_heap(const struct heap *h)
{
    if (h->root == NULL)
        return 0;
    ck_assert_ptr_null(h->root->next);                      /* H3 */
    ck_assert_ptr_null(h->root->previous);
    return 1 + check_below(h->root);
}

/* The child number i of a node. */
static const struct heapnode *child(const struct heapnode *n, unsigned i)
{
    for (n = n->child; i > 0 && n != NULL; i--)
        n = n->next;
    return n;
}

static struct heapnode seven[10];       /* by key */

static void put_seven(struct heap *h)
{
    static const unsigned keys[] = { 5, 2, 9, 4, 7, 3, 8 };

    for (unsigned i = 0; i < 7; i++) {
        seven[keys[i]].key = keys[i];
        heap_put(h, &seven[keys[i]]);
        check_heap(h);
    }
}

START_TEST(zeros_are_empty)
{
    struct heap h;
    struct heapnode n = { .key = 7 };

    memset(&h, 0, sizeof h);                                /* H4 */
    ck_assert_uint_eq(check_heap(&h), 0);
    heap_put(&h, &n);
    ck_assert_ptr_eq(h.root, &n);
    ck_assert_uint_eq(check_heap(&h), 1);
    heap_remove(&h, &n);
    ck_assert_ptr_null(h.root);
}
END_TEST

/* The figure of the chapter, node by node. */
START_TEST(as_in_the_book)
{
    static const unsigned before[] = { 8, 3, 7, 4, 9, 5 };
    struct heap h = { NULL };

    put_seven(&h);
    ck_assert_ptr_eq(h.root, &seven[2]);
    for (unsigned i = 0; i < 6; i++)
        ck_assert_uint_eq(child(h.root, i)->key, before[i]);
    ck_assert_ptr_null(child(h.root, 6));
    heap_remove(&h, &seven[2]);
    ck_assert_uint_eq(check_heap(&h), 6);
    ck_assert_ptr_eq(h.root, &seven[3]);
    ck_assert_ptr_eq(child(&seven[3], 0), &seven[4]);
    ck_assert_ptr_eq(child(&seven[3], 1), &seven[8]);
    ck_assert_ptr_eq(child(&seven[4], 0), &seven[5]);
    ck_assert_ptr_eq(child(&seven[4], 1), &seven[7]);
    ck_assert_ptr_eq(child(&seven[5], 0), &seven[9]);
}
END_TEST

/* Each of the seven is taken out first, once: root, first child, last child. */
START_TEST(any_one_out)
{
    for (unsigned k = 2; k < 10; k++) {
        struct heap h = { NULL };
        if (k == 6)
            continue;
        put_seven(&h);
        heap_remove(&h, &seven[k]);
        ck_assert_uint_eq(check_heap(&h), 6);
        for (unsigned next = 2; next < 10; next++) {
            if (next == k || next == 6)
                continue;
            ck_assert_uint_eq(h.root->key, next);
            heap_remove(&h, h.root);
            check_heap(&h);
        }
        ck_assert_ptr_null(h.root);
    }
}
END_TEST

START_TEST(equal_keys)
{
    struct heap h = { NULL };

    for (unsigned i = 0; i < 100; i++) {
        nodes[i].key = i / 10;
        heap_put(&h, &nodes[i]);
    }
    /* Among equals the one that was there first stays the root. */
    ck_assert_ptr_eq(h.root, &nodes[0]);
    for (unsigned i = 0; i < 100; i++) {
        ck_assert_uint_eq(check_heap(&h), 100 - i);
        ck_assert_uint_eq(h.root->key, i / 10);
        heap_remove(&h, h.root);
    }
}
END_TEST

static void sort(const char *how, uint64_t (*key)(unsigned))
{
    struct heap h = { NULL };
    uint64_t last = 0;

    (void)how;
    for (unsigned i = 0; i < N; i++) {
        nodes[i].key = key(i);
        heap_put(&h, &nodes[i]);
    }
    ck_assert_uint_eq(check_heap(&h), N);
    for (unsigned i = 0; i < N; i++) {
        ck_assert_uint_ge(h.root->key, last);
        last = h.root->key;
        heap_remove(&h, h.root);
    }
    ck_assert_ptr_null(h.root);
}

static uint64_t rising(unsigned i)
{
    return i;
}

static uint64_t falling(unsigned i)
{
    return N - i;
}

static uint64_t mixed(unsigned i)
{
    return i * UINT64_C(0x9e3779b97f4a7c15);
}

START_TEST(sorting)
{
    sort("rising", rising);
    sort("falling", falling);
    sort("mixed", mixed);
}
END_TEST

/* The smallest key among the nodes that are in. */
static uint64_t smallest(void)
{
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < N; i++)
        if (in[i] && nodes[i].key < least)
            least = nodes[i].key;
    return least;
}

static unsigned seed(void)
{
    const char *text = getenv("SEED");

    return text == NULL ? 20061 : (unsigned)strtoul(text, NULL, 0);
}

START_TEST(model)
{
    struct heap h = { NULL };
    size_t count = 0;
    unsigned s = seed();

    printf("seed %u\n", s);
    srand(s);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = (unsigned)rand() % N;
        if (in[i]) {
            heap_remove(&h, &nodes[i]);
            count--;
        } else {
            nodes[i].key = (uint64_t)rand() % 500;
            heap_put(&h, &nodes[i]);
            count++;
        }
        in[i] = !in[i];
        if (h.root != NULL)
            ck_assert_uint_eq(h.root->key, smallest());
        if (step % 400 == 0)
            ck_assert_uint_eq(check_heap(&h), count);
    }
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, zeros_are_empty);
    tcase_add_test(t, as_in_the_book);
    tcase_add_test(t, any_one_out);
    tcase_add_test(t, equal_keys);
    tcase_add_test(t, sorting);
    tcase_add_test(t, model);
}

int main(void)
{
    return unit_run("heap", add_tests);
}
