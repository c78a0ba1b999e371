// Stands between a client and the gateway: keeps what was sent, byte for byte, and what was answered.
'use strict';
const http = require('http');
const zlib = require('zlib');

// Where events go; all else is what clients ask at start, and what is thrown away.
const EVENTS = /^\/(v1\/(track|page|screen|identify|group|alias|batch|import|[tpsigab])|beacon\/v1\/batch|e|i\/v0\/e|capture|batch|track|engage|api\/s\/.+|api\/v1\/(s2s\/)?event)\/?$/;

function decode(bytes) {
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = zlib.gunzipSync(bytes);
    const text = bytes.toString();
    const data = /^[[{]/.test(text) ? text : new URLSearchParams(text).get('data') || text;
    return /^[[{]/.test(data) ? data : Buffer.from(data, 'base64').toString();
}

function events(value) {
    return Array.isArray(value) ? value : value.batch || [value];
}

function id(event) {
    return event.messageId || event.uuid || (event.properties || {}).$insert_id || event.event_id || null;
}

// One request as it would stand on the wire with a body of known length.
function raw(request, body) {
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let i = 0; i < request.rawHeaders.length; i += 2)
        if (!/^(transfer-encoding|content-length|cookie)$/i.test(request.rawHeaders[i])) lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
    if (request.method === 'POST') lines.push(`content-length: ${body.length}`);
    return Buffer.concat([Buffer.from(lines.join('\r\n') + '\r\n\r\n'), body]);
}

class Proxy {
    constructor(target) {
        this.target = new URL(target);
        this.requests = []; // {path, raw, text, events}, in the order of their ends
        this.errors = [];
        this.open = 0;
        this.server = http.createServer((request, response) => this.pass(request, response));
    }

    async start() {
        await new Promise(resolve => this.server.listen(0, '127.0.0.1', resolve));
        this.url = `http://127.0.0.1:${this.server.address().port}`;
    }

    stop() {
        this.server.close();
        this.server.closeAllConnections();
    }

    pass(request, response) {
        const parts = [];
        this.open++;
        request.on('data', part => parts.push(part));
        request.on('end', () => {
            const body = Buffer.concat(parts), headers = { ...request.headers };
            delete headers['transfer-encoding'];
            headers['content-length'] = body.length;
            const onward = http.request({ host: this.target.hostname, port: this.target.port, method: request.method, path: request.url, headers }, answer => {
                this.keep(request, body, answer.statusCode);
                response.writeHead(answer.statusCode, answer.rawHeaders);
                answer.pipe(response);
                answer.on('end', () => this.open--);
            });
            onward.on('error', error => {
                this.errors.push(`${request.url}: ${error.message}`);
                response.destroy();
                this.open--;
            });
            onward.end(body);
        });
    }

    keep(request, body, status) {
        const path = request.url.split('?')[0], kept = { path, status, raw: raw(request, body), events: [] };
        if (status >= 400) this.errors.push(`${request.method} ${request.url}: ${status}`);
        if (request.method === 'POST' && EVENTS.test(path)) {
            kept.text = decode(body);
            kept.events = events(JSON.parse(kept.text));
        }
        this.requests.push(kept);
    }

    get sent() {
        return this.requests.flatMap(request => request.events);
    }

    // Until the client has sent so many events and has all its answers; after that it may be asked what it thinks of them.
    async received(n, seconds = 20) {
        for (const until = Date.now() + seconds * 1000; this.sent.length < n || this.open;) {
            if (Date.now() > until) throw new Error(`only ${this.sent.length} of ${n} events were sent`);
            await new Promise(resolve => setTimeout(resolve, 20));
        }
    }
}

module.exports = { Proxy, id };
