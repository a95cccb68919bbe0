'use strict';

const { catalog, metrics, recent } = require('./platform');
const { Sandbox } = require('./sandbox');

// A sandbox for each tenant. The leak: a context of V8 is some hundred kilobytes, and none is ever given back.
const sandboxes = new Map();

function sandboxFor(tenant) {
  let sandbox = sandboxes.get(tenant);
  if (!sandbox) sandboxes.set(tenant, (sandbox = new Sandbox(tenant)));
  return sandbox;
}

function priceFor(tenant, number) {
  const price = sandboxFor(tenant).price(catalog.at(number).price);
  recent.push({ tenant, price });
  metrics.observe('price', price);
  return price;
}

module.exports = { priceFor };
