// BASE_URL=https://… TOKEN=… node javascript.mjs
const { BASE_URL, TOKEN } = process.env;

async function call(method, body) {
  const response = await fetch(`${BASE_URL.replace(/\/$/, '')}/settings/organization`, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
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
  console.log((await call('POST', { settings: { theme: 'dark', limits: { maxFileSize: '10GB' } } })).message);
  console.log((await call('GET')).settings.limits.maxFileSize);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
