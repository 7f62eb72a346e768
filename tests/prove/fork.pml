/* prove: fork
 * property: fork waits for every lock and for nobody for ever; the child finds every record whole
 * room: arena
 * method: spin
 * bound: 7 locks in the order of the map; 2 threads that take any lock, or one and a lower one; one that forks
 * control: model | s/^    take\(4\);/    take( 5);/;s/^    take\(5\);/    take(4);/ | two locks are taken in the other order
 * control: model | s/^    take\(6\);/    skip;/ | one lock is forgotten
 */
/* 0 quarantine, 1 samples, 2 thread list, 3 arena list, 4 bin, 5 page heap, 6 chunk, as in enum
 * rank, where the first two are one: the model lets a worker take 1 while it has 0, and no code does. */
#define NLOCKS 7

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
        select(a : 0 .. 6);
        take(a);                                /* code: mutex.h: RANK_START, RANK_GUARD, RANK_THREAD, RANK_ARENA, RANK_BIN, RANK_HUGE, */
        broken[a] = true;
        if
        :: true -> skip
        :: a < 6 ->
            select(b : 1 .. 6);
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

    take(0);                                    /* code: malloc.c: guard_before_fork(); sample_before_fork(); thread_before_fork(); */
    take(1);                                    /* code: sample.c: mutex_lock_for_fork(&lock); */
    take(2);                                    /* code: thread.c: mutex_lock_for_fork(&lock); arena_before_fork(); */
    take(3);                                    /* code: arena.c: mutex_lock_for_fork(&lock); */
    take(4);                                    /* arena_before_fork: bins */ /* code: arena.c: mutex_lock_for_fork(&arenas[i]->bins[c].lock); */
    take(5);                                    /* code: arena.c: mutex_lock_for_fork(&arenas[i]->pages.lock); */
    take(6);                                    /* code: arena.c: chunk_before_fork(); */
    /* fork: the child's memory is a copy of this moment */
    atomic {
        i = 0;
        do
        :: i < NLOCKS -> assert(!broken[i]); i++
        :: else -> break
        od
    }
    leave(6);                                   /* code: arena.c: base_after_fork(in_child); pagemap_after_fork(in_child); chunk_after_fork(in_child); */
    leave(5);
    leave(4);
    leave(3);
    leave(2);
    leave(1);                                   /* code: malloc.c: thread_after_fork(false); sample_after_fork(false); guard_after_fork(false); */
    leave(0)
}
