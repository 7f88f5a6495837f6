/* The EAL: started once in a process, and kept from touching what is not its own. */
#define _GNU_SOURCE
#include "dpdk_port.h"

#include <errno.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_BYTES 4096
#define WORDS_LINES 2   /* of the log that an error line repeats */

enum { EAL_NEW, EAL_RUNS, EAL_FAILED, EAL_ENDED };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;  /* one set-up or closing at a time */
static int state = EAL_NEW;
static int user_count;
static pthread_key_t thread_key;

static pthread_mutex_t words_lock = PTHREAD_MUTEX_INITIALIZER;
static char words[WORDS_BYTES];    /* the latest of the log, no zero at its end */
static size_t words_bytes;
static int words_shown;
static FILE *words_stream;         /* never closed: DPDK's threads may be writing */
static FILE *null_stream;

/* --- what DPDK says ----------------------------------------------------------------------- */

static ssize_t keep_words(void *cookie, const char *text, size_t size) {
    size_t kept = size < WORDS_BYTES ? size : WORDS_BYTES;
    (void)cookie;
    pthread_mutex_lock(&words_lock);
    if (words_bytes + kept > WORDS_BYTES) {
        size_t stays = WORDS_BYTES - kept;
        memmove(words, words + words_bytes - stays, stays);
        words_bytes = stays;
    }
    memcpy(words + words_bytes, text + size - kept, kept);
    words_bytes += kept;
    pthread_mutex_unlock(&words_lock);
    if (words_shown && write(STDERR_FILENO, text, size) < 0) return 0;
    return (ssize_t)size;
}

static int open_streams(void) {
    cookie_io_functions_t functions = {.write = keep_words};
    if (words_stream == NULL) words_stream = fopencookie(NULL, "w", functions);
    if (null_stream == NULL) null_stream = fopen("/dev/null", "we");
    if (words_stream == NULL || null_stream == NULL) return -errno;
    setvbuf(words_stream, NULL, _IOLBF, 0);
    return rte_openlog_stream(words_stream);
}

void dpdk_guard_begin(dpdk_guard *guard) {
    sigset_t blocked;
    pthread_mutex_lock(&lock);
    pthread_mutex_lock(&words_lock);
    words_bytes = 0;
    pthread_mutex_unlock(&words_lock);
    pthread_getaffinity_np(pthread_self(), sizeof guard->cores, &guard->cores);
    sigfillset(&blocked);  /* but for those of the thread's own mistakes, which DPDK probes with */
    sigdelset(&blocked, SIGBUS);
    sigdelset(&blocked, SIGSEGV);
    sigdelset(&blocked, SIGFPE);
    sigdelset(&blocked, SIGILL);
    pthread_sigmask(SIG_BLOCK, &blocked, &guard->signals);
    guard->out = stdout;
    guard->error = stderr;
    if (null_stream) stdout = null_stream;
    if (words_stream) stderr = words_stream;
}

void dpdk_guard_end(const dpdk_guard *guard) {
    stdout = guard->out;
    stderr = guard->error;
    pthread_sigmask(SIG_SETMASK, &guard->signals, NULL);
    pthread_setaffinity_np(pthread_self(), sizeof guard->cores, &guard->cores);
    pthread_mutex_unlock(&lock);
}

/* Lines that tell nothing, or that are said again. */
static int is_chatter(const char *line) {
    static const char *const told_nothing[] = {"FATAL:", "Detected ", "on primary process"};
    for (size_t index = 0; index < sizeof told_nothing / sizeof *told_nothing; index++)
        if (strstr(line, told_nothing[index])) return 1;
    return 0;
}

/* The last lines of the log in one, into `line`. */
static void last_words(char *line, size_t size) {
    char copy[WORDS_BYTES + 1], *lines[WORDS_LINES] = {NULL}, *rest = NULL;
    size_t used = 0;
    fflush(words_stream);
    pthread_mutex_lock(&words_lock);
    memcpy(copy, words, words_bytes);
    copy[words_bytes] = 0;
    pthread_mutex_unlock(&words_lock);
    for (char *at = strtok_r(copy, "\n", &rest); at; at = strtok_r(NULL, "\n", &rest)) {
        if (is_chatter(at)) continue;
        memmove(lines, lines + 1, sizeof lines - sizeof *lines);
        lines[WORDS_LINES - 1] = at;
    }
    line[0] = 0;
    for (int index = 0; index < WORDS_LINES; index++) {
        if (lines[index] == NULL || used >= size) continue;
        int wrote = snprintf(line + used, size - used, "; %s", lines[index]);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
}

int dpdk_say(char *text, const char *what, int error) {
    char said[SWP_ERROR_TEXT_BYTES];
    last_words(said, sizeof said);
    swp_set_error(text, "%s: %s%s", what, strerror(error), said);
    return error > 0 ? -error : -EIO;
}

/* --- the EAL ------------------------------------------------------------------------------ */

static void unregister_thread(void *registered) {
    (void)registered;
    pthread_mutex_lock(&lock);
    if (state == EAL_RUNS) rte_thread_unregister();
    pthread_mutex_unlock(&lock);
}

int dpdk_register_thread(void) {
    if (rte_lcore_id() != LCORE_ID_ANY) return 0;
    if (rte_thread_register()) return rte_errno ? -rte_errno : -EAGAIN;
    pthread_setspecific(thread_key, &thread_key);
    return 0;
}

/* The EAL keeps the array, reorders it and writes into it: it is one piece with its strings. */
static char **copy_arguments(int count, char **arguments) {
    size_t bytes = ((size_t)count + 1) * sizeof *arguments;
    for (int index = 0; index < count; index++) bytes += strlen(arguments[index]) + 1;
    char **copy = calloc(1, bytes);
    if (copy == NULL) return NULL;
    char *at = (char *)(copy + count + 1);
    for (int index = 0; index < count; index++) {
        copy[index] = at;
        at = stpcpy(at, arguments[index]) + 1;
    }
    return copy;
}

static int start(int count, char **arguments, char *error_text) {
    static char **copy;
    copy = copy_arguments(count, arguments);
    if (copy == NULL) return dpdk_say(error_text, "arguments of the EAL", ENOMEM);
    if (pthread_key_create(&thread_key, unregister_thread))
        return dpdk_say(error_text, "pthread_key_create", EAGAIN);
    if (rte_eal_init(count, copy) < 0) {
        state = EAL_FAILED;  /* half of it may be there: a second attempt would find that */
        return dpdk_say(error_text, "rte_eal_init", rte_errno ? rte_errno : EIO);
    }
    state = EAL_RUNS;
    return 0;
}

static int why_not(int wanted, char *error_text) {
    static const char *const reasons[] = {
        [EAL_NEW] = "the EAL was not started",
        [EAL_RUNS] = "the EAL runs already",
        [EAL_FAILED] = "the EAL failed to start before; a new process may try again",
        [EAL_ENDED] = "the EAL has ended; a new process may start it again",
    };
    if (state == wanted) return 0;
    swp_set_error(error_text, "%s", reasons[state]);
    return state == EAL_RUNS ? -EALREADY : -ENXIO;
}

int swp_dpdk_start(int count, char **arguments, int show_log, char *error_text) {
    dpdk_guard guard;
    int opened = open_streams();
    if (opened) {
        swp_set_error(error_text, "the log: %s", strerror(-opened));
        return opened;
    }
    words_shown = show_log;
    dpdk_guard_begin(&guard);
    int failed = why_not(EAL_NEW, error_text);
    if (!failed) failed = start(count, arguments, error_text);
    dpdk_guard_end(&guard);
    return failed;
}

int swp_dpdk_end(void) {
    dpdk_guard guard;
    int result = 0;
    dpdk_guard_begin(&guard);
    if (state == EAL_RUNS && user_count) result = -EBUSY;
    else if (state == EAL_RUNS) {
        state = EAL_ENDED;
        rte_eal_cleanup();
    }
    dpdk_guard_end(&guard);
    return result;
}

int dpdk_eal_enter(char *error_text) {
    int failed = why_not(EAL_RUNS, error_text);
    if (!failed) user_count++;
    return failed;
}

void dpdk_eal_leave(void) {
    user_count--;
}
