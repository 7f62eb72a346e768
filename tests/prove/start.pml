/* prove: start
 * property: the rooms start once, whoever comes first, and nobody passes before they have
 * room: malloc
 * method: spin
 * bound: 3 threads that call at once; the start may fail for lack of memory, twice
 * control: model | s/^    good = started;/    good = false;/ | the flag is not looked at again under the lock
 * control: model | s/^( *)started = good;(.*)$/\1started = true;\2/ | a failed start counts as a start
 */
#define N 3

bool started = false;           /* static bool started */
bool lock = false;              /* start_lock */
byte failures = 2;
byte starts = 0, rooms = 0;

inline start_rooms(good)
{
    if
    :: failures > 0 -> failures--; good = false
    :: true -> rooms++; starts++; good = true
    fi
}

active [N] proctype caller()
{
    bool good, t;

again:
    t = started;                                /* code: malloc.c: if (!__atomic_load_n(&started, __ATOMIC_ACQUIRE) && !start()) */
    if
    :: t -> goto serve
    :: else -> skip
    fi;
    atomic { !lock -> lock = true };            /* code: malloc.c: mutex_lock(&start_lock); */
    good = started;                             /* code: malloc.c: good = started; */
    if
    :: !good ->                                 /* code: malloc.c: if (!good) { */
        start_rooms(good);                      /* code: malloc.c: good = start_rooms(); */
        started = good;                         /* code: malloc.c: __atomic_store_n(&started, good, __ATOMIC_RELEASE); */
        lock = false
    :: else -> lock = false                     /* code: malloc.c: mutex_unlock(&start_lock); */
    fi;
    if
    :: good -> goto serve
    :: else -> goto again                       /* the program calls again */
    fi;
serve:
    assert(rooms == 1);
    assert(starts == 1)
}
