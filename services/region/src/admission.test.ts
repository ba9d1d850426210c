import { describe, expect, it } from 'vitest';
import { Admission } from './admission.ts';

describe('admission', () => {
  it('is bounded in requests and in bytes, and frees what leaves', () => {
    const admission = new Admission({ maxRequests: 2, maxBodyBytes: 100, maxAnswerBytes: 50 });
    expect(admission.tryEnter(60)).toBe(true);
    expect(admission.tryEnter(41)).toBe(false);
    expect(admission.tryEnter(40)).toBe(true);
    expect(admission.tryEnter(0)).toBe(false);
    admission.leave(60);
    expect(admission.tryEnter(61)).toBe(false);
    expect(admission.tryEnter(60)).toBe(true);
  });

  it('lets nobody in while answers that nobody takes hold too much', () => {
    const admission = new Admission({ maxRequests: 2, maxBodyBytes: 100, maxAnswerBytes: 50 });
    admission.answer(49);
    expect(admission.tryEnter(1)).toBe(true);
    admission.answer(1);
    expect(admission.tryEnter(1)).toBe(false);
    admission.taken(49);
    expect(admission.tryEnter(1)).toBe(true);
  });
});
