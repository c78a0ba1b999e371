// Runs one client against a gateway.
//   client.js list
//   client.js run NAME URL KEY RESULT [FOLDER]   writes what it sent and what must come of it to RESULT, prints how many
//                                                events it sent; with a FOLDER also the requests themselves: NN.http, and NN.body.json decoded
//   client.js check RESULT ACCEPTED              compares that with what was accepted, a JSON object a line; prints TAP
'use strict';
const fs = require('fs');
const http = require('http');
const path = require('path');
const { Proxy, id } = require('./proxy');
const { properties } = require('./calls');
const onServers = require('./node_clients');
const inBrowsers = require('./browser_clients');

// A headless browser says so, and some clients then send nothing.
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
const SHOP = '/shop?utm_source=news&utm_medium=email&utm_campaign=spring';

function html(client, url, key) {
    const tag = client.tag ? client.tag.replace('URL', url).replace('KEY', key) : client.script ? `<script src="/modules/${client.script}"></script>` : '';
    return `<!doctype html><meta charset="utf-8"><title>Shop</title><body><button>Buy</button>
<script>const url = ${JSON.stringify(url)}, key = ${JSON.stringify(key)}, properties = ${JSON.stringify(properties).replace(/</g, '\\u003c')};</script>
${tag}
<script${client.script || client.tag ? '' : ' type="module"'}>${client.page}</script>`;
}

// The shop's own server: its page, and the clients' files as they are in their packages.
function serve(page) {
    const modules = process.env.NODE_PATH;
    const server = http.createServer((request, response) => {
        const file = path.join(modules, decodeURIComponent(request.url.replace(/^\/modules\//, '')).split('?')[0]);
        if (!request.url.startsWith('/modules/')) {
            response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(request.url === SHOP ? page : '');
        } else if (fs.existsSync(file)) {
            response.writeHead(200, { 'content-type': 'text/javascript' }).end(fs.readFileSync(file));
        } else {
            response.writeHead(404).end();
        }
    });
    return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function browse(client, { url, key, proxy }) {
    const errors = [], server = await serve(html(client, url, key));
    const browser = await require('puppeteer-core').launch({
        executablePath: process.env.CHROMIUM || '/usr/bin/chromium', headless: true,
        args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', `--user-agent=${AGENT}`, '--disable-blink-features=AutomationControlled'],
    });
    try {
        const page = await browser.newPage();
        page.on('console', message => message.type() === 'error' && !(client.noise && client.noise.test(message.text())) && errors.push(message.text()));
        page.on('pageerror', error => errors.push(error.message));
        await page.goto(`http://127.0.0.1:${server.address().port}${SHOP}`, { waitUntil: 'load' });
        if (client.click) await page.click('button');
        const total = client.events.reduce((sum, event) => sum + event.n, 0);
        await proxy.received(total - (client.atLeave || 0));
        await page.goto('about:blank');
        await proxy.received(total);
    } finally {
        await browser.close();
        server.close();
    }
    if (errors.length) throw new Error(errors.join('\n'));
    return client.events;
}

async function run(name, target, key, result, folder) {
    const proxy = new Proxy(target), errors = proxy.errors;
    let wanted = [];
    await proxy.start();
    // what a client has to complain of, it says here, if nowhere else
    console.error = (...words) => errors.push(words.join(' '));
    try {
        const context = { url: proxy.url, key, proxy };
        wanted = await (onServers[name] ? onServers[name](context) : browse(inBrowsers[name], context));
    } catch (error) {
        errors.push(error.stack || String(error));
    }
    proxy.stop();
    fs.writeFileSync(result, JSON.stringify({ name, errors, wanted, sent: proxy.sent.length, ids: proxy.sent.map(id).filter(Boolean) }));
    if (folder) record(proxy.requests, key, folder);
    console.log(proxy.sent.length);
    process.exit(0);
}

function record(requests, key, folder) {
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'key'), key);
    requests.forEach((request, i) => {
        const name = path.join(folder, String(i + 1).padStart(2, '0'));
        fs.writeFileSync(`${name}.http`, request.raw);
        if (request.text) fs.writeFileSync(`${name}.body.json`, request.text);
    });
}

function check(resultFile, acceptedFile) {
    const { name, errors, wanted, sent, ids } = JSON.parse(fs.readFileSync(resultFile));
    const lines = fs.readFileSync(acceptedFile, 'utf8').split('\n').filter(Boolean);
    const accepted = lines.map(line => ({ line, ...JSON.parse(line).event }));
    const say = (holds, what, why) => console.log(`${holds ? 'ok' : 'not ok'} - ${name}: ${what}${holds ? '' : `\n# ${String(why).replace(/\n/g, '\n# ').slice(0, 2000)}`}`);
    say(!errors.length, 'it reports no error', errors.join('\n'));
    say(sent > 0 && accepted.length === sent, `its ${sent} events arrive once`, `${accepted.length} of ${sent}: ${accepted.map(event => `${event.type} ${event.name}`).join(', ')}`);
    const got = accepted.map(event => event.message_id), lost = ids.filter(one => !got.includes(one));
    say(!lost.length && new Set(got).size === got.length, 'each message id once', `lost ${lost}`);
    for (const { type, name: event, properties: its, n } of wanted) {
        const found = accepted.filter(one => one.type === type && one.name === event);
        const texts = Object.entries(its).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
        const missing = found.length !== n ? [`${found.length} times`] : texts.filter(text => !found[0].line.includes(text));
        say(!missing.length, `${type} ${event}, every text as it was`, `${missing.join('\n')}\n${found.map(one => one.line).join('\n')}`);
    }
}

const [what, ...rest] = process.argv.slice(2);
if (what === 'list') console.log([...Object.keys(onServers), ...Object.keys(inBrowsers)].join('\n'));
else if (what === 'run') run(...rest);
else check(...rest);
