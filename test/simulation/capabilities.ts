/**
 * What the engine can repair by itself. A fault whose repair it lacks is still made, and then it has to be seen: the
 * partition stops as a gap, the change lies among the dead letters, and nothing says that all is well. A part of the
 * engine that learns to repair it says so here, and from then on the simulator demands it.
 */
export const capabilities = {
  /** Gaps, lost slots and the tail of a dead origin are filled from another region (P6). */
  transfer: true,
} as const;
