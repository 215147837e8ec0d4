/* The loops of tuned.py in C, on the same objects: the same calls on the same bytes, in the same order; to sockets
   send and recv, with MSG_WAITALL where Python looks whether all has come.
   Compiled where the benchmark runs, by compiled.py, which calls them and has numbers from mechanisms.py:
   cc -O2 -shared -fPIC -DSLOTS=4 -DWINDOW=64 loops.c -o loops.so
   Each runs n times; a call that fails ends the process, whose exit status says so. */
#include <mqueue.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <unistd.h>

struct end {                     /* one process's end, as in objects.py */
    int in, out;                 /* descriptors or identifiers; for signals out is the other's pid, in the signal */
    char *message, *buffer;      /* each behind room for the type of a System V message */
    size_t size;
    char *slot[SLOTS];           /* shared memory, behind its page for control */
    struct control *control;
    int there, back;             /* eventfds */
};

struct control {                 /* two cache lines, as in spin.py; for semaphores each begins with one */
    union { sem_t sem; _Atomic uint64_t count; char line[64]; } there, back;
};

static long must(long result) {
    if (result < 0)
        _exit(1);
    return result;
}

/* ask and answer are the round trip's sides, pour and drain the throughput's. */
#define LOOPS(NAME, SEND, TAKE) \
    void NAME##_ask(struct end *e, long n) { while (n-- > 0) { SEND; TAKE; } } \
    void NAME##_answer(struct end *e, long n) { while (n-- > 0) { TAKE; SEND; } } \
    void NAME##_pour(struct end *e, long n) { while (n-- > 0) { SEND; } }
#define DRAIN(NAME, TAKE) \
    long NAME##_drain(struct end *e, long n) { for (long k = n; k > 0; k--) { TAKE; } return n; }

static void read_all(struct end *e) {
    for (size_t got = 0; got < e->size;) {
        long part = must(read(e->in, e->buffer + got, e->size - got));
        if (part == 0)
            _exit(1);            /* the other one has gone */
        got += part;
    }
}

LOOPS(pipe, must(write(e->out, e->message, e->size)), read_all(e))
DRAIN(pipe, read_all(e))

#define RECV must(recv(e->in, e->buffer, e->size, MSG_WAITALL))
LOOPS(unix, must(send(e->out, e->message, e->size, 0)), RECV)
DRAIN(unix, RECV)

LOOPS(udp, must(send(e->out, e->message, e->size, 0)), must(recv(e->in, e->buffer, e->size, 0)))
long udp_drain(struct end *e, long n) {
    for (n = 0; must(recv(e->in, e->buffer, e->size, 0)) > 0; n++)
        ;
    return n;                    /* those that arrived: one without bytes says that no more will come */
}

#define MQ_TAKE must(mq_receive(e->in, e->buffer, e->size, NULL))
LOOPS(posix_queue, must(mq_send(e->out, e->message, e->size, 0)), MQ_TAKE)
DRAIN(posix_queue, MQ_TAKE)

#define TYPED(bytes) ((bytes) - sizeof(long))
#define MSG_SEND must(msgsnd(e->out, TYPED(e->message), e->size, 0))
#define MSG_TAKE must(msgrcv(e->in, TYPED(e->buffer), e->size, 0, 0))
LOOPS(sysv_queue, MSG_SEND, MSG_TAKE)
DRAIN(sysv_queue, MSG_TAKE)

static void await(struct end *e) {
    int number;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, e->in);
    must(-sigwait(&set, &number));
}

LOOPS(signals_plain, must(kill(e->out, e->in)), await(e))
void signals_ask(struct end *e, long n) { signals_plain_ask(e, n); }
void signals_answer(struct end *e, long n) { signals_plain_answer(e, n); }
void signals_pour(struct end *e, long n) {
    for (long window = n / WINDOW; window > 0; window--) {
        signals_plain_pour(e, WINDOW);
        await(e);
    }
}
long signals_drain(struct end *e, long n) {
    for (long window = n / WINDOW; window > 0; window--) {
        for (int k = 0; k < WINDOW; k++)
            await(e);
        must(kill(e->out, e->in));
    }
    return n / WINDOW * WINDOW;
}

/* Memory: COPIED in by one and out by the other, or copied in and looked at IN_PLACE. What is posted and waited for
   comes as macros, with the turn where it is counted. */
#define LOOK(place) (void)*(volatile char *)((place) + e->size - 1)
#define POUR(NAME, BEGIN, POST_THERE, WAIT_BACK) \
    void NAME##_pour(struct end *e, long n) { \
        BEGIN(there); \
        for (long k = 0; k < n; k++) { \
            turn++; WAIT_BACK; memcpy(e->slot[k % SLOTS], e->message, e->size); POST_THERE; } }
#define COPIED(NAME, BEGIN, POST_THERE, WAIT_THERE, POST_BACK, WAIT_BACK, POST_FREE) \
    void NAME##_ask(struct end *e, long n) { \
        BEGIN(there); \
        while (n-- > 0) { \
            turn++; memcpy(e->slot[0], e->message, e->size); POST_THERE; \
            WAIT_BACK; memcpy(e->buffer, e->slot[1], e->size); } } \
    void NAME##_answer(struct end *e, long n) { \
        BEGIN(back); \
        while (n-- > 0) { \
            turn++; WAIT_THERE; memcpy(e->buffer, e->slot[0], e->size); \
            memcpy(e->slot[1], e->buffer, e->size); POST_BACK; } } \
    long NAME##_drain(struct end *e, long n) { \
        BEGIN(back) - SLOTS; \
        for (long k = 0; k < n; k++) { \
            turn++; WAIT_THERE; memcpy(e->buffer, e->slot[k % SLOTS], e->size); POST_FREE; } \
        return n; } \
    POUR(NAME, BEGIN, POST_THERE, WAIT_BACK)
#define IN_PLACE(NAME, BEGIN, POST_THERE, WAIT_THERE, POST_BACK, WAIT_BACK, POST_FREE) \
    void NAME##_ask(struct end *e, long n) { \
        BEGIN(there); \
        while (n-- > 0) { \
            turn++; memcpy(e->slot[0], e->message, e->size); POST_THERE; WAIT_BACK; LOOK(e->slot[0]); } } \
    void NAME##_answer(struct end *e, long n) { \
        BEGIN(back); \
        while (n-- > 0) { turn++; WAIT_THERE; LOOK(e->slot[0]); POST_BACK; } } \
    long NAME##_drain(struct end *e, long n) { \
        BEGIN(back) - SLOTS; \
        for (long k = 0; k < n; k++) { turn++; WAIT_THERE; LOOK(e->slot[k % SLOTS]); POST_FREE; } \
        return n; } \
    POUR(NAME, BEGIN, POST_THERE, WAIT_BACK)
#define BOTH(NAME, ...) COPIED(NAME, __VA_ARGS__) IN_PLACE(NAME##_in_place, __VA_ARGS__)

#define NO_TURN(mine) long turn = 0
#define POST(way) must(sem_post(&e->control->way.sem))
#define WAIT(way) must(sem_wait(&e->control->way.sem))
BOTH(shm_semaphore, NO_TURN, POST(there), WAIT(there), POST(back), WAIT(back), POST(back))

static void take(int fd) { eventfd_t value; must(eventfd_read(fd, &value)); }
#define SIGNAL(way) must(eventfd_write(e->way, 1))
BOTH(shm_eventfd, NO_TURN, SIGNAL(there), take(e->there), SIGNAL(back), take(e->back), SIGNAL(back))

#define COUNTED(mine) uint64_t turn = e->control->mine.count
#define STORE(way, value) atomic_store_explicit(&e->control->way.count, value, memory_order_release)
#define SPIN(way) do { } while (atomic_load_explicit(&e->control->way.count, memory_order_acquire) < turn)
BOTH(shm_spin, COUNTED, STORE(there, turn), SPIN(there), STORE(back, turn), SPIN(back), STORE(back, turn + SLOTS))

void memcpy_pour(struct end *e, long n) {
    for (long k = 0; k < n; k++)
        memcpy(e->slot[k % SLOTS], e->message, e->size);
}

void semaphores(struct control *control, unsigned there, unsigned back) {
    must(sem_init(&control->there.sem, 1, there));
    must(sem_init(&control->back.sem, 1, back));
}
