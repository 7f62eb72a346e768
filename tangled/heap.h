/* Tangled from src.nw/10-bits.nw; edit that, not this. */
/* heap.h -- a pairing heap of nodes that live inside other records.
 *
 * Floor.  Stands on bits.h.  Not locked: the owner of the heap is.
 * Source: Fredman, Sedgewick, Sleator, Tarjan 1986. */

#ifndef LIT_HEAP_H
#define LIT_HEAP_H

#include "bits.h"

/* Declare the heap and its nodes.  [10-bits.nw: The node] */
/* A node may be in one heap at a time.  The owner sets key before it puts
 * the node in, and leaves it alone until the node is out. */
struct heapnode {
    uint64_t key;               /* smallest comes out first */
    struct heapnode *child;     /* first of those below us */
    struct heapnode *next;      /* next of the same parent */
    struct heapnode *previous;  /* the one before, or the parent if first */
};

struct heap {
    struct heapnode *root;      /* NULL: empty; a heap of zeros is empty */
};

/* Link two heaps.  [10-bits.nw: Linking] */
/* Make the one with the larger key the first child of the other. */
INLINE struct heapnode *heap_link(struct heapnode *a, struct heapnode *b)
{
    if (b->key < a->key) {
        struct heapnode *t = a;
        a = b;
        b = t;
    }
    b->next = a->child;
    b->previous = a;
    if (a->child != NULL)
        a->child->previous = b;
    a->child = b;
    return a;
}

/* Merge the children of a node that leaves.
 * [10-bits.nw: Taking the smallest out] */
/* Merge the children of a node that leaves: pairs from the left, then the
 * pairs from the right.  Returns the new root, or NULL. */
INLINE struct heapnode *heap_merge_children(struct heapnode *first)
{
    struct heapnode *pairs = NULL, *root = NULL;

    while (first != NULL) {
        struct heapnode *a = first, *b = first->next;
        first = b != NULL ? b->next : NULL;
        a->next = NULL;
        if (b != NULL) {
            b->next = NULL;
            a = heap_link(a, b);
        }
        a->next = pairs;
        pairs = a;
    }
    while (pairs != NULL) {
        struct heapnode *a = pairs;
        pairs = a->next;
        a->next = NULL;
        root = root == NULL ? a : heap_link(root, a);
    }
    return root;
}

/* Put a node into a heap.  [10-bits.nw: Linking] */
INLINE void heap_put(struct heap *h, struct heapnode *n)
{
    n->child = n->next = n->previous = NULL;
    h->root = h->root == NULL ? n : heap_link(h->root, n);
}

/* Remove a node from a heap.  [10-bits.nw: Taking any node out] */
/* Take `n` out, wherever it is; n is in h. */
INLINE void heap_remove(struct heap *h, struct heapnode *n)
{
    struct heapnode *below = heap_merge_children(n->child);

    if (n == h->root) {
        h->root = below;
    } else {
        if (n->previous->child == n)
            n->previous->child = n->next;
        else
            n->previous->next = n->next;
        if (n->next != NULL)
            n->next->previous = n->previous;
        if (below != NULL)
            h->root = heap_link(h->root, below);
    }
    if (h->root != NULL)
        h->root->previous = h->root->next = NULL;
}


#endif
