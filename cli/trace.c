/* Trace-event JSON, streamed; see trace.h. Start at weft_trace_write. */
#include "trace.h"

#include <inttypes.h>

#include "isa.h"
#include "outfile.h"
#include "text.h"
#include "timeline.h"

enum { PID = 1 };

static void put_metadata(FILE *f, const char *what, int tid, const char *name) {
  (void)fprintf(f, "{\"ph\":\"M\",\"pid\":%d,\"tid\":%d,\"name\":\"%s\",\"args\":{\"name\":\"", PID,
                tid, what);
  weft_put_json(f, name);
  (void)fputs("\"}},\n", f);
}

static void put_piece(FILE *f, const weft_run_result *r, const weft_piece *p, int tid) {
  const weft_slice *s = p->slice;
  (void)fputs(",\n{\"ph\":\"X\",\"name\":\"", f);
  if (s->layer >= 0 && s->layer < r->n_layers) {
    weft_put_json(f, r->layer[s->layer].op);
    (void)fputc(' ', f);
    weft_put_json(f, r->layer[s->layer].name);
  } else {
    (void)fputs("no layer", f);
  }
  (void)fprintf(f,
                "\",\"pid\":%d,\"tid\":%d,\"ts\":%" PRIu64 ",\"dur\":%" PRIu64
                ",\"args\":{\"instruction\":%" PRIu32 ",\"layer\":%d,\"start\":%" PRIu64
                ",\"busy\":%" PRIu64 ",\"end\":%" PRIu64 "}}",
                PID, tid, p->from, p->to - p->from, s->index, s->layer, s->start, s->busy, s->end);
}

static void put_trace(FILE *f, const weft_run_result *r, const weft_timeline *t) {
  (void)fputs("{\"displayTimeUnit\":\"ns\",\n\"otherData\":{\"time\":\"1 us = 1 cycle\",", f);
  (void)fputs("\"model\":\"", f);
  weft_put_json(f, r->model);
  (void)fputs("\",\"preset\":\"", f);
  weft_put_json(f, r->preset);
  (void)fputs("\",\"backend\":\"", f);
  weft_put_json(f, r->backend);
  (void)fprintf(f, "\",\"cycles\":%" PRIu64 ",\"clock_mhz\":%" PRIu32 "},\n\"traceEvents\":[\n",
                r->cycles, r->config.clock_mhz);
  for (int u = 0; u < WEFT_TRACKS; u++) {
    if (u == WEFT_UNIT_FETCH && !t->n[u]) continue;
    put_metadata(f, "thread_name", u + 1, weft_unit_name(u));
    (void)fprintf(f,
                  "{\"ph\":\"M\",\"pid\":%d,\"tid\":%d,\"name\":\"thread_sort_index\","
                  "\"args\":{\"sort_index\":%d}},\n",
                  PID, u + 1, u);
  }
  (void)fprintf(
      f, "{\"ph\":\"M\",\"pid\":%d,\"name\":\"process_name\",\"args\":{\"name\":\"weft\"}}", PID);
  for (int u = 0; u < WEFT_TRACKS; u++)
    for (size_t i = 0; i < t->n[u]; i++) put_piece(f, r, &t->piece[u][i], u + 1);
  (void)fputs("\n]}\n", f);
}

weft_status weft_trace_write(const weft_run_result *r, const char *path, weft_err *err) {
  weft_outfile o;
  weft_timeline t;
  weft_status status = weft_timeline_make(r, &t, err);
  if (!status) status = weft_outfile_open(&o, path, err);
  if (!status) {
    put_trace(o.f, r, &t);
    status = weft_outfile_close(&o, err);
  }
  weft_timeline_free(&t);
  return status;
}
