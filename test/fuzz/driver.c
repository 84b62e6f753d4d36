/* Runs a fuzz entry on the seeds in a folder and on mutations of each:
 *
 *     fuzz_NAME FOLDER [MUTATIONS]     MUTATIONS of each seed; default 2000
 *     fuzz_NAME FILE                   that input alone, to reproduce a finding
 *
 * The mutations are the same in every run. Each input is in a block of exactly its size, so that
 * the address sanitizer sees a read beyond its end. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cri/base/cleanup.h"
#include "cri/base/text.h"
#include "test/support/fclose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Limits of this driver, and the default that lets each fuzz test end within seconds. Sizes in
 * bytes. */
enum { SEEDS_MAX = 1024, INPUT_MAX = 64 * 1024, MUTATIONS = 2000 };

struct seed {
    char *p;
    size_t n;
};

struct seeds {
    struct seed all[SEEDS_MAX];
    size_t n;
};

/* SplitMix64 by Steele, Lea and Flood. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* A random number below n; 0 if n is 0. */
static size_t random_below(uint64_t *state, size_t n)
{
    return n ? (size_t)(next_random(state) % n) : 0;
}

static void run(const char *p, size_t n)
{
    AUTO_FREE uint8_t *exact = malloc(n ? n : 1);

    if (!exact) {
        abort();
    }
    memcpy(exact, p, n);
    LLVMFuzzerTestOneInput(exact, n);
}

static void load(struct seeds *s, const char *path)
{
    AUTO_FCLOSE FILE *f = fopen(path, "rb");
    struct seed *seed = &s->all[s->n];

    if (!f || s->n == SEEDS_MAX) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    seed->p = malloc(INPUT_MAX);
    if (!seed->p) {
        abort();
    }
    seed->n = fread(seed->p, 1, INPUT_MAX, f);
    s->n++;
}

static int not_hidden(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* Sorted by name, so that the mutations are the same on every machine. */
static void load_folder(struct seeds *s, const char *path)
{
    struct dirent **names;
    int n = scandir(path, &names, not_hidden, alphasort);

    for (int i = 0; i < n; i++) {
        CLEANUP(buf_free) struct buf file = {0};

        buf_printf(&file, "%s/%s", path, names[i]->d_name);
        free(names[i]);
        load(s, file.p);
    }
    if (n > 0) {
        free(names);
    }
}

/* Texts that parsers treat specially. */
static const char *const words[] = {
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    "/",
    "..",
    "(",
    ")",
    "0",
    "-1",
    "\"",
    "{",
    "[",
    "\\u0000",
    "2147483648",
    "18446744073709551615",
    "18446744073709551616",
    "\xff",
    "\xc3\xa9",
    "4294967296",
};

static void cut_out(struct buf *b, size_t at, size_t n)
{
    memmove(b->p + at, b->p + at + n, b->n - at - n);
    b->n -= n;
}

static void insert(struct buf *b, size_t at, const char *p, size_t n)
{
    if (b->n + n > INPUT_MAX || !buf_reserve(b, n)) {
        return;
    }
    memmove(b->p + at + n, b->p + at, b->n - at);
    memcpy(b->p + at, p, n);
    b->n += n;
}

static void mutate(struct buf *b, const struct seeds *s, uint64_t *random)
{
    const struct seed *other = &s->all[random_below(random, s->n)];
    size_t at = random_below(random, b->n + 1), n = random_below(random, b->n - at + 1);
    const char *word = words[random_below(random, N_ELEMENTS(words))];

    switch (random_below(random, 7)) {
    case 0:
        if (at < b->n) {
            b->p[at] = (char)(b->p[at] ^ 1 << random_below(random, 8));
        }
        break;
    case 1:
        if (at < b->n) {
            b->p[at] = (char)next_random(random);
        }
        break;
    case 2:
        cut_out(b, at, n);
        break;
    case 3:
        b->n = at;
        break;
    case 4:
        insert(b, at, word, strlen(word));
        break;
    case 5: {
        CLEANUP(buf_free) struct buf copy = {0};

        buf_append(&copy, b->p + at, n);
        insert(b, at, copy.p, copy.n);
        break;
    }
    default:
        n = random_below(random, other->n + 1);
        insert(b, at, other->p + (other->n - n), n);
        break;
    }
}

int main(int argc, char **argv)
{
    static struct seeds seeds;
    long mutations = argc > 2 ? strtol(argv[2], NULL, 10) : MUTATIONS;
    uint64_t random = 1;
    struct stat st;

    if (argc < 2 || stat(argv[1], &st) < 0) {
        fprintf(stderr, "usage: %s FOLDER [MUTATIONS] | FILE\n", argv[0]);
        return 2;
    }
    if (S_ISDIR(st.st_mode)) {
        load_folder(&seeds, argv[1]);
    } else {
        load(&seeds, argv[1]);
        mutations = 0;
    }
    if (seeds.n == 0) {
        fprintf(stderr, "%s: no seeds\n", argv[1]);
        return 1;
    }
    for (size_t i = 0; i < seeds.n; i++) {
        run(seeds.all[i].p, seeds.all[i].n);
        for (long k = 0; k < mutations; k++) {
            CLEANUP(buf_free) struct buf b = {0};

            buf_append(&b, seeds.all[i].p, seeds.all[i].n);
            for (size_t times = 1 + random_below(&random, 4); times && b.n; times--) {
                mutate(&b, &seeds, &random);
            }
            run(b.p, b.n);
        }
    }
    printf("%zu seeds, %ld mutations of each\n", seeds.n, mutations);
    for (size_t i = 0; i < seeds.n; i++) {
        free(seeds.all[i].p);
    }
    return 0;
}
