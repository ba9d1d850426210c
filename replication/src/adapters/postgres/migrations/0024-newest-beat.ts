/**
 * While a change lies aside, a position keeps the beat before it, and beats go on to arrive. Which one is settled once the
 * change is applied is told by the change that then lies aside as the oldest, or by the newest beat that has come.
 */
export const newestBeat = `
ALTER TABLE isthmus.position ADD COLUMN newest_beat isthmus.counted_beat;
ALTER TABLE isthmus.dead_letter ADD COLUMN beat_before isthmus.counted_beat;
`;
