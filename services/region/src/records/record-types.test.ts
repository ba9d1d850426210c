/** Records whose declarations differ between regions, or have changed since they were written. */
import { schema, text } from '@isthmus/conflict';
import { yjsText } from '@isthmus/conflict/text';
import { actorOf, parseRegionId } from '@isthmus/replication/ports/identity';
import { describe, expect, it } from 'vitest';
import { parseDeclarations } from '../declarations.ts';
import { Problem } from '../problem.ts';
import type { RecordType } from './record-type.ts';
import { recordTypes } from './record-types.ts';
import { loadTextEngine } from './text-engine.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const context = { actor: actorOf(region, { counter: 1, nonce: 1 }), floor: 0, floorMs: 0, now: 1000 };
const title = { type: 'register' };
const notes = { type: 'text' };

function declared(fields: object) {
  const parsed = parseDeclarations(JSON.stringify({ collections: { products: { fields } } }));
  return parsed.kind === 'declared' ? parsed.declarations : expect.fail(parsed.faults.join());
}

function typeOf(fields: object): RecordType {
  return recordTypes(declared(fields)).get('products') ?? expect.fail('products are declared');
}

describe('a text that is stored and not declared', () => {
  const { state } = schema({ notes: text() }, { text: yjsText }).edit(new Uint8Array(), context, (editor) =>
    editor.splice('notes', [{ at: 0, insert: 'x' }]),
  );

  it('hinders neither reads nor writes of other fields', () => {
    const type = typeOf({ title });
    expect(type.view(state)?.value).toEqual({});
    const made = type.edit(state, context, [{ op: 'set', value: 'y', names: ['title'], at: 'set.title' }]);
    expect(made instanceof Problem ? made : type.view(made.state)?.value).toEqual({ title: 'y' });
  });

  it('is not deleted unseen: the refusal says what to do', () => {
    const made = typeOf({ title }).remove(state, context);
    expect(made).toBeInstanceOf(Problem);
    expect(made).toMatchObject({ code: 'wrong-operation', violations: [{ field: 'notes' }] });
  });
});

describe('what texts are read with', () => {
  it('is loaded only where some collection declares one, at any depth', async () => {
    expect(await loadTextEngine(declared({ title }))).toBeUndefined();
    const open = { type: 'map', of: { type: 'map', fields: { title, notes } } };
    expect(await loadTextEngine(declared({ open }))).toBeDefined();
  });
});
