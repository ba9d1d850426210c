/**
 * The number of the last sweep of a peer that began, and that of the last one that ended, where it was clean (P7): what a
 * sweep proves is told by its number, whatever clocks showed. Of sweeps before the migration nothing counts any more.
 */
export const numberedSweeps = `
ALTER TABLE isthmus.verification ADD COLUMN begun bigint NOT NULL DEFAULT 0, ADD COLUMN clean bigint;
`;
