/**
 * A value as an error names it: short, without running code of the value's own, and such that it survives
 * `JSON.stringify`. It never shows more of a text than its beginning, and nothing of what is in an object.
 */
/** A short form of any value: texts are cut after 80 characters, objects and arrays are only named. */
export type Described = string | number | boolean | null;

const longestDescription = 80;

/** A short form of any value, without running code of the value's own. */
export function describe(value: unknown): Described {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'number' || typeof value === 'string') return shortened(String(value));
  if (isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a value of type ${typeof value}`;
}

/** The beginning of a long text. */
export function shortened(text: string): string {
  return text.length > longestDescription ? `${text.slice(0, longestDescription)}…` : text;
}

/** A proxy that was revoked throws at any question. */
function isArray(value: unknown): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}
