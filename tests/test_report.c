/* The HTML report and the trace, from a made-up run that looks like MobileNetV2's.
 *
 * With KEEP_REPORT=FOLDER in the environment the page and the trace are left in that folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "isa.h"
#include "outfile.h"
#include "report_html.h"
#include "support/folder.h"
#include "support/made_up_run.h"
#include "text.h"
#include "trace.h"

static char *read_text(const char *name, size_t *size) {
  FILE *f = fopen(name, "rb");
  assert_non_null(f);
  assert_int_equal(fseek(f, 0, SEEK_END), 0);
  long n = ftell(f);
  rewind(f);
  char *text = malloc((size_t)n + 1);
  assert_int_equal(fread(text, 1, (size_t)n, f), n);
  text[n] = 0;
  if (size) *size = (size_t)n;
  fclose(f);
  return text;
}

/* --- a checker of tags ------------------------------------------------------------------------ */
enum { DEPTH = 32, TAG = 16 };

static size_t tag_name(const char *at, char name[TAG]) {
  size_t n = 0;
  while (n < TAG - 1 && isalnum((unsigned char)at[n])) name[n] = at[n], n++;
  name[n] = 0;
  return n;
}

static bool is_void(const char *name) {
  static const char *const names[] = {"meta", "br", "wbr"};
  for (size_t i = 0; i < 3; i++)
    if (strcmp(name, names[i]) == 0) return true;
  return false;
}

/* To the end of a tag; quotes must close. */
static const char *tag_end(const char *at) {
  while (*at && *at != '>') {
    if (*at == '"') {
      at = strchr(at + 1, '"');
      assert_non_null(at);
    }
    assert_int_not_equal(*at, '<');
    at++;
  }
  assert_int_equal(*at, '>');
  return at;
}

static void check_tags(const char *html) {
  char stack[DEPTH][TAG], name[TAG];
  int depth = 0;
  for (const char *at = html; (at = strchr(at, '<'));) {
    if (at[1] == '!') {
      at = tag_end(at + 1);
      continue;
    }
    bool closing = at[1] == '/';
    assert_true(tag_name(at + 1 + closing, name) > 0);
    const char *end = tag_end(at + 1);
    if (closing) {
      assert_true(depth > 0);
      assert_string_equal(stack[--depth], name);
    } else if (end[-1] != '/' && !is_void(name)) {
      assert_true(depth < DEPTH);
      strcpy(stack[depth++], name);
    }
    at = end;
    if (strcmp(name, "script") == 0 && !closing) at = strstr(at, "</script>");
    assert_non_null(at);
  }
  assert_int_equal(depth, 0);
}

static char *report_of(const made_up *m, size_t *size) {
  weft_err err = {""};
  weft_status status = weft_report_html(&m->r, in_folder("r.html"), &err);
  if (status) print_error("%s\n", err.text);
  assert_int_equal(status, WEFT_OK);
  char *html = read_text(in_folder("r.html"), size);
  check_tags(html);
  assert_int_equal(unlink(in_folder("r.html")), 0);
  assert_int_equal(files_in_folder(), 0);
  return html;
}

/* --- the report ------------------------------------------------------------------------------- */
static void test_report_says_it_all(void **state) {
  (void)state;
  made_up *m = made_up_new(24);
  made_up_add_host(m);
  size_t size;
  char *html = report_of(m, &size);
  assert_true(size < 300000);
  weft_num cycles = weft_num_group(m->r.cycles), bound = weft_num_group(m->layer[3].bound);
  weft_num bytes = weft_num_group(m->layer[60].dram_bytes);
  const char *const said[] = {"<title>mobilenet_v2_1.0_224 on edge-256",
                              cycles.s,
                              "6,712,345 values",
                              "✓ equal",
                              "9.9&#8239;% above",
                              "military uniform",
                              "0.7734",
                              "1\u202f×\u202f1001",
                              "scratchpad_kib",
                              "no instruction interpolates",
                              "FULLY_<wbr>CONNECTED",
                              "bound by depthwise",
                              "708,662",
                              bytes.s,
                              bound.s,
                              "268 inf"};
  for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
    if (!strstr(html, said[i])) print_error("not in the report: %s\n", said[i]);
    assert_non_null(strstr(html, said[i]));
  }
  assert_null(strstr(html, "http")); /* self-contained */
  assert_null(strstr(html, "<b>bold"));
  assert_non_null(strstr(html, "bow tie &amp; &lt;b&gt;bold&lt;/"));
  assert_non_null(strstr(html, "weird &quot;&lt;name&gt;&quot; \xef\xbf\xbd\xef\xbf\xbd</td>"));
  assert_null(strstr(html, "nan"));
  assert_null(strstr(html, "-inf"));
  free(html);
  made_up_free(m);
}

static void test_report_of_a_failed_check(void **state) {
  (void)state;
  made_up *m = made_up_new(2);
  m->r.check.mismatches = 1234;
  m->r.check.max_abs_diff = 7;
  strcpy(m->r.check.first, "tensor 'a<b' at [0, 1]: found 3, expected 4");
  m->r.model = "</title><script>alert(1)</script>";
  char *html = report_of(m, NULL);
  assert_non_null(strstr(html, "✗ 1,234 differ"));
  assert_non_null(strstr(html, "largest difference 7"));
  assert_non_null(strstr(html, "tensor &#39;a&lt;b&#39; at"));
  assert_null(strstr(html, "<script>alert"));
  free(html);
  made_up_free(m);
}

static void test_report_size_is_bounded(void **state) {
  (void)state;
  made_up *m = made_up_new(700);
  assert_true(m->r.n_slices > 100000);
  size_t size;
  char *html = report_of(m, &size);
  assert_true(size < 1000000);
  free(html);
  made_up_free(m);
}

static void test_report_of_next_to_nothing(void **state) {
  (void)state;
  made_up m = {.r = {.model = NULL, .timed = true}}; /* all zero, clock included */
  free(report_of(&m, NULL));
  m.r.timed = false;
  m.r.checked = true;
  char *html = report_of(&m, NULL);
  assert_non_null(strstr(html, "the function only"));
  free(html);
}

/* Slices of units, layers and times that make no sense must not do any harm. */
static void test_odd_slices(void **state) {
  (void)state;
  weft_slice slice[] = {
      {0, -1, 0, 0, 1, 2},   {1, 99, 0, 0, 1, 2},      {2, WEFT_UNIT_LOAD, 7, 9, 9, 3},
      {3, 1, -1, 0, 0, 400}, {4, 1, 1 << 30, 5, 5, 6}, {5, WEFT_UNIT_FETCH, 0, 7, 7, 10}};
  made_up *m = made_up_new(1);
  free(m->r.slice);
  m->r.slice = slice;
  m->r.n_slices = sizeof slice / sizeof *slice;
  for (uint64_t cycles = 0; cycles < 3; cycles++) {
    weft_err err;
    m->r.cycles = cycles; /* also fewer than the slices reach */
    free(report_of(m, NULL));
    assert_int_equal(weft_trace_write(&m->r, in_folder("t.json"), &err), WEFT_OK);
    json_t *trace = json_load_file(in_folder("t.json"), 0, NULL);
    assert_non_null(trace);
    json_decref(trace);
    unlink(in_folder("t.json"));
  }
  m->r.slice = NULL;
  made_up_free(m);
}

/* --- the trace -------------------------------------------------------------------------------- */
static json_int_t number(json_t *event, const char *key) {
  json_t *v = json_object_get(event, key);
  assert_true(json_is_integer(v));
  return json_integer_value(v);
}

static void check_events(const made_up *m, json_t *events) {
  json_int_t at[WEFT_UNITS + 2] = {0};
  size_t n = 0, threads = 0;
  bool *seen = calloc(m->r.n_slices, sizeof *seen);
  for (size_t i = 0; i < json_array_size(events); i++) {
    json_t *e = json_array_get(events, i), *args = json_object_get(e, "args");
    const char *ph = json_string_value(json_object_get(e, "ph"));
    const char *name = json_string_value(json_object_get(e, "name"));
    if (strcmp(ph, "M") == 0) {
      threads += strcmp(name, "thread_name") == 0;
      continue;
    }
    assert_string_equal(ph, "X");
    json_int_t tid = number(e, "tid"), ts = number(e, "ts"), dur = number(e, "dur");
    assert_in_range(tid, 1, WEFT_UNITS + 1);
    assert_true(dur >= 0 && ts >= at[tid]); /* tracks without overlap */
    at[tid] = ts + dur;
    json_int_t index = number(args, "instruction");
    assert_in_range(index, 0, m->r.n_slices - 1);
    assert_false(seen[index]);
    seen[index] = true;
    const weft_slice *s = &m->r.slice[index];
    assert_int_equal(tid, s->unit + 1);
    assert_int_equal(ts, s->busy);
    assert_true(ts + dur <= (json_int_t)s->end);
    assert_int_equal(number(args, "end"), s->end);
    assert_int_equal(number(args, "layer"), s->layer);
    assert_int_equal(strncmp(name, m->layer[s->layer].op, strlen(m->layer[s->layer].op)), 0);
    n++;
  }
  free(seen);
  assert_int_equal(n, m->r.n_slices);
  assert_int_equal(threads, WEFT_UNITS); /* no FETCH slices, no FETCH track */
}

static void test_trace(void **state) {
  (void)state;
  made_up *m = made_up_new(40);
  strcpy(m->name[0], "quote \" back \\ tab \t bad \xfe low \x01 <");
  weft_err err;
  json_error_t why;
  assert_int_equal(weft_trace_write(&m->r, in_folder("t.json"), &err), WEFT_OK);
  json_t *trace = json_load_file(in_folder("t.json"), JSON_REJECT_DUPLICATES, &why);
  if (!trace) print_error("%s at line %d\n", why.text, why.line);
  assert_non_null(trace);
  json_t *other = json_object_get(trace, "otherData");
  assert_string_equal(json_string_value(json_object_get(other, "time")), "1 us = 1 cycle");
  assert_int_equal(number(other, "cycles"), m->r.cycles);
  check_events(m, json_object_get(trace, "traceEvents"));
  json_decref(trace);
  unlink(in_folder("t.json"));
  assert_int_equal(files_in_folder(), 0);
  made_up_free(m);
}

/* --- files ------------------------------------------------------------------------------------ */
typedef weft_status (*writer)(const weft_run_result *, const char *, weft_err *);

static void test_paths_that_cannot_be_written(void **state) {
  (void)state;
  static const writer writers[] = {weft_report_html, weft_trace_write};
  made_up *m = made_up_new(40);
  for (int w = 0; w < 2; w++) {
    const char *const bad[] = {in_folder("none/r.html"), folder_path(), "", "/dev/full"};
    for (size_t i = 0; i < 4; i++) {
      weft_err err = {""};
      assert_int_equal(writers[w](&m->r, bad[i], &err), WEFT_EINPUT);
      assert_non_null(strstr(err.text, bad[i]));
      assert_non_null(strstr(err.text, "cannot"));
    }
    assert_int_equal(files_in_folder(), 0);
    assert_int_equal(writers[w](&m->r, "/dev/null", NULL), WEFT_OK); /* and it stays a device */
    struct stat st;
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
  }
  made_up_free(m);
}

static void test_abandoned_file(void **state) {
  (void)state;
  weft_outfile o;
  weft_err err;
  char name[512];
  strcpy(name, in_folder("old"));
  FILE *f = fopen(name, "w");
  assert_true(fputs("old text", f) > 0);
  fclose(f);
  assert_int_equal(weft_outfile_open(&o, name, &err), WEFT_OK);
  assert_int_equal(files_in_folder(), 2);
  assert_true(fputs("new", o.f) > 0);
  weft_outfile_abandon(&o);
  assert_int_equal(files_in_folder(), 1);
  char *text = read_text(name, NULL);
  assert_string_equal(text, "old text");
  free(text);
  unlink(name);
}

/* With KEEP_REPORT=FOLDER: something to look at. */
static void test_keep(void **state) {
  (void)state;
  const char *keep = getenv("KEEP_REPORT");
  if (!keep) skip();
  made_up *m = made_up_new(24);
  weft_err err;
  made_up_add_host(m);
  char path[512];
  (void)snprintf(path, sizeof path, "%s/report.html", keep);
  assert_int_equal(weft_report_html(&m->r, path, &err), WEFT_OK);
  (void)snprintf(path, sizeof path, "%s/trace.json", keep);
  assert_int_equal(weft_trace_write(&m->r, path, &err), WEFT_OK);
  made_up_free(m);
}

static void test_numbers(void **state) {
  (void)state;
  assert_string_equal(weft_num_group(0).s, "0");
  assert_string_equal(weft_num_group(999).s, "999");
  assert_string_equal(weft_num_group(1000).s, "1,000");
  assert_string_equal(weft_num_group(UINT64_MAX).s, "18,446,744,073,709,551,615");
  assert_string_equal(weft_num_short(999).s, "999");
  assert_string_equal(weft_num_short(1000).s, "1.00 k");
  assert_string_equal(weft_num_short(45649).s, "45.6 k");
  assert_string_equal(weft_num_short(999499).s, "999 k");
  assert_string_equal(weft_num_short(999500).s, "1.00 M");
  assert_string_equal(weft_num_short(1e21).s, "1000 E");
  assert_string_equal(weft_num_axis(1500000).s, "1.5 M");
  assert_string_equal(weft_num_axis(0).s, "0");
  assert_string_equal(weft_num_bytes(12).s, "12 B");
  assert_string_equal(weft_num_bytes(12345678).s, "12.3 MB");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_report_says_it_all),
      cmocka_unit_test(test_report_of_a_failed_check),
      cmocka_unit_test(test_report_size_is_bounded),
      cmocka_unit_test(test_report_of_next_to_nothing),
      cmocka_unit_test(test_odd_slices),
      cmocka_unit_test(test_trace),
      cmocka_unit_test(test_paths_that_cannot_be_written),
      cmocka_unit_test(test_abandoned_file),
      cmocka_unit_test(test_keep),
      cmocka_unit_test(test_numbers),
  };
  return cmocka_run_group_tests_name("report", tests, folder_make, folder_remove);
}
