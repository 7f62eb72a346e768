/* hello.c -- the smallest program that allocates: printf wants a buffer. */

#include <stdio.h>

int main(void)
{
    printf("hello, world\n");
    return 0;
}
