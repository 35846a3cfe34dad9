import type { SettingsPreview, SettingsRevision } from '@flashback/client';
import { element } from './dom.js';
import { compare } from './editor.js';
import { changes, layout } from './json.js';

/** Shows what the service says of a change: as a list and, if the JSON text before it is known, as two texts. */
export function show(change: SettingsPreview | SettingsRevision, before: string | undefined, names: [string, string]): Node[] {
  const { changesText, truncated, text } = change;
  const shown: Node[] = [];
  if (changesText === undefined) {
    shown.push(element('p', {}, 'The state before this one is gone, so the changes are not known.'));
  } else {
    shown.push(list(changesText));
    if (truncated) shown.push(element('p', {}, 'There are more changes.'));
  }
  if (before !== undefined && changesText !== '[]') {
    shown.push(element('h3', {}, `${names[0]} → ${names[1]}`), compare('Changes', layout(before), layout(text), names).view);
  }
  return shown;
}

function list(text: string): HTMLElement {
  const all = changes(text);
  if (all.length === 0) return element('p', {}, 'Nothing changes.');
  const items = all.map(({ path, before, after }) => {
    const item = element('li', {}, element('code', {}, path));
    if (before === undefined) item.append(' added: ', element('ins', {}, after!));
    else if (after === undefined) item.append(' removed: ', element('del', {}, before));
    else item.append(' changed: ', element('del', {}, before), ' → ', element('ins', {}, after));
    return item;
  });
  return element('ul', { className: 'changes' }, ...items);
}
