/** How much a peer's own log held when it told so: what of it has not arrived here is known by that alone (P7). */
export const publishedCount = `
ALTER TABLE isthmus.peer_progress ADD COLUMN published_count bigint;
`;
