/** The count of applied changes in a scrape. */
import { expect, it } from 'vitest';
import { appliedIn } from './applied.ts';

it('reads the count of the origin and none other', () => {
  const metrics = [
    '# TYPE isthmus_apply_batch_changes histogram',
    'isthmus_apply_batch_changes_sum{origin="ap"} 7',
    'isthmus_apply_batch_changes_sum{origin="eu"} 1234',
  ].join('\n');
  expect(appliedIn(metrics, 'eu')).toBe(1234);
  expect(appliedIn(metrics, 'us')).toBe(0);
});
