/** A database that was made fresh takes no writes before its peers have filled it; those of before have joined (P6). */
export const joining = `
ALTER TABLE isthmus.identity ADD COLUMN joining boolean NOT NULL DEFAULT false;
`;
