/**
 * Closed dead letters are dropped after a time, the oldest first; this finds them beside any number of open ones. The index
 * of the open ones leads to each of them, also where a commit has left thousands.
 */
export const closedLetters = `
CREATE INDEX dead_letter_closed ON isthmus.dead_letter (closed_at) WHERE closed_at IS NOT NULL;
DROP INDEX isthmus.dead_letter_open;
CREATE INDEX dead_letter_open ON isthmus.dead_letter
  (origin, incarnation_counter, incarnation_nonce, partition, lsn, index) WHERE closed_at IS NULL;
`;
