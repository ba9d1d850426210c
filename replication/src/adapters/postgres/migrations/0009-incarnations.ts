/**
 * What a new incarnation keeps (P9): the claim that is under way, since when writes wait until the past has been learnt
 * again (null: they do not), how far the database itself reached of each life that it was taken from, what was last
 * told to peers in the region's name where that is known, and where the logs of incarnations have ended (F), the own
 * earlier ones among them.
 */
export const incarnations = `
ALTER TABLE isthmus.identity
  ADD COLUMN claim_counter bigint CHECK (claim_counter BETWEEN 1 AND 4294967295),
  ADD COLUMN claim_nonce bigint CHECK (claim_nonce BETWEEN 0 AND 4294967295),
  ADD COLUMN relearning_since timestamptz,
  ADD COLUMN promise_known boolean NOT NULL DEFAULT true;

CREATE TABLE isthmus.own_past (
  incarnation_counter bigint NOT NULL,
  incarnation_nonce bigint NOT NULL,
  through pg_lsn NOT NULL,
  PRIMARY KEY (incarnation_counter, incarnation_nonce)
);

CREATE TABLE isthmus.promised (
  region text COLLATE "C" NOT NULL,
  incarnation_counter bigint NOT NULL,
  incarnation_nonce bigint NOT NULL,
  partition integer NOT NULL,
  lsn pg_lsn NOT NULL,
  PRIMARY KEY (region, incarnation_counter, incarnation_nonce, partition)
);

CREATE TABLE isthmus.closed_incarnation (
  region text COLLATE "C" NOT NULL,
  incarnation_counter bigint NOT NULL,
  incarnation_nonce bigint NOT NULL,
  partition integer NOT NULL,
  lsn pg_lsn NOT NULL,
  PRIMARY KEY (region, incarnation_counter, incarnation_nonce, partition)
);
`;
