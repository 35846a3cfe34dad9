/**
 * Returns the text of one member of a JSON object. Lossy are the JSON Pointers into that member of the
 * numbers that JavaScript would write back as other numbers. Text must be valid JSON, and the member an
 * object or array.
 */
export function member(text: string, name: string): { text: string; lossy: string[] } {
  const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
  const lossy: string[] = [];
  const path: (string | number)[] = []; // a name or index for each object or array around the current value
  let [start, end] = [0, 0];
  let isName = false;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [word] = match;
    const inside = path.length > 1 && path[0] === name;
    switch (word) {
      case '{':
      case '[':
        if (path.length === 1 && path[0] === name) start = match.index;
        path.push(word === '{' ? '' : 0);
        isName = word === '{';
        break;
      case '}':
      case ']':
        path.pop();
        if (path.length === 1 && path[0] === name) end = token.lastIndex;
        isName = false;
        break;
      case ',': {
        const last = path.at(-1)!;
        if (typeof last === 'number') path[path.length - 1] = last + 1;
        else isName = true;
        break;
      }
      case ':':
        isName = false;
        break;
      default:
        if (isName) path[path.length - 1] = JSON.parse(word) as string;
        else if (inside && /^[-\d]/.test(word) && decimal(word) !== decimal(String(Number(word)))) lossy.push(pointer(path.slice(1)));
    }
  }
  return { text: text.slice(start, end), lossy };
}

/** Writes a path as a JSON Pointer (RFC 6901). */
export function pointer(path: readonly (string | number)[]): string {
  return path.map((name) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Writes a number so that equal numbers have equal texts: its digits without zeros around them, and an exponent. */
function decimal(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(text);
  if (!match) return text; // Infinity
  const [, sign, whole, fraction = '', exponent = '0'] = match;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
