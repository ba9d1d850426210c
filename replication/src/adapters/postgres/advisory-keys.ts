/**
 * The advisory locks that processes of one region exclude each other by. Their number space is the database's, shared
 * with whatever else lives there, so they all carry the same first half.
 */
const family = 0x69_73_74_68;

export const bootstrapLock = [family, 1] as const;
export const beatLock = [family, 2] as const;
export const replicatorLock = [family, 3] as const;
/** Not the one of starts: a slot may have to wait for minutes, and processes start meanwhile. */
export const slotLock = [family, 4] as const;
