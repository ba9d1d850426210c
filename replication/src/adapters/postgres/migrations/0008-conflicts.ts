/**
 * An index of the records that may be in conflict. The mark is null where nobody has looked yet, which is what all
 * earlier rows begin with, so that adding it rewrites nothing; such rows are in the index until they are looked at.
 */
export const conflicts = `
ALTER TABLE isthmus.record ADD COLUMN conflicting boolean;
CREATE INDEX record_conflicting ON isthmus.record (collection, key) WHERE conflicting IS NOT FALSE;
`;
