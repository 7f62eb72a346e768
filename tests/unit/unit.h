/* unit.h -- what the tests of the rooms share.
 *
 * A file of tests ends with a function that adds them to a test case, and with a
 * main that gives it to unit_run.  The room under test is included before this. */
#ifndef UNIT_H
#define UNIT_H

#include "sanitized.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run what `add` adds, each test in a process of its own; the exit status. */
__attribute__((unused))
static int unit_run(const char *name, void (*add)(TCase *))
{
    Suite *suite = suite_create(name);
    TCase *t = tcase_create(name);
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, t);
    tcase_set_timeout(t, SANITIZED ? 200 : 60);
    add(t);
    srunner_run_all(runner, CK_NORMAL);
    int nfailed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return nfailed != 0;
}

/* Leave a test whose question has no answer here.  tests/run finds the line and
 * counts the test as skipped, with its reason; Check would count it as passed. */
#define skip_if(condition, why)                                              \
    do {                                                                     \
        if (condition) {                                                     \
            dprintf(1, "skip: %s: %s\n", __func__, why);                     \
            return;                                                          \
        }                                                                    \
    } while (0)

/* Check writes into a pipe where each assertion stood, to be able to say after which
 * of them a test died.  In a loop of a million, once is enough. */
__attribute__((unused))
static void mark_once(const char *file, int line)
{
    static bool marked[4096];
    bool *here = &marked[(unsigned)line % 4096];

    if (!__atomic_load_n(here, __ATOMIC_RELAXED)) {
        __atomic_store_n(here, true, __ATOMIC_RELAXED);
        (_mark_point)(file, line);
    }
}

#define _mark_point(file, line) mark_once(file, line)

__attribute__((unused))
static bool is_zero(const void *p, size_t size)
{
    const char *bytes = p;

    return size == 0
           || (*bytes == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* What `run` returns in a thread of its own. */
__attribute__((unused))
static void *in_thread(void *(*run)(void *), void *argument)
{
    pthread_t t;
    void *result;

    ck_assert_int_eq(pthread_create(&t, NULL, run, argument), 0);
    ck_assert_int_eq(pthread_join(t, &result), 0);
    return result;
}

/* Call act(argument) in a child.  Returns its wait status, and in text[0..size) what
 * it wrote on descriptor 2, cut to fit. */
__attribute__((unused))
static int in_child(void (*act)(void *), void *argument, char *text, size_t size)
{
    int ends[2], status;
    size_t n = 0;
    ssize_t got;
    char beyond[512];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], 2);
        act(argument);
        _exit(0);
    }
    close(ends[1]);
    while (n < size - 1 && (got = read(ends[0], text + n, size - n - 1)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    while (read(ends[0], beyond, sizeof beyond) > 0)
        ;
    close(ends[0]);
    /* Where an emulator has a word to say when its program aborts, that is no part of
     * what the program said. */
    char *emulator = strstr(text, "qemu: uncaught target signal");
    if (emulator != NULL)
        *emulator = '\0';
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

/* Does act(argument) end the process with a message that has `text` in it? */
__attribute__((unused))
static void dies(void (*act)(void *), void *argument, const char *text)
{
    char line[512];
    int status = in_child(act, argument, line, sizeof line);

    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
                  "lived on");
    ck_assert_msg(strstr(line, text) != NULL, "%s", line);
}

/* Become this program anew, as `word` tells its main; for in_child. */
__attribute__((unused))
static void run_again(void *word)
{
    execl("/proc/self/exe", "/proc/self/exe", (char *)word, (char *)NULL);
    _exit(99);
}

#endif
