import { parseTree, type Node } from 'jsonc-parser';
import { compact, layout, pointerOf } from './json.js';

/** A document with the changes of both sides, and the JSON Pointers of the values that both changed in different ways. */
export interface Merged {
  text: string;
  conflicts: string[];
}

/**
 * Adds to the document mine what theirs changed against base. Objects are merged member by member, other values as a whole.
 * A value that both changed in different ways is a conflict: the value of mine stays. All three are JSON objects.
 */
export function merge(base: string, theirs: string, mine: string): Merged {
  const conflicts: string[] = [];
  const [b, t, m] = [base, theirs, mine].map(compact).map((text) => valueOf(text, parseTree(text)!)) as [Value, Value, Value];
  return { text: layout(mergeObjects(b.members!, t.members!, m.members!, '', conflicts)), conflicts };
}

type Members = Map<string, { name: string; value: Value }>;

/** Texts are compact JSON, so that equal ones are no change and numbers keep their text. */
interface Value {
  text: string;
  members?: Members; // of an object
}

function valueOf(document: string, node: Node): Value {
  const textOf = ({ offset, length }: Node): string => document.slice(offset, offset + length);
  if (node.type !== 'object') return { text: textOf(node) };
  const members: Members = new Map();
  for (const { children } of node.children!) {
    const [name, value] = children as [Node, Node];
    members.set(name.value as string, { name: textOf(name), value: valueOf(document, value) });
  }
  return { text: textOf(node), members };
}

function mergeObjects(base: Members, theirs: Members, mine: Members, pointer: string, conflicts: string[]): string {
  const merged: string[] = [];
  const add = (key: string): void => {
    const { name } = mine.get(key) ?? theirs.get(key)!;
    const at = pointer + pointerOf([key]);
    const text = mergeValues(base.get(key)?.value, theirs.get(key)?.value, mine.get(key)?.value, at, conflicts);
    if (text !== undefined) merged.push(`${name}:${text}`);
  };
  // A member that only theirs has follows the same member as in theirs.
  let group: string[] = [];
  const following = new Map<string | undefined, string[]>([[undefined, group]]);
  for (const key of theirs.keys()) {
    if (mine.has(key)) following.set(key, (group = []));
    else group.push(key);
  }
  for (const key of [undefined, ...mine.keys()]) {
    if (key !== undefined) add(key);
    following.get(key)?.forEach(add);
  }
  return `{${merged.join()}}`;
}

/** Merges three values; undefined is a member that is not there. */
function mergeValues(
  base: Value | undefined,
  theirs: Value | undefined,
  mine: Value | undefined,
  pointer: string,
  conflicts: string[],
): string | undefined {
  if (theirs?.text === base?.text || theirs?.text === mine?.text) return mine?.text;
  if (mine?.text === base?.text) return theirs?.text;
  if (theirs?.members && mine?.members) {
    return mergeObjects(base?.members ?? new Map(), theirs.members, mine.members, pointer, conflicts);
  }
  conflicts.push(pointer);
  return mine?.text;
}
