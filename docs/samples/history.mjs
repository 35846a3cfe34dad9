// BASE_URL=https://… TOKEN=… node history.mjs
const { BASE_URL, TOKEN } = process.env;

async function call(method, path, body, headers) {
  const response = await fetch(`${BASE_URL.replace(/\/$/, '')}/settings/organization${path}`, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  if (response.ok) {
    try {
      return JSON.parse(text);
    } catch {} // it is not the service that has answered
  }
  throw new Error(`${response.status} ${text}`);
}

try {
  if (!BASE_URL || !TOKEN) throw new Error('BASE_URL or TOKEN is missing');
  await call('POST', '', { settings: { theme: 'dark', limits: { maxFileSize: '10GB' } } });
  await call('PUT', '', { theme: 'light' });

  const { history } = await call('GET', '/history?limit=2'); // the newest state first
  const [current, previous] = history;
  const { changes } = await call('GET', `/history/${current.revision}`);
  for (const { path, before, after } of changes) {
    console.log(`${path} was ${JSON.stringify(before)} and is ${JSON.stringify(after)} by ${current.updatedBy}`);
  }
  // If-Match: not if somebody has changed the settings since.
  const restored = await call('POST', `/history/${previous.revision}/restore`, undefined, { 'If-Match': `"${current.revision}"` });
  console.log(restored.message);
  console.log((await call('GET', '')).settings.theme);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
