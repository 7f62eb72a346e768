# threads: nothing is lost of threads that allocate, free each other's blocks, and end.
. "$(dirname "$0")/common"
program crowd <<'C'
#include <pthread.h>
#include <stdlib.h>
enum { THREADS = 6, ROUNDS = 4000 };
static void *slots[THREADS][ROUNDS];
static pthread_barrier_t all;
static pthread_key_t key;
static void late(void *p) { free(p); }          /* after the recorder's own, or before */
static void *work(void *it)
{
    long me = (long)it;
    pthread_setspecific(key, malloc(33));
    for (int i = 0; i < ROUNDS; i++) slots[me][i] = malloc(16 + (i * 7 + me) % 900);
    pthread_barrier_wait(&all);
    for (int i = 0; i < ROUNDS; i++) {
        slots[(me + 1) % THREADS][i] = realloc(slots[(me + 1) % THREADS][i], 64 + i % 700);
        free(slots[(me + 1) % THREADS][i]);
    }
    return 0;
}
int main(void)
{
    pthread_t t[THREADS];
    pthread_key_create(&key, late);
    pthread_barrier_init(&all, 0, THREADS);
    for (long round = 0; round < 3; round++) {
        for (long i = 0; i < THREADS; i++) pthread_create(&t[i], 0, work, (void *)i);
        for (int i = 0; i < THREADS; i++) pthread_join(t[i], 0);
    }
    return 0;
}
C
for a in $allocators; do
    "$lit" record -a "$a" -o c.lt ./crowd || fail "crowd on $a"
    demand c.lt malloc=$((72018 + $(baseline "$a" malloc))) realloc=72000 failed=0 lost=0 unknown=0 unseen=0
    [ "$(value c.lt threads)" -ge 19 ] || fail "$(value c.lt threads) threads"
    [ "$(value c.lt free)" -ge 72018 ] || fail "$(value c.lt free) blocks freed"
done
for a in $allocators; do
    "$lit" replay -a "$a" --threads --check c.lt >/dev/null || fail "replay with threads on $a"
    echo "replayed with threads on $a"
done
program running <<'C'
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
static int ready[2];
static void *work(void *it)
{
    for (int i = 0; i < 100; i++) malloc(10);
    write(ready[1], "x", 1);
    for (;;) pause();
}
int main(void)
{
    pthread_t t; char c;
    pipe(ready);
    pthread_create(&t, 0, work, 0);
    read(ready[0], &c, 1);
    exit(0);                            /* the thread's buffer is still in its hands */
}
C
"$lit" record -o r.lt ./running
demand r.lt malloc=100 lost=0
