/* prove: fork
 * property: fork waits for every lock and for nobody for ever; the child finds every record whole
 * room: arena
 * method: spin
 * bound: 5 locks in the order of the map; 2 threads that take any lock, or one and a lower one; one that forks
 * control: model | s/^    take\(2\);/    take( 3);/;s/^    take\(3\);/    take(2);/ | two locks are taken in the other order
 * control: model | s/^    take\(4\);/    skip;/ | one lock is forgotten
 */
/* 0 thread list, 1 arena list, 2 bin, 3 page heap, 4 chunk, as in enum rank. */
#define NLOCKS 5

bool locked[NLOCKS] = false;
bool broken[NLOCKS] = false;    /* what the lock guards is half written */

inline take(n)  { atomic { !locked[n] -> locked[n] = true } }
inline leave(n) { locked[n] = false }

active [2] proctype worker()
{
    byte a, b, times = 0;

    do
    :: times == 2 -> break
    :: times < 2 ->
        times++;
        select(a : 0 .. 4);
        take(a);                                /* code: mutex.h: RANK_START, RANK_THREAD, RANK_ARENA, RANK_BIN, RANK_HUGE, */
        broken[a] = true;
        if
        :: true -> skip
        :: a < 4 ->
            select(b : 1 .. 4);
            if
            :: b > a ->                         /* a rank below: what mutex_note checks */
                take(b);                        /* code: mutex.c: assert(held < bit); */
                broken[b] = true;
                broken[b] = false;
                leave(b)
            :: else -> skip
            fi
        fi;
        broken[a] = false;
        leave(a)
    od
}

active proctype forker()
{
    byte i;

    take(0);                                    /* code: thread.c: mutex_lock_for_fork(&lock); arena_before_fork(); */
    take(1);                                    /* code: arena.c: mutex_lock_for_fork(&lock); */
    take(2);                                    /* arena_before_fork: bins */ /* code: arena.c: mutex_lock_for_fork(&arenas[i]->bins[c].lock); */
    take(3);                                    /* code: arena.c: mutex_lock_for_fork(&arenas[i]->pages.lock); */
    take(4);                                    /* code: arena.c: chunk_before_fork(); */
    /* fork: the child's memory is a copy of this moment */
    atomic {
        i = 0;
        do
        :: i < NLOCKS -> assert(!broken[i]); i++
        :: else -> break
        od
    }
    leave(4);                                   /* code: arena.c: base_after_fork(in_child); pagemap_after_fork(in_child); chunk_after_fork(in_child); */
    leave(3);
    leave(2);
    leave(1);
    leave(0)
}
