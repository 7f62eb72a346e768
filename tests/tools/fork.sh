# fork: each process its own trace; exec, vfork, _exit and a killed process.
. "$(dirname "$0")/common"
program family <<'C'
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    void *volatile p = malloc(100);
    if (argc > 1) { for (int i = 0; i < 5; i++) malloc(5); _exit(0); }     /* became another */
    for (int i = 0; i < 9; i++) malloc(20);
    if (fork() == 0) {                                  /* frees what it inherited */
        free(p);
        for (int i = 0; i < 7; i++) malloc(30);
        _exit(3);
    }
    wait(0);
    if (vfork() == 0) { execl("/bin/true", "true", (char *)0); _exit(1); }
    wait(0);
    if (fork() == 0) execl(argv[0], argv[0], "again", (char *)0);
    wait(0);
    if (fork() == 0) { for (int i = 0; i < 40000; i++) free(malloc(8)); kill(getpid(), SIGKILL); }
    wait(0);
    if (fork() == 0) { fork(); _exit(0); }              /* never allocate */
    wait(0);
    free(p);
    return 0;
}
C
"$lit" record -a system -o f.lt "$PWD/family"
demand f.lt malloc=10 free=1 lost=0 unknown=0
child=0 again=0 killed=0
for f in f.lt.*; do
    case $(value "$f" program),$(value "$f" malloc),$(value "$f" unknown) in
    family,7,1) child=$((child + 1)) ;;
    family,6,0) again=$((again + 1)) ;;
    family,*) "$lit" replay "$f" | grep -q 'did not come to its end' && killed=$((killed + 1)) ;;
    esac
done
[ $child = 1 ] || fail "no trace of the child, or two"
[ $again = 1 ] || fail "no trace of the child that became another program, or two"
[ $killed = 1 ] || fail "no trace of the killed child, or one that claims to be whole"
"$lit" record -o s.lt sh -c 'ls / | sort | wc -l; exec ls /' >out
[ "$(head -n 1 out)" -gt 3 ] || fail "the shell's pipe does not work"
for f in s.lt*; do "$lit" replay "$f" >/dev/null || fail "$f"; done
ls s.lt.* | wc -l | grep -qx '[3-9]' || fail "traces of the shell: $(ls s.lt*)"
echo "fork: a child, a killed one, exec, vfork, a shell"
# A signal handler may call _exit at any moment, also while the thread is in the recorder.
program alarmed <<'C'
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>
static void end(int s) { _exit(5); }
int main(int argc, char **argv)
{
    struct itimerval t = {{0, 0}, {0, 2000 + 137 * atoi(argv[1])}};
    signal(SIGALRM, end);
    setitimer(ITIMER_REAL, &t, 0);
    for (;;) free(malloc(50));
}
C
i=0
while [ $i -lt 40 ]; do
    i=$((i + 1)); status=0
    timeout 20 "$lit" record -a system -o a.lt ./alarmed $i || status=$?
    [ $status = 5 ] || fail "_exit in a handler, run $i: status $status"
    "$lit" replay a.lt >/dev/null || fail "_exit in a handler, run $i: the trace"
done
echo "_exit in a handler, $i times"
