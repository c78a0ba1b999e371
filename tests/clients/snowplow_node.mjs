// Snowplow's tracker for servers, as npm has it, against a gateway: by POST and by GET, by app id and by a key in the path.
//   snowplow_node.mjs URL APP_ID KEY [FOLDER]   prints a line for each event that was sent: its id, its name (- none), and a
//                                               text that must be found in it; with a FOLDER also writes the requests there, as NN.http
// Exit status: 1 when the tracker reports an error. NODE_PATH: where @snowplow/node-tracker is.
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
const { newTracker, buildPageView, buildPagePing, buildStructEvent, buildSelfDescribingEvent, buildEcommerceTransaction, buildEcommerceTransactionItem } =
    createRequire(import.meta.url)('@snowplow/node-tracker');

const [url, appId, key, folder] = process.argv.slice(2);
const target = new URL(url), requests = [], errors = [];

// Stands between the tracker and the gateway and keeps what was sent.
const proxy = http.createServer((request, response) => {
    const parts = [];
    request.on('data', part => parts.push(part));
    request.on('end', () => {
        const body = Buffer.concat(parts), head = [`${request.method} ${request.url} HTTP/1.1`];
        for (let i = 0; i < request.rawHeaders.length; i += 2) head.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
        requests.push(Buffer.concat([Buffer.from(head.join('\r\n') + '\r\n\r\n'), body]));
        const onward = http.request({ host: target.hostname, port: target.port, method: request.method, path: request.url, headers: request.headers }, answer => {
            if (answer.statusCode !== 200) errors.push(`${request.method} ${request.url.split('?')[0]}: ${answer.statusCode}`);
            response.writeHead(answer.statusCode, answer.rawHeaders);
            answer.pipe(response);
        });
        onward.on('error', error => { errors.push(error.message); response.destroy(); });
        onward.end(body);
    });
});
await new Promise(resolve => proxy.listen(0, '127.0.0.1', resolve));
const here = `http://127.0.0.1:${proxy.address().port}`;

const product = { schema: 'iglu:com.acme/product/jsonschema/1-0-0', data: { sku: 'a-1', price: 19.99, name: 'Zażółć 👟 "q" \\ /' } };
const ways = [
    { endpoint: here, eventMethod: 'post', appId },
    { endpoint: here, eventMethod: 'get', appId },
    { endpoint: `${here}/${key}`, eventMethod: 'post', appId: 'nobody' },
    { endpoint: `${here}/${key}`, eventMethod: 'get', appId: 'nobody' },
];
for (const way of ways) {
    for (const encodeBase64 of [true, false]) {
        const tracker = newTracker({ namespace: 'shop', appId: way.appId, encodeBase64 },
            { endpoint: way.endpoint, eventMethod: way.eventMethod, bufferSize: 3, onRequestFailure: failure => errors.push(JSON.stringify(failure)) });
        const track = (event, name, text, contexts) => {
            const sent = tracker.track(event, contexts);
            console.log([sent.eid, name, text].join('\t'));
        };
        track(buildStructEvent({ category: 'nobody', action: 'anonymous' }), 'anonymous', '"category":"nobody"');
        tracker.setUserId('user-1');
        tracker.setDomainUserId('device-1');
        tracker.setSessionId('session-1');
        track(buildPageView({ pageUrl: 'https://shop.example/ä?utm_source=news', pageTitle: 'Zażółć 👟', referrer: 'https://www.google.com/' }), '-', 'Zażółć 👟', [product]);
        track(buildPagePing({ pageUrl: 'https://shop.example/', minYOffset: 0, maxYOffset: 900 }), 'page_ping', '"y_offset_max":"900"');
        track(buildStructEvent({ category: 'cart', action: 'add', label: 'Zażółć', value: 1.5 }), 'add', '"value":"1.5"');
        track(buildSelfDescribingEvent({ event: { schema: 'iglu:com.acme/product_view/jsonschema/1-0-2', data: { ...product.data, large: 1e21, list: [1, [], { deep: true }] } } }),
            'product_view', '"large":1e+21,"list":[1,[],{"deep":true}]', [product]);
        track(buildEcommerceTransaction({ orderId: `order-${way.eventMethod}-${way.appId}-${encodeBase64}`, total: 19.9, currency: 'EUR' }), 'Order Completed', '"total":"19.9"');
        track(buildEcommerceTransactionItem({ orderId: 'order', sku: 'a-1', price: 19.9, quantity: 1 }), 'transaction_item', '"sku":"a-1"');
        await tracker.flush();
    }
}
proxy.close();
proxy.closeAllConnections();
if (folder) {
    fs.mkdirSync(folder, { recursive: true });
    requests.forEach((request, i) => fs.writeFileSync(path.join(folder, `${String(i + 1).padStart(2, '0')}.http`), request));
}
errors.forEach(error => console.error(error));
process.exit(errors.length ? 1 : 0);
