/* See sim_naive.h. */
#include "sim_naive.h"

#include <stdlib.h>
#include <string.h>

typedef __int128 wide;

static naive *copy_of(const bench *b) {
  naive *m = calloc(1, sizeof *m);
  m->r = b->cfg.rows;
  m->c = b->cfg.cols;
  m->w = b->w;
  m->dram = malloc(BENCH_DRAM_BYTES);
  for (int i = 0; i < 6; i++) m->mem[i] = malloc(m->bytes[i] = b->bytes[i]);
  m->acc = calloc(weft_acc_rows(&b->cfg), 4 * (size_t)m->c);
  memcpy(m->dram, b->dram, BENCH_DRAM_BYTES);
  for (int i = 0; i < 6; i++) memcpy(m->mem[i], b->mem[i], m->bytes[i]);
  return m;
}

static void release(naive *m) {
  for (int i = 0; i < 6; i++) free(m->mem[i]);
  free(m->dram);
  free(m->acc);
  free(m);
}

static void restore(const naive *m, bench *b) {
  memcpy(b->dram, m->dram, BENCH_DRAM_BYTES);
  for (int i = 0; i < 6; i++) memcpy(b->mem[i], m->mem[i], m->bytes[i]);
}

static void compare(const naive *m, const bench *b, const char *what) {
  static const char *const name[] = {"scratchpad", "weights", "parameters",
                                     "depthwise",  "tables",  "exponents"};
  for (int i = 0; i < 6; i++)
    for (size_t k = 0; k < m->bytes[i]; k++)
      if (m->mem[i][k] != b->mem[i][k])
        bench_fail("%s: %s byte %zu (word %zu) is %d, expected %d", what, name[i], k, k / m->w,
                   (int8_t)b->mem[i][k], (int8_t)m->mem[i][k]);
  for (size_t k = BENCH_DATA; k < BENCH_DRAM_BYTES; k++)
    if (m->dram[k] != b->dram[k])
      bench_fail("%s: data byte %zu is %d, expected %d", what, k - BENCH_DATA, b->dram[k],
                 m->dram[k]);
}

/* --- arithmetic ------------------------------------------------------------------------------- */
static wide floor_div(wide a, wide b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}
static wide half_up(wide a, int bits) {
  return floor_div(2 * a + ((wide)1 << bits), (wide)2 << bits);
}
static wide half_away(wide a, int bits) {
  return a < 0 ? -half_up(-a, bits) : half_up(a, bits);
}
static int32_t wrap(wide v) {
  return (int32_t)(uint32_t)(v & 0xffffffffu);
}

static int32_t scale(int32_t x, uint32_t mult, int shift, bool single) {
  if (single) return wrap(half_up((wide)x * mult, 31 - shift));
  if (shift > 0) x = wrap((wide)x * ((wide)1 << shift));
  wide high = half_up((wide)x * mult, 31);
  return wrap(half_away(high, shift < 0 ? -shift : 0));
}

typedef struct {
  int zp, lo, hi;
  bool single, lut;
  uint32_t slot;
} stage;
#define STAGE(in)                                                                                  \
  ((stage){(in)->out_zp, (in)->clamp_min, (in)->clamp_max, (in)->round_single, (in)->lut_en,       \
           (in)->lut_slot})

static int8_t finish(const naive *m, stage s, int32_t v) {
  v = wrap((wide)v + s.zp);
  if (v < s.lo)
    v = s.lo;
  else if (v > s.hi)
    v = s.hi;
  return (int8_t)(s.lut ? m->mem[WEFT_MEM_LUT][256 * s.slot + (uint8_t)v] : v);
}

static int32_t word32(const uint8_t *p) {
  return (int32_t)(p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
}

static int8_t output(const naive *m, stage s, const uint8_t *param, int32_t sum) {
  int shift = (int8_t)param[8];
  if (shift < -31) shift = -31;
  if (shift > 31) shift = 31;
  uint32_t mult = (uint32_t)word32(param + 4) & 0x7fffffffu;
  return finish(m, s, scale(wrap((wide)sum + word32(param)), mult, shift, s.single));
}

/* --- operands --------------------------------------------------------------------------------- */
static uint8_t *at(const naive *m, weft_operand o, uint32_t y, uint32_t x, uint32_t byte) {
  size_t row = (o.ring_start + y) % o.ring_rows;
  return m->mem[WEFT_MEM_SPAD] + (o.base + row * o.row_stride + (size_t)x * o.pix_stride) * m->w +
         byte;
}

/* The activation, or the pad value outside the image. */
static int8_t activation(const naive *m, weft_operand o, long y, long x, uint32_t h, uint32_t w,
                         uint32_t byte, int pad) {
  if (y < 0 || x < 0 || y >= (long)h || x >= (long)w) return (int8_t)pad;
  return (int8_t)*at(m, o, (uint32_t)y, (uint32_t)x, byte);
}

static void load(naive *m, const weft_insn_LOAD *in) {
  static const uint32_t fixed[] = {0, 0, 0, 0, 256, 1024};
  weft_operand o = WEFT_OPERAND_OF(*in, o);
  uint32_t unit = in->dst == WEFT_MEM_WEIGHT  ? m->c
                  : in->dst == WEFT_MEM_PARAM ? 12 * m->c
                  : in->dst == WEFT_MEM_DWBUF ? m->w
                                              : fixed[in->dst];
  for (uint32_t y = 0; y < in->rows; y++)
    for (uint32_t x = 0; x < in->pixels; x++) {
      uint32_t end = in->byte_off + in->pix_bytes;
      if (in->fill)
        while (end % m->w) end++;
      for (uint32_t i = 0; i < end - in->byte_off; i++) {
        long v = (long)x * in->d_pix_stride - (long)in->lead + (long)i;
        uint8_t byte = (uint8_t)in->pad_value;
        if (i < in->pix_bytes && v >= 0 && v < (long)in->row_bytes)
          byte = (uint8_t)(m->dram[BENCH_DATA + in->offset + (long)y * in->d_row_stride + v] ^
                           (in->flip ? 0x80 : 0));
        if (in->dst == WEFT_MEM_SPAD)
          *at(m, o, y, x, in->byte_off + i) = byte;
        else
          m->mem[in->dst][(size_t)o.base * unit + i] = byte;
      }
    }
}

static void store(naive *m, const weft_insn_STORE *in) {
  weft_operand a = WEFT_OPERAND_OF(*in, a);
  for (uint32_t y = 0; y < in->rows; y++)
    for (uint32_t x = 0; x < in->pixels; x++)
      for (uint32_t i = 0; i < in->pix_bytes; i++)
        m->dram[BENCH_DATA + in->offset + (size_t)y * in->d_row_stride +
                (size_t)x * in->d_pix_stride + i] =
            (uint8_t)(*at(m, a, y, x, in->byte_off + i) ^ (in->flip ? 0x80 : 0));
}

static void gemm(naive *m, const weft_insn_GEMM *in) {
  weft_operand a = WEFT_OPERAND_OF(*in, a), o = WEFT_OPERAND_OF(*in, o);
  uint32_t pixels = in->out_h * in->out_w, depth = in->k_blocks * m->r;
  for (uint32_t p = 0; p < pixels; p++)
    for (uint32_t n = 0; n < in->n_blocks * m->c; n++) {
      uint32_t sum = 0, oy = p / in->out_w, ox = p % in->out_w, nb = n / m->c;
      for (uint32_t ky = 0; ky < in->kh; ky++)
        for (uint32_t kx = 0; kx < in->kw; kx++) {
          long y = (long)(oy * in->stride_y + ky * in->dil_y) - (long)in->pad_top;
          long x = (long)(ox * in->stride_x + kx * in->dil_x) - (long)in->pad_left;
          size_t tile = ((size_t)nb * in->kh + ky) * in->kw + kx;
          for (uint32_t k = 0; k < depth; k++) {
            int8_t act =
                activation(m, a, y, x, in->in_h, in->in_w, in->a_block * m->r + k, in->pad_value);
            size_t row = in->w_base + (tile * in->k_blocks + k / m->r) * m->r + k % m->r;
            int8_t weight = (int8_t)m->mem[WEFT_MEM_WEIGHT][row * m->c + n % m->c];
            sum += (uint32_t)(act * weight);
          }
        }
      int32_t *acc = &m->acc[(in->acc_base + (size_t)nb * pixels + p) * m->c + n % m->c];
      if (in->acc_in) sum += (uint32_t)*acc;
      if (in->acc_out)
        *acc = (int32_t)sum;
      else
        *at(m, o, oy, ox, in->o_block * m->c + n) = (uint8_t)output(
            m, STAGE(in), m->mem[WEFT_MEM_PARAM] + 12 * ((size_t)in->p_base * m->c + n),
            (int32_t)sum);
    }
}

static void dw(naive *m, const weft_insn_DW *in) {
  weft_operand a = WEFT_OPERAND_OF(*in, a), o = WEFT_OPERAND_OF(*in, o);
  for (uint32_t oy = 0; oy < in->out_h; oy++)
    for (uint32_t ox = 0; ox < in->out_w; ox++)
      for (uint32_t c = 0; c < in->c_words * m->w; c++) {
        const uint8_t *block = m->mem[WEFT_MEM_DWBUF] +
                               (in->p_base + (size_t)(c / m->w) * (12 + in->kh * in->kw)) * m->w;
        int32_t sum = 0;
        for (uint32_t ky = 0; ky < in->kh; ky++)
          for (uint32_t kx = 0; kx < in->kw; kx++)
            sum += activation(m, a, (long)(oy * in->stride_y + ky) - (long)in->pad_top,
                              (long)(ox * in->stride_x + kx) - (long)in->pad_left, in->in_h,
                              in->in_w, c, in->pad_value) *
                   (int8_t)block[(12 + ky * in->kw + kx) * m->w + c % m->w];
        *at(m, o, oy, ox, c) = (uint8_t)output(m, STAGE(in), block + (size_t)(c % m->w) * 12, sum);
      }
}

static int8_t elementwise(const naive *m, const weft_insn_VEW *in, int a, int b) {
  stage s = STAGE(in);
  int x = a - in->a_zp, y = b - in->b_zp;
  int32_t p, q;
  switch (in->op) {
  case WEFT_VEW_ADD:
  case WEFT_VEW_SUB:
    p = scale(wrap((wide)x * ((wide)1 << in->left_shift)), in->a_mult, in->a_shift, s.single);
    q = scale(wrap((wide)y * ((wide)1 << in->left_shift)), in->b_mult, in->b_shift, s.single);
    p = wrap(in->op == WEFT_VEW_ADD ? (wide)p + q : (wide)p - q);
    return finish(m, s, scale(p, in->o_mult, in->o_shift, s.single));
  case WEFT_VEW_MUL: return finish(m, s, scale(x * y, in->o_mult, in->o_shift, s.single));
  case WEFT_VEW_REQUANT: return finish(m, s, scale(x, in->o_mult, in->o_shift, s.single));
  case WEFT_VEW_MIN: return finish(m, s, a < b ? a : b);
  case WEFT_VEW_MAX: return finish(m, s, a < b ? b : a);
  default: return finish(m, s, a);
  }
}

static void vew(naive *m, const weft_insn_VEW *in) {
  weft_operand a = WEFT_OPERAND_OF(*in, a), b = WEFT_OPERAND_OF(*in, b),
               o = WEFT_OPERAND_OF(*in, o);
  bool two = in->op != WEFT_VEW_REQUANT && in->op != WEFT_VEW_COPY;
  for (uint32_t y = 0; y < in->out_h; y++)
    for (uint32_t x = 0; x < in->out_w; x++)
      for (uint32_t c = 0; c < in->c_words * m->w; c++)
        *at(m, o, y, x, c) = (uint8_t)elementwise(m, in, (int8_t)*at(m, a, y, x, c),
                                                  two ? (int8_t)*at(m, b, y, x, c) : 0);
}

static void vpool(naive *m, const weft_insn_VPOOL *in) {
  weft_operand a = WEFT_OPERAND_OF(*in, a), o = WEFT_OPERAND_OF(*in, o);
  for (uint32_t oy = 0; oy < in->out_h; oy++)
    for (uint32_t ox = 0; ox < in->out_w; ox++)
      for (uint32_t c = 0; c < in->c_words * m->w; c++) {
        int sum = 0, count = 0, most = -128;
        for (uint32_t ky = 0; ky < in->kh; ky++)
          for (uint32_t kx = 0; kx < in->kw; kx++) {
            long y = (long)(oy * in->stride_y + ky) - (long)in->pad_top;
            long x = (long)(ox * in->stride_x + kx) - (long)in->pad_left;
            if (y < 0 || x < 0 || y >= (long)in->in_h || x >= (long)in->in_w) continue;
            int v = (int8_t)*at(m, a, (uint32_t)y, (uint32_t)x, c);
            sum += v;
            count++;
            if (v > most) most = v;
          }
        int v = most;
        if (in->op == WEFT_VPOOL_AVG) { /* halves away from zero */
          int n = count ? count : 1, size = abs(sum);
          v = (2 * size + n) / (2 * n) * (sum < 0 ? -1 : 1);
        } else if (in->op == WEFT_VPOOL_AVG_UP) {
          int n = count ? count : 1;
          v = (int)floor_div(2 * (wide)sum + n, 2 * n);
        } else if (in->op == WEFT_VPOOL_MEAN) {
          v = scale(wrap((wide)sum + in->bias), in->o_mult, in->o_shift, in->round_single);
        }
        *at(m, o, oy, ox, c) = (uint8_t)finish(m, STAGE(in), v);
      }
}

/* --- softmax: the definition of docs/numerics.md in wide integers --------------------------------
 */
static wide saturate(wide v) {
  return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : v;
}
static wide multiply(wide a, wide b) {
  return saturate(half_up(a * b, 31));
}

static wide reciprocal(wide fraction) { /* Q31 of 1/(1 + x), by three Newton steps in Q2.29 */
  wide half = (fraction + ((wide)1 << 31)) / 2;
  wide x = saturate(1515870810 + multiply(half, -1010580540));
  for (int i = 0; i < 3; i++) {
    wide error = saturate(((wide)1 << 29) - multiply(half, x));
    x = saturate(x + saturate(multiply(x, error) * 4));
  }
  return saturate(2 * x);
}

static void softmax(naive *m, const weft_insn_VROW *in) {
  weft_operand a = WEFT_OPERAND_OF(*in, a), o = WEFT_OPERAND_OF(*in, o);
  const uint8_t *table = m->mem[WEFT_MEM_EXP] + 1024 * in->exp_slot;
  for (uint32_t y = 0; y < in->out_h; y++)
    for (uint32_t x = 0; x < in->out_w; x++) {
      int most = -128;
      uint64_t sum = 0;
      for (uint32_t c = 0; c < in->channels; c++)
        if ((int8_t)*at(m, a, y, x, c) > most) most = (int8_t)*at(m, a, y, x, c);
      for (uint32_t c = 0; c < in->channels; c++)
        sum += (uint64_t)half_away(word32(table + 4 * (most - (int8_t)*at(m, a, y, x, c))), 12);
      int lead = 0; /* of the 32-bit sum */
      while (lead < 31 && !(sum >> (31 - lead) & 1)) lead++;
      wide inverse = reciprocal((wide)(sum << lead) - ((wide)1 << 31));
      int bits = 12 - lead + 31 - 8;
      uint32_t end = in->channels;
      for (uint32_t c = 0; c < in->channels; c++) {
        wide e = word32(table + 4 * (most - (int8_t)*at(m, a, y, x, c)));
        *at(m, o, y, x, c) =
            (uint8_t)finish(m, STAGE(in), (int32_t)half_away(multiply(inverse, e), bits));
      }
      while (end % m->w) *at(m, o, y, x, end++) = 0;
    }
}

void naive_execute(naive *m, const weft_insn *insn) {
  switch (insn->opcode) {
  case WEFT_OP_CODE_LOAD: load(m, &insn->LOAD); break;
  case WEFT_OP_CODE_STORE: store(m, &insn->STORE); break;
  case WEFT_OP_CODE_GEMM: gemm(m, &insn->GEMM); break;
  case WEFT_OP_CODE_DW: dw(m, &insn->DW); break;
  case WEFT_OP_CODE_VEW: vew(m, &insn->VEW); break;
  case WEFT_OP_CODE_VPOOL: vpool(m, &insn->VPOOL); break;
  case WEFT_OP_CODE_VROW: softmax(m, &insn->VROW); break;
  default: break;
  }
}

void naive_check(bench *b, const char *what) {
  naive *before = copy_of(b), *expected = copy_of(b);
  for (int portable = 0; portable < 2; portable++) {
    restore(before, b);
    unsigned cause = bench_run(b, (weft_sim_options){.portable = portable});
    if (cause) bench_fail("%s: %s", what, weft_sim_error(b->sim));
    if (!portable)
      for (int i = 0; i < b->n; i++) naive_execute(expected, &b->insn[i]);
    compare(expected, b, what);
  }
  release(before);
  release(expected);
}
