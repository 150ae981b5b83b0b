/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Timers in maps: bpf_timer_init, _set_callback, _start, _cancel, and their expiry, as in Linux's kernel/bpf/helpers.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/timer.h"
#include "tests/unit/bpf/helper_run.h"

static struct {
  unsigned count;
  uint64_t deadline;
} woken;
static void wake(void *context, struct bpf_map *map, uint64_t deadline) {
  woken.count++;
  woken.deadline = deadline;
}

enum { TIMER_INIT = 169, TIMER_SET = 170, TIMER_START = 171, TIMER_CANCEL = 172 };

/* helper(timer of entry 1, the map or the callback or r2, r3). The callback adds 1 to the value's first word and leaves the key in its
 * second. The instructions stay where they are: the callback's address is kept by the timer. */
static int64_t timer_call(struct bpf_map **maps, struct bpf_program *program, int id, int r2, int r3) {
  static struct bpf_insn insns[16 + 7];
  const struct bpf_insn second = id == TIMER_SET ? (struct bpf_insn)MOV(2, 9) : (struct bpf_insn)MOV_IMM(2, r2);
  const struct bpf_insn now[] = {
      /* 0 */ LOAD_KIND(9, BPF_PSEUDO_FUNC, 15, 0), /* 16 */
      /* 2 */ STORE_IMM(BPF_W, 10, -4, 1),
      /* 3 */ MOV(2, 10),
      /* 4 */ ADD_IMM(2, -4),
      /* 5 */ LOAD_MAP(1, 0),
      /* 7 */ CALL_HELPER(1),
      /* 8 */ MOV(1, 0),
      /* 9 */ ADD_IMM(1, 16),
      /* 10 */ LOAD_MAP(2, 0),
      /* 12 */ id == TIMER_INIT ? (struct bpf_insn)MOV(2, 2) : second,
      /* 13 */ MOV_IMM(3, r3),
      /* 14 */ CALL_HELPER(id),
      /* 15 */ EXIT(),
      /* 16 */ LOAD(BPF_DW, 4, 3, 0),
      ADD_IMM(4, 1),
      STORE(BPF_DW, 3, 4, 0),
      LOAD(BPF_W, 5, 2, 0),
      STORE(BPF_DW, 3, 5, 8),
      MOV_IMM(0, 0),
      EXIT(),
  };
  const struct bpf_environment environment = {.ktime_ns = fixed_ktime, .wake_timers = wake};
  const struct bpf_input input = {.data = 4096, .data_end = 4096};
  struct bpf_result result;
  memcpy(insns, now, sizeof insns);
  memory_free(program->functions);
  *program = (struct bpf_program){insns, COUNT(insns), maps, 1};
  assert_int_equal(bpf_check(insns, COUNT(insns), 1, NULL), 0);
  assert_int_equal(bpf_program_prepare(program, NULL), 0);
  bpf_run(program, &environment, &input, &result);
  assert_int_equal(result.fault, BPF_FAULT_NONE);
  return (int64_t)result.r0;
}

/* A timer must be made, given a callback and started, in that order; it runs once when it is due, with its entry's key and value; it
 * can be stopped; and it goes with its entry. Numbers as bpf_timer_init, bpf_timer_set_callback, bpf_timer_start, bpf_timer_cancel of
 * Linux give them. */
static void test_timer(void **state) {
  static const uint32_t types[] = {BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH};
  for (size_t t = 0; t < COUNT(types); t++) {
    struct bpf_map *maps[] = {
        make((struct bpf_map_def){.type = types[t], .key_size = 4, .value_size = 32, .max_entries = 2, .timer = 17})};
    struct bpf_program program = {0};
    const uint32_t key = 1;
    const uint8_t zeros[32] = {0};
    const uint64_t now = fixed_ktime(NULL);
    const struct bpf_environment environment = {.ktime_ns = fixed_ktime};
    struct bpf_result fault;
    assert_int_equal(maps[0]->ops->update(maps[0], &key, zeros, BPF_ANY, 0), 0);
    assert_int_equal(timer_call(maps, &program, TIMER_START, 1000, 0), -BPF_EINVAL);
    assert_int_equal(timer_call(maps, &program, TIMER_CANCEL, 0, 0), -BPF_EINVAL);
    assert_int_equal(timer_call(maps, &program, TIMER_SET, 0, 0), -BPF_EINVAL);
    assert_int_equal(timer_call(maps, &program, TIMER_INIT, 0, 5), -BPF_EINVAL);
    assert_int_equal(timer_call(maps, &program, TIMER_INIT, 0, 1), 0);
    assert_int_equal(timer_call(maps, &program, TIMER_INIT, 0, 1), -BPF_EBUSY);
    assert_int_equal(timer_call(maps, &program, TIMER_START, 1000, 0), -BPF_EINVAL);
    assert_false(bpf_timers_use(maps[0], &program));
    assert_int_equal(timer_call(maps, &program, TIMER_SET, 0, 0), 0);
    assert_true(bpf_timers_use(maps[0], &program));
    assert_int_equal(timer_call(maps, &program, TIMER_START, 1000, 4), -BPF_EINVAL);
    woken.count = 0;
    assert_int_equal(timer_call(maps, &program, TIMER_START, 1000, 0), 0);
    assert_int_equal(woken.count, 1);
    assert_int_equal(woken.deadline, now + 1000);
    assert_int_equal(bpf_timers_deadline(maps[0]), now + 1000);
    assert_int_equal(bpf_timers_run(maps[0], &environment, now + 999, 0, 10, &fault), 0);
    assert_int_equal(bpf_timers_run(maps[0], &environment, now + 1000, 0, 10, &fault), 1);
    assert_int_equal(fault.fault, BPF_FAULT_NONE);
    uint64_t *value = maps[0]->ops->lookup(maps[0], &key);
    assert_int_equal(value[0], 1);
    assert_int_equal(value[1], key);
    assert_int_equal(bpf_timers_run(maps[0], &environment, now + 5000, 0, 10, &fault), 0);
    assert_int_equal(timer_call(maps, &program, TIMER_CANCEL, 0, 0), 0);
    assert_int_equal(timer_call(maps, &program, TIMER_START, 1000, 0), 0);
    assert_int_equal(timer_call(maps, &program, TIMER_START, 7000, BPF_F_TIMER_ABS), 0); /* starts anew */
    assert_int_equal(bpf_timers_deadline(maps[0]), 7000);
    assert_int_equal(timer_call(maps, &program, TIMER_CANCEL, 0, 0), 1);
    assert_int_equal(bpf_timers_deadline(maps[0]), BPF_TIMERS_IDLE);
    assert_int_equal(timer_call(maps, &program, TIMER_START, 1000, 0), 0);
    assert_int_equal(maps[0]->ops->update(maps[0], &key, zeros, BPF_ANY, 0), 0);
    assert_int_equal(bpf_timers_deadline(maps[0]), BPF_TIMERS_IDLE);
    assert_int_equal(timer_call(maps, &program, TIMER_INIT, 0, 1), 0);
    assert_int_equal(timer_call(maps, &program, TIMER_SET, 0, 0), 0);
    assert_int_equal(timer_call(maps, &program, TIMER_START, 1000, 0), 0);
    assert_true(bpf_timers_use(maps[0], &program));
    bpf_timers_forget(maps[0], &program);
    assert_false(bpf_timers_use(maps[0], &program));
    assert_int_equal(bpf_timers_deadline(maps[0]), BPF_TIMERS_IDLE);
    memory_free(program.functions);
    bpf_map_release(maps[0]);
  }
}

/* Many timers expire in the order of their deadlines, whatever order they were started, restarted and stopped in. */
static void test_timer_order(void **state) {
  enum { TIMERS = 100 };
  struct bpf_map *map = make((struct bpf_map_def){
      .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 16, .max_entries = TIMERS, .timer = 1});
  struct bpf_program program = {0};
  uint64_t x = 42, deadlines[TIMERS] = {0}, next;
  for (uint32_t slot = 0; slot < TIMERS; slot++) {
    assert_int_equal(bpf_timer_init(map, slot, 1), 0);
    assert_int_equal(bpf_timer_set_callback(map, slot, &program, 0), 0);
  }
  for (unsigned step = 0; step < 10000; step++) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    const uint32_t slot = (uint32_t)(x >> 33) % TIMERS;
    if (x >> 62 == 0) {
      assert_int_equal(bpf_timer_stop(map, slot), deadlines[slot] != 0);
      deadlines[slot] = 0;
    } else {
      deadlines[slot] = 1 + (x >> 20) % 1000;
      assert_int_equal(bpf_timer_start(map, slot, 0, deadlines[slot], BPF_F_TIMER_ABS, &next), 0);
    }
    uint64_t earliest = BPF_TIMERS_IDLE;
    for (uint32_t i = 0; i < TIMERS; i++) {
      if (deadlines[i] != 0 && deadlines[i] < earliest) earliest = deadlines[i];
    }
    assert_int_equal(bpf_timers_deadline(map), earliest);
  }
  bpf_map_release(map);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_timer),
      cmocka_unit_test(test_timer_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
