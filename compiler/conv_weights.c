/* Weights of a convolution as the array wants them: tiles of R rows by C columns in the order in
 * which GEMM consumes them (column block, ky, kx, channel block), and per column block the output
 * stage's parameters, with -zero_point * sum(weights) folded into the bias. */
#include <stdlib.h>
#include <string.h>

#include "conv.h"
#include "params.h"

static uint32_t min2(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

uint32_t conv_taps(const conv *v) {
  return v->packed ? 1 : v->k.kh * v->k.kw;
}

uint32_t conv_channels(const conv *v) {
  return v->packed ? v->k.kh * v->k.kw * v->x.c : v->x.c;
}

int32_t conv_weight(const conv *v, uint32_t oc, uint32_t ky, uint32_t kx, uint32_t ic) {
  uint32_t group = oc / v->group_out;
  if (ic / v->group_in != group) return 0;
  size_t at = v->depthwise
                  ? ((size_t)ky * v->k.kw + kx) * v->y.c + oc
                  : (((size_t)oc * v->k.kh + ky) * v->k.kw + kx) * v->group_in + ic % v->group_in;
  return v->weights_uint8 ? ((const uint8_t *)v->weights)[at] : ((const int8_t *)v->weights)[at];
}

/* Row `k` of the array's K, tap (ky, kx): weight minus zero point, all components together. */
static int32_t weight_at(const conv *v, int32_t zero, uint32_t oc, uint32_t ky, uint32_t kx,
                         uint32_t k) {
  if (oc >= v->y.c || k >= conv_channels(v)) return 0;
  if (v->packed) {
    uint32_t tap = k / v->x.c;
    ky = tap / v->k.kw;
    kx = tap % v->k.kw;
    k %= v->x.c;
  }
  if (k / v->group_in != oc / v->group_out) return 0;
  return conv_weight(v, oc, ky, kx, k) - zero;
}

/* The int8 component `i` of a value that may need several. */
static int8_t component(int32_t value, int i) {
  int8_t part = 0;
  for (; i >= 0; i--) {
    part = (int8_t)weft_clamp(value, -128, 127);
    value -= part;
  }
  return part;
}

static int32_t zero_of(const conv *v, const lowering *l, uint32_t oc) {
  const weft_tensor *w = &l->graph->tensor[v->node->in[1]];
  return oc < v->y.c ? weft_weight_zero(w, (int)oc) : 0;
}

void conv_k_range(const conv *v, const lowering *l, uint32_t nb, uint32_t *kb, uint32_t *count) {
  uint32_t all = ceil_div(conv_channels(v), l->r);
  uint32_t lo = nb * l->c, hi = lo + l->c < v->y.c ? lo + l->c : v->y.c;
  *kb = 0;
  *count = all;
  if (v->packed || v->group_in == v->x.c) return;
  uint32_t first = lo / v->group_out * v->group_in,
           last = ((hi - 1) / v->group_out + 1) * v->group_in;
  *kb = first / l->r;
  *count = ceil_div(last, l->r) - *kb;
}

uint64_t conv_weight_rows(const conv *v, const lowering *l) {
  uint64_t rows = 0;
  for (uint32_t nb = 0; nb < ceil_div(v->y.c, l->c); nb++) {
    uint32_t kb, n;
    conv_k_range(v, l, nb, &kb, &n);
    rows += (uint64_t)conv_taps(v) * n * l->r;
  }
  return rows;
}

uint32_t conv_column_rows(const conv *v, const lowering *l) {
  uint32_t most = 0;
  for (uint32_t nb = 0; nb < ceil_div(v->y.c, l->c); nb++) {
    uint32_t kb, n;
    conv_k_range(v, l, nb, &kb, &n);
    if (conv_taps(v) * n * l->r > most) most = conv_taps(v) * n * l->r;
  }
  return most;
}

/* Narrows [kb, kb + n) to where component i of column block nb is not zero. */
static void narrow(const conv *v, const lowering *l, uint32_t nb, int i, uint32_t *kb,
                   uint32_t *n) {
  uint32_t lo = UINT32_MAX, hi = 0, kh = v->packed ? 1 : v->k.kh, kw = v->packed ? 1 : v->k.kw;
  if (v->weights_uint8) /* int8 weights have one component */
    for (uint32_t oc = nb * l->c; oc < (nb + 1) * l->c && oc < v->y.c; oc++) {
      int32_t zero = zero_of(v, l, oc);
      for (uint32_t k = *kb * l->r; k < (*kb + *n) * l->r; k++)
        for (uint32_t t = 0; t < kh * kw; t++)
          if (component(weight_at(v, zero, oc, t / kw, t % kw, k), i)) {
            if (k / l->r < lo) lo = k / l->r;
            if (k / l->r >= hi) hi = k / l->r + 1;
          }
    }
  *kb = lo;
  *n = hi > lo ? hi - lo : 0;
}

static void write_tiles(const conv *v, const lowering *l, const piece *p, uint8_t *out) {
  uint32_t kh = v->packed ? 1 : v->k.kh, kw = v->packed ? 1 : v->k.kw;
  for (uint32_t nb = p->nb; nb < p->nb + p->n_count; nb++)
    for (uint32_t t = 0; t < kh * kw; t++)
      for (uint32_t k = p->kb * l->r; k < (p->kb + p->k_count) * l->r; k++)
        for (uint32_t j = 0; j < l->c; j++) {
          uint32_t oc = nb * l->c + j;
          int32_t value = weight_at(v, zero_of(v, l, oc), oc, t / kw, t % kw, k);
          *out++ = (uint8_t)component(value, p->component);
        }
}

static void put32(uint8_t *p, uint32_t v) {
  for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (8 * i));
}

/* Sum of all weights of an output channel, modulo 2^32. */
static uint32_t weight_sum(const conv *v, int32_t zero, uint32_t oc) {
  uint32_t sum = 0, first = oc / v->group_out * v->group_in;
  for (uint32_t t = 0; t < v->k.kh * v->k.kw; t++)
    for (uint32_t ic = first; ic < first + v->group_in; ic++)
      sum += (uint32_t)(conv_weight(v, oc, t / v->k.kw, t % v->k.kw, ic) - zero);
  return sum;
}

void conv_params(const conv *v, const lowering *l, uint32_t first, uint32_t n, uint8_t *out) {
  const weft_tensor *t = l->graph->tensor;
  memset(out, 0, (size_t)n * WEFT_PARAM_BYTES);
  for (uint32_t i = 0; i < n && first + i < v->y.c; i++, out += WEFT_PARAM_BYTES) {
    uint32_t oc = first + i;
    weft_multiplier m = weft_conv_multiplier(v->node->op, &t[v->x.tensor], &t[v->node->in[1]],
                                             &t[v->y.tensor], (int)oc);
    uint32_t bias = v->bias ? (uint32_t)v->bias[oc] : 0;
    put32(out, bias - (uint32_t)v->x.zp * weight_sum(v, zero_of(v, l, oc), oc));
    put32(out + 4, (uint32_t)m.multiplier);
    out[8] = (uint8_t)(m.shift < -31 ? -31 : m.shift);
  }
}

typedef struct {
  chunk *chunks;
  piece *pieces;
  int n_chunks, n_pieces, size_chunks, size_pieces;
} builder;

static chunk *add_chunk(builder *b, chunk c) {
  if (b->n_chunks == b->size_chunks) {
    b->size_chunks = b->size_chunks ? 2 * b->size_chunks : 16;
    b->chunks = realloc(b->chunks, (size_t)b->size_chunks * sizeof *b->chunks);
    if (!b->chunks) abort();
  }
  b->chunks[b->n_chunks] = c;
  return &b->chunks[b->n_chunks++];
}

static void add_piece(builder *b, chunk *c, piece p, uint32_t rows) {
  if (b->n_pieces == b->size_pieces) {
    b->size_pieces = b->size_pieces ? 2 * b->size_pieces : 64;
    b->pieces = realloc(b->pieces, (size_t)b->size_pieces * sizeof *b->pieces);
    if (!b->pieces) abort();
  }
  p.row = c->rows;
  c->rows += rows;
  c->n_pieces++;
  b->pieces[b->n_pieces++] = p;
}

/* Pieces of one column block within one slice. */
static int pieces_of(const conv *v, const lowering *l, uint32_t nb, uint32_t slice,
                     uint32_t slice_count, piece *out) {
  uint32_t kb, n;
  conv_k_range(v, l, nb, &kb, &n);
  uint32_t lo = kb > slice ? kb : slice;
  uint32_t hi = kb + n < slice + slice_count ? kb + n : slice + slice_count;
  if (hi <= lo) return 0;
  int count = 0;
  for (int i = 0; i < CONV_COMPONENTS; i++) {
    uint32_t from = lo, len = hi - lo;
    if (i) narrow(v, l, nb, i, &from, &len);
    if (len)
      out[count++] = (piece){.nb = nb, .n_count = 1, .kb = from, .k_count = len, .component = i};
  }
  return count;
}

static uint32_t piece_rows(const conv *v, const lowering *l, const piece *p) {
  return conv_taps(v) * p->n_count * p->k_count * l->r;
}

static bool same_shape(const piece *a, const piece *b) {
  return a->kb == b->kb && a->k_count == b->k_count && a->first && a->last && b->first && b->last &&
         a->component == b->component && a->nb + a->n_count == b->nb && a->n_count < 1023;
}

static void emit_tiles(conv *v, lowering *l, const builder *b, chunk *c) {
  if (l->rehearsal) return; /* only the groups are wanted, and they depend on no value */
  uint8_t *tiles = malloc((size_t)c->rows * l->c + 1);
  if (!tiles) abort();
  for (int i = c->first_piece; i < c->first_piece + c->n_pieces; i++)
    write_tiles(v, l, &b->pieces[i], tiles + (size_t)b->pieces[i].row * l->c);
  c->offset = emit_constants(l, tiles, (size_t)c->rows * l->c);
  free(tiles);
}

/* Parameters of all column blocks, one after the other; returns their offset. */
static uint64_t emit_params(conv *v, lowering *l, uint32_t blocks) {
  if (l->rehearsal) return 0;
  size_t bytes = (size_t)blocks * l->c * WEFT_PARAM_BYTES;
  uint8_t *param = malloc(bytes);
  if (!param) abort();
  conv_params(v, l, 0, blocks * l->c, param);
  uint64_t offset = emit_constants(l, param, bytes);
  free(param);
  return offset;
}

/* Emits the constants of all chunks and hands the chunks over. */
static int finish(conv *v, lowering *l, builder *b, chunk **chunks, piece **pieces) {
  uint64_t offset = emit_params(v, l, ceil_div(v->y.c, l->c));
  for (int i = 0; i < b->n_chunks; i++) {
    chunk *c = &b->chunks[i];
    emit_tiles(v, l, b, c);
    c->param_offset = offset + (uint64_t)c->nb * l->c * WEFT_PARAM_BYTES;
  }
  *chunks = b->chunks;
  *pieces = b->pieces;
  return b->n_chunks;
}

int conv_build_chunks(conv *v, lowering *l, const conv_plan *plan, chunk **chunks, piece **pieces) {
  builder b = {0};
  uint32_t blocks = ceil_div(v->y.c, l->c), depth = ceil_div(conv_channels(v), l->r);
  uint32_t params = weft_param_blocks(l->cfg) / 2, column = conv_column_rows(v, l);
  /* column blocks in a chunk, as the plan's cost assumes */
  uint32_t most = plan->chunk_rows > column ? plan->chunk_rows / column : 1;
  if (most > params) most = params;
  chunk *open = NULL; /* takes more column blocks */
  for (uint32_t nb = 0; nb < blocks; nb++) {
    bool begun = false;
    uint32_t kb, k_count;
    conv_k_range(v, l, nb, &kb, &k_count);
    for (uint32_t slice = 0; slice < depth; slice += plan->k_slice) {
      uint32_t len = slice + plan->k_slice < depth ? plan->k_slice : depth - slice;
      if (slice + len <= kb || slice >= kb + k_count) continue; /* other groups' channels */
      bool last = slice + len >= kb + k_count;
      piece p[CONV_COMPONENTS];
      int n = pieces_of(v, l, nb, slice, len, p);
      uint32_t rows = 0;
      for (int i = 0; i < n; i++) {
        rows += piece_rows(v, l, &p[i]);
        p[i].first = !begun;
        p[i].last = last && i == n - 1;
        begun = true;
      }
      bool whole = len == depth; /* several column blocks share a chunk only when unsliced */
      if (!(open && whole && open->rows + rows <= plan->chunk_rows && open->n_count < most))
        open = add_chunk(&b, (chunk){.nb = nb,
                                     .kb = slice,
                                     .k_count = len,
                                     .last_slice = last,
                                     .first_piece = b.n_pieces});
      open->n_count = nb - open->nb + 1;
      for (int i = 0; i < n; i++) {
        piece *prev = open->n_pieces ? &b.pieces[b.n_pieces - 1] : NULL;
        if (prev && n == 1 && same_shape(prev, &p[i])) {
          prev->n_count++;
          open->rows += rows;
        } else {
          add_piece(&b, open, p[i], piece_rows(v, l, &p[i]));
        }
      }
    }
  }
  return finish(v, l, &b, chunks, pieces);
}

int conv_build_slices(conv *v, lowering *l, const conv_slices *how, chunk **chunks,
                      piece **pieces) {
  builder b = {0};
  uint32_t blocks = ceil_div(v->y.c, l->c), depth = ceil_div(conv_channels(v), l->r);
  chunk *open = NULL; /* takes more slices */
  for (uint32_t sweep = 0; sweep < blocks; sweep += how->online) {
    uint32_t end = min2(sweep + how->online, blocks);
    for (uint32_t kb = 0; kb < depth; kb += how->k_slice)
      for (uint32_t nb = sweep; nb < end; nb += how->most) {
        piece p = {.nb = nb, .n_count = min2(how->most, end - nb), .kb = kb};
        p.k_count = min2(how->k_slice, depth - kb);
        p.first = kb == 0;
        p.last = kb + p.k_count == depth;
        uint32_t rows = piece_rows(v, l, &p);
        if (!open || open->nb != nb || open->n_count != p.n_count ||
            open->rows + rows > how->chunk_rows)
          open = add_chunk(
              &b, (chunk){.nb = nb, .n_count = p.n_count, .kb = kb, .first_piece = b.n_pieces});
        open->k_count = kb + p.k_count - open->kb;
        open->last_slice = p.last;
        add_piece(&b, open, p, rows);
      }
  }
  return finish(v, l, &b, chunks, pieces);
}
