/* Whether a program is consistent: configuration, indices, ranges. Also weft_program_free(). */
#include "program_check.h"

#include <stdlib.h>
#include <string.h>

void weft_program_free(weft_program *p) {
  if (!p) return;
  for (int i = 0; p->layer && i < p->n_layers; i++) {
    free(p->layer[i].name);
    free(p->layer[i].op);
  }
  free(p->layer);
  free(p->code);
  free(p->result);
  free(p->layer_of);
  free(p->constants);
  free(p->step);
  free(p->place);
  free(p->strings);
  free(p);
}

#define REQUIRE(ok, ...)                                                                           \
  if (!(ok)) return weft_fail(err, WEFT_EINPUT, __VA_ARGS__)

static weft_status check_config(const weft_program *p, const char *path, weft_err *err) {
  int n;
  const weft_key *key = weft_config_keys(&n);
  for (int i = 0; i < n; i++) {
    uint32_t v;
    memcpy(&v, (const char *)&p->config + key[i].offset, sizeof v);
    REQUIRE(v >= key[i].min && v <= key[i].max && !(key[i].pow2 && (v & (v - 1))),
            "%s: configuration key %s is %u, accepted %s%u to %u", path, key[i].name, v,
            key[i].pow2 ? "powers of two, " : "", key[i].min, key[i].max);
  }
  weft_err inner = {""};
  if (weft_config_check(&p->config, &inner) != WEFT_OK)
    return weft_fail(err, WEFT_EINPUT, "%s: %.400s", path, inner.text);
  REQUIRE(p->config_hash == weft_config_hash(&p->config),
          "%s: configuration hash is %016llx, the keys give %016llx", path,
          (unsigned long long)p->config_hash, (unsigned long long)weft_config_hash(&p->config));
  return WEFT_OK;
}

static bool within(uint64_t first, uint64_t count, uint64_t size) {
  return first <= size && count <= size - first;
}

static weft_status check_result(const weft_program *p, uint32_t i, const char *path,
                                weft_err *err) {
  const weft_result *r = &p->result[i];
  if (r->tensor < 0) return WEFT_OK;
  REQUIRE(r->tensor < p->n_tensors, "%s: instruction %u: result is tensor %d, there are %d", path,
          i, r->tensor, p->n_tensors);
  REQUIRE(within(r->y, r->h, r->height) && within(r->x, r->w, r->width) &&
              within(r->c, r->n, r->channels),
          "%s: instruction %u: result [%u+%u, %u+%u, %u+%u] leaves its %u x %u x %u tensor", path,
          i, r->y, r->h, r->x, r->w, r->c, r->n, r->height, r->width, r->channels);
  return WEFT_OK;
}

weft_status weft_program_check(const weft_program *p, const char *path, weft_err *err) {
  weft_status s = check_config(p, path, err);
  if (s != WEFT_OK) return s;
  REQUIRE(p->n_steps >= 0 && p->n_layers >= 0 && p->n_tensors >= 0, "%s: negative count", path);
  for (int i = 0; i < p->n_steps; i++) {
    const weft_step *t = &p->step[i];
    REQUIRE(!t->host || t->node >= 0, "%s: step %d: host node is %d", path, i, t->node);
    REQUIRE(t->host || within(t->first, t->count, p->n_insns),
            "%s: step %d: instructions %u + %u, the code has %u", path, i, t->first, t->count,
            p->n_insns);
  }
  for (int i = 0; i < p->n_layers; i++)
    REQUIRE(p->layer[i].unit >= 0 && p->layer[i].unit <= WEFT_UNIT_FETCH,
            "%s: layer %d: unit is %d, accepted 0 to %d", path, i, p->layer[i].unit,
            WEFT_UNIT_FETCH);
  for (uint32_t i = 0; i < p->n_insns; i++) {
    REQUIRE(p->layer_of[i] < (uint32_t)p->n_layers, "%s: instruction %u: layer %u, there are %d",
            path, i, p->layer_of[i], p->n_layers);
    if ((s = check_result(p, i, path, err)) != WEFT_OK) return s;
  }
  for (int i = 0; i < p->n_tensors; i++)
    REQUIRE(p->place[i].offset == WEFT_NOWHERE ||
                within(p->place[i].offset, p->place[i].bytes, p->arena_bytes),
            "%s: tensor %d: %llu bytes at %llu, the arena has %zu", path, i,
            (unsigned long long)p->place[i].bytes, (unsigned long long)p->place[i].offset,
            p->arena_bytes);
  return WEFT_OK;
}
