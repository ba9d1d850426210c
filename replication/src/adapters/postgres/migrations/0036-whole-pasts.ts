/** Regions of which everything that anybody shows of the lives before a counter is here (P9). Few, and mostly none. */
export const wholePasts = `
CREATE TABLE isthmus.whole_past (
  region text COLLATE "C" PRIMARY KEY,
  before_counter bigint NOT NULL
);
`;
