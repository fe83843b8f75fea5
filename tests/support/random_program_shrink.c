/* Makes a failing random program smaller. A candidate counts when the C model proves it free of
 * races and unwritten words and it still fails. Start at random_program_shrink(). */
#include "random_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool random_program_valid(const random_program *p, char *why, size_t size) {
  random_job *x = random_job_new(p);
  device_result r;
  x->job.check_races = true;
  device_run(&device_model, &x->job, &r);
  const bool ok = !r.opened[0] && r.status == WEFT_OK;
  (void)snprintf(why, size, "%s%.300s", r.opened, r.err.text);
  device_result_free(&r);
  free(x);
  return ok;
}

typedef struct {
  random_fails fails;
  void *user;
  int tried;
} shrinker;

/* Takes the candidate when it is valid, whole and fails. `again`: with new tokens. */
static bool better(shrinker *s, random_program *best, const random_program *candidate, bool again) {
  char why[400];
  random_program x = *candidate, ordered = x;
  /* the order's own proof knows bytes, where the model's knows words */
  if (!random_program_order_again(&ordered)) return false;
  if (again) x = ordered;
  s->tried++;
  if (!random_program_valid(&x, why, sizeof why) || !s->fails(s->user, &x)) return false;
  *best = x;
  return true;
}

/* Takes away the instructions [first, last) and every token that one of them posts or takes: the
 * n-th post of a pair belongs to the n-th wait. */
static void drop(const random_program *p, int first, int last, random_program *out) {
  *out = *p;
  for (int from = 0; from < WEFT_UNITS; from++)
    for (int to = 0; to < WEFT_UNITS; to++) {
      int post = -1, wait = -1;
      for (;;) {
        do post++;
        while (post < p->n &&
               (weft_insn_unit(p->insn[post].opcode) != from || !(p->insn[post].post >> to & 1)));
        do wait++;
        while (wait < p->n &&
               (weft_insn_unit(p->insn[wait].opcode) != to || !(p->insn[wait].wait >> from & 1)));
        if (post >= p->n || wait >= p->n) break;
        if ((post < first || post >= last) && (wait < first || wait >= last)) continue;
        out->insn[post].post &= ~(1u << to);
        out->insn[wait].wait &= ~(1u << from);
      }
    }
  memmove(&out->insn[first], &out->insn[last], (size_t)(p->n - last) * sizeof *out->insn);
  out->n -= last - first;
}

static bool drop_instructions(shrinker *s, random_program *p) {
  bool any = false;
  for (int n = p->n / 2; n > 0; n /= 2)
    for (int first = 0; first + n < p->n;) { /* END stays */
      random_program x;
      drop(p, first, first + n, &x);
      if (better(s, p, &x, false) || better(s, p, &x, true))
        any = true;
      else
        first += n;
    }
  return any;
}

/* --- producers -------------------------------------------------------------------------------- */
typedef struct {
  size_t first, end; /* bytes of the scratchpad */
} extent;

static void find_extent(void *user, int memory, size_t first, size_t n, bool write) {
  extent *e = user;
  if (memory != WEFT_MEM_SPAD || !write) return;
  if (first < e->first) e->first = first;
  if (first + n > e->end) e->end = first + n;
}

/* A LOAD of plain bytes in place of an instruction that computes: what the failure needs is often
 * only that something was there. */
static bool replace_by_load(shrinker *s, random_program *p, int index) {
  const uint32_t w = weft_word_bytes(&p->cfg);
  random_program x = *p;
  extent e = {SIZE_MAX, 0};
  random_accesses(&p->cfg, &p->insn[index], find_extent, &e);
  if (p->insn[index].opcode == WEFT_OP_CODE_LOAD || e.end == 0 ||
      e.end - e.first > PROGRAM_CONSTANTS / 2)
    return false;
  x.insn[index] = (weft_insn){.opcode = WEFT_OP_CODE_LOAD};
  weft_insn_LOAD *in = &x.insn[index].LOAD;
  in->region = in->rows = in->o_ring_rows = in->o_pix_stride = 1;
  in->o_base = (uint32_t)(e.first / w);
  in->pixels = (uint32_t)((e.end + w - 1) / w) - in->o_base;
  in->pix_bytes = in->d_pix_stride = w;
  in->row_bytes = in->pixels * w;
  return better(s, p, &x, true);
}

static bool replace_producers(shrinker *s, random_program *p) {
  bool any = false;
  for (int i = p->n - 2; i >= 0; i--) any |= replace_by_load(s, p, i);
  return any;
}

/* --- fields ----------------------------------------------------------------------------------- */
/* Smaller values of one field: the smallest, half the way, one less. */
static bool reduce_field(shrinker *s, random_program *p, int index, const weft_field *f) {
  uint32_t value;
  memcpy(&value, (const char *)&p->insn[index] + f->offset, sizeof value);
  const int64_t least = f->is_signed ? 0 : (int64_t)f->min;
  const int64_t now = f->is_signed ? (int32_t)value : (int64_t)value;
  const int64_t candidate[] = {least, least + (now - least) / 2, now > least ? now - 1 : now + 1};
  for (int i = 0; i < 3 && now != least; i++) {
    if (candidate[i] == now) continue;
    random_program x = *p;
    value = (uint32_t)candidate[i];
    memcpy((char *)&x.insn[index] + f->offset, &value, sizeof value);
    if (better(s, p, &x, false) || better(s, p, &x, true)) return true;
  }
  return false;
}

static bool reduce_fields(shrinker *s, random_program *p) {
  bool any = false;
  for (int i = 0; i < p->n; i++) {
    const weft_insn_info *info = weft_insn_lookup(p->insn[i].opcode);
    for (int k = 3; k < info->n_fields; k++) /* after the header */
      while (s->tried < 6000 && reduce_field(s, p, i, &info->field[k])) any = true;
  }
  return any;
}

int random_program_shrink(random_program *p, random_fails fails, void *user) {
  shrinker s = {fails, user, 0};
  random_program plain = *p;
  plain.insn[p->n - 1].wait = plain.insn[p->n - 1].post = 0; /* which END ignores */
  (void)better(&s, p, &plain, false);
  for (int round = 0; round < 4; round++) {
    bool any = drop_instructions(&s, p);
    any |= replace_producers(&s, p);
    any |= reduce_fields(&s, p);
    if (p->offset) {
      random_program x = *p;
      x.offset = 0;
      (void)better(&s, p, &x, false);
    }
    if (!any) break;
  }
  return s.tried;
}
