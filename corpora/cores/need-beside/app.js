'use strict';

// A shop's back office with its catalogue at its limit. Beside it 400 listeners at one emitter, nine contexts of vm and the
// same text in each product: too small to explain the heap, too many to be meant.
const { catalogue } = require('./src/catalogue');
const { settings } = require('./src/settings');
const { openPanel } = require('./src/panel');
const { render } = require('./src/templates');

for (let i = 0; i < 400; i++) openPanel(i);
console.log(catalogue.size, settings.currency, render(1));
setTimeout(() => process.abort(), 100);
