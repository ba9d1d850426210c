/** Lives of other regions that have not given yet what they hold of the lives before (P9). Few, and mostly none. */
export const awaitedPast = `
CREATE TABLE isthmus.awaited_past (
  region text COLLATE "C" NOT NULL,
  incarnation_counter bigint NOT NULL,
  incarnation_nonce bigint NOT NULL,
  PRIMARY KEY (region, incarnation_counter, incarnation_nonce)
);
`;
