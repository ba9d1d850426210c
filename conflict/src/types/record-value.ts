/**
 * The TypeScript types of what a schema reads. Only types; nothing here runs.
 */
import type { JsonValue } from '../codec/value.ts';
import type { BoundedCounterField, CounterField, DeclaredMapField, Field, Fields } from './field.ts';
import type { OpenMapField, RegisterField, SetField, TextField } from './field.ts';
import type { Element } from './set.ts';

/** What a field of this declaration shows. */
export type FieldValue<F extends Field> = F extends RegisterField
  ? JsonValue
  : F extends CounterField | BoundedCounterField
    ? number
    : F extends SetField
      ? readonly Element[]
      : F extends TextField
        ? string
        : F extends DeclaredMapField
          ? RecordValue<F['fields']>
          : F extends OpenMapField
            ? { readonly [member: string]: FieldValue<F['of']> }
            : never;

/** Fields that are left out where nothing was written. */
type Optional = RegisterField | DeclaredMapField | OpenMapField;

/** What a record shows; of fields that are known only when the program runs, nothing more than their names. */
export type RecordValue<F extends Fields> = string extends keyof F
  ? { readonly [name: string]: unknown }
  : DeclaredValue<F>;

type DeclaredValue<F extends Fields> = Flat<
  {
    readonly [Name in keyof F as F[Name] extends Optional ? Name : never]?: FieldValue<F[Name]>;
  } & {
    readonly [Name in keyof F as F[Name] extends Optional ? never : Name]: FieldValue<F[Name]>;
  }
>;

/** One object type in place of an intersection, as editors show it. */
type Flat<Members> = { readonly [Name in keyof Members]: Members[Name] };
