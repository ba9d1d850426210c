/** Which survivor may claim what a retired region held of bounded counters; absent for what was retired before (P8). */
export const heirs = `
ALTER TABLE isthmus.retired ADD COLUMN heir text COLLATE "C";
`;
