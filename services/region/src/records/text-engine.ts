/**
 * Loads what texts are read and edited with, and only where some collection declares a text: a region without one
 * never holds it in memory.
 */
import type { TextEngine } from '@isthmus/conflict';
import type { Declarations } from '../declarations.ts';
import type { FieldDeclaration } from '../field-declarations.ts';

/** `undefined` where no collection declares a text. */
export async function loadTextEngine(declarations: Declarations): Promise<TextEngine | undefined> {
  const isNeeded = [...declarations.values()].some(({ fields }) => [...fields.values()].some(holdsText));
  return isNeeded ? (await import('@isthmus/conflict/text')).yjsText : undefined;
}

function holdsText(field: FieldDeclaration): boolean {
  if (field.type !== 'map') return field.type === 'text';
  return 'of' in field ? holdsText(field.of) : [...field.fields.values()].some(holdsText);
}
