// A synthetic appliance for work on the page and for its tests: the built page, the API of the real one (v1) and a state every second, from a
// formula. It is larger than the demo (as many links and prefixes as asked for) and shows what the demo has no occasion for: loss, prices, flow
// export, tokens. `npm run fake -- --links 64 --prefixes 10000`; `--token T` asks for a token (T may do everything, T-read may only read);
// `--standby` is a controller that does not lead.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { parseArgs } from 'node:util';
import { World } from './world.mjs';

const { values: given } = parseArgs({
  options: {
    port: { type: 'string', default: '8090' },
    links: { type: 'string', default: '6' },
    prefixes: { type: 'string', default: '3000' },
    token: { type: 'string', default: '' },
    standby: { type: 'boolean', default: false },
  },
});
const world = new World(Number(given.links), Number(given.prefixes), given.standby);
const dist = join(import.meta.dirname, '..', 'dist');
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml' };
// The policy of the real one: what the page must do without, it does without here.
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const json = (response, body, status = 200, headers = {}) =>
  response.writeHead(status, { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json', 'Cache-Control': 'no-store', ...headers }).end(JSON.stringify(body));
const problem = (response, status, detail) => json(response, { status, detail }, status);
const body = async (request) => {
  let text = '';
  for await (const part of request) text += part;
  return text;
};

function prefixes(url, response) {
  const q = url.searchParams;
  const top = Math.min(10_000, Number(q.get('top') ?? 50));
  const first = Number(q.get('cursor') ?? 0);
  const text = q.get('q') ?? '';
  const all = world.prefixes.filter(
    (p) => (!q.get('link') || p.link === q.get('link')) && (!q.get('as') || String(p.origin_as) === q.get('as')) && p.prefix.includes(text),
  );
  const next = new URLSearchParams(q);
  next.set('cursor', String(first + top));
  json(response, all.slice(first, first + top), 200, first + top < all.length ? { Link: `</api/v1/prefixes?${next}>; rel="next"` } : {});
}

function events(request, response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  const send = () => response.write(`event: state\ndata: ${JSON.stringify(world.state())}\n\n`);
  send();
  const off = world.onTick(send);
  request.on('close', off);
}

const GET = {
  status: (r) => json(r, world.state().status),
  links: (r) => json(r, world.links),
  overrides: (r) => json(r, world.overrides),
  prefixes: (r, url) => prefixes(url, r),
  decisions: (r, url) => json(r, world.decisions.slice(0, Number(url.searchParams.get('limit') ?? 50))),
  cost: (r) => json(r, world.cost()),
  cluster: (r) => json(r, world.cluster()),
  explain: (r, url) => json(r, world.explain(url.searchParams.get('prefix'))),
  'bgp/rib': (r, url) => json(r, world.rib(url.searchParams.get('prefix'))),
  matrix: (r, url) => json(r, world.matrix(Number(url.searchParams.get('top') ?? 200))),
  config: (r) => json(r, { file: '/etc/egress-appliance/appliance.yaml', loaded_at: world.started, effective: world.yaml() }),
  audit: (r) => json(r, world.audit),
  'history/links': (r, url) => json(r, world.history(url.searchParams.get('link'), Date.parse(url.searchParams.get('from')))),
};

async function change(path, method, request, response, url) {
  const text = await body(request);
  if (path === 'config/check') return json(response, world.check(text));
  const asked = text ? JSON.parse(text) : {};
  if (path === 'mode') return json(response, world.setMode(asked.mode));
  if (path === 'withdraw-all' && given.standby) return json(response, { withdrawn: 0, detail: 'ctl2 leads and was told: it withdraws everything within two seconds.' }, 202);
  if (path === 'withdraw-all') return json(response, { withdrawn: world.withdrawAll() });
  if (path === 'overrides') {
    const refusal = method === 'DELETE' ? world.release(url.searchParams.get('prefix')) : world.add(asked.prefix, asked.link);
    return refusal ? problem(response, 409, refusal) : response.writeHead(204).end();
  }
  return problem(response, 404, `There is no ${path}.`);
}

createServer((request, response) => {
  const url = new URL(request.url, 'http://fake');
  response.setHeader('Content-Security-Policy', POLICY);
  if (!url.pathname.startsWith('/api/v1/')) {
    const file = join(dist, normalize(url.pathname === '/' ? '/index.html' : url.pathname));
    if (!file.startsWith(dist) || !existsSync(file) || !statSync(file).isFile()) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' });
    return createReadStream(file).pipe(response);
  }
  const path = url.pathname.slice('/api/v1/'.length);
  if (given.token) {
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    if (token !== given.token && token !== `${given.token}-read`) return problem(response, 401, token ? 'The token is not known.' : 'This endpoint asks for a token.');
    if (token !== given.token && request.method !== 'GET') return problem(response, 403, 'The token may read only.');
  }
  if (request.method !== 'GET') return void change(path, request.method, request, response, url).catch((e) => problem(response, 400, String(e)));
  if (path === 'events') return events(request, response);
  return GET[path] ? GET[path](response, url) : problem(response, 404, `There is no ${path}.`);
}).listen(Number(given.port), '127.0.0.1', function () {
  console.log(`synthetic appliance: http://127.0.0.1:${this.address().port}/`);
});
setInterval(() => world.tick(), 1000);
process.on('SIGTERM', () => process.exit(0));
