/**
 * How far the own changes went when this region last told the asker of a barrier its position (P8): the database holds
 * everything up to there, because the row came after it in the same log.
 */
export const answered = `
ALTER TABLE isthmus.barrier ADD COLUMN answered pg_lsn NOT NULL DEFAULT '0/0';
`;
