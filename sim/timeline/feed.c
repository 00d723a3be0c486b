#include "sim/timeline/feed.h"

#include <pthread.h>
#include <sys/stat.h>

#include "core/memory.h"

/*
 * Batches in the ring. To wake a thread costs as much as a hundred packets: who has found the
 * ring full sleeps until half of it is free.
 */
enum { RING = 16 };

struct feed {
    const struct source_kind *kind;
    void *stream;
    struct feed_prepare prepare;
    struct batch *ring;
    bool threaded;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint64_t written, taken; /* batches; these all under the lock */
    bool writer_sleeps, reader_sleeps;
    bool stop;
};

/* Fill one batch. */
static void fill(struct feed *f, struct batch *b)
{
    const int n = f->kind->read(f->stream, b->packets, SOURCE_BATCH);

    b->len = n > 0 ? (unsigned)n : 0;
    b->failed = n < 0;
    b->steps_back = f->kind->steps_back(f->stream);
    f->prepare.batch(f->prepare.context, b);
}

static void *read_ahead(void *context)
{
    struct feed *f = context;
    bool last = false;

    pthread_mutex_lock(&f->lock);
    while (!last) {
        if (f->written - f->taken >= RING - 1) /* one is still being looked at */
            while (!f->stop && f->written - f->taken > RING / 2) {
                f->writer_sleeps = true;
                pthread_cond_wait(&f->moved, &f->lock);
            }
        f->writer_sleeps = false;
        if (f->stop)
            break;
        pthread_mutex_unlock(&f->lock);
        fill(f, &f->ring[f->written % RING]);
        last = f->ring[f->written % RING].len == 0;
        pthread_mutex_lock(&f->lock);
        f->written++;
        if (f->reader_sleeps)
            pthread_cond_signal(&f->moved);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* Of files only a plain one always has its next byte. */
static bool never_waits(const struct scenario_traffic *t)
{
    struct stat st;

    return source_kinds[t->kind].never_waits ||
           (t->file && stat(t->file, &st) == 0 && S_ISREG(st.st_mode));
}

struct feed *feed_open(const struct scenario_traffic *t, const struct feed_prepare *prepare,
                       char *error, size_t error_size)
{
    struct feed *f = mem_alloc(1, sizeof *f);

    f->kind = &source_kinds[t->kind];
    f->prepare = *prepare;
    f->stream = f->kind->open(t, error, error_size);
    if (!f->stream) {
        mem_free(f);
        return NULL;
    }
    f->ring = mem_alloc(RING, sizeof *f->ring);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->moved, NULL);
    f->threaded = never_waits(t) && pthread_create(&f->thread, NULL, read_ahead, f) == 0;
    return f;
}

const struct batch *feed_next(struct feed *f)
{
    const struct batch *now = &f->ring[(f->taken + RING - 1) % RING];

    if (f->taken > 0 && now->len == 0)
        return now;
    if (!f->threaded) {
        fill(f, &f->ring[f->taken % RING]);
        return &f->ring[f->taken++ % RING];
    }
    pthread_mutex_lock(&f->lock);
    while (f->written == f->taken) {
        f->reader_sleeps = true;
        pthread_cond_wait(&f->moved, &f->lock);
    }
    f->reader_sleeps = false;
    now = &f->ring[f->taken++ % RING];
    if (f->writer_sleeps && f->written - f->taken <= RING / 2)
        pthread_cond_signal(&f->moved);
    pthread_mutex_unlock(&f->lock);
    return now;
}

const char *feed_error(const struct feed *f)
{
    return f->kind->error(f->stream);
}

void feed_close(struct feed *f)
{
    if (!f)
        return;
    if (f->threaded) {
        pthread_mutex_lock(&f->lock);
        f->stop = true;
        pthread_cond_signal(&f->moved);
        pthread_mutex_unlock(&f->lock);
        pthread_join(f->thread, NULL);
    }
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->moved);
    f->kind->close(f->stream);
    mem_free(f->ring);
    mem_free(f);
}
