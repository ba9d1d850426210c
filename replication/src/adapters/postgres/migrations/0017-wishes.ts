/** Whom a region was closed in favour of; the survivors' wishes decide on one heir (P8). */
export const wishes = `
ALTER TABLE isthmus.retired ADD COLUMN wish text COLLATE "C";
`;
