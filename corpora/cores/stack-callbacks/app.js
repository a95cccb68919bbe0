'use strict';

// User code called by V8's own builtins, each callback inside the one before.
const { EventEmitter } = require('events');
const { die } = require('./die');

const bus = new EventEmitter();
bus.on('order', function onOrder(order) {
  [order].forEach(eachOrder);
});

function eachOrder(order) {
  return ['item'].map((name) => Array.from([name], (text) => text.trim())).reduce(addUp, order);
}

function addUp(order, items) {
  return [2, 1].sort((a, b) => compare(a, b, items));
}

function compare(a, b) {
  return JSON.stringify({ a, nested: { toJSON } }, replacer);
}

function replacer(key, value) {
  return key === 'nested' && value === 'from toJSON' ? 'x-1'.replace(/-(\d)/g, replaceDigit) : value;
}

function toJSON() {
  return 'from toJSON';
}

function replaceDigit(match, digit) {
  return new Promise(function executor(resolve) {
    resolve(Reflect.apply(applied, { digit }, [digit]));
  });
}

function applied(digit) {
  return new Proxy({}, { get: trap }).anything;
}

function trap(target, key, receiver) {
  return Reflect.construct(constructed, [key]);
}

function constructed(key) {
  return new Map([[key, 1]]).forEach(eachEntry);
}

function eachEntry(value, key) {
  return JSON.parse('[1]', revive);
}

function revive(key, value) {
  return bound(value);
}

const bound = function target(greeting, value) {
  const { taken } = {
    get taken() {
      return [1, 2, 3].find(finder);
    },
  };
  return taken;
}.bind({ bound: true }, 'hello');

function finder(value) {
  return tagged`value ${value}`;
}

function tagged(parts, ...values) {
  return Float64Array.from([1]).some(() => die.call(null));
}

setTimeout(function onTimeout() {
  bus.emit('order', { id: 1 });
}, 1);
