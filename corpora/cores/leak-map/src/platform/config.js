'use strict';

const routes = [];
for (const area of ['products', 'offers', 'search', 'brands', 'outlet', 'cart', 'account', 'orders']) {
  routes.push(
    { name: `${area}.list`, method: 'GET', pattern: new RegExp(`^/${area}/?$`) },
    { name: `${area}.new`, method: 'GET', pattern: new RegExp(`^/${area}/new$`) },
    { name: `${area}.show`, method: 'GET', pattern: new RegExp(`^/${area}/([0-9]+)$`) },
    { name: `${area}.save`, method: 'PUT', pattern: new RegExp(`^/${area}/([0-9]+)$`) },
  );
}

const messages = {};
for (const locale of ['en-GB', 'de-DE', 'fr-FR', 'nl-NL']) {
  for (let i = 0; i < 250; i++) messages[`${locale}/shop.message.${i}`] = `[${locale}] text number ${i} of the shop`;
}

module.exports = {
  service: { name: 'shop', instance: 'shop-7d9c5b6f4-x2x8k', region: 'eu-central-1' },
  catalog: { products: 4_000 },
  sessions: { limit: 2_000 },
  log: { recent: 500, level: 'info' },
  metrics: { flushMs: 10_000 },
  routes,
  messages,
};
