/**
 * Dead letters that an operator has given up (P4): since when, why, and what became of them. `waiting`: a transfer has to
 * bring what the record came to at its origin; `repaired`: one has; `lost`: the operator took the loss.
 */
export const givenUp = `
ALTER TABLE isthmus.dead_letter
  ADD COLUMN given_up_at timestamptz,
  ADD COLUMN reason text,
  ADD COLUMN fate text CHECK (fate IN ('waiting', 'repaired', 'lost'));
CREATE INDEX dead_letter_fate ON isthmus.dead_letter (origin, fate) WHERE fate IS NOT NULL;
`;
