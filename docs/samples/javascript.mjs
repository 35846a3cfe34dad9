// BASE_URL=https://… TOKEN=… node javascript.mjs
const { BASE_URL, TOKEN } = process.env;

async function call(method, body) {
  const response = await fetch(`${BASE_URL}/settings/organization`, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${response.status} ${answer.message}`);
  return answer;
}

try {
  console.log((await call('POST', { settings: { theme: 'dark', limits: { maxFileSize: '10GB' } } })).message);
  console.log((await call('GET')).settings.limits.maxFileSize);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
