/* The generator: committed documents carry the tables that it makes, its Verilog constants are
 * those of the tables, and its errors are errors. Runs from the root of the tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "isa.h"

static char generator[512];

/* build/gen/weft-gen stands beside build/tests/test_docs. */
static int find_generator(void **state) {
  (void)state;
  char self[480];
  ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  if (n < 0) return -1;
  self[n] = '\0';
  *strrchr(self, '/') = '\0';
  (void)snprintf(generator, sizeof generator, "%s/../gen/weft-gen", self);
  return access(generator, X_OK);
}

/* Runs the generator; returns its exit status, its output (both streams) in `out`. */
static int run(const char *arguments, char *out, size_t size) {
  char command[1024];
  (void)snprintf(command, sizeof command, "'%s' %s 2>&1", generator, arguments);
  FILE *f = popen(command, "r");
  assert_non_null(f);
  size_t n = fread(out, 1, size - 1, f);
  out[n] = '\0';
  int status = pclose(f);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void documents_are_up_to_date(void **state) {
  (void)state;
  char out[2048];
  int status = run("docs --check docs/isa.md docs/encoding.md docs/configuration.md "
                   "docs/microarchitecture.md",
                   out, sizeof out);
  if (status != 0) fail_msg("%s", out);
}

static void documents_that_are_wrong(void **state) {
  (void)state;
  static const struct {
    const char *text, *what;
  } bad[] = {{"<!-- generated: instructions -->\nold\n<!-- end -->\n", "not up to date"},
             {"<!-- generated: poems -->\n<!-- end -->\n", "unknown name"},
             {"<!-- generated: errors -->\n", "without <!-- end -->"}};
  char path[64], out[1024], arguments[128];
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    strcpy(path, "/tmp/weft-docs-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bad[i].text, strlen(bad[i].text)), (ssize_t)strlen(bad[i].text));
    close(fd);
    (void)snprintf(arguments, sizeof arguments, "docs --check %s", path);
    assert_int_equal(run(arguments, out, sizeof out), 1);
    if (!strstr(out, bad[i].what)) fail_msg("'%s' is not in: %s", bad[i].what, out);
    if (i == 0) { /* renewing it makes it right */
      (void)snprintf(arguments, sizeof arguments, "docs %s", path);
      assert_int_equal(run(arguments, out, sizeof out), 0);
      (void)snprintf(arguments, sizeof arguments, "docs --check %s", path);
      assert_int_equal(run(arguments, out, sizeof out), 0);
    }
    (void)unlink(path);
  }
  assert_int_equal(run("docs --check /nowhere/x.md", out, sizeof out), 1);
}

static void verilog_constants(void **state) {
  (void)state;
  static char out[1 << 18];
  char name[96], what[256];
  int n;
  const weft_insn_info *info = weft_insn_table(&n);
  assert_int_equal(run("verilog", out, sizeof out), 0);
  assert_true(strlen(out) < sizeof out - 1);
  for (; n--; info++)
    for (int i = 0; i < info->n_fields; i++) {
      const weft_field *f = &info->field[i];
      (void)snprintf(name, sizeof name, "%s_%s", info->name, f->name);
      for (char *c = name; *c; c++)
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 'a' + 'A');
      (void)snprintf(what, sizeof what, " %s_LSB = %d, %s_W = %d;", name, f->lsb, name, f->bits);
      if (!strstr(out, what)) fail_msg("not there: %s", what);
    }
  /* every constant has one definition */
  for (char *at = out; (at = strstr(at, "localparam ")); at++) {
    char *equals = strchr(at, '='), *begin = equals - 1;
    while (begin[-1] != ' ') begin--;
    (void)snprintf(name, sizeof name, " %.*s ", (int)(equals - 1 - begin), begin);
    for (char *other = strstr(equals, name); other; other = strstr(other + 1, name))
      if (strncmp(other + strlen(name), "= ", 2) == 0) fail_msg("twice:%s", name);
  }
}

static void configuration_constants(void **state) {
  (void)state;
  static char out[1 << 16];
  char what[96];
  for (const char *const *preset = weft_config_presets(); *preset; preset++) {
    weft_config c;
    assert_int_equal(weft_config_preset(&c, *preset, NULL), WEFT_OK);
    (void)snprintf(what, sizeof what, "config %s", *preset);
    assert_int_equal(run(what, out, sizeof out), 0);
    (void)snprintf(what, sizeof what, "CFG_ROWS = %u;", c.rows);
    assert_non_null(strstr(out, what));
    (void)snprintf(what, sizeof what, "CFG_SPAD_WORDS = %u;", weft_spad_words(&c));
    assert_non_null(strstr(out, what));
    (void)snprintf(what, sizeof what, "64'h%016llx", (unsigned long long)weft_config_hash(&c));
    assert_non_null(strstr(out, what));
  }
  assert_int_equal(run("config /nowhere/x.ini", out, sizeof out), 1);
  assert_non_null(strstr(out, "/nowhere/x.ini"));
  assert_int_equal(run("sing", out, sizeof out), 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(documents_are_up_to_date),
      cmocka_unit_test(documents_that_are_wrong),
      cmocka_unit_test(verilog_constants),
      cmocka_unit_test(configuration_constants),
  };
  return cmocka_run_group_tests(tests, find_generator, NULL);
}
