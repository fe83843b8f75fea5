// weft_array against plain sums: random tiles and pixels, passes with and without gaps, tiles
// loaded as early and as late as its contract allows; all 32 bits of every column, latency R + C
// exactly.
#include <map>

#include "bench.h"

namespace {
using namespace bench;

// One cycle's inputs.
struct Edge {
  bool pixel = false, swap = false, row = false, first = false;
  std::vector<int8_t> act, weight;
};
struct Due {
  uint64_t when;
  std::vector<uint32_t> sum;
};

void run(void **) {
  weft_config cfg = configuration();
  int r = (int)cfg.rows, c = (int)cfg.cols, passes = 3000 * count();
  bool wild = false;         // extremes only
  auto values = [&](int n) { // of a tile's row, or a pixel
    std::vector<int8_t> v((size_t)n);
    for (auto &x : v) x = (int8_t)(wild ? (pick(0, 1) ? -128 : 127) : pick(-128, 127));
    return v;
  };

  std::map<uint64_t, Edge> inputs;
  std::deque<Due> due;
  uint64_t load = 4; // first row of the next tile at the edge
  uint64_t free_from = 0;
  for (int p = 0; p < passes; p++) {
    wild = one_in(4);
    std::vector<std::vector<int8_t>> tile((size_t)r);
    for (int k = 0; k < r; k++) {
      Edge &e = inputs[load + (uint64_t)k];
      e.row = true;
      e.first = k == 0;
      tile[(size_t)k] = e.weight = values(c);
    }
    // the pass begins when its tile's rows are in, the one before streams no more
    uint64_t begin = load + (uint64_t)r;
    if (begin < free_from) begin = free_from;
    if (pick(0, 3) == 0) begin += (uint64_t)pick(0, 2 * r);
    int m = pick(0, 1) ? pick(1, 4) : pick(1, 3 * r);
    uint64_t t = begin;
    inputs[begin - 1].swap = true;
    for (int i = 0; i < m; i++, t++) {
      if (i && pick(0, 7) == 0) t += (uint64_t)pick(1, 5);
      Edge &e = inputs[t];
      e.pixel = true;
      e.act = values(r);
      Due d{t + (uint64_t)(r + c), std::vector<uint32_t>((size_t)c)};
      for (int j = 0; j < c; j++)
        for (int k = 0; k < r; k++)
          d.sum[(size_t)j] += (uint32_t)(e.act[(size_t)k] * tile[(size_t)k][(size_t)j]);
      due.push_back(d);
    }
    free_from = t;
    load = begin + (uint64_t)(pick(0, 1) ? 0 : pick(0, r));
  }

  Vtb top;
  top.rst = 1;
  size_t seen = 0, all = due.size();
  for (uint64_t now = 0; now < free_from + (uint64_t)(r + c) + 4; now++) {
    Edge e = inputs[now];
    top.in_valid = e.pixel;
    top.in_swap = e.swap;
    top.w_valid = e.row;
    top.w_first = e.first;
    randomize(&top.in_act, (size_t)r); // what is not valid is rubbish
    randomize(&top.w_data, (size_t)c);
    if (e.pixel) put(top.in_act, e.act.data(), (size_t)r);
    if (e.row) put(top.w_data, e.weight.data(), (size_t)c);
    settle(top);
    if (now > 1) {
      bool expected = !due.empty() && due.front().when == now;
      assert_int_equal(top.out_valid, expected);
      if (expected) {
        std::vector<uint32_t> sum((size_t)c);
        get(top.out_sum, sum.data(), 4 * (size_t)c);
        assert_memory_equal(sum.data(), due.front().sum.data(), 4 * (size_t)c);
        due.pop_front();
        seen++;
      }
    }
    edge(top);
    top.rst = now < 2;
  }
  assert_int_equal(seen, all);
  print_message("%s: %d passes, %zu pixels\n", PRESET, passes, seen);
  top.final();
}
} // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(run)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
