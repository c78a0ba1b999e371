// What every client is told to send, so that the same can be looked for behind all of them.
'use strict';

// Texts that a careless parser changes.
const properties = {
    text: 'Zażółć gęślą jaźń 👟 "quoted" \\ back/slash \u2028 <b>',
    price: 19.99, large: 1e21, small: 1e-7, below: -0.5, exact: 9007199254740993,
    list: [1, [], { deep: { deeper: true } }], yes: true, empty: '',
};
// Browsers' SDKs clean what they send, servers' do not.
const raw = { ...properties, nothing: null, nul: 'a\u0000b', lone: 'x\ud83dy' };

// An event as it must come out: properties are looked for byte for byte.
const event = (type, name = '', its = {}, n = 1) => ({ type: `EVENT_TYPE_${type.toUpperCase()}`, name, properties: its, n });

module.exports = { properties, raw, event };
