// Clients of browsers: the scripts that a page loads, what it does, and what must come of it. `url` is where the client
// sends to and `key` its key; both are variables of the page, as are the properties. `atLeave`: so many events are sent
// when the page is left.
'use strict';
const { properties, event } = require('./calls');

const track = event('track', 'Product Viewed', properties);
const path = event('page', '', { path: '/shop' });
const rudderBundled = '@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js';
const segmentCalls = `
    a.page();
    a.track('Product Viewed', properties);
    a.identify('user-1', { plan: 'pro' });
    a.group('group-1', { size: 3 });
    a.alias('user-2');`;
const segmentEvents = [path, track, event('identify'), event('group'), event('alias')];
const segment = options => `const a = AnalyticsNext.AnalyticsBrowser.load({ writeKey: key, cdnURL: url },
    { integrations: { 'Segment.io': { apiHost: url.slice(7) + '/v1', protocol: 'http'${options} } } });${segmentCalls}`;
const rudder = options => `const a = new rudderanalytics.RudderAnalytics();
    a.load(key, url, { configUrl: url${options} });${segmentCalls}`;
const rudderOld = options => `const a = rudderanalytics; a.load(key, url, { configUrl: url${options} });${segmentCalls}`;
const posthogCalls = `
    posthog.capture('Product Viewed', properties);
    posthog.identify('user-1', { plan: 'pro' });
    posthog.alias('user-1b');
    posthog.group('company', 'group-1', { size: 3 });`;
const posthogEvents = [event('page'), track, event('identify'), event('alias'), event('group'), event('track', '$autocapture'), event('track', '$pageleave')];

module.exports = {
    'segment-browser': { script: '@segment/analytics-next/dist/umd/index.js', page: segment(''), events: segmentEvents },
    'segment-browser-batching': {
        script: '@segment/analytics-next/dist/umd/index.js', events: segmentEvents,
        page: segment(`, deliveryStrategy: { strategy: 'batching', config: { size: 10, timeout: 500 } }`),
    },
    'rudder-browser': { script: rudderBundled, page: rudder(''), events: segmentEvents },
    'rudder-browser-beacon': { script: rudderBundled, page: rudder(', useBeacon: true'), events: segmentEvents, atLeave: 5 },
    'rudder-browser-batch': { script: rudderBundled, page: rudder(', queueOptions: { batch: { enabled: true, flushInterval: 300 } }'), events: segmentEvents },
    'rudder-browser-2': { script: 'rudder-sdk-js/dist/npm/index.js', page: rudderOld(''), events: segmentEvents, noise: /deprecated/ },
    'rudder-browser-2-beacon': { script: 'rudder-sdk-js/dist/npm/index.js', page: rudderOld(', useBeacon: true'), events: segmentEvents, atLeave: 5, noise: /deprecated/ },
    'posthog-browser': { script: 'posthog-js/dist/array.js', page: `posthog.init(key, { api_host: url });${posthogCalls}`, events: posthogEvents, click: true, atLeave: 1 },
    'posthog-browser-1.160': { script: 'posthog-js-1.160/dist/array.js', page: `posthog.init(key, { api_host: url });${posthogCalls}`, events: posthogEvents, click: true, atLeave: 1 },
    'posthog-browser-1.57': { script: 'posthog-js-1.57/dist/array.js', page: `posthog.init(key, { api_host: url });${posthogCalls}
        posthog.people.set({ seen: 1 });`, events: [...posthogEvents.filter(e => e.type !== 'EVENT_TYPE_IDENTIFY'), event('identify', '', {}, 2)], click: true, atLeave: 1 },
    'jitsu-browser': {
        page: `const { jitsuAnalytics } = await import('/modules/@jitsu/js/dist/jitsu.es.js');
            const a = jitsuAnalytics({ host: url, writeKey: key });${segmentCalls.replace(/a\.alias.*/, '')}`,
        events: segmentEvents.slice(0, 4),
    },
    'jitsu-browser-classic': {
        tag: '<script src="/modules/@jitsu/sdk-js/dist/web/lib.js" data-key="KEY" data-tracking-host="URL"></script>',
        page: `jitsu('id', { id: 'user-1', plan: 'pro' }); jitsu('track', 'Product Viewed', properties);`,
        events: [event('page'), event('identify'), track],
    },
};
