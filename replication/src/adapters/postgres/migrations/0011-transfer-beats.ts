/** A transfer that is gone on with keeps the beats that its snapshots have passed, so that lag falls when it ends (P7). */
export const transferBeats = `
ALTER TABLE isthmus.transfer ADD COLUMN beats bytea;
`;
