/**
 * Text over Yjs, for schemas that have text fields: `schema(fields, { text: yjsText })`. A document lives only for the
 * length of one call; what is kept are updates in Yjs's first encoding. They are merged before they are applied: one after
 * the other, in an order in which some come before what they build on, Yjs may leave words out although everything is
 * there, and number the next ones like those. Results depend on the arguments alone: the random number that Yjs gives a
 * new document is replaced before anything is written. Updates that Yjs cannot read end in `malformed`.
 */
import { applyUpdate, decodeUpdateV2, Doc, encodeStateAsUpdate, mergeUpdates, Skip } from 'yjs';
import { bytesOf } from '../codec/bytes.ts';
import { varint } from '../codec/varint.ts';
import { ConflictError } from '../errors.ts';
import type { TextEngine } from '../types/text.ts';
import { applySplices } from './apply-splices.ts';
import { textEngine } from './text-field.ts';

const rootName = 't';
/**
 * An update without content. With a second one Yjs always merges, and so counts what is there; of a single one it makes
 * room for whatever the update claims to hold.
 */
const nothing = new Uint8Array([0, 0]);

/** The engine to pass to `schema` where it has fields of type text. */
export const yjsText: TextEngine = textEngine({
  read(chunks) {
    return withDocument(chunks, (document) => document.getText(rootName).toJSON());
  },

  splice(chunks, edit) {
    return withDocument(chunks, (document) => {
      const text = document.getText(rootName);
      const made = edit(text.toJSON());
      if (made === null) return null;
      document.clientID = made.client;
      const updates: Uint8Array[] = [];
      document.on('update', (update: Uint8Array) => updates.push(update));
      applySplices(text, made.splices);
      return updates[0] ?? nothing;
    });
  },

  join(chunks) {
    return withDocument(chunks, (document) => encodeStateAsUpdate(document));
  },

  erase(chunks) {
    return withDocument(chunks, (document) => {
      const text = document.getText(rootName);
      text.delete(0, text.length);
      erasePending(document);
      return encodeStateAsUpdate(document);
    });
  },
});

/**
 * What builds on words that have not arrived is in no text yet, so no deletion in the text reaches it: it would be read
 * once they arrive. Its deletion is noted by its numbers and takes effect then. Gaps between are nobody's to delete.
 */
function erasePending(document: Doc): void {
  const { pendingStructs } = document.store;
  if (pendingStructs === null) return;
  const { structs } = decodeUpdateV2(pendingStructs.update);
  const pending = structs.filter((struct) => !(struct instanceof Skip));
  // An update without structs, and one deleted range for each client that is named.
  const numbers = pending.flatMap(({ id, length }) => [id.client, 1, id.clock, length]);
  const update = bytesOf([0, pending.length, ...numbers].map(varint).join(''));
  applyUpdate(document, update);
}

function withDocument<Result>(chunks: readonly Uint8Array[], use: (document: Doc) => Result): Result {
  const document = new Doc({ guid: '', gc: true });
  try {
    applyUpdate(document, mergeUpdates([nothing, ...chunks]));
    return use(document);
  } catch (cause) {
    if (cause instanceof ConflictError) throw cause;
    throw new ConflictError('malformed', 'a chunk of a text cannot be read', { rule: 'text', cause });
  } finally {
    document.destroy();
  }
}
