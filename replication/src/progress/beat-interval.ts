/** A region commits one beat, and publishes progress once, in this time (P2, P4). */
export const beatIntervalMs = 250;
