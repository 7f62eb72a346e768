# descriptors: a program that closes all its files finds no trace in those that it opens next.
. "$(dirname "$0")/common"
program daemon <<'C'
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
int main(void)
{
    int fd = -1;
    for (int i = 0; i < 40000; i++) free(malloc(i % 100));
    for (int i = 3; i < 1024; i++) close(i);
    while (fd < 1000) if ((fd = open("mine", O_RDWR | O_CREAT, 0600)) < 0) break;
    for (int i = 0; i < 40000; i++) free(malloc(i % 100));
    return 0;
}
C
"$lit" record -o d.lt ./daemon
[ ! -s mine ] || fail "$(wc -c <mine) bytes of trace in the program's own file"
demand d.lt malloc=80000 free=80000 lost=0
