/* prove: publish
 * property: a slot of the window has one chunk at most; whoever sees a chunk in the map sees a whole one; a slot given back is found again
 * room: chunk
 * method: spin
 * bound: 2 threads that map a chunk up to three times and keep or unmap it; a third looks up any address at any time; 3 slots; the system may refuse a place
 * control: model | s/^    atomic \{ !room -> room = true \};( *\/\* claim \*\/)/    skip;\1/ | slots are claimed without the lock
 * control: model | s/^( *)map\[slot\] = NOBODY;( *\/\* pending first \*\/)/\1map[slot] = EMPTY;\2/ | a claimed slot is not marked
 * control: model | s/^( *)record\[id\] = 0;( *\/\* too early \*\/)/\1skip;\2/;s/^( *)skip;( *\/\* early free \*\/)/\1record[id] = 0;\2/ | the record is freed while the map still leads to it
 */
#define NSLOTS 3
#define EMPTY 0
#define NOBODY 9                /* &pending */

byte map[NSLOTS] = EMPTY;       /* pagemap_chunks: 0, pending, or 1 + the owner */
bool mapped[NSLOTS] = false;    /* the kernel's view */
byte record[6] = 0;             /* 0: no record; 1: taken; 2: complete */
bool room = false;              /* room.lock */
byte hint = 0;
byte refusals = 1;

active [2] proctype owner()
{
    byte slot, id, round = 0;

    do
    :: round == 3 -> break
    :: round < 3 ->
    id = _pid * 3 + round;
    round++;
    record[id] = 1;                           /* code: chunk.c: struct chunk *c = base_take(sizeof *c); */
    atomic { !room -> room = true };            /* claim */ /* code: chunk.c: size_t slot = claim_slot(); */
    slot = hint;                                /* code: chunk.c: size_t n = nslots(), i = room.hint; */
    do
    :: slot < NSLOTS && map[slot] != EMPTY -> slot++  /* code: chunk.c: while (i < n && pagemap_chunk((void *)(i * CHUNK)) != NULL) */
    :: else -> break
    od;
    if
    :: slot == NSLOTS -> room = false; record[id] = 0; break
    :: else -> skip
    fi;
    map[slot] = NOBODY;                         /* pending first */ /* code: chunk.c: !pagemap_enter(i * CHUNK, &pending) */
    hint = slot + 1;                            /* code: chunk.c: room.hint = i + 1; */
    room = false;
    if
    :: atomic { refusals > 0 -> refusals-- };   /* no memory */
        atomic { !room -> room = true };
        map[slot] = EMPTY;                      /* code: chunk.c: pagemap_enter(slot * CHUNK, NULL); */
        if
        :: slot < hint -> hint = slot           /* code: chunk.c: if (slot < room.hint) */
        :: else -> skip
        fi;
        room = false;
        record[id] = 0
    :: true ->
        assert(!mapped[slot]);                  /* code: chunk.c: if (pages_map_at((void *)(slot * CHUNK), CHUNK, &taken) != NULL) */
        mapped[slot] = true;
        record[id] = 2;                       /* code: chunk.c: c->address = map_slot(); */
        map[slot] = 1 + id;                   /* code: chunk.c: pagemap_enter(c->address, c); */
        assert(map[slot] == 1 + id);          /* in use: nobody else enters here */
        skip;
        assert(map[slot] == 1 + id && mapped[slot]);
        if
        :: goto next                            /* keep the chunk, go for another */
        :: true -> skip
        fi;
        mapped[slot] = false;                   /* code: chunk.c: if (!pages_unmap((void *)c->address, CHUNK)) { */
        skip;                                   /* early free */
        atomic { !room -> room = true };
        map[slot] = EMPTY;                      /* code: chunk.c: leave_slot(c->address / CHUNK); */
        if
        :: slot < hint -> hint = slot
        :: else -> skip
        fi;
        room = false;
        record[id] = 0;                       /* too early */ /* code: chunk.c: base_put(c, sizeof *c); */
    fi;
next: skip
    od
}

/* Somebody frees a pointer of which nobody knows where it is from. */
active proctype stranger()
{
    byte i, m, times = 0;

    do
    :: times < 1 ->
        times++;
        i = 0;
        do
        :: i < NSLOTS - 1 -> i++
        :: break
        od;
        atomic {
            m = map[i];                         /* code: pagemap.h: return __atomic_load_n(&pagemap_chunks[i / CHUNK_PAGES], __ATOMIC_RELAXED); */
            assert(m == EMPTY || m == NOBODY || record[m - 1] == 2)
        }
    :: else -> break
    od
}
