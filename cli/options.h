/* Command lines: a table of options per command gives both the parser and the help text.
 *
 * Also what several commands share: which configuration is asked for, and how errors are told. */
#ifndef WEFT_OPTIONS_H
#define WEFT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "config.h"
#include "err.h"

enum { WEFT_LIST_MAX = 64 };
typedef struct {
  int n;
  const char *item[WEFT_LIST_MAX];
} weft_list;

typedef enum {
  WEFT_OPT_FLAG,   /* bool: true when given */
  WEFT_OPT_NO,     /* bool: false when given */
  WEFT_OPT_TEXT,   /* const char *: the last one given */
  WEFT_OPT_LIST,   /* weft_list: all of them */
  WEFT_OPT_NUMBER, /* uint64_t */
} weft_option_kind;

typedef struct {
  const char *name; /* "--preset" or "-o" */
  const char *arg;  /* "NAME"; NULL for flags */
  weft_option_kind kind;
  void *to;
  const char *help;
} weft_option;

typedef struct {
  const char *name;  /* "run" */
  const char *usage; /* "MODEL [options]" */
  const char *about; /* paragraph of the help text */
  int n;
  const weft_option *option;
  bool keys;    /* the help text lists presets and configuration keys */
  int min, max; /* positional arguments */
} weft_command;

/* Parses argv[1..]; positional arguments go to `rest`. Returns -1 to go on, otherwise the exit
 * status: 0 after --help, 2 after an error, which has been told. */
int weft_options_parse(const weft_command *cmd, int argc, char **argv, weft_list *rest);

/* "weft: text" on stderr; returns the exit status 2. */
int weft_complain(const weft_err *err);

/* The presets and every configuration key with its range. */
void weft_print_keys(FILE *f);

/* The three options that choose a configuration; put these entries into a command's table. */
typedef struct {
  const char *preset;
  weft_list config, set;
  bool no_groups;   /* compile layer by layer */
  bool no_overlap;  /* compile in the order of the data */
  const char *dump; /* where the compiler tells what it did */
} weft_config_options;
#define WEFT_CONFIG_OPTIONS(o)                                                                     \
  {"--preset", "NAME", WEFT_OPT_TEXT, &(o).preset, "shipped configuration (default: edge-256)"},   \
      {"--config", "FILE", WEFT_OPT_LIST, &(o).config, "ini file of keys, laid over it"},          \
      {"--set", "KEY=VALUE", WEFT_OPT_LIST, &(o).set, "one key, laid over both"},                  \
      {"--no-groups", NULL, WEFT_OPT_FLAG, &(o).no_groups, "compile layer by layer, no fusion"},   \
      {"--no-overlap", NULL, WEFT_OPT_FLAG, &(o).no_overlap,                                       \
       "instructions in the order of the data, nothing ahead of need"},                            \
  {                                                                                                \
    "--dump", "FILE", WEFT_OPT_TEXT, &(o).dump, "the compiler tells there what it did (- stdout)"  \
  }

/* The configuration asked for: the preset, or `base` (NULL: the defaults) without one, then files,
 * then single keys, checked. */
weft_status weft_config_choose(const weft_config_options *o, const weft_config *base,
                               weft_config *out, weft_err *err);

/* FST waves of the RTL: the two options, and what they mean after weft_waves_parse(). */
typedef struct {
  const char *path, *window;
  uint64_t from, to;
} weft_waves;
#define WEFT_WAVES_OPTIONS(o)                                                                      \
  {"--waves", "FILE.fst", WEFT_OPT_TEXT, &(o).path, "RTL built with WAVES=1: writes all signals"}, \
  {                                                                                                \
    "--window", "FROM:TO", WEFT_OPT_TEXT, &(o).window, "of these cycles only (--waves)"            \
  }
/* Fails when the window is no pair of cycles, or there is nothing it belongs to. */
weft_status weft_waves_parse(weft_waves *w, weft_err *err);

#endif
