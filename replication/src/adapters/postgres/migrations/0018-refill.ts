/**
 * What an operator has asked of the region as a whole: that it takes no local writes (and from which beat on everything
 * that it acknowledged has ended), and that it is emptied and filled again from a peer, with the lives whose changes may be
 * lost by that and how far it has come. `unfilled`: the database was emptied, and not all has come since.
 */
export const refill = `
ALTER TABLE isthmus.identity
  ADD COLUMN drained_since timestamptz,
  ADD COLUMN drained_beat bigint;

CREATE TABLE isthmus.refill (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  donor text COLLATE "C" NOT NULL,
  state text NOT NULL DEFAULT 'securing'
    CHECK (state IN ('securing', 'renewing', 'filling', 'learning', 'done', 'refused')),
  unfilled boolean NOT NULL DEFAULT false,
  accepted text[] COLLATE "C" NOT NULL DEFAULT '{}',
  detail text NOT NULL DEFAULT '',
  wanted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz
);
`;
