/* Option tables: parsing and help text. */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int weft_complain(const weft_err *err) {
  (void)fprintf(stderr, "weft: %s\n", err->text);
  return 2;
}

/* --- help ------------------------------------------------------------------------------------ */
void weft_print_keys(FILE *f) {
  int n;
  const weft_key *key = weft_config_keys(&n);
  const char *const *preset = weft_config_presets();
  (void)fprintf(f, "Presets:");
  for (int i = 0; preset[i]; i++) (void)fprintf(f, " %s%s", preset[i], i ? "" : " (default)");
  (void)fprintf(f, "\n\nConfiguration keys (default, range):\n");
  for (int i = 0; i < n; i++)
    (void)fprintf(f, "  %-17s %4u  %u..%u%s\n%26s%s\n", key[i].name, key[i].def, key[i].min,
                  key[i].max, key[i].pow2 ? ", powers of two" : "", "", key[i].doc);
}

static void print_help(const weft_command *cmd) {
  printf("Usage: weft %s %s\n\n%s\n\nOptions:\n", cmd->name, cmd->usage, cmd->about);
  for (int i = 0; i < cmd->n; i++) {
    const weft_option *o = &cmd->option[i];
    char left[64];
    (void)snprintf(left, sizeof left, "%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
    printf("  %-22s%s%s\n", left, strlen(left) >= 22 ? "\n                        " : "", o->help);
  }
  printf("  %-22s%s\n", "--help", "this text");
  if (cmd->keys) {
    printf("\n");
    weft_print_keys(stdout);
  }
}

/* --- parsing --------------------------------------------------------------------------------- */
static weft_status take(const weft_command *cmd, const weft_option *o, const char *value,
                        weft_err *err) {
  weft_list *list = o->to;
  char *end;
  switch (o->kind) {
  case WEFT_OPT_FLAG: *(bool *)o->to = true; return WEFT_OK;
  case WEFT_OPT_NO: *(bool *)o->to = false; return WEFT_OK;
  case WEFT_OPT_TEXT: *(const char **)o->to = value; return WEFT_OK;
  case WEFT_OPT_LIST:
    if (list->n == WEFT_LIST_MAX)
      return weft_fail(err, WEFT_EINPUT, "%s: %s more than %d times", cmd->name, o->name,
                       WEFT_LIST_MAX);
    list->item[list->n++] = value;
    return WEFT_OK;
  case WEFT_OPT_NUMBER:
    errno = 0;
    *(uint64_t *)o->to = strtoull(value, &end, 10);
    if (value[0] >= '0' && value[0] <= '9' && !*end && !errno) return WEFT_OK;
    return weft_fail(err, WEFT_EINPUT, "%s: %s is '%s', accepted whole numbers from 0", cmd->name,
                     o->name, value);
  }
  return WEFT_OK;
}

/* The option that `word` names; *value is what stands after its '=', or NULL. */
static const weft_option *find(const weft_command *cmd, const char *word, const char **value) {
  const char *eq = strchr(word, '=');
  size_t n = eq ? (size_t)(eq - word) : strlen(word);
  *value = eq ? eq + 1 : NULL;
  for (int i = 0; i < cmd->n; i++)
    if (strlen(cmd->option[i].name) == n && memcmp(cmd->option[i].name, word, n) == 0)
      return &cmd->option[i];
  return NULL;
}

static weft_status parse(const weft_command *cmd, int argc, char **argv, weft_list *rest,
                         weft_err *err) {
  bool only_rest = false;
  for (int i = 1; i < argc; i++) {
    const char *word = argv[i], *value;
    if (only_rest || word[0] != '-' || !word[1]) {
      if (rest->n == cmd->max)
        return weft_fail(err, WEFT_EINPUT, "%s: unexpected argument '%s' (weft %s --help)",
                         cmd->name, word, cmd->name);
      rest->item[rest->n++] = word;
      continue;
    }
    if (strcmp(word, "--") == 0) {
      only_rest = true;
      continue;
    }
    const weft_option *o = find(cmd, word, &value);
    if (!o)
      return weft_fail(err, WEFT_EINPUT, "%s: unknown option '%s' (weft %s --help lists them)",
                       cmd->name, word, cmd->name);
    if (!o->arg && value)
      return weft_fail(err, WEFT_EINPUT, "%s: %s takes no value, found '%s'", cmd->name, o->name,
                       value);
    if (o->arg && !value) {
      if (i + 1 == argc)
        return weft_fail(err, WEFT_EINPUT, "%s: %s needs a value: %s", cmd->name, o->name, o->arg);
      value = argv[++i];
    }
    weft_status status = take(cmd, o, value, err);
    if (status) return status;
  }
  if (rest->n < cmd->min)
    return weft_fail(err, WEFT_EINPUT, "%s: nothing to work on; usage: weft %s %s", cmd->name,
                     cmd->name, cmd->usage);
  return WEFT_OK;
}

int weft_options_parse(const weft_command *cmd, int argc, char **argv, weft_list *rest) {
  weft_err err;
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
      print_help(cmd);
      return 0;
    }
  return parse(cmd, argc, argv, rest, &err) ? weft_complain(&err) : -1;
}

/* --- configurations -------------------------------------------------------------------------- */
weft_status weft_config_choose(const weft_config_options *o, const weft_config *base,
                               weft_config *out, weft_err *err) {
  weft_config c;
  weft_status status = WEFT_OK;
  weft_config_default(&c);
  if (base) c = *base;
  if (o->preset) status = weft_config_preset(&c, o->preset, err);
  for (int i = 0; i < o->config.n && !status; i++)
    status = weft_config_file(&c, o->config.item[i], err);
  for (int i = 0; i < o->set.n && !status; i++) status = weft_config_set(&c, o->set.item[i], err);
  if (!status) status = weft_config_check(&c, err);
  if (status) return status;
  if (o->set.n) { /* the preset's name alone would be wrong in a report */
    weft_config named;
    if (weft_config_preset(&named, c.preset, NULL) == WEFT_OK &&
        weft_config_hash(&named) != weft_config_hash(&c))
      (void)snprintf(c.preset, sizeof c.preset, "%.30s*", named.preset);
  }
  *out = c;
  return WEFT_OK;
}

weft_status weft_waves_parse(weft_waves *w, weft_err *err) {
  w->from = 0;
  w->to = UINT64_MAX;
  if (!w->window) return WEFT_OK;
  if (!w->path) return weft_fail(err, WEFT_EINPUT, "--window %s without --waves", w->window);
  char *end;
  bool good = *w->window >= '0' && *w->window <= '9';
  w->from = strtoull(w->window, &end, 10);
  good = good && *end == ':' && end[1] >= '0' && end[1] <= '9';
  if (good) w->to = strtoull(end + 1, &end, 10);
  if (good && !*end && w->from < w->to) return WEFT_OK;
  return weft_fail(err, WEFT_EINPUT, "--window: found '%s', accepted FROM:TO in cycles, FROM < TO",
                   w->window);
}
