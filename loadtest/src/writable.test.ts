import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { whyNotWritable } from './writable.ts';

it('says what cannot be written, and leaves what can as it was', () => {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-writable-'));
  try {
    const [fresh, kept] = [join(folder, 'fresh.json'), join(folder, 'kept.json')];
    writeFileSync(kept, 'kept');
    expect(whyNotWritable('--json', fresh)).toBeNull();
    expect(existsSync(fresh)).toBe(false);
    expect(whyNotWritable('--json', kept)).toBeNull();
    expect(readFileSync(kept, 'utf8')).toBe('kept');
    expect(whyNotWritable('--json', folder)).toContain(`--json names ${folder}, which cannot be written`);
    expect(whyNotWritable('--json', join(folder, 'none', 'x.json'))).toContain('ENOENT');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
