/* The work of `weft eval`: a runner per thread on one program, images from a common counter. */
#include "eval.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "runner.h"

weft_status eval_check_graph(const weft_graph *g, weft_err *err) {
  if (g->n_inputs != 1)
    return weft_fail(err, WEFT_EUNSUPP, "%s: has %d inputs; eval needs one, an image", g->name,
                     g->n_inputs);
  if (g->n_outputs != 1)
    return weft_fail(err, WEFT_EUNSUPP, "%s: has %d outputs; eval needs one, of scores", g->name,
                     g->n_outputs);
  const weft_tensor *t = &g->tensor[g->output[0]];
  if (t->dtype != WEFT_INT8 && t->dtype != WEFT_UINT8)
    return weft_fail(err, WEFT_EUNSUPP, "%s: output '%s' is %s; eval compares int8 or uint8",
                     g->name, t->name, weft_dtype_name(t->dtype));
  return WEFT_OK;
}

size_t eval_rank(const weft_tensor *scores, size_t right) {
  const uint8_t *code = scores->data;
  uint8_t sign = scores->dtype == WEFT_INT8 ? 0x80 : 0; /* int8 in the order of uint8 */
  size_t n = weft_tensor_elements(scores), rank = 0;
  int mine = code[right] ^ sign;
  for (size_t i = 0; i < n; i++) {
    int other = code[i] ^ sign;
    rank += other > mine || (other == mine && i < right);
  }
  return rank;
}

typedef struct {
  eval_run *run;
  weft_err *err; /* of the first failure */
  pthread_mutex_t lock;
  pthread_cond_t quit; /* a thread has ended */
  size_t next, stride; /* images started; distance from one to the next */
  int working;
  weft_status status;
} crew;

/* A step that visits all `n` images and mixes the classes, so that the score on the way already
 * says something: the golden section of n, or the next number that has no common factor with n. */
static size_t mixing_stride(size_t n) {
  size_t stride = (size_t)((double)n * 0.618) + 1;
  for (;; stride++) {
    size_t a = n, b = stride;
    while (b) {
      size_t rest = a % b;
      a = b;
      b = rest;
    }
    if (a == 1) return stride;
  }
}

static bool take_image(crew *c, size_t *index) {
  pthread_mutex_lock(&c->lock);
  bool more = !c->status && c->next < c->run->set->n;
  if (more) *index = (size_t)((uint64_t)c->next++ * c->stride % c->run->set->n);
  pthread_mutex_unlock(&c->lock);
  return more;
}

static void report_rank(crew *c, size_t rank) {
  pthread_mutex_lock(&c->lock);
  c->run->done++;
  c->run->top1 += rank < 1;
  c->run->top5 += rank < 5;
  pthread_mutex_unlock(&c->lock);
}

static weft_status load_image(const char *path, weft_norm norm, const weft_tensor *input,
                              void *data, weft_err *err) {
  weft_image image;
  weft_err why;
  weft_status status = weft_image_load(path, &image, err);
  if (status) return status;
  status = weft_image_to_tensor(&image, norm, input, data, &why);
  weft_image_free(&image);
  return status ? weft_fail(err, status, "%.200s: %.300s", path, why.text) : WEFT_OK;
}

static weft_status work_on(crew *c, weft_runner *runner, void *data, weft_err *err) {
  const eval_run *run = c->run;
  size_t i;
  while (take_image(c, &i)) {
    const eval_image *image = &run->set->image[i];
    const weft_tensor *input = &run->graph->tensor[run->graph->input[0]];
    weft_status status = load_image(image->path, run->norm, input, data, err);
    if (!status) status = weft_runner_run(runner, &data, err);
    if (status) return status;
    report_rank(c, eval_rank(weft_runner_result(runner)->output[0].tensor, image->output));
  }
  return WEFT_OK;
}

static void *work(void *user) {
  crew *c = user;
  const weft_graph *g = c->run->graph;
  weft_runner_options options = {.backend = c->run->reference ? WEFT_BACKEND_REF : WEFT_BACKEND_SIM,
                                 .no_timing = true};
  weft_runner *runner = NULL;
  weft_err err;
  void *data = malloc(weft_tensor_bytes(&g->tensor[g->input[0]]) + 1);
  weft_status status = data ? weft_runner_new(g, c->run->program, &options, &runner, &err)
                            : weft_fail(&err, WEFT_ENOMEM, "out of memory");
  if (!status) status = work_on(c, runner, data, &err);
  if (runner) weft_runner_free(runner);
  free(data);
  pthread_mutex_lock(&c->lock);
  if (status && !c->status) {
    c->status = status;
    if (c->err) *c->err = err;
  }
  c->working--;
  pthread_cond_signal(&c->quit);
  pthread_mutex_unlock(&c->lock);
  return NULL;
}

static double now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Until all threads have ended; on a terminal one line that changes, elsewhere one line now and
 * then. */
static void watch(crew *c, double began) {
  bool terminal = isatty(2);
  double told = began, every = terminal ? 0.2 : 2;
  pthread_mutex_lock(&c->lock);
  while (c->working) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 100000000;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    pthread_cond_timedwait(&c->quit, &c->lock, &until);
    double t = now();
    if (t - told < every || !c->run->done) continue;
    told = t;
    (void)fprintf(stderr, "%s%llu/%zu images, %.1f images/s, top-1 %.2f%%%s", terminal ? "\r" : "",
                  (unsigned long long)c->run->done, c->run->set->n,
                  (double)c->run->done / (t - began),
                  100.0 * (double)c->run->top1 / (double)c->run->done, terminal ? "\033[K" : "\n");
  }
  pthread_mutex_unlock(&c->lock);
  if (terminal && told > began) (void)fprintf(stderr, "\r\033[K");
}

weft_status eval_run_all(eval_run *run, weft_err *err) {
  crew c = {.run = run, .err = err, .stride = mixing_stride(run->set->n)};
  pthread_mutex_init(&c.lock, NULL);
  pthread_cond_init(&c.quit, NULL);
  int started = 0, jobs = (size_t)run->jobs < run->set->n ? run->jobs : (int)run->set->n;
  pthread_t *thread = calloc((size_t)jobs, sizeof *thread);
  double began = now();
  for (; thread && started < jobs; started++) {
    pthread_mutex_lock(&c.lock);
    c.working++;
    pthread_mutex_unlock(&c.lock);
    if (pthread_create(&thread[started], NULL, work, &c) == 0) continue;
    pthread_mutex_lock(&c.lock);
    c.working--;
    pthread_mutex_unlock(&c.lock);
    break; /* with fewer, then */
  }
  watch(&c, began);
  for (int i = 0; i < started; i++) pthread_join(thread[i], NULL);
  if (!started) c.status = weft_fail(err, WEFT_ENOMEM, "cannot start a thread");
  run->seconds = now() - began;
  run->jobs = started;
  free(thread);
  pthread_cond_destroy(&c.quit);
  pthread_mutex_destroy(&c.lock);
  return c.status;
}
