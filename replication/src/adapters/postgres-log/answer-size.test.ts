import { expect, test } from 'vitest';
import { mostAnswerBytes, nextAnswerBytes } from './answer-size.ts';

const serverMs = 30_000;

test.each([1_000, 3_000, 10_000, 30_000, 100_000, 1_000_000])(
  'over a link of %i bytes a second answers come in time, before long',
  (bytesPerSecond) => {
    let bytes = mostAnswerBytes;
    let failures = 0;
    for (let round = 0; round < 100; round++) {
      const takesMs = (bytes / bytesPerSecond) * 1000;
      if (takesMs > serverMs) failures = round + 1;
      bytes = nextAnswerBytes(bytes, takesMs > serverMs ? null : takesMs);
    }
    expect(failures).toBeLessThan(10);
    expect(bytes).toBeGreaterThanOrEqual(Math.min(mostAnswerBytes, bytesPerSecond));
  },
);

test('once a link is quick again as much is asked for as before', () => {
  let bytes = 1;
  for (let round = 0; round < 20; round++) bytes = nextAnswerBytes(bytes, 1);
  expect(bytes).toBe(mostAnswerBytes);
});
