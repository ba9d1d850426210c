/**
 * Two marks. A database that was made fresh takes no writes before its peers have filled it (P6); those of before have
 * joined. And a life of the slot is noted before the slot is made, so that a process which ends between the two leaves
 * no slot behind of which nobody knows that it began late.
 */
export const marks = `
ALTER TABLE isthmus.identity ADD COLUMN joining boolean NOT NULL DEFAULT false;
ALTER TABLE isthmus.slot_life ADD COLUMN made boolean NOT NULL DEFAULT true;
`;
