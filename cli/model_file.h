/* What the commands take as MODEL: a network file, or a program that `weft compile` made of one. */
#ifndef WEFT_MODEL_FILE_H
#define WEFT_MODEL_FILE_H

#include <stddef.h>

#include "options.h"
#include "program.h"

typedef struct {
  void *bytes; /* of the network file, also when it came inside a program */
  size_t n_bytes;
  weft_graph *graph;
  weft_program *program; /* NULL when only the graph was asked for */
  bool was_program;
} weft_model_file;

/* Reads the file. With `compile`, a network is compiled for the configuration asked for; a program
 * is refused when it was made for another one, naming the first key that differs. Free with
 * weft_model_file_close(), also after an error. */
weft_status weft_model_file_open(const char *path, const weft_config_options *config, bool compile,
                                 weft_model_file *out, weft_err *err);
void weft_model_file_close(weft_model_file *m);

/* A whole regular file (malloc, one spare byte of zero). */
weft_status weft_read_file(const char *path, void **bytes, size_t *n, weft_err *err);

#endif
