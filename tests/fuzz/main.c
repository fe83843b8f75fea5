/* Fuzzing without libFuzzer: takes the target's seeds, changes some bytes, calls the target.
 *
 *   fuzz_X [--seconds S] [--runs N] [--seed R] [FILE...]   FILEs are further seeds
 *   fuzz_X --once FILE                                     one input, as it is
 *
 * When the target dies or takes more than 30 seconds, the input is kept in fuzz-input.bin. */
#include "fuzz.h"

#include "support/random_graph.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SEEDS = 256, MAX_SECONDS = 30 };

typedef struct {
  uint8_t *bytes;
  size_t n;
} input;

static input now; /* what the target is working on */

static void keep_input(void) {
  FILE *f = fopen("fuzz-input.bin", "wb");
  if (!f || !now.bytes) return;
  (void)!fwrite(now.bytes, 1, now.n, f);
  fclose(f);
  (void)!write(STDERR_FILENO, "input kept in fuzz-input.bin\n", 29);
}

static void on_signal(int number) {
  signal(number, SIG_DFL);
  keep_input();
  raise(number == SIGALRM ? SIGABRT : number);
}

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* UBSan's end is an abort(), too, so that the input is kept. */
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void) {
  return "abort_on_error=1:print_stacktrace=1";
}

/* --- changes --------------------------------------------------------------------------------- */
static void *room(size_t n) {
  void *p = malloc(n + 1);
  if (!p) abort();
  return p;
}

static void put_number(random_source *r, input *x) {
  static const uint32_t odd[] = {0,          1,          2,          127,       128,
                                 255,        256,        4095,       65535,     65536,
                                 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe};
  const size_t size = (size_t)1 << random_range(r, 0, 2);
  uint32_t v = random_chance(r, 70) ? odd[random_range(r, 0, 13)] : (uint32_t)random_next(r);
  if (x->n < size) return;
  memcpy(x->bytes + random_next(r) % (x->n - size + 1), &v, size);
}

/* Cuts out, repeats, or overwrites by another place. */
static void move_piece(random_source *r, input *x) {
  if (x->n < 2) return;
  size_t from = random_next(r) % x->n, most = x->n - from < 64 ? x->n - from : 64;
  size_t n = 1 + random_next(r) % most, to = random_next(r) % (x->n - n + 1);
  switch (random_range(r, 0, 2)) {
  case 0:
    memmove(x->bytes + from, x->bytes + from + n, x->n - from - n);
    x->n -= n;
    break;
  case 1: memmove(x->bytes + to, x->bytes + from, n); break;
  default: {
    uint8_t *longer = room(x->n + n);
    memcpy(longer, x->bytes, from + n);
    memcpy(longer + from + n, x->bytes + from, x->n - from);
    free(x->bytes);
    x->bytes = longer;
    x->n += n;
  }
  }
}

static void change(random_source *r, input *x) {
  int times = 1 << random_range(r, 0, 4);
  for (int i = 0; i < times && x->n; i++) {
    int how = random_range(r, 0, 99);
    uint8_t *at = x->bytes + random_next(r) % x->n;
    if (how < 40)
      *at ^= (uint8_t)(1 << random_range(r, 0, 7));
    else if (how < 55)
      *at = (uint8_t)random_next(r);
    else if (how < 90)
      put_number(r, x);
    else if (how < 98)
      move_piece(r, x);
    else
      x->n = random_next(r) % (x->n + 1);
  }
}

/* --- seeds ----------------------------------------------------------------------------------- */
static input read_whole(const char *path) {
  FILE *f = fopen(path, "rb");
  if (!f) {
    fprintf(stderr, "%s: cannot be read\n", path);
    exit(2);
  }
  input x = {room(1 << 24), 0};
  x.n = fread(x.bytes, 1, 1 << 24, f);
  fclose(f);
  return x;
}

uint8_t *fuzz_copy(const void *bytes, size_t n) {
  return memcpy(room(n), bytes, n);
}

static void call(const uint8_t *bytes, size_t n) {
  now = (input){fuzz_copy(bytes, n), n};
  alarm(MAX_SECONDS);
  (void)LLVMFuzzerTestOneInput(now.bytes, now.n);
  alarm(0);
  free(now.bytes);
}

int main(int argc, char **argv) {
  uint64_t seconds = 10, runs = UINT64_MAX, done = 0;
  random_source r = {1};
  input seed[MAX_SEEDS];
  int n_seeds = 0;
  signal(SIGABRT, on_signal);
  signal(SIGALRM, on_signal);
  if (__sanitizer_set_death_callback)
    __sanitizer_set_death_callback(keep_input);
  else
    signal(SIGSEGV, on_signal);
  for (int i = 1; i < argc; i++) {
    bool more = i + 1 < argc;
    if (!strcmp(argv[i], "--seconds") && more) {
      seconds = strtoull(argv[++i], NULL, 0);
    } else if (!strcmp(argv[i], "--runs") && more) {
      runs = strtoull(argv[++i], NULL, 0);
      seconds = UINT32_MAX;
    } else if (!strcmp(argv[i], "--seed") && more) {
      r.state = strtoull(argv[++i], NULL, 0);
    } else if (!strcmp(argv[i], "--once") && more) {
      input x = read_whole(argv[++i]);
      call(x.bytes, x.n);
      free(x.bytes);
      return 0;
    } else if (n_seeds < MAX_SEEDS / 2) {
      seed[n_seeds++] = read_whole(argv[i]);
    }
  }
  for (int i = 0; n_seeds < MAX_SEEDS && (seed[n_seeds].bytes = fuzz_seed(i, &seed[n_seeds].n));
       i++)
    n_seeds++;
  for (int i = 0; i < n_seeds; i++) call(seed[i].bytes, seed[i].n);
  const time_t end = time(NULL) + (time_t)seconds;
  for (; n_seeds && done < runs && time(NULL) < end; done++) {
    const input *from = &seed[random_next(&r) % (uint64_t)n_seeds];
    input x = {fuzz_copy(from->bytes, from->n), from->n};
    change(&r, &x);
    call(x.bytes, x.n);
    free(x.bytes);
  }
  printf("%d seeds, %llu changed inputs\n", n_seeds, (unsigned long long)done);
  for (int i = 0; i < n_seeds; i++) free(seed[i].bytes);
  return 0;
}

/* --- files ----------------------------------------------------------------------------------- */
const char *fuzz_file(const uint8_t *data, size_t n) {
  static char path[64];
  static int fd = -1;
  if (fd < 0) fd = memfd_create("fuzz", 0);
  if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, n, 0) != (ssize_t)n) abort();
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return path;
}
