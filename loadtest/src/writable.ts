/** Whether a result can be put where it is to go, asked before the work that it is the result of. */
import { closeSync, existsSync, openSync, rmSync } from 'node:fs';

/** What is wrong with a path, as a sentence; `null`: a file can be written there. Nothing is left behind or changed. */
export function whyNotWritable(option: string, path: string): string | null {
  const wasThere = existsSync(path);
  try {
    closeSync(openSync(path, 'a'));
    if (!wasThere) rmSync(path);
    return null;
  } catch (reason) {
    const why = reason instanceof Error ? reason.message : String(reason);
    return `${option} names ${path}, which cannot be written: ${why}`;
  }
}
