/* prove: exit
 * property: nobody looks at the record of a thread that is gone; what it had cached comes home once
 * room: thread
 * method: spin
 * bound: 2 threads that begin, cache, end; 1 that walks the list twice
 * control: model | s/^    list_lock\(\);( *\/\* in end \*\/)/    skip;\1/ | the record leaves the list without the lock
 * control: model | s/^( *)valid\[_pid\] = false;( *\/\* freed \*\/)/\1skip;\2/;s/^( *)skip;( *\/\* too early \*\/)/\1valid[_pid] = false;\2/;s/^( *)valid\[_pid\] = true;/\1valid[_pid] = true;/ | the record is freed before it leaves the list
 */
#define N 2

bool lock = false;
bool listed[N] = false, valid[N] = false;
byte cached[N] = 0, arena_free = 3, nthreads = 0, ended = 0;

inline list_lock()   { atomic { !lock -> lock = true } }
inline list_unlock() { assert(lock); lock = false }

active [N] proctype thread()
{
    byte n;
    bool held;

    nthreads++;                                 /* code: thread.c: if (thread_ended || (a = arena_join()) == NULL) */
    valid[_pid] = true;                         /* code: thread.c: if ((t = make_record(a)) == NULL) { */
    list_lock();                                /* code: thread.c: static void enlist(struct thread *t) */
    listed[_pid] = true;
    list_unlock();
    do
    :: atomic { arena_free > 0 && cached[_pid] < 2 -> arena_free--; cached[_pid]++ }
    :: break
    od;
    /* end() */
    do                                          /* code: thread.c: tcache_drain(t->kept, "thread exit"); */
    :: atomic { cached[_pid] > 0 -> cached[_pid]--; arena_free++ }
    :: else -> break
    od;
    skip;                                       /* too early */
    list_lock();                                /* in end */ /* code: thread.c: mutex_lock(&lock); */
    listed[_pid] = false;                       /* code: thread.c: *(t->previous == NULL ? &threads : &t->previous->next) = t->next; */
    lock = false;
    nthreads--;                                 /* code: thread.c: arena_leave(t->cache.arena); */
    valid[_pid] = false;                        /* freed */ /* code: thread.c: base_put(t, sizeof *t); */
    ended++
}

active proctype walker()
{
    byte i, times = 0;

    do
    :: times < 2 ->
        times++;
        list_lock();                            /* code: thread.c: for (const struct thread *t = threads; t != NULL; t = t->next) */
        i = 0;
        do
        :: i < N ->
            if
            :: listed[i] ->
                assert(valid[i]);               /* code: thread.c: visit(t->kept, context); */
                skip;
                assert(valid[i])
            :: else -> skip
            fi;
            i++
        :: else -> break
        od;
        list_unlock()
    :: else -> break
    od;
    ended++
}

/* When all have ended everything is home. */
active proctype last()
{
    (ended == 3);
    assert(arena_free == 3 && nthreads == 0)
}
