/** Mistakes in whom a region believes what lies in a log (P4). */
import { type Mutant, seeds, suite } from './mutant.ts';

const log = 'replication/dist/log';
const contract = suite('test/contract/log-seal.test.ts');

export const sealMutants: readonly Mutant[] = [
  {
    name: 'signature unchecked',
    edits: [
      {
        file: `${log}/ed25519-seal.js`,
        from: 'isSignedBy(key, text, record.signature)',
        to: 'true',
      },
    ],
    killer: contract,
  },
  {
    name: 'signature unchecked where many are opened',
    edits: [
      {
        file: `${log}/ed25519-seal.js`,
        from: 'await isSignedByLater(key, claim.text, record.signature)',
        to: 'true',
      },
    ],
    killer: contract,
  },
  {
    name: 'signature remembered without itself',
    edits: [
      {
        file: `${log}/ed25519-seal.js`,
        from: 'Buffer.concat([text, signature])',
        to: 'Buffer.concat([text])',
      },
    ],
    killer: contract,
  },
  {
    name: 'seal that does not cover its place',
    edits: [{ file: `${log}/sealed-record.js`, from: 'writer.u32(partition);', to: '' }],
    killer: contract,
  },
  {
    name: 'key believed by whoever names it',
    edits: [
      {
        file: `${log}/signing-keys.js`,
        from: 'return `${showKeyId(id)} ${region}`;',
        to: 'return showKeyId(id);',
      },
    ],
    killer: contract,
  },
  {
    name: 'key believed after its time',
    edits: [{ file: `${log}/signing-keys.js`, from: 'nowMs < notAfterMs', to: 'nowMs > 0' }],
    killer: contract,
  },
  {
    name: 'forged records told of and read all the same',
    edits: [
      {
        file: `${log}/log-opening.js`,
        from: 'offset, fault });\n    return null;',
        to: 'offset, fault });\n    return bytes;',
      },
    ],
    killer: seeds,
  },
];
