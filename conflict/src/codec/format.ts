/**
 * The constants of the byte format and the questions that one can ask of a tag. A tag says how an entry merges even
 * where its type is unknown: whether a sub-key follows, whether the payload is immutable under its dot or a vector of
 * growing numbers, and whether a stamp leads it. Tags and the path separator are bytes that UTF-8 never uses, so a
 * key ends itself and needs no length. Nothing here may change within major version 1; new types take numbers in the
 * extended range.
 */
export const formatMajor = 1;
export const formatMinor = 0;

export const pathSeparator = 0xf5;
export const pathSeparatorText = '\u00f5';

export const tagRegister = 0xf6;
export const tagElement = 0xf7;
export const tagCounter = 0xf8;
export const tagRights = 0xf9;
export const tagMoved = 0xfa;
export const tagText = 0xfb;
export const tagTextClient = 0xfc;
export const tagMark = 0xfd;
export const tagDeletion = 0xfe;
/** Followed by one byte whose low three bits are the traits and whose others are the type. */
export const tagExtended = 0xff;

/** Traits of a tag, as in the low bits of an extended one. */
export const traitSub = 1;
export const traitVector = 2;
export const traitStamped = 4;

/** Traits of the tags `tagRegister` to `tagDeletion`, in order. */
const traits = [traitStamped, traitSub, traitVector, traitVector, traitSub | traitVector, traitSub, 0, 4, 4];

/** Traits of a tag; an extended tag is given as `tagExtended * 256 + type byte`. */
export function traitsOf(tag: number): number {
  return tag > tagExtended ? tag & 7 : (traits[tag - tagRegister] ?? 0);
}

export const longestActorBytes = 64;
/** How deep a value may nest before reading gives up; edits refuse much earlier. */
export const deepestValue = 256;
/** Fields within fields. */
export const deepestPath = 32;
export const longestNameBytes = 512;
