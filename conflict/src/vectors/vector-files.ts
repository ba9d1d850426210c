/** All files of test vectors. They follow from the code alone, so they are written again and compared by a test. */
import { clockVectors, stampVectors } from './clock-vectors.ts';
import { contextVectors, sealVectors } from './context-vectors.ts';
import { malformedVectors } from './malformed-vectors.ts';
import { mergeVectors, recordVectors } from './record-vectors.ts';
import { valueVectors } from './value-vectors.ts';
import type { VectorFile } from './vector-file.ts';

export function vectorFiles(): readonly VectorFile[] {
  return [
    valueVectors(),
    stampVectors(),
    clockVectors(),
    contextVectors(),
    sealVectors(),
    recordVectors(),
    mergeVectors(),
    malformedVectors(),
  ];
}
