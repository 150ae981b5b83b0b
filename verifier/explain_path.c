/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One way to a point, function by function from the outermost to the current one: the shortest through slots that the walk visited. Where
 * states were joined the walk itself no longer knows by which way it came.
 */
#include "bpf/isa.h"
#include "lib/memory.h"
#include "verifier/explain.h"
#include "verifier/verify_flow.h"

struct way {
  const struct explained *subject;
  const uint8_t *visited;
  struct flow flow;
  uint32_t *from;  /* per slot: the one before it on the way from the start; FLOW_NONE: not reached */
  uint32_t *queue; /* then the slots of the way, backwards */
  uint32_t *forks; /* slots of jumps where it forks, and the slot it goes on to: pairs, in order */
  uint32_t fork_count;
};

static bool is_fork(const struct way *w, uint32_t slot) {
  return w->flow.next[slot][0] != FLOW_NONE && w->flow.next[slot][1] != FLOW_NONE;
}

/* Breadth first, so the way has the fewest steps. */
static bool search(struct way *w, uint32_t start, uint32_t end) {
  uint32_t head = 0, tail = 0;
  for (uint32_t i = 0; i < w->flow.count; i++)
    w->from[i] = FLOW_NONE;
  w->from[start] = start;
  w->queue[tail++] = start;
  while (head < tail && w->from[end] == FLOW_NONE) {
    uint32_t slot = w->queue[head++];
    for (unsigned i = 0; i < 2; i++) {
      uint32_t next = w->flow.next[slot][i];
      if (next == FLOW_NONE || !w->visited[next] || w->from[next] != FLOW_NONE) continue;
      w->from[next] = slot;
      w->queue[tail++] = next;
    }
  }
  return w->from[end] != FLOW_NONE;
}

static void collect(struct way *w, uint32_t start, uint32_t end) {
  uint32_t count = 0;
  if (!search(w, start, end)) return;
  for (uint32_t slot = end; slot != start; slot = w->from[slot])
    w->queue[count++] = slot;
  for (uint32_t at = start; count > 0; at = w->queue[count]) {
    count--;
    if (!is_fork(w, at)) continue;
    w->forks[2 * w->fork_count] = at;
    w->forks[2 * w->fork_count++ + 1] = w->queue[count];
  }
}

static void add_fork(const struct way *w, uint32_t at, uint32_t next, struct text *out) {
  const struct source_line *line = explain_line(w->subject, at), *to = explain_line(w->subject, next);
  explain_place(w->subject, at, out);
  if (!line || line->text[0] == '\0') {
    text_add(out, "  ");
    explain_instruction(w->subject, at, out);
  } else {
    text_addf(out, "  %s", line->text);
  }
  if (to && line != to)
    text_addf(out, "  -> line %u\n", to->at.line);
  else
    text_addf(out, "  -> %s\n", next == w->flow.next[at][1] ? "jumps" : "goes on");
}

/* Whether the way forks again before it leaves the line: a condition of several parts is told once, by where it leads. */
static bool forks_again(const struct way *w, uint32_t fork) {
  if (fork + 1 == w->fork_count) return false;
  const struct source_line *line = explain_line(w->subject, w->forks[2 * fork]);
  const struct source_line *next = explain_line(w->subject, w->forks[2 * fork + 2]);
  return line && next && line->text[0] != '\0' && line->at.line == next->at.line &&
         strcmp(line->at.file, next->at.file) == 0 && w->forks[2 * fork] < w->forks[2 * fork + 2];
}

/* Keeps of the forks on one line the last. */
static void merge_forks(struct way *w) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < w->fork_count; i++) {
    if (forks_again(w, i)) continue;
    w->forks[2 * kept] = w->forks[2 * i];
    w->forks[2 * kept++ + 1] = w->forks[2 * i + 1];
  }
  w->fork_count = kept;
}

static bool prepare(struct way *w) {
  size_t count = w->subject->input->insn_count;
  if (flow_build(&w->flow, w->subject->input) != 0) return false;
  w->from = memory_alloc(count * sizeof(*w->from));
  w->queue = memory_alloc(count * sizeof(*w->queue));
  w->forks = memory_alloc(2 * BPF_MAX_FRAMES * count * sizeof(*w->forks));
  return w->from && w->queue && w->forks;
}

void explain_path(const struct explained *subject, const struct proof_state *to, const uint8_t *visited, unsigned most,
                  struct text *out) {
  struct way w = {.subject = subject, .visited = visited};
  if (prepare(&w)) {
    for (unsigned frame = 0; frame <= to->depth; frame++) {
      uint32_t end = frame < to->depth ? to->site[frame] : to->pc;
      collect(&w, w.flow.function[end], end);
    }
    merge_forks(&w);
    uint32_t first = w.fork_count > most ? w.fork_count - most : 0;
    if (first > 0) text_addf(out, "... %u jumps, then\n", first);
    for (uint32_t i = first; i < w.fork_count; i++)
      add_fork(&w, w.forks[2 * i], w.forks[2 * i + 1], out);
  }
  memory_free(w.from);
  memory_free(w.queue);
  memory_free(w.forks);
  flow_free(&w.flow);
}
