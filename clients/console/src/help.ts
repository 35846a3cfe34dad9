import { FlashbackError, type OrganizationSettings } from '@flashback/client';
import { parseTree, type Node as JsonNode } from 'jsonc-parser';
import { element } from './dom.js';
import type { Editor } from './editor.js';
import { compact, member, pathAt, pointerOf, segments } from './json.js';

/** Help: tells what the JSON Schema says of the member at the cursor. Where there is no schema, nothing is shown. */
export class Help {
  readonly line = element('p', { id: 'help', hidden: true, ariaLive: 'polite' });
  readonly #text = element('pre');
  readonly schema = element('details', { id: 'schema', hidden: true }, element('summary', {}, 'Schema'), this.#text);
  readonly #editor: () => Editor;
  #settings: OrganizationSettings | undefined;
  #root: JsonNode | undefined;
  #timer = 0;

  constructor(editor: () => Editor) {
    this.#editor = editor;
  }

  /** Reads the schema. */
  async open(settings: OrganizationSettings): Promise<void> {
    if (settings !== this.#settings) this.#open('');
    this.#settings = settings;
    const { text } = await settings.schema().catch((error: unknown) => {
      if (error instanceof FlashbackError && error.status === 404) return { text: '' };
      throw error;
    });
    if (settings === this.#settings) this.#open(text); // else another person has taken over
  }

  /** The cursor or the text has changed. The line follows when the person pauses, so that a screen reader is not flooded. */
  moved(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(), 150);
  }

  #open(text: string): void {
    this.#text.textContent = text;
    this.#root = parseTree(text);
    this.line.hidden = this.schema.hidden = !this.#root;
    this.#show();
  }

  #show(): void {
    if (!this.#root) return;
    const { text, cursor } = this.#editor();
    const path = pathAt(text, cursor);
    const shown = element('span', {}, ...help(path, subschemas(this.#root, path), this.#text.textContent));
    if (shown.textContent !== this.line.textContent) this.line.replaceChildren(shown);
  }
}

/** Finds the subschemas for the value at a path. Keywords that depend on other values, such as if and anyOf, are passed over. */
function subschemas(root: JsonNode, path: (string | number)[]): JsonNode[] {
  let found = applied(root, [root]);
  for (const name of path) {
    const next = found.map((schema) => {
      if (typeof name === 'number') return member(member(schema, 'prefixItems'), name) ?? member(schema, 'items');
      const others = member(schema, 'patternProperties') ? undefined : member(schema, 'additionalProperties');
      return member(member(schema, 'properties'), name) ?? others;
    });
    found = applied(root, next);
  }
  return found;
}

/** Adds the subschemas that $ref and allOf of others apply. */
function applied(root: JsonNode, schemas: (JsonNode | undefined)[]): JsonNode[] {
  const all = new Set(schemas.filter((schema) => schema !== undefined));
  for (const schema of all) { // and for those that this adds
    const ref = String(member(schema, '$ref')?.value);
    const target = /^#(\/|$)/.test(ref) ? segments(decodeURIComponent(ref)).reduce(member, root as JsonNode | undefined) : undefined;
    for (const other of [target, ...(member(schema, 'allOf')?.children ?? [])]) if (other) all.add(other);
  }
  return [...all];
}

const facts = {
  type: '#', const: '#', enum: '#', format: 'format #', pattern: 'pattern #', multipleOf: 'a multiple of #',
  minimum: 'at least #', exclusiveMinimum: 'more than #', maximum: 'at most #', exclusiveMaximum: 'less than #',
  minLength: 'length at least #', maxLength: 'length at most #', minItems: 'items: at least #', maxItems: 'items: at most #',
  minProperties: 'members: at least #', maxProperties: 'members: at most #', default: 'default #',
};

/** Tells what subschemas say. Values are shown by their JSON text in the schema, so that numbers keep theirs. */
function help(path: (string | number)[], schemas: JsonNode[], text: string): (Node | string)[] {
  const short = (words: string): string => (words.length > 500 ? `${words.slice(0, 500)}…` : words);
  const values = (keyword: string): JsonNode[] => schemas.map((schema) => member(schema, keyword)).filter((value) => value !== undefined);
  const said = Object.entries(facts).flatMap(([keyword, words]) =>
    values(keyword).map((value) => {
      const each = (['type', 'enum'].includes(keyword) && value.children) || [value];
      const shown = each.map((one) => (keyword === 'type' ? one.value : compact(text.slice(one.offset, one.offset + one.length))));
      return words.replace('#', () => short(shown.join(' or ')));
    }),
  );
  if (schemas.some(({ value }) => value === false)) said.push('not allowed');
  const [title, description] = ['title', 'description'].map((keyword) => short(values(keyword)[0]?.value ?? ''));
  if (!title && !description && said.length === 0) return [];
  return [element('code', {}, pointerOf(path)), ' ', element('strong', {}, title!), ` ${description} `, [...new Set(said)].join('; ')];
}
