/** Whether local writes go on although a new incarnation has not learnt all of its past: who could tell it more is silent. */
export const relearningOpen = `
ALTER TABLE isthmus.identity ADD COLUMN relearning_open boolean NOT NULL DEFAULT false;
`;
