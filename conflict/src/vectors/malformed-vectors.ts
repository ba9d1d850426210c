/**
 * Bytes that no reader may take for a valid record, each with one fault, and the error that names it. The first of
 * them is without a fault, so that it is seen what the others are derived from.
 */
import { ConflictError } from '../errors.ts';
import { bytesOf, hexOf } from '../fuzz/hex.ts';
import { validate } from '../record/validate.ts';
import type { VectorFile } from './vector-file.ts';

const stamp = '018bcfe56800';
const head = '10 02 02 6575 09 00 02 7573 04 01 01 02';
const title = (payload: string) => entry('00 01', `7469746c65 f6 ${payload}`);
const value = (hex: string) => `${head} ${title(stamp + hex)}`;
const tag = (element: string, payload = '') =>
  `${head} ${entry('00 01', `74616773 f7 ${element} ${payload}`)}`;
const likes = (payload: string) => `${head} ${entry('00 01', `6c696b6573 f8 ${payload}`)}`;
const at = (dot: string) => `${head} ${entry(dot, '61 f8 01')}`;
const under = (path: string) => `${head} ${entry('00 01', `${path} f8 01`)}`;
const repeated = (hex: string, count: number) => hex.repeat(count);

/** With its size, which is below 128 or takes two bytes. */
function entry(dot: string, rest: string): string {
  const body = compact(`${dot} ${rest}`);
  const size = body.length / 2;
  const low = size < 128 ? [size] : [(size & 0x7f) | 0x80, size >> 7];
  return `${hexOf(Uint8Array.from(low))}${body}`;
}

function compact(hex: string): string {
  return hex.replaceAll(' ', '');
}

const faultless = `${head} ${entry('00 02', '6c696b6573 f8 03')} ${title(`${stamp} 426869`)} ${entry('01 03', `fd ${stamp}`)}`;

const faults: Readonly<Record<string, string>> = {
  ...ofHead(),
  ...ofEntries(),
  ...ofPayloads(),
};

function ofHead(): Readonly<Record<string, string>> {
  return {
    'an older major version': '00 01 02 6575 09 00',
    'a newer major version': '20 01 02 6575 09 00',
    'no actors': '10 00',
    'a truncated head': '10 01 02 65',
    'only a version': '10',
    'more actors than bytes': '10 7f 02 6575 09 00',
    'a count of actors beyond 2^53': '10 ffffffffffffff1f 02 6575 09 00',
    'a count that is not in its shortest form': '10 8100 02 6575 09 00',
    'an actor without a name': '10 01 00 09 00',
    'an actor of 65 bytes': `10 01 41 ${repeated('61', 65)} 09 00`,
    'an actor that is no UTF-8': '10 01 02 c080 09 00',
    'an actor that is a lone surrogate': '10 01 03 eda080 09 00',
    'actors out of order': '10 02 02 7573 04 00 02 6575 09 00',
    'an actor twice': '10 02 02 6575 04 00 02 6575 09 00',
    'an actor without a dot': '10 01 02 6575 00 00',
    'more runs than bytes': '10 01 02 6575 00 7f 00 00',
    'a run that ends beyond 2^53 - 1': '10 01 02 6575 00 01 00 ffffffffffffff0f',
    'a maximum in nine bytes': '10 01 02 6575 808080808080808001 00',
  };
}

function ofEntries(): Readonly<Record<string, string>> {
  const one = entry('00 01', '61 f8 01');
  const two = entry('00 02', '62 f8 01');
  const deep = `61${repeated('f561', 32)}`;
  return {
    'a truncated entry': `${head} 7f 00 01 61 f8 01`,
    'an empty entry': `${head} 00`,
    'an actor that is not in the table': at('02 01'),
    'counter 0': at('00 00'),
    'a dot above what was seen': at('00 0a'),
    'a dot in a gap of what was seen': at('01 05'),
    'entries out of order': `${head} ${two} ${one}`,
    'an entry twice': `${head} ${one} ${one}`,
    'actors of one key out of order': `${head} ${entry('01 01', '61 f8 01')} ${entry('00 01', '61 f8 01')}`,
    'a dot used twice': `${head} ${one} ${entry('00 01', '62 f8 01')}`,
    'a key without a tag': `${head} 04 00 01 61 62`,
    'an extended tag without its type': `${head} 04 00 01 61 ff`,
    'a counter without a path': under(''),
    'a path that begins with an empty name': under('f561'),
    'a mark with a path': `${head} ${entry('00 01', `61 fd ${stamp}`)}`,
    'a path of 33 names': under(deep),
    'a name of 513 bytes': under(repeated('61', 513)),
    'a name that is no UTF-8': under('80'),
    'a name cut within a character': under('c3f561'),
    'a sub-key longer than its entry': `${head} ${entry('00 01', '61 f7 7f 4161')}`,
    'an extended vector behind a stamp': `${head} ${entry('00 01', `61 ff 0e ${stamp}`)}`,
    'a mark of a newer minor version without a stamp': '11 01 02 6575 09 00 04 00 01 fd 00',
  };
}

function ofPayloads(): Readonly<Record<string, string>> {
  return {
    'a register without a stamp': `${head} ${title('0102')}`,
    'a register without a value': value(''),
    'a register with two values': value('2121'),
    'a stamp with the logical part 0 in full': `${head} ${title(`${stamp} ff0000 21`)}`,
    'an integer below 32 in full': value('041f'),
    'minus zero as an integer': value('0500'),
    'an integer as a double': value('033ff0000000000000'),
    'not a number': value('037ff8000000000000'),
    infinity: value('037ff0000000000000'),
    'a short text with a long head': value('060161'),
    'a text that is no UTF-8': value('42c080'),
    'a text beyond its entry': value('7f61'),
    'a short array with a long head': value('070121'),
    'an array of 2^53 - 1 items': value('07ffffffffffffff0f'),
    'members out of order': value('9201622101 6121'),
    'a member twice': value('9201612101 6121'),
    'a value 257 levels deep': value(`${repeated('81', 257)}00`),
    'a value of an unknown type': value('a0'),
    'a vector with a trailing zero': likes('0300'),
    'a counter of five numbers': likes('0101010101'),
    'a number beyond 2^53 - 1': likes('ffffffffffffff1f'),
    'a number not in its shortest form': likes('8300'),
    'moved rights of three numbers': `${head} ${entry('00 01', '61 fa 02 7573 010101')}`,
    'rights moved to nobody': `${head} ${entry('00 01', '61 fa 00 01')}`,
    'rights moved to a name that is no UTF-8': `${head} ${entry('00 01', '61 fa 01 80 01')}`,
    'an element that is null': tag('01 00'),
    'an element that is an array': tag('01 80'),
    'an element that is minus zero': tag('09 038000000000000000'),
    'an element with more behind it': tag('02 2121'),
    'an element of kind 2': tag('01 21', '02'),
    'an element of kind 0 without a stamp': tag('01 21', '00'),
    'a stamp of an element cut short': tag('01 21', '01 018bcf'),
    'a chunk of kind 2': `${head} ${entry('00 01', `61 fb 01 01 02 ${stamp} 01`)}`,
    'a chunk without an encoding': `${head} ${entry('00 01', `61 fb 01 01 00 ${stamp}`)}`,
    'a chunk whose sub-key is no integer': `${head} ${entry('00 01', `61 fb 02 8000 00 ${stamp} 01`)}`,
    'a chunk named after another dot': `${head} ${entry('00 01', `61 fb 01 02 00 ${stamp} 01`)}`,
    'a text client with a payload': `${head} ${entry('00 01', '61 fc 00')}`,
    'a mark with more behind it': `${head} ${entry('00 01', `fd ${stamp} 00`)}`,
    'a deletion without a stamp': `${head} ${entry('00 01', 'fe')}`,
  };
}

export function malformedVectors(): VectorFile {
  return {
    name: 'malformed',
    about:
      'hex: bytes that are refused with the code; rule: what this library calls the fault; code null: taken',
    vectors: [['faultless', faultless] as const, ...Object.entries(faults)].map(([name, hex]) => {
      const bytes = compact(hex);
      return { name, hex: bytes, ...refusalOf(bytes) };
    }),
  };
}

function refusalOf(hex: string): object {
  try {
    validate(bytesOf(hex));
  } catch (reason) {
    if (reason instanceof ConflictError) return { code: reason.code, rule: reason.rule };
    throw reason;
  }
  return { code: null, rule: null };
}
