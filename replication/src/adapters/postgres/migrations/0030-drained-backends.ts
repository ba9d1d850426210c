/** The backends that were there when local writes were taken away; `null`: not noted. */
export const drainedBackends = `
ALTER TABLE isthmus.identity ADD COLUMN drained_from text[];
`;
