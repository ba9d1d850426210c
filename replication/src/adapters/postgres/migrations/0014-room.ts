/**
 * Pages of records keep half of their room for new versions. Records that are written together lie together and are
 * often written together again; then every row of a page needs its new version at once, and one that finds no room in
 * its page goes to another and needs an entry in the index. Pages that are full already stay so.
 */
export const room = `
ALTER TABLE isthmus.record SET (fillfactor = 50);
`;
