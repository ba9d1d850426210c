/**
 * Which transfers were wanted after a life of the region was over (P9). The number comes from where those of the transfers
 * come from, so none of them has it: lower ones are older, higher ones younger, whatever clocks showed and whatever is
 * committed only later. It is drawn by the default, so that a program which does not know the column cannot leave it out. Of
 * lives that were over before, nothing counts as fetched since.
 */
export const nextJob = `
ALTER TABLE isthmus.own_past ADD COLUMN next_job bigint NOT NULL DEFAULT nextval('isthmus.transfer_id_seq');
`;
