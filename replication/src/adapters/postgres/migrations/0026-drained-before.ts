/** Whether the region had been drained before an operator wanted it filled anew: where it was not, a refusal ends the drain. */
export const drainedBefore = `
ALTER TABLE isthmus.refill ADD COLUMN was_drained boolean NOT NULL DEFAULT false;
`;
