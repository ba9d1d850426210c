/**
 * By how much the clock of the region was ever set back, as each beat finds it: the beat before lies later than itself.
 * Times of beats on both sides of that are compared by it (P7).
 */
export const setBack = `
ALTER TABLE isthmus.beat ADD COLUMN set_back_ms double precision NOT NULL DEFAULT 0;
`;
