import { element } from './dom.js';
import { compare } from './editor.js';
import { changes, layout } from './json.js';

/** Shows what a change does: as a list, and as two texts. The texts are JSON; changesText is absent if the service lists none. */
export function show(changesText: string | undefined, truncated: boolean, before: string | undefined, after: string, names: [string, string]): Node[] {
  const shown: Node[] = [];
  if (changesText === undefined) {
    shown.push(element('p', {}, 'The state before this one is gone, so the changes are not known.'));
  } else {
    shown.push(list(changesText));
    if (truncated) shown.push(element('p', {}, 'There are more changes.'));
  }
  if (before !== undefined && changesText !== '[]') {
    shown.push(element('h3', {}, `${names[0]} | ${names[1]}`), compare('Changes', layout(before), layout(after), names).view);
  }
  return shown;
}

function list(text: string): HTMLElement {
  const all = changes(text);
  if (all.length === 0) return element('p', {}, 'Nothing changes.');
  const items = all.map(({ path, before, after }) => {
    const parts: HTMLElement[] = [];
    if (before !== undefined) parts.push(element('del', {}, before));
    if (after !== undefined) parts.push(element('ins', {}, after));
    const what = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
    return element('li', { className: what }, element('code', {}, path || 'the document'), ` ${what}: `, ...parts.flatMap((part, i) => (i ? [' → ', part] : [part])));
  });
  return element('ul', { className: 'changes' }, ...items);
}
