// Clients of servers. run() has the client send, waits until it has, and throws what it reports as an error.
'use strict';
const { raw, event } = require('./calls');

const done = call => new Promise((resolve, reject) => call(error => (error ? reject(error) : resolve())));
const track = event('track', 'Product Viewed', raw);

// The calls that Segment's and RudderStack's clients have in common.
function segmentCalls(client) {
    client.identify({ userId: 'user-1', anonymousId: 'anon-1', traits: { plan: 'pro' } });
    client.track({ userId: 'user-1', event: 'Product Viewed', properties: raw });
    client.page({ anonymousId: 'anon-1', name: 'Home', properties: { path: '/' } });
    client.screen({ userId: 'user-1', name: 'Cart', properties: { items: 2 } });
    client.group({ userId: 'user-1', groupId: 'group-1', traits: { size: 3 } });
    client.alias({ userId: 'user-1', previousId: 'anon-1' });
}
const segmentEvents = [event('identify'), track, event('page', 'Home', { path: '/' }), event('screen', 'Cart', { items: 2 }), event('group'), event('alias')];

function segmentClassic(name) {
    const Module = require(name), Analytics = Module.default || Module;
    return async ({ url, key, proxy }) => {
        const errors = [];
        const client = new Analytics(key, { host: url, errorHandler: error => errors.push(error) });
        segmentCalls(client);
        await done(callback => client.flush(callback));
        await proxy.received(6);
        if (errors.length) throw errors[0];
        return segmentEvents;
    };
}

function posthogCalls(client) {
    client.capture({ distinctId: 'user-1', event: 'Product Viewed', properties: raw });
    client.capture({ distinctId: 'user-1', event: '$pageview', properties: { $current_url: 'https://shop.example/?utm_source=news', depth: 2 } });
    client.identify({ distinctId: 'user-1', properties: { plan: 'pro' } });
    client.alias({ distinctId: 'user-1', alias: 'anon-1' });
    client.groupIdentify({ groupType: 'company', groupKey: 'group-1', properties: { size: 3 } });
}
const posthogEvents = [track, event('page', '', { depth: 2 }), event('identify'), event('alias'), event('group')];

module.exports = {
    'segment-node-3': async ({ url, key }) => {
        const { Analytics } = require('@segment/analytics-node');
        const errors = [], client = new Analytics({ writeKey: key, host: url });
        client.on('error', error => errors.push(error));
        segmentCalls(client);
        await client.closeAndFlush();
        if (errors.length) throw new Error(JSON.stringify(errors[0]));
        return segmentEvents;
    },
    'segment-node-6': context => segmentClassic('analytics-node-6')(context),
    'segment-node-5': context => segmentClassic('analytics-node-5')(context),
    'rudder-node': async ({ url, key, proxy }) => {
        const errors = [], Client = require('@rudderstack/rudder-sdk-node');
        const client = new Client(key, { dataPlaneUrl: url, errorHandler: error => errors.push(error) });
        segmentCalls(client);
        await done(callback => client.flush(callback));
        await proxy.received(6);
        if (errors.length) throw errors[0];
        return segmentEvents;
    },
    'posthog-node-5': async ({ url, key }) => {
        const { PostHog } = require('posthog-node');
        const errors = [], client = new PostHog(key, { host: url });
        client.on('error', error => errors.push(error));
        posthogCalls(client);
        if (Object.keys(await client.getAllFlags('user-1')).length) throw new Error('there are flags');
        await client.shutdown();
        if (errors.length) throw errors[0];
        return posthogEvents;
    },
    'posthog-node-3': async ({ url, key }) => {
        const { PostHog } = require('posthog-node-3');
        const errors = [], client = new PostHog(key, { host: url });
        client.on('error', error => errors.push(error));
        posthogCalls(client);
        if (await client.isFeatureEnabled('new', 'user-1', { sendFeatureFlagEvents: false })) throw new Error('there is a flag');
        await client.shutdownAsync();
        if (errors.length) throw errors[0];
        return posthogEvents;
    },
    'posthog-node-1': async ({ url, key, proxy }) => {
        const PostHog = require('posthog-node-1');
        const client = new PostHog(key, { host: url });
        posthogCalls(client);
        await done(callback => client.flush(callback));
        await proxy.received(5);
        client.shutdown();
        return posthogEvents;
    },
    'jitsu-node': async ({ url, key }) => {
        const { jitsuAnalytics } = require('@jitsu/js');
        const client = jitsuAnalytics({ host: url, writeKey: key, s2s: true, errorPolicy: 'rethrow' });
        await client.track('Product Viewed', raw);
        await client.page({ name: 'Home' });
        await client.identify('user-1', { plan: 'pro' });
        await client.group('group-1', { size: 3 });
        return [track, event('page', '', { name: 'Home' }), event('identify'), event('group')];
    },
    'jitsu-node-classic': async ({ url, key, proxy }) => {
        const { jitsuClient } = require('@jitsu/sdk-js');
        const client = jitsuClient({ key: `s2s.${key}`, tracking_host: url });
        await client.id({ id: 'user-1', plan: 'pro' });
        await client.track('Product Viewed', raw);
        await proxy.received(2);
        return [event('identify'), track];
    },
};
