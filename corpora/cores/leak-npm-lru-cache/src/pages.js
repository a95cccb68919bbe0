'use strict';

const { catalog, metrics } = require('./platform');
const { pageCache } = require('./page-cache');

class Page {
  constructor(url, products) {
    this.url = url;
    this.blocks = products.map((product) => ({ kind: 'product', sku: product.sku, text: `${product.title}, ${product.price.toFixed(2)} EUR` }));
    this.renderedAt = 1_718_000_000_000;
  }
}

function pageFor(url, number) {
  let page = pageCache.get(url);
  if (!page) {
    page = new Page(url, catalog.page(number, 5));
    pageCache.set(url, page);
    metrics.observe('rendered', page.blocks.length);
  }
  return page;
}

module.exports = { Page, pageFor };
