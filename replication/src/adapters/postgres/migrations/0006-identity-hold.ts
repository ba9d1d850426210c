/** Why no process of the region may write until an operator has looked; null as long as there is no reason. */
export const identityHold = `
ALTER TABLE isthmus.identity ADD COLUMN held text;
`;
