import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder of its own for the test that runs, which goes with it. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'isthmus-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
