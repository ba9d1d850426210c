import { describe, expect, it } from 'vitest';
import { Admission } from './admission.ts';

describe('admission', () => {
  it('is bounded in requests and in bytes, and frees what leaves', () => {
    const admission = new Admission({ maxRequests: 2, maxBodyBytes: 100 });
    expect(admission.tryEnter(60)).toBe(true);
    expect(admission.tryEnter(41)).toBe(false);
    expect(admission.tryEnter(40)).toBe(true);
    expect(admission.tryEnter(0)).toBe(false);
    admission.leave(60);
    expect(admission.tryEnter(61)).toBe(false);
    expect(admission.tryEnter(60)).toBe(true);
  });
});
