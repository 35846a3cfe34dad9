import { FlashbackError } from './error.js';
import { pointer } from './read.js';

/** Text that is JSON already, made by {@link rawJson}. It is written as it is. */
export class RawJson {
  readonly #text: string;

  /** Throws a FlashbackError of kind `request` if text is not JSON. */
  constructor(text: string) {
    try {
      JSON.parse(text);
    } catch (cause) {
      throw new FlashbackError('request', `rawJson: the text is not JSON: ${(cause as Error).message}`, { cause });
    }
    this.#text = String(text);
  }

  /** Returns the text. */
  toString(): string {
    return this.#text;
  }

  static is(value: object): value is RawJson {
    return #text in value;
  }
}

/**
 * Stands for a value by its JSON text: a whole document, or one number that JavaScript cannot
 * hold, such as `{ id: rawJson('9007199254740993') }`.
 */
export function rawJson(text: string): RawJson {
  return new RawJson(text);
}

/**
 * The service refuses documents nested deeper than 1,000 levels. The body of POST adds one level.
 * The limit also stops at objects whose getters make new objects without end.
 */
const maxDepth = 1_001;

/**
 * Writes value as JSON.stringify does. Where JSON.stringify would write `null`, `{}` or nothing in
 * place of a value, it throws a FlashbackError of kind `request`. Every member is read once, so the
 * text is what was checked.
 */
export function serialize(value: unknown): string {
  const parts: string[] = [];
  const open: object[] = []; // the objects around the current value
  const path: (string | number)[] = [];

  const refuse = (what: string, cause?: unknown): never => {
    const place = pointer(path);
    const error = `${place === '' ? 'the body' : place} is ${what}`;
    throw new FlashbackError('request', `the body cannot be sent as JSON: ${error}`, { error, pointer: place, cause });
  };

  const text = (value: string): string =>
    /\p{Surrogate}/u.test(value) ? refuse('a string with half of a surrogate pair, which is no Unicode text') : JSON.stringify(value);

  const write = (value: unknown): void => {
    const given = value;
    value = converted(value, String(path.at(-1) ?? ''), refuse);
    switch (typeof value) {
      case 'string':
        parts.push(text(value));
        return;
      case 'boolean':
        parts.push(String(value));
        return;
      case 'number':
        parts.push(Number.isFinite(value) ? JSON.stringify(value) : refuse(`${value}, which JSON cannot express`));
        return;
      case 'object':
        if (value !== null) {
          within(value);
        } else if (given !== null) {
          refuse(given instanceof Date ? 'an invalid Date' : `${nameOf(given)} whose toJSON returns null`);
        } else {
          parts.push('null');
        }
        return;
      case 'bigint':
        refuse('a BigInt: send Number(value), String(value) or rawJson(String(value))');
    }
    refuse(given === value ? describe(value) : `${nameOf(given)} whose toJSON returns ${describe(value)}`);
  };

  const within = (value: object): void => {
    if (RawJson.is(value)) {
      parts.push(value.toString());
      return;
    }
    const native = JSON as { isRawJSON?(value: unknown): value is { rawJSON: string } };
    if (native.isRawJSON?.(value)) {
      parts.push(value.rawJSON);
      return;
    }
    if (open.includes(value)) refuse('an object that contains itself');
    if (open.length === maxDepth) refuse('nested deeper than 1,000 levels');
    const isArray = Array.isArray(value);
    const names = Object.keys(value);
    const reason = isArray ? undefined : strange(value, names);
    if (reason !== undefined) refuse(reason);
    const symbol = Object.getOwnPropertySymbols(value).find((s) => Object.prototype.propertyIsEnumerable.call(value, s));
    if (symbol !== undefined) refuse(`an object with a member named ${String(symbol)}, which JSON cannot express`);

    open.push(value);
    if (isArray) elements(value, names);
    else members(value as Record<string, unknown>, names);
    open.pop();
  };

  const elements = (array: unknown[], names: string[]): void => {
    const { length } = array;
    const extra = names.find((name) => !(/^(0|[1-9]\d*)$/.test(name) && Number(name) < length));
    if (extra !== undefined) refuse(`an array with a member named ${JSON.stringify(extra)}, which JSON cannot express`);
    parts.push('[');
    for (let i = 0; i < length; i++) {
      if (i > 0) parts.push(',');
      path.push(i);
      write(array[i]);
      path.pop();
    }
    parts.push(']');
  };

  const members = (object: Record<string, unknown>, names: string[]): void => {
    let separator = '{';
    for (const name of names) {
      const member = object[name];
      if (member === undefined) continue;
      path.push(name);
      parts.push(separator, text(name), ':');
      write(member);
      path.pop();
      separator = ',';
    }
    parts.push(separator === '{' ? '{}' : '}');
  };

  try {
    write(value);
  } catch (cause) {
    if (cause instanceof FlashbackError) throw cause;
    refuse(`an object that cannot be read: ${cause}`, cause); // a getter or a proxy has thrown
  }
  return parts.join('');
}

/** Returns the result of toJSON, which JSON.stringify calls on objects and BigInts. */
function converted(value: unknown, key: string, refuse: (what: string, cause: unknown) => never): unknown {
  if (value === null || !['object', 'function', 'bigint'].includes(typeof value)) return value;
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON !== 'function') return value;
  try {
    return toJSON.call(value, key);
  } catch (cause) {
    return refuse(`${nameOf(value)} whose toJSON throws: ${cause}`, cause);
  }
}

/**
 * Built-in kinds of objects, by Object.prototype.toString, whose data is not in enumerable members.
 * They are refused even if a program has added members to one.
 */
const builtIn = new Set([
  'ArrayBuffer', 'BigInt', 'Blob', 'Boolean', 'DataView', 'Date', 'Error', 'File', 'FormData', 'Headers', 'Map', 'Number', 'Promise',
  'RegExp', 'Request', 'Response', 'Set', 'SharedArrayBuffer', 'String', 'Symbol', 'URLSearchParams', 'WeakMap', 'WeakRef', 'WeakSet',
]);

/** Describes value if JSON does not express it by its own enumerable members, which have the given names. */
function strange(value: object, names: string[]): string | undefined {
  if (typeof (value as { then?: unknown }).then === 'function') return `${nameOf(value)}: await it`;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (builtIn.has(tag) || ArrayBuffer.isView(value) || value instanceof Error) return `${nameOf(value)}, which JSON cannot express`;
  const prototype: unknown = Object.getPrototypeOf(value);
  const plain = prototype === null || Object.getPrototypeOf(prototype) === null; // of whatever realm
  if (names.length > 0 || (plain && tag === 'Object')) return undefined;
  return `${nameOf(value)} without members of its own: JSON would be {}`;
}

function describe(value: unknown): string {
  return typeof value === 'function' ? 'a function' : typeof value === 'symbol' ? String(value) : 'undefined';
}

/** Names the kind of an object, such as `a Map` or `an object of class Settings`. */
function nameOf(value: unknown): string {
  if (typeof value === 'bigint') return 'a BigInt';
  if (typeof value === 'function') return 'a function';
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  const { constructor } = value as { constructor?: unknown };
  const name = tag !== 'Object' ? tag : typeof constructor === 'function' ? constructor.name : '';
  return name === '' || name === 'Object' ? 'an object' : `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
}
