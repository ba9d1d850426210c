/**
 * The type tag of an entry says how to carry it without knowing it. Two bits are a promise to all readers, also
 * older ones: `stamped` (a stamp stands before the payload) and `vector` (the payload is a list of integers
 * that only grow, joined pointwise; without it a dot fixes the content). `control` entries hold no data and
 * keep no record alive. The other five bits number the kind; kinds that a reader does not know are kept.
 */
export const stampedBit = 0x20;
export const vectorBit = 0x40;
export const controlBit = 0x80;

export const registerTag = 0x01 | stampedBit;
export const markTag = 0x02 | stampedBit;
export const counterTag = 0x03 | stampedBit | vectorBit;
export const deleteTag = 0x04 | stampedBit | controlBit;

const kinds: ReadonlyMap<number, string> = new Map([
  [registerTag, 'register'],
  [markTag, 'mark'],
  [counterTag, 'counter'],
  [deleteTag, 'delete'],
]);

export function kindOf(tag: number): string {
  return kinds.get(tag) ?? `unknown-${tag}`;
}
