import { createScanner, getLocation, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';

/** What is wrong in a text, from one UTF-16 offset to another. */
export interface Problem {
  from: number;
  to: number;
  message: string;
}

const maxBytes = 400_000;
const maxDepth = 1_000;
const endOfFile = 17; // SyntaxKind.EOF, which TypeScript cannot import

function* tokens(text: string): Generator<string> {
  const scanner = createScanner(text, true);
  while (scanner.scan() !== endOfFile) {
    const from = scanner.getTokenOffset();
    yield text.slice(from, from + scanner.getTokenLength());
  }
}

/** Removes the white space between the tokens of a JSON text. */
export function compact(text: string): string {
  return [...tokens(text)].join('');
}

/**
 * Writes a JSON text with one value on a line. Only white space changes. The indentation is bounded, because a deep document
 * would become thousands of times as large.
 */
export function layout(text: string): string {
  let [laidOut, before, depth] = ['', '', 0];
  for (const token of tokens(text)) {
    const opened = before === '{' || before === '[';
    const closes = token === '}' || token === ']';
    if (closes) depth--;
    if (before === ',' || opened !== closes) laidOut += `\n${'  '.repeat(Math.min(depth, 16))}`;
    else if (before === ':') laidOut += ' ';
    if (token === '{' || token === '[') depth++;
    laidOut += token;
    before = token;
  }
  return laidOut;
}

/** Finds what keeps a text from being a settings document. */
export function check(text: string): Problem[] {
  const errors: ParseError[] = [];
  const problems: Problem[] = [];
  try {
    const root = parseTree(text, errors, { disallowComments: true });
    for (const [i, { error, offset, length }] of errors.slice(0, 100).entries()) {
      if (offset === errors[i - 1]?.offset) continue; // a consequence
      const before = text.slice(0, offset).trimEnd();
      const isTrailing = before.endsWith(',') && /[}\]]/.test(text.charAt(offset));
      const words = printParseErrorCode(error).replace(/\B[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
      problems.push({
        from: isTrailing ? before.length - 1 : offset,
        to: offset + length,
        message: isTrailing ? 'Remove the comma, because nothing follows it' : words,
      });
    }
    if (root?.type !== 'object') problems.push({ from: 0, to: text.length, message: 'The document is not a JSON object, { … }' });
    if (root) walk(root, 1, problems);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause; // the stack is full
    problems.push({ from: 0, to: text.length, message: `Nested deeper than ${maxDepth} levels` });
  }
  if (problems.length === 0 && text.length > maxBytes / 3) {
    const bytes = new TextEncoder().encode(compact(text)).length;
    if (bytes > maxBytes) problems.push({ from: 0, to: text.length, message: `${bytes} bytes without white space; ${maxBytes} are allowed` });
  }
  return problems.sort((a, b) => a.from - b.from);
}

function walk(node: Node, depth: number, problems: Problem[]): void {
  const problem = (at: Node, message: string): unknown => problems.push({ from: at.offset, to: at.offset + at.length, message });
  if (node.type === 'string' && /\p{Surrogate}/u.test(node.value as string)) problem(node, 'Half of a surrogate pair');
  if (node.type !== 'object' && node.type !== 'array') return;
  if (depth > maxDepth) {
    problem(node, `Nested deeper than ${maxDepth} levels`);
    return;
  }
  const names = new Set<string>();
  for (const child of node.children ?? []) {
    const [name, value] = child.type === 'property' ? child.children! : [undefined, child];
    if (name) {
      if (names.has(name.value as string)) problem(name, 'Duplicate name');
      names.add(name.value as string);
      walk(name, depth, problems);
    }
    if (value) walk(value, depth + 1, problems);
  }
}

/** Finds the value of a member of an object, or an element of an array. */
export function member(node: Node | undefined, name: string | number): Node | undefined {
  if (node?.type === 'array') return node.children?.[Number(name)];
  return node?.children?.findLast((property) => property.children?.[0]?.value === name)?.children?.[1];
}

/** Writes a path as a JSON Pointer (RFC 6901). */
export function pointerOf(path: readonly (string | number)[]): string {
  return path.map((name) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Splits a JSON Pointer. */
export function segments(pointer: string): string[] {
  return pointer.split('/').slice(1).map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Finds the value at a JSON Pointer in a JSON text, or else the nearest value around it. */
export function place(text: string, pointer: string): { from: number; to: number } {
  let node = parseTree(text);
  for (const name of segments(pointer)) {
    const next = member(node, name);
    if (!next) break;
    node = next;
  }
  return node ? { from: node.offset, to: node.offset + node.length } : { from: 0, to: 0 };
}

/**
 * Finds the path of the value or member that a person with the cursor at an offset looks at. The text may have mistakes.
 * After a comma it is what stands before the comma, after [ the array, in white space what comes next in the line.
 */
export function pathAt(text: string, offset: number): (string | number)[] {
  const next = /[ \t]*((?<=\s)[}\]])?/y;
  next.lastIndex = offset;
  if (/[,[]/.test(text.charAt(offset - 1))) next.lastIndex--;
  else next.test(text);
  try {
    const { path, isAtPropertyKey, previousNode } = getLocation(text, next.lastIndex);
    return isAtPropertyKey && !previousNode && path.at(-1) === '' ? path.slice(0, -1) : path; // where a name may come
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause; // the stack is full
    return [];
  }
}

/** A change as the service lists it, with JSON texts for values, so that numbers keep theirs. */
export interface Change {
  path: string;
  before: string | undefined;
  after: string | undefined;
}

/** Reads the text of a list of changes. */
export function changes(text: string): Change[] {
  const source = (change: Node, name: string): string | undefined => {
    const node = member(change, name);
    return node && text.slice(node.offset, node.offset + node.length);
  };
  const value = (change: Node, name: string): string | undefined => {
    const size = source(change, `${name}Size`);
    return size === undefined ? source(change, name) : `a value of ${/\d+/.exec(size)} bytes`;
  };
  return (parseTree(text)?.children ?? []).map((change) => ({
    path: JSON.parse(source(change, 'path')!) as string,
    before: value(change, 'before'),
    after: value(change, 'after'),
  }));
}
