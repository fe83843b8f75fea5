/* Parts of `weft eval`, shared by the eval_*.c files and cmd_eval.c only.
 *
 * eval_set.c finds the images and which output each stands for, eval_work.c runs them on all cores,
 * cmd_eval.c is the command. */
#ifndef WEFT_EVAL_H
#define WEFT_EVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "graph.h"
#include "image.h"
#include "program.h"
#include "tensor.h"

typedef struct {
  char *path;
  uint32_t output; /* the model's output that is right for it */
} eval_image;

typedef struct {
  size_t n;
  eval_image *image; /* by class, then by name */
  int n_classes;
} eval_set;

/* Lists DIR/CLASS/IMAGE (.png, .jpg, .jpeg, .bmp). A class folder stands for
 *   with `labels`       the line of that file that has its name, or else the number that it is
 *   all names numbers   that number
 *   otherwise           its place in the sorted list of folders; their count plus the offset must
 *                       then be the number of outputs
 * and that plus `offset` is the output's index, which must be below `outputs`. With `limit`, that
 * many images evenly spread over the list. Free with eval_set_free(), also after an error. */
weft_status eval_set_find(const char *dir, const char *labels, uint64_t offset, uint64_t limit,
                          size_t outputs, eval_set *out, weft_err *err);
void eval_set_free(eval_set *s);

/* What to run, and what came of it. */
typedef struct {
  const weft_graph *graph;
  const weft_program *program; /* NULL for the reference */
  bool reference;
  weft_norm norm;
  int jobs;
  const eval_set *set;
  uint64_t done, top1, top5;
  double seconds;
} eval_run;

/* One input that an image fits, one output of scores whose codes can be compared. */
weft_status eval_check_graph(const weft_graph *g, weft_err *err);
/* The number of outputs that score better than number `right`: higher codes, and equal ones of a
 * lower index. */
size_t eval_rank(const weft_tensor *scores, size_t right);
/* Runs all images; tells the progress on stderr. */
weft_status eval_run_all(eval_run *run, weft_err *err);

#endif
