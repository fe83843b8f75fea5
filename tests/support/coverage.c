/* Bins, instruction by instruction. A bin comes into being when it is first asked for, which
 * coverage_init() does with an empty instruction of every kind. */
#include "coverage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* One hit if `met`. Names are literals: the same place in the source, the same pointer. */
static void cover(coverage *c, const char *group, const char *name, bool met) {
  int i = 0;
  while (i < c->n && (c->bin[i].name != name || c->bin[i].group != group)) i++;
  if (i == c->n) {
    if (c->n == COVERAGE_BINS) abort();
    c->bin[c->n++] = (coverage_bin){group, name, 0};
  }
  c->bin[i].hits += met && c->counting;
}

/* --- operands and stages ---------------------------------------------------------------------- */
typedef struct {
  weft_operand at;
  uint32_t rows, pixels, words;
} window;

static void input_operand(coverage *c, const char *group, window x) {
  const uint32_t bank = weft_bank_words(&c->cfg);
  const weft_operand *a = &x.at;
  cover(c, group, "input: ring wraps", a->ring_start + x.rows > a->ring_rows);
  cover(c, group, "input: pixels apart", x.pixels > 1 && a->pix_stride > x.words);
  cover(c, group, "input: pixels over pixels", x.pixels > 1 && a->pix_stride < x.words);
  cover(c, group, "input: rows apart", x.rows > 1 && a->row_stride > x.pixels * a->pix_stride);
  cover(c, group, "input: crosses banks",
        a->base / bank != (a->base + (x.pixels - 1) * a->pix_stride + x.words - 1) / bank ||
            (x.rows > 1 && a->base / bank != (a->base + a->row_stride) / bank));
}

static void output_operand(coverage *c, const char *group, window x) {
  const weft_operand *o = &x.at;
  cover(c, group, "output: ring wraps", o->ring_start + x.rows > o->ring_rows);
  cover(c, group, "output: rows over rows", x.rows > o->ring_rows);
  cover(c, group, "output: pixels apart", x.pixels > 1 && o->pix_stride > x.words);
  cover(c, group, "output: last word of the scratchpad",
        o->base + (o->ring_rows - 1) * o->row_stride + (x.pixels - 1) * o->pix_stride + x.words ==
            weft_spad_words(&c->cfg));
}

#define COVER_STAGE(c, group, in)                                                                  \
  do {                                                                                             \
    cover(c, group, "table", (in)->lut_en);                                                        \
    cover(c, group, "table in the last slot",                                                      \
          (in)->lut_en && (in)->lut_slot == (c)->cfg.lut_slots - 1);                               \
    cover(c, group, "two roundings", !(in)->round_single);                                         \
    cover(c, group, "one rounding", (in)->round_single);                                           \
    cover(c, group, "narrow clamp", (in)->clamp_min > -128 || (in)->clamp_max < 127);              \
    cover(c, group, "zero point beyond a code", (in)->out_zp<-128 || (in)->out_zp> 127);           \
  } while (0)

/* Whether any window of a sweep goes over the input's end. */
static bool over_end(uint32_t out, uint32_t stride, uint32_t taps, uint32_t dilation, uint32_t pad,
                     uint32_t valid) {
  return (out - 1) * stride + (taps - 1) * dilation + 1 > pad + valid;
}

#define COVER_WINDOW(c, group, in, dil_y_, dil_x_)                                                 \
  do {                                                                                             \
    cover(c, group, "kernel 1x1", (in)->kh == 1 && (in)->kw == 1);                                 \
    cover(c, group, "kernel of several rows", (in)->kh > 1);                                       \
    cover(c, group, "kernel of several columns", (in)->kw > 1);                                    \
    cover(c, group, "vertical stride", (in)->stride_y > 1 && (in)->out_h > 1);                     \
    cover(c, group, "horizontal stride", (in)->stride_x > 1 && (in)->out_w > 1);                   \
    cover(c, group, "padding top", (in)->pad_top > 0);                                             \
    cover(c, group, "padding left", (in)->pad_left > 0);                                           \
    cover(c, group, "padding bottom",                                                              \
          over_end((in)->out_h, (in)->stride_y, (in)->kh, dil_y_, (in)->pad_top, (in)->in_h));     \
    cover(c, group, "padding right",                                                               \
          over_end((in)->out_w, (in)->stride_x, (in)->kw, dil_x_, (in)->pad_left, (in)->in_w));    \
    cover(c, group, "padding all around a pixel", (in)->pad_top >= ((in)->kh - 1) * (dil_y_) + 1); \
    cover(c, group, "one pixel out", (in)->out_h == 1 && (in)->out_w == 1);                        \
  } while (0)

/* --- instructions ----------------------------------------------------------------------------- */
static void cover_pixels(coverage *c, const weft_insn_LOAD *in) {
  static const char g[] = "LOAD";
  const uint32_t w = weft_word_bytes(&c->cfg), b = in->pix_bytes, step = in->d_pix_stride;
  const uint32_t row = (in->pixels - 1) * step + b, end = in->byte_off + b;
  const bool many = in->pixels > 1;
  cover(c, g, "pixels follow each other", many && step == b);
  cover(c, g, "pixels with gaps between them", many && step > b);
  cover(c, g, "gaps beyond a burst", many && step > WEFT_BURST_BYTES);
  cover(c, g, "overlapping windows", many && step < b && step > 0);
  cover(c, g, "windows that all are the same", many && step == 0);
  cover(c, g, "one pixel, stride below its bytes", !many && step < b);
  cover(c, g, "bytes that do not fill words", end % w != 0);
  cover(c, g, "bytes that do not fill words, filled up", end % w != 0 && in->fill);
  cover(c, g, "fill with nothing to fill", end % w == 0 && in->fill);
  cover(c, g, "byte_off within the first word", in->byte_off > 0 && in->byte_off < w);
  cover(c, g, "byte_off that skips words", in->byte_off >= w);
  cover(c, g, "padding at the left", in->lead > 0);
  cover(c, g, "padding beyond a pixel", in->lead > b);
  cover(c, g, "padding at the right", in->row_bytes + in->lead < row);
  cover(c, g, "nothing but padding", in->row_bytes == 0 || in->lead >= row);
  cover(c, g, "rows that follow each other in DRAM",
        in->rows > 1 && step <= b && !in->lead && in->row_bytes == row && in->d_row_stride == row);
  cover(c, g, "rows over rows in DRAM", in->rows > 1 && in->d_row_stride < in->row_bytes);
  cover(c, g, "rows apart in DRAM", in->rows > 1 && in->d_row_stride > row);
  cover(c, g, "a row of several bursts", row > WEFT_BURST_BYTES);
  cover(c, g, "flip", in->flip);
  output_operand(c, g, (window){WEFT_OPERAND_OF(*in, o), in->rows, in->pixels, (end + w - 1) / w});
}

static void cover_load(coverage *c, const weft_insn_LOAD *in) {
  static const char g[] = "LOAD";
  static const char *const run[] = {"",
                                    "flat run to the weight buffer",
                                    "flat run to the parameters",
                                    "flat run to the depthwise buffer",
                                    "flat run to the tables",
                                    "flat run to the exponents"};
  const uint32_t w = weft_word_bytes(&c->cfg), cols = c->cfg.cols;
  const uint32_t unit[] = {1, cols, WEFT_PARAM_BYTES, w, w, w};
  for (uint32_t m = WEFT_MEM_WEIGHT; m <= WEFT_MEM_EXP; m++) cover(c, g, run[m], in->dst == m);
  cover(c, g, "flat run that ends within a word",
        in->dst != WEFT_MEM_SPAD && in->pix_bytes % unit[in->dst] != 0);
  cover(c, g, "flat run of several bursts", in->dst != WEFT_MEM_SPAD && in->pix_bytes > 512);
  cover(c, g, "burst that begins within a beat", in->offset % c->cfg.dram_bytes != 0);
  cover(c, g, "more bursts than slots", in->rows * in->row_bytes / 256 > c->cfg.dma_slots);
  cover(c, g, "from the constants", in->region == 1);
  cover(c, g, "from a region with an odd base", in->region >= 3);
  if (in->dst == WEFT_MEM_SPAD) cover_pixels(c, in);
}

static void cover_store(coverage *c, const weft_insn_STORE *in) {
  static const char g[] = "STORE";
  const uint32_t w = weft_word_bytes(&c->cfg), b = in->pix_bytes, step = in->d_pix_stride;
  const uint32_t from = in->offset + device_region_skew(in->region);
  const uint32_t row = (in->pixels - 1) * step + b;
  cover(c, g, "pixels follow each other", in->pixels > 1 && step == b);
  cover(c, g, "pixels apart", in->pixels > 1 && step > b);
  cover(c, g, "pixels over pixels", in->pixels > 1 && step < b);
  cover(c, g, "rows follow each other", in->rows > 1 && step == b && in->d_row_stride == row);
  cover(c, g, "rows apart", in->rows > 1 && in->d_row_stride > row);
  cover(c, g, "channel padding dropped", (in->byte_off + b) % w != 0);
  cover(c, g, "byte_off within the first word", in->byte_off > 0 && in->byte_off < w);
  cover(c, g, "byte_off that skips words", in->byte_off >= w);
  cover(c, g, "flip", in->flip);
  cover(c, g, "begins within a beat", from % c->cfg.dram_bytes != 0);
  cover(c, g, "crosses a block of 256 bytes", from / 256 != (from + row - 1) / 256);
  cover(c, g, "a word across a block of 256 bytes", from % 256 + (row < w ? row : w) > 256);
  cover(c, g, "more bursts than slots", step == b && in->rows * row / 256 > c->cfg.store_slots);
  cover(c, g, "a burst for every pixel, more than slots",
        step != b && in->rows * in->pixels > c->cfg.store_slots);
  cover(c, g, "one byte", in->rows * in->pixels * b == 1);
  cover(c, g, "to a region with an odd base", in->region >= 3);
  input_operand(
      c, g,
      (window){WEFT_OPERAND_OF(*in, a), in->rows, in->pixels, (in->byte_off + b + w - 1) / w});
}

static void cover_gemm(coverage *c, const weft_insn_GEMM *in) {
  static const char g[] = "GEMM";
  const weft_config *cfg = &c->cfg;
  const uint32_t w = weft_word_bytes(cfg), m = in->out_h * in->out_w;
  const uint32_t passes = in->kh * in->kw * in->k_blocks;
  const bool kept = in->acc_in || in->acc_out;
  cover(c, g, "one pass", passes == 1);
  cover(c, g, "several passes", passes > 1);
  cover(c, g, "several passes, working rows", passes > 1 && !kept);
  cover(c, g, "acc_out alone", in->acc_out && !in->acc_in);
  cover(c, g, "acc_in and acc_out", in->acc_out && in->acc_in);
  cover(c, g, "acc_in alone", !in->acc_out && in->acc_in);
  cover(c, g, "acc_in alone, one pass", !in->acc_out && in->acc_in && passes == 1);
  cover(c, g, "fewer pixels than rows", m < cfg->rows);
  cover(c, g, "as many pixels as rows", m == cfg->rows);
  cover(c, g, "more pixels than rows", m > cfg->rows);
  cover(c, g, "one pixel, several passes", m == 1 && passes > 1);
  cover(c, g, "several channel blocks", in->k_blocks > 1);
  cover(c, g, "several column blocks", in->n_blocks > 1);
  cover(c, g, "several column blocks, one pass each", in->n_blocks > 1 && passes == 1);
  cover(c, g, "several column blocks of sums", in->n_blocks > 1 && kept);
  cover(c, g, "vertical dilation", in->dil_y > 1 && in->kh > 1);
  cover(c, g, "horizontal dilation", in->dil_x > 1 && in->kw > 1);
  cover(c, g, "last accumulator row",
        kept && in->acc_base + m * in->n_blocks == weft_acc_rows(cfg));
  cover(c, g, "last weight row",
        in->w_base + passes * in->n_blocks * cfg->rows == weft_weight_rows(cfg));
  if (cfg->output_lanes < cfg->cols) cover(c, g, "several output cycles a pixel", !in->acc_out);
  if (cfg->rows < w) cover(c, g, "a_block within the word", in->a_block > 0);
  if (cfg->cols < w) cover(c, g, "o_block within the word", in->o_block > 0);
  COVER_WINDOW(c, g, in, in->dil_y, in->dil_x);
  input_operand(c, g,
                (window){WEFT_OPERAND_OF(*in, a), in->in_h, in->in_w,
                         ((in->a_block + in->k_blocks) * cfg->rows + w - 1) / w});
  if (in->acc_out) return;
  COVER_STAGE(c, g, in);
  output_operand(c, g,
                 (window){WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w,
                          ((in->o_block + in->n_blocks) * cfg->cols + w - 1) / w});
}

static void cover_dw(coverage *c, const weft_insn_DW *in) {
  static const char g[] = "DW";
  const uint32_t beats = (in->kw + c->cfg.dw_taps - 1) / c->cfg.dw_taps;
  const uint32_t parts = weft_word_bytes(&c->cfg) / c->cfg.dw_lanes;
  cover(c, g, "one channel word", in->c_words == 1);
  cover(c, g, "several channel words", in->c_words > 1);
  cover(c, g, "several multiplications a tap row", beats > 1);
  if (parts < WEFT_DW_MAX_STRIDE)
    cover(c, g, "new columns take longer than the sum",
          in->stride_x * in->kh > in->kh * beats * parts);
  cover(c, g, "columns ahead of a row", in->kw > in->pad_left + in->stride_x);
  cover(c, g, "largest kernel", in->kh == WEFT_DW_MAX_KERNEL || in->kw == WEFT_DW_MAX_KERNEL);
  cover(c, g, "largest stride",
        in->stride_x == WEFT_DW_MAX_STRIDE || in->stride_y == WEFT_DW_MAX_STRIDE);
  cover(c, g, "block shorter than its load",
        in->c_words > 1 && in->out_h * in->out_w * in->kh * beats * parts < 12 + in->kh * in->kw);
  if (parts > 1) cover(c, g, "words in parts", true);
  COVER_WINDOW(c, g, in, 1, 1);
  COVER_STAGE(c, g, in);
  input_operand(c, g, (window){WEFT_OPERAND_OF(*in, a), in->in_h, in->in_w, in->c_words});
  output_operand(c, g, (window){WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w, in->c_words});
}

static bool same_place(weft_operand a, weft_operand b) {
  return memcmp(&a, &b, sizeof a) == 0;
}

static void cover_vew(coverage *c, const weft_insn_VEW *in) {
  static const char g[] = "VEW";
  static const char *const op[] = {"ADD", "SUB", "MUL", "MIN", "MAX", "REQUANT", "COPY"};
  static const char *const single[] = {
      "ADD, one rounding",    "SUB, one rounding", "MUL, one rounding", NULL, NULL,
      "REQUANT, one rounding"};
  const bool two = in->op != WEFT_VEW_REQUANT && in->op != WEFT_VEW_COPY;
  const weft_operand o = WEFT_OPERAND_OF(*in, o);
  for (uint32_t i = 0; i <= WEFT_VEW_COPY; i++) cover(c, g, op[i], in->op == i);
  for (uint32_t i = 0; i <= WEFT_VEW_REQUANT; i++)
    if (single[i]) cover(c, g, single[i], in->op == i && in->round_single);
  cover(c, g, "in place of a", same_place(WEFT_OPERAND_OF(*in, a), o));
  cover(c, g, "in place of b", two && same_place(WEFT_OPERAND_OF(*in, b), o));
  cover(c, g, "a and b the same",
        two && same_place(WEFT_OPERAND_OF(*in, a), WEFT_OPERAND_OF(*in, b)));
  cover(c, g, "left shift of the scaling", in->op <= WEFT_VEW_REQUANT && in->o_shift > 0);
  cover(c, g, "right shift of the scaling", in->op <= WEFT_VEW_REQUANT && in->o_shift < 0);
  cover(c, g, "largest right shift", in->op <= WEFT_VEW_REQUANT && in->o_shift == -31);
  cover(c, g, "largest left_shift", in->op <= WEFT_VEW_SUB && in->left_shift == 31);
  cover(c, g, "one word", in->out_h * in->out_w * in->c_words == 1);
  cover(c, g, "several channel words", in->c_words > 1);
  COVER_STAGE(c, g, in);
  input_operand(c, g, (window){WEFT_OPERAND_OF(*in, a), in->out_h, in->out_w, in->c_words});
  output_operand(c, g, (window){o, in->out_h, in->out_w, in->c_words});
}

static void cover_vpool(coverage *c, const weft_insn_VPOOL *in) {
  static const char g[] = "VPOOL";
  static const char *const op[] = {"MAX", "AVG", "MEAN", "AVG_UP"};
  static const char *const padded[] = {"MAX with padding", "AVG with padding", "MEAN with padding",
                                       "AVG_UP with padding"};
  static const char *const empty[] = {"MAX, empty window", "AVG, empty window",
                                      "MEAN, empty window", "AVG_UP, empty window"};
  const bool past = in->pad_top >= in->kh || in->pad_left >= in->kw;
  for (uint32_t i = 0; i < 4; i++) {
    cover(c, g, op[i], in->op == i);
    cover(c, g, padded[i], in->op == i && (in->pad_top || in->pad_left));
    cover(c, g, empty[i], in->op == i && past);
  }
  cover(c, g, "MEAN, largest bias", in->op == WEFT_VPOOL_MEAN && in->bias == INT32_MAX);
  cover(c, g, "MEAN, lowest bias", in->op == WEFT_VPOOL_MEAN && in->bias == INT32_MIN);
  cover(c, g, "several channel words", in->c_words > 1);
  COVER_WINDOW(c, g, in, 1, 1);
  COVER_STAGE(c, g, in);
  input_operand(c, g, (window){WEFT_OPERAND_OF(*in, a), in->in_h, in->in_w, in->c_words});
  output_operand(c, g, (window){WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w, in->c_words});
}

static void cover_vrow(coverage *c, const weft_insn_VROW *in) {
  static const char g[] = "VROW";
  const uint32_t w = weft_word_bytes(&c->cfg), words = (in->channels + w - 1) / w;
  cover(c, g, "one channel", in->channels == 1);
  cover(c, g, "channels fill their words", in->channels % w == 0);
  cover(c, g, "channels do not fill their words", in->channels % w != 0);
  cover(c, g, "several words", words > 1);
  cover(c, g, "several pixels", in->out_h * in->out_w > 1);
  COVER_STAGE(c, g, in);
  input_operand(c, g, (window){WEFT_OPERAND_OF(*in, a), in->out_h, in->out_w, words});
  output_operand(c, g, (window){WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w, words});
}

static void cover_instruction(coverage *c, const weft_insn *insn) {
  switch (insn->opcode) {
  case WEFT_OP_CODE_LOAD: cover_load(c, &insn->LOAD); break;
  case WEFT_OP_CODE_STORE: cover_store(c, &insn->STORE); break;
  case WEFT_OP_CODE_GEMM: cover_gemm(c, &insn->GEMM); break;
  case WEFT_OP_CODE_DW:
    if (c->cfg.dw_lanes) cover_dw(c, &insn->DW);
    break;
  case WEFT_OP_CODE_VEW: cover_vew(c, &insn->VEW); break;
  case WEFT_OP_CODE_VPOOL: cover_vpool(c, &insn->VPOOL); break;
  case WEFT_OP_CODE_VROW:
    if (c->cfg.vec_softmax) cover_vrow(c, &insn->VROW);
    break;
  case WEFT_OP_CODE_FENCE:
    cover(c, "FETCH", "FENCE", true);
    cover(c, "FETCH", "FENCE with wait and post, which it ignores", insn->wait && insn->post);
    break;
  default: cover(c, "FETCH", "END with wait and post, which it ignores", insn->wait && insn->post);
  }
}

/* --- tokens and time -------------------------------------------------------------------------- */
static const char *const pair_name[WEFT_UNITS][WEFT_UNITS] = {
    {"LOAD to LOAD", "LOAD to GEMM", "LOAD to DW", "LOAD to VEC", "LOAD to STORE"},
    {"GEMM to LOAD", "GEMM to GEMM", "GEMM to DW", "GEMM to VEC", "GEMM to STORE"},
    {"DW to LOAD", "DW to GEMM", "DW to DW", "DW to VEC", "DW to STORE"},
    {"VEC to LOAD", "VEC to GEMM", "VEC to DW", "VEC to VEC", "VEC to STORE"},
    {"STORE to LOAD", "STORE to GEMM", "STORE to DW", "STORE to VEC", "STORE to STORE"}};

/* The program's tokens from one unit to another; `run` NULL: none, for the names alone. */
static void cover_pair(coverage *c, const random_program *p, const device_result *run, int from,
                       int to) {
  static const char g[] = "tokens", e[] = "time";
  int waits[PROGRAM_INSNS], n = 0, held = 0, most = 0;
  for (int i = 0; run && i < p->n; i++) {
    const int unit = weft_insn_unit(p->insn[i].opcode);
    if (unit == to && (p->insn[i].wait >> from & 1)) waits[n++] = i;
  }
  cover(c, g, pair_name[from][to], n > 0);
  for (int i = 0, k = 0; run && i < p->n; i++) {
    const int unit = weft_insn_unit(p->insn[i].opcode);
    if (unit == to && (p->insn[i].wait >> from & 1)) held--;
    if (unit != from || !(p->insn[i].post >> to & 1) || k == n) continue;
    if (++held > most) most = held;
    const weft_device_time *a = &run->time[i], *b = &run->time[waits[k++]];
    cover(c, e, "start in the cycle in which the token comes", b->start == a->end + WEFT_T_POST);
    cover(c, e, "token there before the instruction arrives", a->end + WEFT_T_POST < b->arrive);
    cover(c, e, "token comes in the cycle of the arrival", a->end + WEFT_T_POST == b->arrive);
  }
  cover(c, g, "several tokens of a pair at a time", most > 1);
}

static int units_at_work(const random_program *p, const device_result *run, uint64_t when) {
  unsigned units = 0;
  for (int i = 0; i < p->n; i++)
    if (run->time[i].start <= when && when < run->time[i].end)
      units |= 1u << weft_insn_unit(p->insn[i].opcode);
  return __builtin_popcount(units);
}

/* Sums that stay need no output stage: they would be complete before an output that began earlier.
 */
static bool end_held(const weft_insn *before, const weft_insn *after) {
  return before->opcode == WEFT_OP_CODE_GEMM && after->opcode == WEFT_OP_CODE_GEMM &&
         !before->GEMM.acc_out && after->GEMM.acc_out;
}

/* `run` NULL: the names alone. */
static void cover_time(coverage *c, const random_program *p, const device_result *run) {
  static const char g[] = "time";
  const weft_device_unit none = {0};
  const weft_device_unit *u = run ? run->counters.unit : NULL;
  const weft_device_unit *fetch = u ? &u[WEFT_UNITS] : &none;
  int most = 0, loads_at_once = 0, held = 0;
  bool both = false;
  for (int i = 0; run && i < p->n; i++) {
    const int now = units_at_work(p, run, run->time[i].start);
    int loads = 0;
    if (now > most) most = now;
    for (int k = 0; k < p->n; k++) {
      const bool overlap =
          run->time[k].start <= run->time[i].start && run->time[i].start < run->time[k].end;
      loads += overlap && p->insn[k].opcode == WEFT_OP_CODE_LOAD;
      both |= overlap && p->insn[k].opcode == WEFT_OP_CODE_LOAD &&
              p->insn[i].opcode == WEFT_OP_CODE_STORE;
      held +=
          k < i && end_held(&p->insn[k], &p->insn[i]) && run->time[i].end <= run->time[k].end + 1;
    }
    if (p->insn[i].opcode == WEFT_OP_CODE_LOAD && loads > loads_at_once) loads_at_once = loads;
  }
  cover(c, g, "all five units at work", most == 5);
  cover(c, g, "LOAD contexts all in use", loads_at_once == WEFT_LOAD_CONTEXTS);
  cover(c, g, "LOAD and STORE at work: the bus turns around", both);
  cover(c, g, "sums that stay wait for the end of an output", held > 0);
  cover(c, g, "full queue holds up the dispatcher", fetch->stall_queue > 0);
  cover(c, g, "dispatcher waits for the program", fetch->stall_dram > 0);
  cover(c, g, "LOAD waits for DRAM", u && u[WEFT_UNIT_LOAD].stall_dram > 0);
  cover(c, g, "STORE waits for DRAM", u && u[WEFT_UNIT_STORE].stall_dram > 0);
  cover(c, g, "a unit waits for tokens", u && u[WEFT_UNIT_VEC].stall_operand > 0);
  cover(c, g, "a unit idles while another's queue is full", u && u[WEFT_UNIT_DW].stall_queue > 0);
  cover(c, "FETCH", "program longer than the fetch buffers",
        run && p->n > 4 * (int)c->cfg.fetch_slots);
  cover(c, "FETCH", "program that begins within region 0", run && p->offset > 0);
  cover(c, "FETCH", "program that ends within a burst", run && p->n % 4 != 0);
}

/* --- the whole -------------------------------------------------------------------------------- */
static void cover_program(coverage *c, const random_program *p, const device_result *run) {
  for (int from = 0; from < WEFT_UNITS; from++)
    for (int to = 0; to < WEFT_UNITS; to++) cover_pair(c, p, run, from, to);
  cover_time(c, p, run);
}

void coverage_add(coverage *c, const random_program *p, const device_result *run) {
  c->counting = true;
  for (int i = 0; i < p->n; i++) cover_instruction(c, &p->insn[i]);
  if (run->n_times == (size_t)p->n) cover_program(c, p, run);
}

void coverage_init(coverage *c, const weft_config *cfg) {
  static const random_program none;
  *c = (coverage){.cfg = *cfg};
  int n;
  const weft_insn_info *table = weft_insn_table(&n);
  for (int i = 0; i < n; i++) {
    weft_insn x;
    memset(&x, 0, sizeof x);
    for (int k = 0; k < table[i].n_fields; k++) {
      const weft_field *f = &table[i].field[k];
      const uint32_t v = f->is_signed ? 0 : f->min;
      memcpy((char *)&x + f->offset, &v, sizeof v);
    }
    x.opcode = (uint32_t)table[i].opcode;
    cover_instruction(c, &x);
  }
  cover_program(c, &none, NULL);
}

int coverage_print(const coverage *c) {
  int empty = 0;
  uint64_t hits = 0;
  print_message("\n%-8s %-46s %10s   (%s)\n", "", "bin", "hits", c->cfg.preset);
  for (int i = 0; i < c->n; i++) {
    const coverage_bin *b = &c->bin[i];
    print_message("%-8s %-46s %10llu%s\n", b->group, b->name, (unsigned long long)b->hits,
                  b->hits ? "" : "   <- never");
    empty += !b->hits;
    hits += b->hits;
  }
  print_message("%d bins, %d of them never hit, %llu hits\n", c->n, empty,
                (unsigned long long)hits);
  return empty;
}
